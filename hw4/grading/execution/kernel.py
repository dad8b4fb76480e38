"""The process that runs a notebook's cells: its birth, one execution at a time, its interruption and its death."""

import itertools
import os
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from ..sandbox.launcher import Launcher, Process
from ..sandbox.log import Log
from ..sandbox.scratch import Scratch

POLL = 0.2  # seconds between two looks at whether the kernel is still alive
SETTLE = 5.0  # seconds that an interrupted cell has to stop before its kernel is killed
BOOT = 60.0  # seconds that a kernel has to answer for the first time
LARGEST_MESSAGE = 320 * 2**20  # bytes; who sends more is cut off
MOST_MESSAGES = 16  # that wait in our memory for being read; more wait with the kernel
NUMBERS = itertools.count(1)
PARTS = ("header", "parent_header", "content")  # of a message
CHANNELS = ["shell", "iopub", "stdin", "control"]
SCRIPT = Path(__file__).with_name("kernel_process.py")

OnMessage = Callable[[dict[str, Any]], None]


class CellTimeout(Exception):
    """The cell was still running at its deadline."""


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
        self._client = BlockingKernelClient()
        self._connected = False

    def _start_on_sockets(self, stdin: int, log: int) -> Process:
        """Start the kernel on sockets that listen already, at paths that it cannot reach."""
        from ..sandbox.forked import FIRST_DESCRIPTOR, listen

        prefix, key = str(self.scratch.sockets / str(next(NUMBERS))), secrets.token_hex()
        ports = {f"{name}_port": FIRST_DESCRIPTOR + number for number, name in enumerate(CHANNELS)}
        self._connection: Any = {"transport": "ipc", "ip": prefix, "key": key.encode(), **ports}
        self._connection["signature_scheme"] = "hmac-sha256"
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
        info = self._connection
        ports = [info["shell_port"], info["iopub_port"], info["control_port"]]
        paths = [f"{info['ip']}-{port}" for port in ports if info["transport"] == "ipc"]
        while not all(map(os.path.exists, paths)) and self.process.poll() is None and monotonic() < deadline:
            sleep(0.005)  # who connects too early tries again only after a tenth of a second
        self._client.load_connection_info(self._connection)
        self._client.context = zmq.Context()
        self._client.context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        self._client.context.setsockopt(zmq.RCVHWM, MOST_MESSAGES)
        self._client.context.setsockopt(zmq.SNDTIMEO, int(1000 * SETTLE))
        self._client.start_channels(stdin=False, hb=False)
        self._connected = True
        while not any(self._replies(self._request(self._client.kernel_info), monotonic() + patience)):
            patience *= 1.2  # a question asked before the kernel listens is lost: ask again, ever more slowly
            if monotonic() > deadline:
                raise KernelDeath(f"the kernel did not answer within {BOOT:.0f} s")

    def _request(self, send: Callable[..., str], *arguments: Any, **options: Any) -> str:
        """Send a request and return its id; raise `KernelDeath` where a cell has broken the sockets."""
        try:
            return send(*arguments, **options)
        except zmq.ZMQError:
            raise KernelDeath("the kernel's sockets are broken") from None

    def _replies(
        self, request: str, deadline: float, rest: tuple[str, OnMessage] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield what the kernel publishes about `request` up to its being idle again; nothing more after `deadline`.

        What it publishes meanwhile about the request `rest[0]` is handed to `rest[1]`, until that has had enough.
        """
        while (left := deadline - monotonic()) > 0:
            message = self._message(self._client.get_iopub_msg, min(POLL, left))
            if message is None and self.process.poll() is not None:
                raise KernelDeath(self._how_it_ended())
            about = message and message["parent_header"].get("msg_id")
            if message and about == request:
                yield message
                if message["content"].get("execution_state") == "idle":
                    return
            elif message and rest and about == rest[0]:
                rest[1](message)

    def _message(self, get: Callable[..., Any], seconds: float) -> dict[str, Any] | None:
        """Return the next message; None when none comes in time, or one that no kernel makes or signs."""
        try:
            message = get(timeout=seconds)
            return message if all(isinstance(message[part], dict) for part in PARTS) else None
        except Exception:  # a submission can write anything on the kernel's sockets: what that raises is not known
            return None

    def _how_it_ended(self) -> str:
        if limit := self.scratch.why_killed(self.process):
            return f"the kernel was stopped: {limit}"
        code = self.process.poll() or 0
        if code < 0:
            return f"the kernel was killed by {signal.Signals(-code).name}"
        line = self._log.last_line()
        return f"the kernel ended with exit code {code}" + (f": {line}" if code and line else "")

    def execute(self, source: str, seconds: float, on_message: OnMessage) -> dict[str, Any]:
        """Run `source`, hand each message it publishes to `on_message`, and return the content of the kernel's reply.

        Raises `CellTimeout` when that takes longer than `seconds`, and `KernelDeath` when the process ends.
        """
        if not self._connected:
            self._connect()
        deadline = monotonic() + seconds
        request = self._request(self._client.execute, source, allow_stdin=False, stop_on_error=False)
        self._running = request
        idle = False
        for message in self._replies(request, deadline):
            idle = message["content"].get("execution_state") == "idle"
            on_message(message)
        while idle and (left := deadline - monotonic()) > 0:
            reply = self._message(self._client.get_shell_msg, min(POLL, left))
            if reply is None and self.process.poll() is not None:
                raise KernelDeath(self._how_it_ended())
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
        rest = (self._running, on_message) if on_message else None
        try:
            return any(self._replies(self._request(self._client.kernel_info), monotonic() + SETTLE, rest))
        except KernelDeath:
            return False

    def kill(self) -> None:
        if self._connected:
            self._client.stop_channels()
            self._client.context.destroy(linger=0)
            self._connected = False
        self.process.kill()

    def restart(self) -> None:
        """Replace the process by a new one; every variable is gone."""
        self.kill()
        self._start()
