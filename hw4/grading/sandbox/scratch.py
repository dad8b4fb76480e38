"""The scratch folder: a copy of a submission in which its processes run, under limits that bound them together."""

import contextlib
import itertools
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .cgroup import ControlGroup
from .launcher import Launcher
from .program import Isolation, Process, Program, ResourceLimits
from .watch import Watch

SYSTEM_FOLDERS = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/sys/devices"]
SYSTEM_FILES = ["alternatives", "fonts", "group", "hosts", "ld.so.cache", "localtime", "passwd"]  # in /etc
CLONE = Path(__file__).resolve().parents[3]


class Scratch:
    """A copy of `files` {path: content} in a new folder, which is deleted after the `with` block.

    `sockets` is a folder for the grader alone. A copy made `beside` another one shares its limits and lies out of the
    reach of its processes.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        limits: ResourceLimits = ResourceLimits(),  # noqa: B008 - it is frozen
        hidden: Sequence[Path] = (),
        beside: "Scratch | None" = None,
    ) -> None:
        self.limits, self._hidden, self._first = limits, [*hidden, CLONE], beside or self
        if beside:
            self.limits, self._hidden = beside.limits, beside._hidden
        else:
            self.top = Path(tempfile.mkdtemp(prefix="hw4-"))  # short: a socket's path has 107 characters at most
            self.sockets, self.shared = self.top / "sockets", self.top / "scratch"
            for folder in (self.sockets, self.shared):
                folder.mkdir(mode=0o700)
            self._numbers = itertools.count(1)
            self._launchers: set[Launcher] = set()
            self.group = _control_group(limits)
            self._watch = Watch(limits, str(self.shared), self.group)
        self.folder = self._first.shared / str(next(self._first._numbers))
        self.work = self.folder / "work"
        for name in ("work", "home", "tmp", "shm"):
            (self.folder / name).mkdir(parents=True)
        for path, content in files.items():
            file = self.work / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        if self._first is self:
            self._watch.close()
            for launcher in self._launchers:
                launcher.release(str(self.shared))
            if self.group:
                self.group.close()
            _remove(self.top)

    def start(
        self, launcher: Launcher, argv: list[str], stdin: int, stdout: int, stderr: int, descriptors: Sequence[int] = ()
    ) -> Process:
        """Start `argv` in the folder, isolated as well as the system allows, with the streams and more descriptors."""
        home, temporary = str(self.folder / "home"), str(self.folder / "tmp")
        environment = {"HOME": home, "IPYTHONDIR": home, "MPLCONFIGDIR": home, "TMPDIR": temporary}
        first = self._first
        doors = first.group.doors if first.group else []
        isolation = Isolation(str(self.folder), str(first.shared), readable(self._hidden), self.limits, doors)
        streams = (stdin, stdout, stderr)
        process = launcher.start(Program(argv, str(self.work), *streams, environment, isolation, list(descriptors)))
        first._launchers.add(launcher)
        first._watch.add(process)
        return process

    def why_killed(self, process: Process) -> str | None:
        """Return which limit was exceeded when the process, which has ended, was killed for it; None where none was."""
        return self._first._watch.reason(process)


def readable(hidden: Iterable[Path] = ()) -> list[str]:
    """Return the files and folders that any program of this Python needs to read, without what is `hidden` in them."""
    packages = [path for path in sys.path if "-packages" in path]
    found = {*SYSTEM_FOLDERS, *(f"/etc/{name}" for name in SYSTEM_FILES), sys.prefix, sys.base_prefix, *packages}
    for path in hidden:
        for folder in [each for each in found if path.resolve().is_relative_to(Path(each).resolve())]:
            found.remove(folder)
            found |= set(_around(Path(folder), path.resolve()))
    return sorted(found)


def _around(folder: Path, hidden: Path) -> Iterable[str]:
    """Yield what lies in the folder, without the way to what is hidden below it."""
    if folder.resolve() != hidden:
        for entry in folder.iterdir():
            if hidden.is_relative_to(entry.resolve()):
                yield from _around(entry, hidden)
            else:
                yield str(entry)


def _control_group(limits: ResourceLimits) -> ControlGroup | None:
    with contextlib.suppress(OSError, ValueError):
        return ControlGroup(limits.memory, limits.threads)
    return None


def _remove(folder: Path) -> None:
    if sys.platform == "linux":
        from .cleanup import remove_tree

        remove_tree(str(folder))
    else:
        shutil.rmtree(folder, ignore_errors=True)
