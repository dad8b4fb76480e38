"""The process that runs a notebook's cells: its birth, one execution at a time, its interruption and its death."""

import itertools
import os
import signal
from queue import Empty
from time import monotonic, sleep

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

POLL = 0.2  # seconds between two looks at whether the kernel is still alive
SETTLE = 5.0  # seconds that an interrupted cell has to stop before its kernel is killed
BOOT = 60.0  # seconds that a kernel has to answer for the first time
CROWD = 200  # processes that a submission may have at a time
NUMBERS = itertools.count(1)


class CellTimeout(Exception):
    """The cell was still running at its deadline."""


class KernelDeath(Exception):
    """The kernel's process ended; the message says how."""


class Kernel:
    """A kernel of this Python in the scratch copy `scratch`; it boots while the caller goes on.

    `warm` starts its process. It is gone after the `with` block.
    """

    def __init__(self, warm, scratch):
        self.warm, self.scratch = warm, scratch
        self._looked = 0.0
        self._start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _start(self):
        name = self.scratch.room / f"kernel-{next(NUMBERS)}"
        place = {"transport": "ipc", "ip": str(name)} if os.name == "posix" else {}
        file, self._connection = write_connection_file(f"{name}.json", **place)
        argv = ["ipykernel_launcher", "-f", file, "--HistoryManager.enabled=False"]
        with open(f"{name}.log", "wb") as log, open(os.devnull) as nothing:
            self.process = self.scratch.start(self.warm, argv, (nothing.fileno(), log.fileno(), log.fileno()))
        self._log = name.with_suffix(".log")
        self._client = None

    def _connect(self):
        """Wait until the kernel answers and what it publishes reaches us; `BOOT` seconds at most."""
        deadline, patience = monotonic() + BOOT, 0.05
        while not self._listens() and self.process.poll() is None and monotonic() < deadline:
            sleep(0.005)  # who connects too early tries again only after a tenth of a second
        self._client = BlockingKernelClient()
        self._client.load_connection_info(self._connection)
        self._client.start_channels(stdin=False, hb=False)
        while not any(self._replies(self._client.kernel_info(), monotonic() + patience)):
            patience *= 1.2  # a question asked before the kernel listens is lost: ask again, ever more slowly
            if monotonic() > deadline:
                raise KernelDeath(f"the kernel did not answer within {BOOT:.0f} s")

    def _listens(self):
        """Return whether the sockets that we connect to exist, as far as that can be seen."""
        ports = [self._connection[f"{channel}_port"] for channel in ("shell", "iopub", "control")]
        ipc = self._connection["transport"] == "ipc"
        return not ipc or all(os.path.exists(f"{self._connection['ip']}-{port}") for port in ports)

    def _replies(self, request, deadline):
        """Yield what the kernel publishes about `request` up to its being idle again; nothing more after `deadline`."""
        while (left := deadline - monotonic()) > 0:
            self._look()
            message = self._message(self._client.get_iopub_msg, min(POLL, left))
            if message is None and self.process.poll() is not None:
                raise KernelDeath(self._last_words())
            if message and message["parent_header"].get("msg_id") == request:
                yield message
                if message["content"].get("execution_state") == "idle":
                    return

    def _message(self, get, seconds):
        try:
            return get(timeout=seconds)
        except (Empty, ValueError):  # the latter for what is not signed as the kernel signs
            return None

    def _look(self):
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

    def _kill(self, reason):
        self.process.kill()
        raise KernelDeath(reason)

    def _last_words(self):
        code = self.process.poll()
        if code < 0:
            return f"the kernel was killed by {signal.Signals(-code).name}"
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"the kernel ended with exit code {code}" + (f": {lines[-1]}" if code and lines else "")

    def execute(self, source, seconds, on_message):
        """Run `source`, hand each message it publishes to `on_message`, and return the content of the kernel's reply.

        Raises `CellTimeout` when that takes longer than `seconds`, and `KernelDeath` when the process ends.
        """
        if self._client is None:
            self._connect()
        deadline = monotonic() + seconds
        request = self._client.execute(source, allow_stdin=False, stop_on_error=False)
        idle = False
        for message in self._replies(request, deadline):
            idle = message["content"].get("execution_state") == "idle"
            on_message(message)
        while idle and (left := deadline - monotonic()) > 0:
            reply = self._message(self._client.get_shell_msg, min(POLL, left))
            if reply is None and self.process.poll() is not None:
                raise KernelDeath(self._last_words())
            if reply and reply["parent_header"].get("msg_id") == request:
                if any(wish.get("source") == "ask_exit" for wish in reply["content"].get("payload", [])):
                    raise KernelDeath("the cell told its kernel to exit")  # which it does a little later
                return reply["content"]
        raise CellTimeout

    def interrupt(self):
        """Stop what is running; return whether the kernel can go on, with its variables."""
        self.process.send_signal(signal.SIGINT)
        try:
            return any(self._replies(self._client.kernel_info(), monotonic() + SETTLE))
        except KernelDeath:
            return False

    def kill(self):
        if self._client is not None:
            self._client.stop_channels()
        self.process.kill()

    def restart(self):
        """Replace the process by a new one; every variable is gone."""
        self.kill()
        self._start()
