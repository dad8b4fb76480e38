"""What a submission can notice of where and after whom it runs, printed as JSON: a notebook's cell, never imported."""

import json
import locale
import logging
import os
import random
import resource
import signal
import sys
import tempfile
import threading
import time
import warnings

import numpy
import torch


def kinds_of_descriptors():
    """Return what the inherited descriptors are, and the kinds of all: how many there are depends on time."""
    names = [f"/proc/self/fd/{number}" for number in sorted(map(int, os.listdir("/proc/self/fd")))]
    kinds = [os.readlink(name).split("[")[0].split(":")[0] for name in names if os.path.lexists(name)]
    return kinds[:7], sorted(set(kinds))


def state():
    mask = os.umask(0)
    os.umask(mask)
    return {
        "environment": dict(os.environ),
        "initial environment": open("/proc/self/environ").read(),
        "folders": [os.getcwd(), os.path.expanduser("~"), tempfile.gettempdir()],
        "random": [random.random(), numpy.random.rand(), torch.rand(1).item(), torch.initial_seed()],
        "hash": [hash("text"), list({"a", "b", "c", "d"})],
        "locale": [locale.setlocale(locale.LC_ALL), sys.getfilesystemencoding(), sys.stdout.encoding],
        "zone": [time.tzname, time.timezone],
        "threads": [torch.get_num_threads(), torch.get_num_interop_threads(), len(os.listdir("/proc/self/task"))],
        "names of threads": sorted(thread.name for thread in threading.enumerate()),
        "umask": mask,
        "descriptors": kinds_of_descriptors(),
        "filters of warnings": list(map(str, warnings.filters)),
        "path": [sys.path, list(map(str, map(type, sys.meta_path)))],
        "arguments": [sys.argv, open("/proc/self/cmdline").read()],
        "signals": [getattr(signal.getsignal(number), "__qualname__", None) for number in range(1, 32)],
        "limits": [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT")],
        "processes": [name for name in os.listdir("/proc") if name.isdigit()],
        "logging": [logging.root.level, sorted(logging.root.manager.loggerDict)],
        "numpy": [str(numpy.get_printoptions()), str(numpy.geterr())],
        "torch": [str(torch.get_default_dtype()), str(torch._tensor_str.PRINT_OPTS), torch.is_grad_enabled()],
        "recursion": [sys.getrecursionlimit(), sys.flags],
        "modules": sorted(sys.modules),
    }


def imported():
    import matplotlib
    import matplotlib.font_manager
    import sklearn.datasets
    import torch._dynamo.config
    import torch._inductor.runtime.cache_dir_utils as cache
    import torch.hub

    return {
        "matplotlib": [matplotlib.get_configdir(), matplotlib.get_cachedir(), matplotlib.get_backend()],
        "its parameters": sorted(map(str, matplotlib.rcParams.items())),
        "fonts": sorted(font.fname for font in matplotlib.font_manager.fontManager.ttflist),
        "sklearn": [sklearn.datasets.get_data_home(), str(sklearn.get_config())],
        "torch": [cache.cache_dir(), torch.hub.get_dir(), torch._dynamo.config.debug_dir_root],
    }


print(json.dumps([state(), imported(), state()]))
