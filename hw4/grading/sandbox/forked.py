"""The grader's end of the forkserver, on Linux alone: the server's process, and the processes that it forks."""

import contextlib
import functools
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait  # of any descriptor, where `select` ends at 1,023
from pathlib import Path

from .limits import Layer
from .program import Program

ROOT = Path(__file__).resolve().parents[3]
START = "import sys; sys.path[0] = sys.argv[1]; import hw4.grading.sandbox.forkserver as it; it.main(sys.argv[2:])"
FIRST_DESCRIPTOR = 3  # of those that a program inherits beside its streams
LONGEST_DEATH = 5.0  # seconds that a killed process may take to end


class Forkserver:
    """A forkserver's process, started anew where something killed it."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        self._modules, self._environment = list(modules), environment
        self._launch()

    def _launch(self) -> None:
        self._connection, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # keeps messages apart
        command = [sys.executable, "-c", START, str(ROOT), *self._modules]
        options = {"env": self._environment, "cwd": "/", "start_new_session": True, "stdout": subprocess.DEVNULL}
        with end:
            self._process = subprocess.Popen(command, stdin=end.fileno(), **options)

    def preload(self, modules: Sequence[str]) -> None:
        """Have more modules imported."""
        self._modules += modules  # also where it is started anew
        self._send(modules)

    def release(self, folder: str) -> None:
        """Free what is kept in memory for the scratch folder."""
        self._send(folder)

    def _send(self, message: object) -> None:
        with contextlib.suppress(OSError):  # it was killed, and what it kept is gone
            self._connection.send(pickle.dumps(message))

    def fork(self, program: Program) -> "ForkedProcess":
        """Start the program in a child, once all modules are imported."""
        if self._process.poll() is not None:
            self._connection.close()
            self._launch()
        reports, end = os.pipe()
        descriptors = [program.stdin, program.stdout, program.stderr, *program.descriptors, end]
        try:
            socket.send_fds(self._connection, [pickle.dumps(program)], descriptors)
        finally:
            os.close(end)
        return ForkedProcess(reports)

    def close(self) -> None:
        """End the forkserver, and with it every process that it forked."""
        self._connection.close()
        self._process.kill()  # it may still be importing
        self._process.wait()


class ForkedProcess:
    """A process that the forkserver forked; `reports` is the pipe that tells its pid, its layers and its exit code.

    The `root` is its keeper, from which it and all that it starts descend; both are None where it ended before it told.
    """

    def __init__(self, reports: int) -> None:
        self._reports = os.fdopen(reports, encoding="ascii")
        self._exit_code: int | None = None
        self._lock = threading.RLock()  # the watch and the kernel's owner look at it, too

    @functools.cached_property
    def _start(self) -> tuple[int | None, int | None, list[Layer]]:
        """Wait until the process runs; return its pid, its keeper's, and its layers."""
        pids, layers = sorted([self._reports.readline(), self._reports.readline()])  # digits go before brackets
        if not layers.startswith("[") or not pids:
            return None, None, []
        pid, keeper = map(int, pids.split())
        return pid, keeper, [Layer(*fields) for fields in json.loads(layers)]

    pid = property(lambda self: self._start[0])
    root = property(lambda self: self._start[1])
    layers = property(lambda self: self._start[2])

    def poll(self) -> int | None:
        """Return the exit code (negative: the signal that ended the process), or None while the process lives."""
        with self._lock:
            if self._exit_code is None:
                if self.pid is None:
                    self._exit_code = 1
                elif wait([self._reports.fileno()], 0):
                    self._exit_code = int(self._reports.readline() or -signal.SIGKILL)
            return self._exit_code

    def send_signal(self, number: int) -> None:
        """Send the signal to the process, if it lives."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process and its descendants, and wait for its end."""
        with self._lock:
            if self.poll() is None:
                with contextlib.suppress(OSError):
                    keeper = os.pidfd_open(self.root)  # shows its end even while the forkserver is busy
                    os.kill(self.pid, signal.SIGKILL)
                    wait([keeper], LONGEST_DEATH)  # it ends after all that the process has started
                    os.close(keeper)
                self._exit_code = -signal.SIGKILL
            self._reports.close()


def listen(prefix: str, count: int) -> list[socket.socket]:
    """Return sockets that listen at the paths `prefix`-3, `prefix`-4, ...: those that a program finds from 3 on."""
    found = []
    for number in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + count):
        found.append(socket.socket(socket.AF_UNIX))
        found[-1].bind(f"{prefix}-{number}")
        found[-1].listen()
    return found
