"""The watch over a submission's processes: a thread that ends them when together they exceed a limit."""

import contextlib
import os
import shutil
import stat
import sys
import threading
from collections.abc import Iterable, Iterator
from time import monotonic, thread_time

import psutil

from .cgroup import ControlGroup
from .launcher import Process
from .limits import ResourceLimits
from .program import PLACE

POLL = 0.2  # seconds between two looks
BREATHER = 4  # times as long as a look took, where that is more: what is slow to count costs a fifth of a core
BLOCK = 512  # bytes, of stat's st_blocks
BUFFER = 212_992  # bytes that a socket holds: net.core.wmem_default, and what `isolation` leaves to TCP


class Watch:
    """Watches processes that write into `folder`, and ends all of them when a limit is exceeded.

    Where they are in a control group, the kernel limits their memory, and where the folder is a file system in memory,
    their files: there the watch only finds out why a process was killed.
    """

    def __init__(self, limits: ResourceLimits, folder: str, group: ControlGroup | None) -> None:
        self._limits, self._folder, self._group = limits, folder, group
        self._processes: list[Process] = []
        self._reasons: dict[Process, str | None] = {}  # of those that have ended
        self._looking, self._closed = threading.Lock(), threading.Event()
        self._end = monotonic() + limits.seconds

    def add(self, process: Process) -> None:
        """Watch a process, too."""
        self._processes.append(process)
        if len(self._processes) == 1:
            threading.Thread(target=self._run, daemon=True).start()

    def reason(self, process: Process) -> str | None:
        """Return which limit was exceeded when the process, which has ended, was killed for it; None where none was."""
        self._look()
        return self._reasons.get(process)

    def close(self) -> None:
        """End the watch and what is left of the processes."""
        self._closed.set()
        with self._looking:
            for process in self._processes:
                process.kill()

    def _run(self) -> None:
        pause = POLL
        while not self._closed.wait(pause):
            start = thread_time()  # a fork bomb makes a look last, but not dearer
            self._look()
            pause = max(POLL, BREATHER * (thread_time() - start))

    def _look(self) -> None:
        """Note why processes ended; kill the others where a limit is exceeded, or where one cannot be looked at."""
        with self._looking:
            unexplained = [each for each in self._processes if each not in self._reasons]
            living, reason = unexplained, None
            try:
                living = [each for each in unexplained if each.poll() is None]
                reason = self._exceeded(living) if unexplained else None
            except psutil.NoSuchProcess:  # one of them has just ended
                pass
            except Exception as problem:  # whatever it is: without a look, no polled limit holds
                reason = f"what cannot be counted: {getattr(problem, 'strerror', None) or type(problem).__name__}"
            for process in unexplained:
                if reason or process not in living:
                    with contextlib.suppress(Exception):  # the next look tries again
                        process.kill()
                        self._reasons[process] = reason

    def _exceeded(self, processes: list[Process]) -> str | None:
        """Return which limit the processes exceed, in words; what is raised stands for what cannot be counted."""
        limits = self._limits
        if monotonic() > self._end:
            return f"more than {limits.seconds:g} s in all"
        too_much = f"more than {limits.memory / 2**30:.3g} GiB of memory"
        if self._group and self._group.ran_out_of_memory():
            return too_much
        pids = self._group.processes() if self._group else _families(processes, limits.processes)
        if len(pids) > limits.processes:
            return f"more than {limits.processes} processes"
        pids = list(map(_visible, pids))
        if not self._group and sum(map(_threads, pids)) > limits.threads:
            return f"more than {limits.threads} threads"
        if not self._group and _uses_more(processes, pids, limits.memory):
            return too_much
        if not processes or _in_memory(processes[0]):
            return None
        return self._written(set(pids) - {each.root for each in processes})

    def _written(self, pids: Iterable[int]) -> str | None:
        """Return which limit the files exceed that lie in the folder or, deleted, are still open.

        Raises `OSError` for what cannot be looked into.
        """
        size, number, waiting = sum(_deleted(pids).values()), 0, [self._folder]
        while waiting:
            for status, path in _entries(waiting.pop()):
                size, number = size + _size(status), number + 1
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(path)
            if number > self._limits.files:
                return f"more than {self._limits.files} files"
        return f"more than {self._limits.disk / 2**30:.3g} GiB on disk" if size > self._limits.disk else None


def _entries(folder: str) -> Iterator[tuple[os.stat_result, str]]:
    """Yield the status and the path of what is in the folder, as far as it has not gone meanwhile."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as listing:
        for entry in listing:
            with contextlib.suppress(FileNotFoundError):
                yield entry.stat(follow_symlinks=False), entry.path


def _uses_more(processes: list[Process], pids: list[int], limit: int) -> bool:
    """Return whether the processes use more bytes of memory than `limit`, files in memory included."""
    files = 0
    if processes and _in_memory(processes[0]):
        with contextlib.suppress(OSError):
            files = shutil.disk_usage(f"/proc/{processes[0].pid}/root{PLACE}").used
    tables, descriptors = _kernel_memory(pids)
    files += tables
    if files + BUFFER * descriptors + sum(map(_resident, pids)) <= limit:
        return False
    # Dearer to find out: which of the descriptors are sockets, and what forks share counts once.
    sockets = {status.st_ino for status in _open(pids) if stat.S_ISSOCK(status.st_mode)}
    return files + BUFFER * len(sockets) + sum(map(_proportional, pids)) > limit


def _visible(pid: int) -> int:
    """Return the thread by which Linux shows what a process uses: another one where its first has ended before it."""
    if not _resident(pid):
        with contextlib.suppress(OSError):
            threads = map(int, os.listdir(f"/proc/{pid}/task"))  # none where it has just ended
            return max(threads, key=lambda thread: thread != pid, default=pid)
    return pid


def _threads(pid: int) -> int:
    with contextlib.suppress(psutil.Error):  # it has just ended
        return psutil.Process(pid).num_threads()
    return 0


def _resident(pid: int) -> int:
    with contextlib.suppress(psutil.Error):  # it has just ended
        return psutil.Process(pid).memory_info().rss
    return 0


def _proportional(pid: int) -> int:
    with contextlib.suppress(psutil.Error):  # it has just ended, or hides what it shares
        size = psutil.Process(pid).memory_full_info()
        return getattr(size, "pss", size.uss)
    return _resident(pid)


def _in_memory(process: Process) -> bool:
    """Return whether the kernel itself limits what the process writes."""
    return any(layer.bound == "exact" for layer in process.layers if layer.name.startswith("disk"))


def _families(processes: list[Process], most: int) -> list[int]:
    """Return the pids of the keepers and of all that descends from them, from which no orphan escapes, up to `most`."""
    found = [each.root for each in processes if each.root]
    if sys.platform == "linux":
        from .linux import descendants

        return [pid for root in found for pid in (root, *descendants(root, most))]
    return [each.pid for root in map(psutil.Process, found) for each in (root, *root.children(recursive=True))]


def _kernel_memory(pids: Iterable[int]) -> tuple[int, int]:
    """Return the bytes of the processes' page tables, and how many descriptors they have at most, as Linux tells."""
    tables = descriptors = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            fields = dict(line.split(":", 1) for line in file if line.startswith(("VmPTE", "FDSize")))
            tables += 1024 * int(fields.get("VmPTE", "0").split()[0])
            descriptors += int(fields.get("FDSize", "0"))
    return tables, descriptors


def _size(status: os.stat_result) -> int:
    return BLOCK * status.st_blocks if hasattr(status, "st_blocks") else status.st_size


def _deleted(pids: Iterable[int]) -> dict[int, int]:
    """Return the sizes of the deleted files that the processes have open, by inode, where the system shows them."""
    return {each.st_ino: _size(each) for each in _open(pids) if stat.S_ISREG(each.st_mode) and each.st_nlink == 0}


def _open(pids: Iterable[int]) -> Iterator[os.stat_result]:
    """Yield the status of all that the processes have open, where the system shows it.

    Raises `OSError` for a process that hides it.
    """
    for pid in pids if sys.platform == "linux" else ():
        try:
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(FileNotFoundError):
                    yield os.stat(f"/proc/{pid}/fd/{name}")
        except OSError:
            if _resident(pid):  # else it is ending
                raise
