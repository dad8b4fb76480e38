"""The forkserver: a process that imports what notebooks need, and forks a child with that done for each program.

It runs in a process of its own. Standard input is a Unix socket; a message on it is pickled: a scratch folder that is
done with, a list of modules to import, or a program to fork, which comes with descriptors: its standard input, output
and error, those that it inherits besides, and the pipe on which its pid, its layers and its exit code are reported.
Every program starts in the same state, whatever others did before it. multiprocessing's forkserver was weighed: it
cannot isolate its children.
"""

import contextlib
import dataclasses
import fcntl
import gc
import importlib
import json
import os
import pickle
import random
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from types import CodeType

from . import mounts
from .isolation import isolate
from .linux import attempt
from .program import OWN_ROOT, PLACE, Isolation, Program

LARGEST_MESSAGE, MOST_DESCRIPTORS = 1 << 20, 64  # of a message: bytes, and descriptors
ALL_DESCRIPTORS = 1 << 20


def main(modules: list[str]) -> None:
    """Import the `modules`, and serve until the other end of the connection is closed."""
    sys.path.pop(0)  # where this package was found: no submission's process finds it
    attempt(mounts.enter_namespace)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the grader
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children leave no zombies
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # the kernel does without, and starts sooner
    gc.disable()  # nothing is garbage while modules are imported, and looking for it takes a third of the time
    preload(modules)
    connection, scratches = socket.socket(fileno=0), Scratches()
    while True:
        text, descriptors, _, _ = socket.recv_fds(connection, LARGEST_MESSAGE, MOST_DESCRIPTORS)
        if not text:
            os._exit(0)  # what the children of a process with PyTorch left to tidy up takes longer than they
        message = pickle.loads(text)
        if isinstance(message, Program):
            in_memory = message.isolation is not None and scratches.put_in_memory(message.isolation)
            if os.fork() == 0:
                run(message, descriptors, in_memory)
            for descriptor in descriptors:
                os.close(descriptor)
        elif isinstance(message, list):
            preload(message)
        else:
            scratches.release(message)


def preload(modules: list[str]) -> None:
    """Import the modules, as far as they can be imported."""
    for name in modules:
        with contextlib.suppress(Exception):  # the program that needs it will say that it is missing or broken
            importlib.import_module(name)
    gc.freeze()  # the collector would touch, and so copy, every page that the children share


class Scratches:
    """The scratch folders that are file systems in memory, each with a descriptor of what lies below."""

    def __init__(self) -> None:
        self._below: dict[str, int] = {}

    def put_in_memory(self, wanted: Isolation) -> bool:
        """Put the wanted folder into a file system in memory, as far as that can be mounted; return whether it is."""
        with contextlib.suppress(OSError):
            if wanted.shared not in self._below:
                self._below[wanted.shared] = mounts.mount_scratch(wanted.shared, wanted.limits)
            if not os.path.exists(wanted.folder):
                name = os.path.basename(wanted.folder)
                shutil.copytree(f"/proc/self/fd/{self._below[wanted.shared]}/{name}", wanted.folder)
            return True
        return False

    def release(self, shared: str) -> None:
        if shared in self._below:
            os.close(self._below.pop(shared))
            mounts.release_scratch(shared)


def run(program: Program, descriptors: list[int], in_memory: bool) -> None:
    """Run the program, a script, as `__main__` in this child of the forkserver, and end with its exit code.

    `in_memory` says whether its scratch folder is a file system in memory.
    """
    code = 1
    try:
        script = prepare(program, descriptors, in_memory)
        sys.argv = program.argv
        exec(script, {"__name__": "__main__", "__file__": sys.argv[0]})
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        if not program.isolation:  # else the keeper tells it
            os.write(len(descriptors) - 1, b"%d\n" % code)
        os._exit(code)


def prepare(program: Program, descriptors: list[int], in_memory: bool) -> CodeType:
    """Set up descriptors, signals, folder and isolation; report pid and layers; return the script's code."""
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [name for name in sys.modules if name.partition(".")[0] == "hw4"]:
        del sys.modules[name]  # a submission has a package of this name
    for number, high in enumerate([fcntl.fcntl(each, fcntl.F_DUPFD, 2 * len(descriptors)) for each in descriptors]):
        os.dup2(high, number)  # none of the copies, which come first, has one of these low numbers
    os.closerange(len(descriptors), ALL_DESCRIPTORS)
    report = len(descriptors) - 1
    tempfile.tempdir = None  # what was imported has asked for it: that was the grader's
    script, layers = compile(Path(program.argv[0]).read_bytes(), program.argv[0], "exec"), []  # isolation may hide it
    os.chdir(program.folder)
    with os.fdopen(os.dup(report), "w", encoding="ascii") as lines:
        if program.isolation:
            layers = isolate(program.isolation, report, in_memory)
        else:
            os.write(report, b"%d %d\n" % (os.getpid(), os.getpid()))
        lines.write(json.dumps([dataclasses.astuple(layer) for layer in layers]) + "\n")
    moved = any(layer.name == OWN_ROOT and layer.active for layer in layers)
    folder = program.isolation.folder if program.isolation and moved else PLACE
    os.environ.update({name: value.replace(folder, PLACE) for name, value in program.environment.items()})
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(0)
    return script
