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
from threading import Thread, Timer
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


IDLE: SimpleQueue["subprocess.Popen[bytes]"] = SimpleQueue()
STARTED: list["subprocess.Popen[bytes]"] = []


def start() -> None:
    """Start a helper, which calls functions as `serve` does, and which later calls find idle."""
    helper = subprocess.Popen(
        [sys.executable, "-P", "-c", START, str(Path(__file__).resolve().parents[2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the grader
    )
    atexit.register(end, helper)
    STARTED.append(helper)
    IDLE.put(helper)


def end(helper: "subprocess.Popen[bytes]") -> None:
    """End a helper, whatever it does just now."""
    with contextlib.suppress(OSError), helper:  # what was not written yet finds no reader
        helper.kill()


def call(function: Callable[..., Returned], *arguments: object, seconds: float | None = None) -> Returned:
    """Return what a module's `function` returns in a helper process.

    Raises `Unusable` where the function does, and `BeyondLimits` where it raises anything else or finds no end.
    """
    return cast(Returned, _reply(pickle.dumps((function, arguments)), function.__name__, seconds or SECONDS))


def call_in_background(function: Callable[..., object], *arguments: object) -> None:
    """Have a helper process call a module's `function`, whatever becomes of it."""
    request = pickle.dumps((function, arguments))  # as they are now

    def attempt() -> None:
        with contextlib.suppress(Unusable, BeyondLimits):
            _reply(request, function.__name__, SECONDS)

    Thread(target=attempt, daemon=True).start()


def _reply(request: bytes, name: str, limit: float) -> object:
    """Return what a helper replies to a request to call the function `name`; raise what `call` does."""
    helper = None
    while not helper or helper.poll() is not None:  # it died while it was idle
        try:
            helper = IDLE.get(timeout=0 if helper or not STARTED else PATIENCE)
        except Empty:
            start()
    timer = Timer(limit, helper.kill)
    timer.start()
    assert helper.stdin and helper.stdout
    try:
        helper.stdin.write(request)
        helper.stdin.flush()
        reply = pickle.load(helper.stdout)
    except BaseException as problem:  # also an interrupt: what the helper still sends is nobody's
        end(helper)
        start()
        if isinstance(problem, EOFError | OSError | pickle.UnpicklingError):
            raise BeyondLimits(f"{name} took more than {limit:g} s, or broke off") from None
        raise
    finally:
        timer.cancel()
    IDLE.put(helper)
    if isinstance(reply, Unusable | BeyondLimits):
        raise reply
    return reply


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
