"""A control group for a submission's processes: the kernel counts all of them together, and their files in memory.

It is made below the grader's own group, of version 1 or 2, where that is writable: by root, or by a user to whom it was
delegated (`systemd-run --user --scope -p Delegate=yes`). Linux's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst
name the files. systemd's own interface was weighed: it takes 20 ms for a group and is not in every container.
"""

import contextlib
import os
import secrets
import signal
from pathlib import Path
from time import monotonic, sleep

import psutil

PROC, MOUNTED = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")  # what a process reads, and where systemd mounts
WANTED = {"memory", "pids"}  # controllers
LONGEST_END = 5.0  # seconds that the killed processes of a group may take to end


class ControlGroup:
    """A group for `memory` bytes and `tasks` threads; raises `OSError` where none can be made."""

    def __init__(self, memory: int, tasks: int) -> None:
        self.folders: dict[str, Path] = {}  # by controller
        self._killed = 0
        try:
            name = f"hw4-{os.getpid()}-{secrets.token_hex(4)}"
            for controller, parent in _own_groups().items():
                _remove_stale(parent)
                folder = parent / name
                folder.mkdir(exist_ok=True)  # of version 2, there is one for both
                self.folders[controller] = folder
            self._write("pids", {"pids.max": tasks})
            limits = {"memory.max": memory, "memory.swap.max": 0}
            if not (self.folders["memory"] / "memory.max").exists():
                limits = {"memory.limit_in_bytes": memory, "memory.memsw.limit_in_bytes": memory}
            self._write("memory", limits)
        except OSError:
            self.close()
            raise

    def _write(self, controller: str, values: dict[str, int]) -> None:
        for number, (name, value) in enumerate(values.items()):
            file = self.folders[controller] / name
            if number == 0 or file.exists():  # the swap's limit is not on every system
                file.write_text(str(value))

    @property
    def doors(self) -> list[str]:
        """Return the files into which a process writes 0 to enter the group."""
        return sorted({str(folder / "cgroup.procs") for folder in self.folders.values()})

    def processes(self) -> list[int]:
        return [int(line) for line in (self.folders["pids"] / "cgroup.procs").read_text().split()]

    def ran_out_of_memory(self) -> bool:
        """Return whether the kernel has killed a process of the group for its memory since this was last called."""
        folder, before = self.folders["memory"], self._killed
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                counts = dict(line.split() for line in (folder / name).read_text().splitlines())
                self._killed = int(counts.get("oom_kill", 0))
        return self._killed > before

    def close(self) -> None:
        """Kill what is left in the group, and remove it."""
        deadline = monotonic() + LONGEST_END
        for folder in set(self.folders.values()):
            while folder.exists() and monotonic() < deadline:
                with contextlib.suppress(OSError):
                    folder.rmdir()
                    break
                with contextlib.suppress(OSError):
                    for pid in (folder / "cgroup.procs").read_text().split():
                        os.kill(int(pid), signal.SIGKILL)
                sleep(0.005)


def _remove_stale(parent: Path) -> None:
    """Remove the groups that graders left which were killed."""
    for folder in parent.glob("hw4-[0-9]*-*"):
        if not Path("/proc", folder.name.split("-")[1]).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


def _own_groups() -> dict[str, Path]:
    """Return the folder of the grader's own group for "memory" and for "pids"; raise `OSError` without one."""
    own = {}
    for line in PROC.read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not own:  # version 2
            folder = _inside(MOUNTED, path)
            if set((folder / "cgroup.controllers").read_text().split()) >= WANTED:
                return dict.fromkeys(WANTED, _delegated(folder))
        own |= {each: _inside(MOUNTED / each, path) for each in WANTED & set(controllers.split(","))}
    if set(own) != WANTED:
        raise FileNotFoundError("no control group for memory and processes")
    return own


def _inside(mounted: Path, path: str) -> Path:
    """Return the folder of a group; in a container, whose own group is mounted, `path` tells where outside it lies."""
    folder = Path(f"{mounted}{path}")
    return folder if folder.is_dir() and ".." not in folder.parts else mounted


def _delegated(folder: Path) -> Path:
    """Return the group of version 2 below which groups with limits can be made.

    It is the nearest one above the grader whose children have the controllers already. Where there is none, and nobody
    else is in the grader's group, the grader and its children move into one below: a group with processes has no
    children with limits.
    """
    for group in (folder, *folder.parents):
        control = group / "cgroup.subtree_control"
        if not control.exists():
            break
        if set(control.read_text().split()) >= WANTED and os.access(group / "cgroup.procs", os.W_OK):
            return group
    processes = (folder / "cgroup.procs").read_text().split()
    if not set(processes) <= {str(each.pid) for each in [psutil.Process(), *psutil.Process().children(recursive=True)]}:
        raise PermissionError("other processes are in the grader's control group")
    own = folder / f"hw4-grader-{os.getpid()}"
    own.mkdir()
    for pid in processes:
        (own / "cgroup.procs").write_text(pid)
    (folder / "cgroup.subtree_control").write_text("+memory +pids")
    return folder
