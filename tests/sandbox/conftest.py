"""What the sandbox's tests share: a script that runs in a scratch folder as a submission's code does."""

import os
import sys
import time
from contextlib import ExitStack

import pytest

from hw4.grading.sandbox.launcher import Launcher
from hw4.grading.sandbox.limits import ResourceLimits
from hw4.grading.sandbox.log import Log
from hw4.grading.sandbox.scratch import Scratch


@pytest.fixture(scope="module")
def forking():
    """Yield a launcher whose forkserver has imported nothing beforehand."""
    if sys.platform != "linux":
        pytest.skip("forked on Linux alone")
    with Launcher() as launcher:
        yield launcher


class Attack:
    """A script that ran in a scratch folder: its exit code, what it wrote, its layers, and the limit it exceeded."""

    def __init__(self, scratch, launcher, path, seconds):
        log = Log(1 << 20, pause=0)
        with open(os.devnull) as nothing:
            process = scratch.start(launcher, [str(path)], nothing.fileno(), log.descriptor, log.descriptor)
        log.close()
        self.process, self.layers = process, {layer.name: layer for layer in process.layers}
        deadline = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert process.poll() is not None, "neither its end nor a limit stopped it"
        self.limit = scratch.why_killed(process)
        self.text = log.content().decode()

    def bound(self, name):
        """Return how the limit that begins with `name` is kept."""
        return next(layer.bound for each, layer in self.layers.items() if name in each)


@pytest.fixture
def attack(forking, tmp_path):
    """Return a function that runs lines as a script in a scratch folder, and waits for its end.

    The keywords are limits. `fails(function, *arguments)` says whether an `OSError` is raised.
    """

    def run(lines, given=None, scratch=None, patience=60, **limits):
        path = tmp_path / "attack.py"
        path.write_text(PRELUDE + lines)
        if scratch is None:
            scratch = stack.enter_context(Scratch(given or {}, ResourceLimits(**{"memory": 1 << 30, **limits})))
        return Attack(scratch, forking, path, patience)

    with ExitStack() as stack:
        yield run


PRELUDE = """
import ctypes, errno, mmap, os, platform, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)

def fails(function, *arguments):
    try:
        function(*arguments)
    except OSError as problem:
        return errno.errorcode[problem.errno]

def syscall(*arguments):
    if libc.syscall(*map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), "")

"""
