"""Calls that what a student wrote could make endless, run in a helper process with a limit of time and memory.

`concurrent.futures` and pebble were weighed: the death of a process costs the former's other calls, that of an idle one
the latter's; and multiprocessing starts none in a Dask worker, which is a daemon.
"""

import atexit
import contextlib
import importlib
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Timer
from typing import TypeVar, cast

import psutil

from .errors import Unusable

SECONDS = 60.0  # for one call
MEMORY = 2 * 2**30  # bytes of address space; a helper without work has a fifth of it
PATIENCE = 10.0  # seconds that a call waits for a helper to be free before it starts another, which costs half a second
START = "import sys; sys.path.insert(0, sys.argv[1]); from hw4.grading.bounded import serve; serve()"

Returned = TypeVar("Returned")


class BeyondLimits(Exception):
    """A call took too long or too much memory, or raised; the message is one line."""


class Helper:
    """A process that calls functions one after the other, as `serve` does; it ends with its standard input."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-c", START, str(Path(__file__).resolve().parents[2])]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the grader
        )

    def call(self, request: bytes, seconds: float) -> object:
        """Return the reply to a pickled (function, arguments); raise `EOFError` or `OSError` where none comes."""
        assert self.process.stdin and self.process.stdout
        timer = Timer(seconds, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(request)
            self.process.stdin.flush()
            return pickle.load(self.process.stdout)
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        with contextlib.suppress(OSError, ValueError):
            self.process.communicate()


IDLE: SimpleQueue[Helper] = SimpleQueue()
STARTED: list[Helper] = []


def start() -> None:
    """Start a helper that later calls find idle; it ends with this process."""
    helper = Helper()
    STARTED.append(helper)
    atexit.register(helper.close)
    IDLE.put(helper)


def call(function: Callable[..., Returned], *arguments: object, seconds: float | None = None) -> Returned:
    """Return what a module's `function` returns in a helper process.

    Raises `Unusable` where the function does, and `BeyondLimits` where it raises anything else or finds no end.
    """
    request, limit = pickle.dumps((function, arguments)), SECONDS if seconds is None else seconds
    if not STARTED:
        start()
    try:
        helper = IDLE.get(timeout=PATIENCE)
    except Empty:
        start()
        helper = IDLE.get()
    try:
        reply = helper.call(request, limit)
    except BaseException as problem:  # also an interrupt: what the helper still sends is nobody's
        helper.close()
        start()
        if isinstance(problem, EOFError | OSError | pickle.UnpicklingError):
            raise BeyondLimits(f"{function.__name__} took more than {limit:g} s, or broke off") from None
        raise
    IDLE.put(helper)
    if isinstance(reply, Unusable | BeyondLimits):
        raise reply
    return cast(Returned, reply)


def serve() -> None:
    """Reply to each request on standard input, until that is closed."""
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no reply
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # as in main.py: a second and more
    importlib.import_module("hw4.grading.grade")  # while the grader does something else
    if hasattr(psutil, "RLIMIT_AS"):  # Linux
        psutil.Process().rlimit(psutil.RLIMIT_AS, (MEMORY, MEMORY))
    while True:
        try:
            function, arguments = pickle.load(requests)
        except EOFError:
            return
        try:
            body = pickle.dumps(function(*arguments))
        except Unusable as problem:
            body = pickle.dumps(problem)
        except Exception:
            body = pickle.dumps(BeyondLimits(last_of(traceback.format_exc())))
        replies.write(body)
        replies.flush()
        importlib.import_module("hw4.grading.report.submission_page")  # what draws, while the cells run


def last_of(trace: str) -> str:
    """Return the last line of a traceback and where in our code it was raised."""
    places = [line.strip() for line in trace.splitlines() if line.lstrip().startswith("File ")]
    return f"{trace.strip().splitlines()[-1][:200]} ({places[-1] if places else 'nowhere'})"
