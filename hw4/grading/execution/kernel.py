"""The process that runs a notebook's cells: its birth, one execution at a time, its interruption and its death."""

import itertools
import os
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from jupyter_client.connect import write_connection_file
from jupyter_client.session import Session

from ..sandbox.launcher import Launcher, Process
from ..sandbox.log import Log
from ..sandbox.scratch import Scratch
from .wire import Wire

POLL = 0.2  # seconds between two looks at whether the kernel is still alive
SETTLE = 5.0  # seconds that an interrupted cell has to stop before its kernel is killed
BOOT = 60.0  # seconds that a kernel has to answer for the first time
LAST_WORDS = 1.0  # seconds that a process has to end once its sockets are closed
SMALL = 2**20  # bytes that a message may have beyond what its cell may put out
NUMBERS = itertools.count(1)
PARTS = ("header", "parent_header", "content")  # of a message
CHANNELS = ["shell", "iopub", "stdin", "control"]
SOCKETS = {"shell": "DEALER", "iopub": "SUB"}  # by channel that is used: the kind of our end
SCRIPT = Path(__file__).with_name("kernel_process.py")

OnMessage = Callable[[dict[str, Any]], None]


class CellTimeout(Exception):
    """The cell was still running at its deadline."""


class Flood(Exception):
    """The cell puts out more than is wanted of it."""


class KernelDeath(Exception):
    """The kernel's process ended; the message says how."""


class Kernel(AbstractContextManager["Kernel"]):
    """A kernel of this Python in the scratch copy `scratch`; it boots while the caller goes on.

    `launcher` starts its process. It is gone after the `with` block.
    """

    def __init__(self, launcher: Launcher, scratch: Scratch) -> None:
        self.launcher, self.scratch = launcher, scratch
        self._start()

    def __exit__(self, *error: object) -> None:
        self.kill()

    def _start(self) -> None:
        self._log = Log()
        with open(os.devnull) as nothing:
            start = self._start_on_sockets if self.launcher.forks else self._start_by_file
            self.process = start(nothing.fileno(), self._log.descriptor)
        self._log.close()
        self._wires: dict[str, Wire] = {}  # by channel, once the kernel listens

    def _start_on_sockets(self, stdin: int, log: int) -> Process:
        """Start the kernel on sockets that listen already, at paths that it cannot reach."""
        from ..sandbox.forked import FIRST_DESCRIPTOR, listen

        prefix, key = str(self.scratch.sockets / str(next(NUMBERS))), secrets.token_hex()
        ports = {f"{name}_port": FIRST_DESCRIPTOR + number for number, name in enumerate(CHANNELS)}
        self._connection: Any = {"transport": "ipc", "ip": prefix, "key": key, **ports}
        sockets = listen(prefix, len(CHANNELS))
        try:
            argv = [str(SCRIPT), "--transport=ipc", f"--ip={prefix}", f"--Session.key={key}"]
            argv += ["--HistoryManager.enabled=False", "--InteractiveShell.enable_tip=False"]  # a tip is random
            argv += [f"--{name}={ports[f'{name}_port']}" for name in CHANNELS]
            return self.scratch.start(self.launcher, argv, stdin, log, log, [each.fileno() for each in sockets])
        finally:
            for each in sockets:
                each.close()

    def _start_by_file(self, stdin: int, log: int) -> Process:
        """Start the kernel with a file that says on which sockets it shall listen."""
        name = self.scratch.folder / f"kernel-{next(NUMBERS)}"
        transport, address = ("ipc", str(name)) if os.name == "posix" else ("tcp", "")
        file, self._connection = write_connection_file(f"{name}.json", transport=transport, ip=address)
        argv = ["ipykernel_launcher", "-f", file, "--HistoryManager.enabled=False"]
        return self.scratch.start(self.launcher, argv, stdin, log, log)

    def _connect(self) -> None:
        """Wait until the kernel answers and what it publishes reaches us; `BOOT` seconds at most."""
        deadline, patience = monotonic() + BOOT, 0.05
        self._session = Session(key=self._connection["key"].encode())
        while len(self._wires) < len(SOCKETS) or not any(
            self._replies(self._request("kernel_info_request"), monotonic() + patience)
        ):
            if self.process.poll() is not None:
                raise self._death()
            if monotonic() > deadline:
                raise KernelDeath(f"the kernel did not answer within {BOOT:.0f} s")
            patience *= 1.2  # a question asked before the kernel listens is lost: ask again, ever more slowly
            with suppress(OSError):  # where no socket was handed down, nobody listens at first
                for channel in SOCKETS.keys() - self._wires.keys():
                    self._wires[channel] = Wire(self._address(channel), SOCKETS[channel], SMALL, SETTLE)

    def _address(self, channel: str) -> str | tuple[str, int]:
        ip, port = self._connection["ip"], self._connection[f"{channel}_port"]
        return f"{ip}-{port}" if self._connection["transport"] == "ipc" else (ip, port)

    def _request(self, kind: str, **content: Any) -> str:
        """Send a request and return its id."""
        message = self._session.msg(kind, content)
        try:
            self._wires["shell"].send(self._session.serialize(message))
        except OSError:
            raise self._death() from None
        return message["msg_id"]

    def _replies(
        self, request: str, deadline: float, rest: tuple[str, OnMessage] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield what the kernel publishes about `request` up to its being idle again; nothing more after `deadline`.

        What it publishes meanwhile about the request `rest[0]` is handed to `rest[1]`, until that has had enough.
        """
        while (left := deadline - monotonic()) > 0:
            message = self._message("iopub", left)
            about = message and message["parent_header"].get("msg_id")
            if message and about == request:
                yield message
                if message["content"].get("execution_state") == "idle":
                    return
            elif message and rest and about == rest[0]:
                rest[1](message)

    def _message(self, channel: str, seconds: float) -> dict[str, Any] | None:
        """Return the next message; None when none comes in time, or one that no kernel makes or signs.

        Raises `Flood` where it is too large, and `KernelDeath` where no other can come.
        """
        try:
            parts = self._wires[channel].receive(min(POLL, seconds))
        except OSError:
            raise self._death() from None
        if parts is None and self.process.poll() is not None:
            raise self._death()
        if parts == []:
            raise Flood
        try:
            assert parts
            message = self._session.deserialize(self._session.feed_identities(parts)[1])
            return message if all(isinstance(message[part], dict) for part in PARTS) else None
        except Exception:  # a submission can write anything on the kernel's sockets: what that raises is not known
            return None

    def _death(self) -> KernelDeath:
        """Return how the process ended, or else that its sockets are broken."""
        end = monotonic() + LAST_WORDS
        while self.process.poll() is None and monotonic() < end:
            sleep(0.01)
        code = self.process.poll()
        if limit := code is not None and self.scratch.why_killed(self.process):
            return KernelDeath(f"the kernel was stopped: {limit}")
        if code is None:
            return KernelDeath("the kernel's sockets are broken")
        if code < 0:
            return KernelDeath(f"the kernel was killed by {signal.Signals(-code).name}")
        line = self._log.last_line()
        return KernelDeath(f"the kernel ended with exit code {code}" + (f": {line}" if code and line else ""))

    def execute(self, source: str, seconds: float, on_message: OnMessage, largest: int = 0) -> dict[str, Any]:
        """Run `source`, hand each message it publishes to `on_message`, and return the content of the kernel's reply.

        Raises `CellTimeout` when that takes longer than `seconds`, `Flood` when a message has more bytes than `largest`
        and the source, and `KernelDeath` when the process ends.
        """
        if not self._wires:
            self._connect()
        for wire in self._wires.values():
            wire.largest = largest + len(source.encode()) + SMALL
        deadline = monotonic() + seconds
        request = self._request("execute_request", code=source, allow_stdin=False, stop_on_error=False)
        self._running = request
        idle = False
        for message in self._replies(request, deadline):
            idle = message["content"].get("execution_state") == "idle"
            on_message(message)
        while idle and (left := deadline - monotonic()) > 0:
            reply = self._message("shell", left)
            if reply and reply["parent_header"].get("msg_id") == request:
                payload = reply["content"].get("payload")
                wishes = payload if isinstance(payload, list) else []
                if any(isinstance(wish, dict) and wish.get("source") == "ask_exit" for wish in wishes):
                    raise KernelDeath("the cell told its kernel to exit")  # which it does a little later
                return reply["content"]
        raise CellTimeout

    def interrupt(self, on_message: OnMessage | None = None) -> bool:
        """Stop what is running, and hand what it still publishes to `on_message`.

        Returns whether the kernel can go on, with its variables.
        """
        self.process.send_signal(signal.SIGINT)
        rest, deadline = (self._running, on_message) if on_message else None, monotonic() + SETTLE
        with suppress(KernelDeath):
            request = self._request("kernel_info_request")
            while monotonic() < deadline:
                with suppress(Flood):  # what is left of it
                    return any(self._replies(request, deadline, rest))
        return False

    def kill(self) -> None:
        for wire in self._wires.values():
            wire.close()
        self.process.kill()

    def restart(self) -> None:
        """Replace the process by a new one; every variable is gone."""
        self.kill()
        self._start()
