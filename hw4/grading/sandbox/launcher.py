"""Processes for strangers' code: forked from a warm one where the system forks, launched afresh where it does not."""

import contextlib
import functools
import itertools
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FORKS = sys.platform == "linux"  # macOS has fork, but its libraries don't survive it
# What is imported beforehand, if a notebook or what it imports mentions it. Never our own package.
KERNEL = [
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.debugger",
    "tornado.platform.asyncio",
    "tornado.queues",
]
# PyTorch imports the two behind it when it first differentiates or optimizes, which costs as much as itself.
MODULES = {
    "torch": ["torch", "torch.fx.experimental.symbolic_shapes", "torch._dynamo"],
    "matplotlib": ["matplotlib.figure", "matplotlib.backends.backend_agg"],
    "sklearn": ["sklearn.datasets"],
}
# What a submission's process sees of our environment: nothing that could be a secret.
PASSED_ON = re.compile(
    r"PATH|LANG|LANGUAGE|LC_\w+|TZ|LD_LIBRARY_PATH|CONDA_PREFIX|SYSTEMROOT|(OMP|MKL|OPENBLAS)_NUM_THREADS"
)


def environment(threads=1):
    """Return the environment of processes that compute in `threads` threads, if ours does not say how many."""
    counts = dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"], str(threads))
    huge_pages = {"THP_MEM_ALLOC_ENABLE": "1"}  # PyTorch's: large tensors cost fewer page faults
    return counts | huge_pages | {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}


def modules(texts, words=MODULES):
    """Return the modules to import beforehand for notebooks and modules with these texts: those behind `words`."""
    wanted = [MODULES[word] for word in words if any(word in text for text in texts)]
    return [*KERNEL, *itertools.chain(*wanted)]


class Launcher:
    """Starts processes; where the system forks, from one that imports `modules` beforehand."""

    def __init__(self, modules=(), threads=1):
        self._modules, self._environment = list(modules), environment(threads)
        self._connection = self._nursery = None
        if FORKS:
            self._launch()

    def _launch(self):
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # messages
        with theirs:
            command = [sys.executable, "-E", str(HERE / "forkserver.py"), *self._modules]
            self._nursery = subprocess.Popen(
                command, stdin=theirs, stdout=subprocess.DEVNULL, env=self._environment, start_new_session=True
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    @property
    def forks(self):
        """Return whether processes are forked; where not, no socket can be handed down as standard input."""
        return self._nursery is not None

    def expect(self, modules):
        """Import `modules` too, for what is started later."""
        new = [name for name in modules if name not in self._modules]
        self._modules += new
        if new and self._nursery:
            with contextlib.suppress(OSError):  # it was killed: the next one imports them all
                self._connection.send(json.dumps({"import": new}).encode())

    def end(self):
        """End the warm process, and with it every process that came from it."""
        if self._nursery:
            self._connection.close()
            self._nursery.kill()  # it may be importing something still
            self._nursery.wait()

    def start(self, argv, folder, environment, streams, isolate=None):
        """Start `argv` (a script's path, or a module's name, and its arguments) in `folder`; return the process.

        `streams` are the file descriptors of its standard input, output and error; `isolate` the arguments of
        `isolation.isolate`.
        """
        if not self._nursery:
            module = (
                ["-P"] if argv[0].endswith(".py") else ["-m"]
            )  # a script's folder is ours, a module's the notebook's
            return Launched(
                [sys.executable, "-E", *module, *argv],
                cwd=folder,
                env=self._environment | environment,
                **dict(zip(("stdin", "stdout", "stderr"), streams, strict=True)),
                start_new_session=True,
            )
        if self._nursery.poll() is not None:  # whatever killed it: the next one serves as well
            self._connection.close()
            self._launch()
        after = [KERNEL[-1], "torch._dynamo" if argv[0].endswith(".py") else "torch"]  # what it can't wait to import
        request = {"argv": argv, "folder": str(folder), "environment": environment, "isolate": isolate, "after": after}
        reports, theirs = os.pipe()
        try:
            socket.send_fds(self._connection, [json.dumps(request).encode()], [*streams, theirs])
        finally:
            os.close(theirs)
        return Forked(os.fdopen(reports))


class Launched(subprocess.Popen):
    """A process of the ordinary kind."""

    held = ()

    def kill(self):
        """Kill it and what it started, but for what left its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL) if os.name == "posix" else super().kill()
        self.wait()


class Forked:
    """A process that was forked from the warm one."""

    def __init__(self, reports):
        self._reports = reports
        self.returncode = None

    @functools.cached_property
    def _first_words(self):
        """Wait until it exists; return its pid and which isolation holds for it."""
        lines = [self._reports.readline(), self._reports.readline()]
        held = [json.loads(line) for line in lines if line.startswith("[")]
        pid = [int(line) for line in lines if line.strip().isdigit()]
        return (pid[0] if len(pid) == len(held) else None), (held or [[]])[0]

    @property
    def pid(self):
        return self._first_words[0]

    @property
    def held(self):
        """Return which isolation holds for it, in words."""
        return self._first_words[1]

    def poll(self):
        """Return its exit code (minus the signal that killed it), or None while it lives."""
        if self.returncode is None:
            if self.pid is None:
                self.returncode = 1
            elif self._ready(0):
                self.returncode = int(self._reports.readline() or -signal.SIGKILL)
        return self.returncode

    def _ready(self, seconds):
        return bool(select.select([self._reports], [], [], seconds)[0])

    def send_signal(self, number):
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self):
        """Kill it; what it started goes with it."""
        if self.poll() is None:
            with contextlib.suppress(OSError):
                process = os.pidfd_open(self.pid)  # tells of its end even while the warm process is busy
                signal.pidfd_send_signal(process, signal.SIGKILL)
                select.select([process], [], [], 5)
                os.close(process)
            self.returncode = -signal.SIGKILL
        self._reports.close()
