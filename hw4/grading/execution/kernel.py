"""The process that runs a notebook's cells: its birth, one execution at a time, its interruption and its death."""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from types import TracebackType
from typing import Any, NoReturn, Self

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from ..sandbox.launcher import Launcher
from ..sandbox.scratch import Scratch

POLL = 0.2  # seconds between two looks at whether the kernel is still alive
SETTLE = 5.0  # seconds that an interrupted cell has to stop before its kernel is killed
BOOT = 60.0  # seconds that a kernel has to answer for the first time
CROWD = 200  # processes that a submission may have at a time
NUMBERS = itertools.count(1)


Content = dict[str, Any]
OnMessage = Callable[[dict[str, Any]], None]


class CellTimeout(Exception):
    """The cell was still running at its deadline."""


class KernelDeath(Exception):
    """The kernel's process ended; the message says how."""


class Kernel:
    """A kernel of this Python in the scratch copy `scratch`; it boots while the caller goes on.

    `launcher` starts its process. It is gone after the `with` block.
    """

    def __init__(self, launcher: Launcher, scratch: Scratch) -> None:
        self.launcher, self.scratch = launcher, scratch
        self._looked = 0.0
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def _start(self) -> None:
        name = self.scratch.folder / f"kernel-{next(NUMBERS)}"
        transport, address = ("ipc", str(name)) if os.name == "posix" else ("tcp", "")
        file, connection = write_connection_file(f"{name}.json", transport=transport, ip=address)
        self._connection: Any = connection
        argv = ["ipykernel_launcher", "-f", file, "--HistoryManager.enabled=False"]
        with open(f"{name}.log", "wb") as log, open(os.devnull) as nothing:
            program = self.scratch.program(argv, nothing.fileno(), log.fileno(), log.fileno())
            self.process = self.launcher.start(program)
        self._log = name.with_suffix(".log")
        self._client = BlockingKernelClient()
        self._connected = False

    def _connect(self) -> None:
        """Wait until the kernel answers and what it publishes reaches us; `BOOT` seconds at most."""
        deadline, patience = monotonic() + BOOT, 0.05
        while not self._listens() and self.process.poll() is None and monotonic() < deadline:
            sleep(0.005)  # who connects too early tries again only after a tenth of a second
        self._client.load_connection_info(self._connection)
        self._client.start_channels(stdin=False, hb=False)
        self._connected = True
        while not any(self._replies(self._client.kernel_info(), monotonic() + patience)):
            patience *= 1.2  # a question asked before the kernel listens is lost: ask again, ever more slowly
            if monotonic() > deadline:
                raise KernelDeath(f"the kernel did not answer within {BOOT:.0f} s")

    def _listens(self) -> bool:
        """Return whether the sockets that we connect to exist, as far as that can be seen."""
        info = self._connection
        ports = [info["shell_port"], info["iopub_port"], info["control_port"]]
        return info["transport"] != "ipc" or all(os.path.exists(f"{info['ip']}-{port}") for port in ports)

    def _replies(
        self, request: str, deadline: float, rest: tuple[str, OnMessage] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield what the kernel publishes about `request` up to its being idle again; nothing more after `deadline`.

        What it publishes meanwhile about the request `rest[0]` is handed to `rest[1]`, until that has had enough.
        """
        while (left := deadline - monotonic()) > 0:
            self._look()
            message = self._message(self._client.get_iopub_msg, min(POLL, left))
            if message is None and self.process.poll() is not None:
                raise KernelDeath(self._how_it_ended())
            if message and _parent(message) == request:
                yield message
                if _state(message) == "idle":
                    return
            elif message and rest and _parent(message) == rest[0]:
                rest[1](message)

    def _message(self, get: Callable[..., Any], seconds: float) -> dict[str, Any] | None:
        """Return the next message; None when none comes in time, or one that no kernel makes or signs."""
        try:
            message = get(timeout=seconds)
        except Exception:  # a submission can write anything on the kernel's sockets: what that raises is not known
            return None
        return message if isinstance(message, dict) and isinstance(message.get("header"), dict) else None

    def _look(self) -> None:
        """Kill the kernel when it and what it started use more than they may."""
        if monotonic() - self._looked < POLL or self.process.poll() is not None:
            return
        self._looked = monotonic()
        try:
            first = psutil.Process(self.process.pid)
            family = [first, *first.children(recursive=True)]
            used = sum(each.memory_info().rss - each.memory_info().shared for each in family)
            if self.scratch.memory and used > self.scratch.memory:  # dearer to ask: without what forks share
                used = sum(each.memory_full_info().pss for each in family)
        except (psutil.Error, AttributeError):  # one of them has just ended; or the system does not tell
            return
        if len(family) > CROWD:
            self._kill(f"the kernel was stopped: more than {CROWD} processes")
        if self.scratch.memory and used > self.scratch.memory:
            self._kill(f"the kernel was stopped: more than {self.scratch.memory / 2**30:.3g} GiB of memory")

    def _kill(self, reason: str) -> NoReturn:
        self.process.kill()
        raise KernelDeath(reason)

    def _how_it_ended(self) -> str:
        code = self.process.poll() or 0
        if code < 0:
            return f"the kernel was killed by {signal.Signals(-code).name}"
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"the kernel ended with exit code {code}" + (f": {lines[-1]}" if code and lines else "")

    def execute(self, source: str, seconds: float, on_message: OnMessage) -> Content:
        """Run `source`, hand each message it publishes to `on_message`, and return the content of the kernel's reply.

        Raises `CellTimeout` when that takes longer than `seconds`, and `KernelDeath` when the process ends.
        """
        if not self._connected:
            self._connect()
        deadline = monotonic() + seconds
        self._request = request = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        idle = False
        for message in self._replies(request, deadline):
            idle = _state(message) == "idle"
            on_message(message)
        while idle and (left := deadline - monotonic()) > 0:
            reply = self._message(self._client.get_shell_msg, min(POLL, left))
            if reply is None and self.process.poll() is not None:
                raise KernelDeath(self._how_it_ended())
            content = reply.get("content") if reply and _parent(reply) == request else None
            if isinstance(content, dict):
                payload = content.get("payload")
                wishes = [wish for wish in payload if isinstance(wish, dict)] if isinstance(payload, list) else []
                if any(wish.get("source") == "ask_exit" for wish in wishes):
                    raise KernelDeath("the cell told its kernel to exit")  # which it does a little later
                return content
        raise CellTimeout

    def interrupt(self, on_message: OnMessage | None = None) -> bool:
        """Stop what is running, and hand what it still publishes to `on_message`.

        Returns whether the kernel can go on, with its variables.
        """
        self.process.send_signal(signal.SIGINT)
        rest = (self._request, on_message) if on_message else None
        try:
            return any(self._replies(self._client.kernel_info(), monotonic() + SETTLE, rest))
        except KernelDeath:
            return False

    def kill(self) -> None:
        if self._connected:
            self._client.stop_channels()
        self.process.kill()

    def restart(self) -> None:
        """Replace the process by a new one; every variable is gone."""
        self.kill()
        self._start()


def _parent(message: dict[str, Any]) -> object:
    """Return the id of the request that a message is about."""
    parent = message.get("parent_header")
    return parent.get("msg_id") if isinstance(parent, dict) else None


def _state(message: dict[str, Any]) -> object:
    """Return the kernel's state, if the message tells it."""
    content = message.get("content")
    return content.get("execution_state") if isinstance(content, dict) else None
