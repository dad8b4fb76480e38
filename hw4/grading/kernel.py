"""The process that runs a notebook's cells: its birth, one execution at a time, its interruption and its death."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from queue import Empty
from time import monotonic

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

# Two threads on a busy machine can be a hundred times slower than one, and sum in another order.
ONE_THREAD = dict.fromkeys(["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"], "1")
POLL = 0.2  # seconds between two looks at whether the kernel is still alive
SETTLE = 5.0  # seconds that an interrupted cell has to stop before its kernel is killed
BOOT = 60.0  # seconds that a kernel has to answer for the first time


class CellTimeout(Exception):
    """The cell was still running at its deadline."""


class KernelDeath(Exception):
    """The kernel's process ended; the message says how."""


class ThisPython(KernelManager):
    """A kernel of the Python that runs us, whatever the notebook's kernelspec or the user's installed ones say."""

    @property
    def kernel_spec(self):
        options = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False"]
        return KernelSpec(argv=[sys.executable, *options], display_name="Python 3", language="python")


class Kernel:
    """A kernel that works in `folder`; it boots while the caller goes on, and is gone after the `with` block."""

    def __init__(self, folder):
        self.folder = folder
        self._start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _start(self):
        self._scratch = Path(tempfile.mkdtemp(prefix="hw4-"))  # short: a socket's path has 107 characters at most
        place = {"transport": "ipc", "ip": str(self._scratch / "kernel")} if os.name == "posix" else {}
        self._manager = ThisPython(connection_file=str(self._scratch / "connection.json"), **place)
        self._log = open(self._scratch / "log", "w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - open as long as the kernel lives
        self._manager.start_kernel(cwd=str(self.folder), env=self._environment(), stdout=self._log, stderr=self._log)
        self._client = None

    def _environment(self):
        """Return our environment without what would put other code on the path or in the kernel's start-up."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return ONE_THREAD | kept | {"IPYTHONDIR": str(self._scratch / "ipython")}

    def _connect(self):
        """Wait until the kernel answers and what it publishes reaches us; `BOOT` seconds at most."""
        self._client = self._manager.client()
        self._client.start_channels(stdin=False, hb=False)
        deadline, patience = monotonic() + BOOT, 0.05
        while not any(self._replies(self._client.kernel_info(), monotonic() + patience)):
            patience *= 1.2  # a question asked before the kernel listens is lost: ask again, ever more slowly
            if monotonic() > deadline:
                raise KernelDeath(f"the kernel did not answer within {BOOT:.0f} s")

    def _replies(self, request, deadline):
        """Yield what the kernel publishes about `request` up to its being idle again; nothing more after `deadline`."""
        while (left := deadline - monotonic()) > 0:
            try:
                message = self._client.get_iopub_msg(timeout=min(POLL, left))
            except Empty:
                if not self._manager.is_alive():
                    raise KernelDeath(self._last_words()) from None
                continue
            if message["parent_header"].get("msg_id") == request:
                yield message
                if message["content"].get("execution_state") == "idle":
                    return

    def _last_words(self):
        code = self._manager.provisioner.process.returncode
        self._log.seek(0)
        lines = self._log.read().splitlines() or [""]
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"the kernel died {how}" + (f": {lines[-1]}" if code > 0 and lines[-1] else "")

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
            reply = self._shell_message(left)
            if reply and reply["parent_header"].get("msg_id") == request:
                if any(wish.get("source") == "ask_exit" for wish in reply["content"].get("payload", [])):
                    raise KernelDeath("the cell told its kernel to exit")  # which it does a little later
                return reply["content"]
        raise CellTimeout

    def _shell_message(self, seconds):
        try:
            return self._client.get_shell_msg(timeout=seconds)
        except Empty:
            return None

    def interrupt(self):
        """Stop what is running; return whether the kernel can go on, with its variables."""
        self._manager.interrupt_kernel()
        try:
            return any(self._replies(self._client.kernel_info(), monotonic() + SETTLE))
        except KernelDeath:
            return False

    def kill(self):
        if self._client is not None:
            self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._log.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def restart(self):
        """Replace the process by a new one; every variable is gone."""
        self.kill()
        self._start()
