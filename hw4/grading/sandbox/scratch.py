"""The scratch folder: a copy of a submission in which its processes run, under limits that bound them together.

Once they run, the grader opens no path below it until it deletes the whole.
"""

import contextlib
import functools
import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep

from .cgroup import ControlGroup
from .cleanup import PREFIX, hold, remove
from .launcher import Launcher, Process
from .limits import ResourceLimits
from .log import Log
from .program import Isolation, Program
from .watch import Watch

SYSTEM_FOLDERS = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/sys/devices"]
SYSTEM_FILES = ["alternatives", "fonts", "group", "hosts", "ld.so.cache", "localtime", "passwd"]  # in /etc
READER = str(Path(__file__).with_name("reader.py"))
LARGEST_READ, LONGEST_READ = 1 << 20, 10.0  # bytes of a file that the submission's code wrote, seconds to read them
CLONE = Path(__file__).resolve().parents[3]
OWN = [CLONE / "hw4", CLONE / "tests", CLONE / ".git", *CLONE.glob("*.ipynb")]  # what no submission may read


class Scratch(contextlib.AbstractContextManager["Scratch"]):
    """A copy of `files` {path: content} in a new folder, which is deleted after the `with` block.

    `sockets` is a folder for the grader alone. A copy made `beside` another one shares its limits and lies out of the
    reach of its processes.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        limits: ResourceLimits = ResourceLimits(),  # noqa: B008 - it is frozen
        beside: "Scratch | None" = None,
    ) -> None:
        self._first = beside or self
        self.limits = self._first.limits if beside else limits
        if not beside:
            self.top = Path(tempfile.mkdtemp(prefix=PREFIX))  # short: a socket's path has 107 characters at most
            self._held = hold(self.top)
            self.sockets, self.shared = self.top / "sockets", self.top / "scratch"
            self._numbers = itertools.count(1)
            self._launchers: set[Launcher] = set()
            self._group = None
            with contextlib.suppress(OSError, ValueError):
                self._group = ControlGroup(limits.memory, limits.threads)
            self._watch = Watch(limits, str(self.shared), self._group)
        self.folder = self._first.shared / str(next(self._first._numbers))
        above = max((path.count("../") for path in files), default=0)  # folders that hold files, too
        self.work = self.folder.joinpath("work", *["work"] * above)
        try:
            for folder in (self._first.sockets, *(self.folder / name for name in ("work", "home", "tmp", "shm"))):
                folder.mkdir(parents=True, exist_ok=True)
            for path, content in files.items():
                file = self.work / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        if self._first is self:
            self._watch.close()
            for launcher in self._launchers:
                launcher.release(str(self.shared))
            if self._group:
                self._group.close()
            remove(self.top, self._held)

    def start(
        self, launcher: Launcher, argv: list[str], stdin: int, stdout: int, stderr: int, descriptors: Sequence[int] = ()
    ) -> Process:
        """Start `argv` in the folder, isolated as well as the system allows, with the streams and more descriptors."""
        home, temporary = str(self.folder / "home"), str(self.folder / "tmp")
        environment = {"HOME": home, "IPYTHONDIR": home, "MPLCONFIGDIR": home, "TMPDIR": temporary}
        environment["TORCHINDUCTOR_CACHE_DIR"] = temporary
        first = self._first
        doors = first._group.doors if first._group else []
        isolation = Isolation(str(self.folder), str(first.shared), readable(launcher.hidden), self.limits, doors)
        streams = (stdin, stdout, stderr)
        process = launcher.start(Program(argv, str(self.work), *streams, environment, isolation, list(descriptors)))
        first._launchers.add(launcher)
        first._watch.add(process)
        return process

    def why_killed(self, process: Process) -> str | None:
        """Return which limit was exceeded when the process, which has ended, was killed for it; None where none was."""
        return self._first._watch.reason(process)

    def read(self, launcher: Launcher, path: str) -> bytes | None:
        """Return the content of a file that the submission's code wrote, read in the sandbox; None without one."""
        output = Log(LARGEST_READ, pause=0)
        with open(os.devnull, "r+b") as null:
            streams = null.fileno(), output.descriptor, null.fileno()
            process = self.start(launcher, [READER, path, str(LARGEST_READ)], *streams)
        output.close()
        deadline = monotonic() + LONGEST_READ
        while process.poll() is None and monotonic() < deadline:
            sleep(0.01)
        process.kill()
        return output.content() if process.poll() == 0 else None


@functools.cache  # some 300 paths are resolved
def readable(hidden: tuple[Path, ...] = ()) -> list[str]:
    """Return what any program of this Python needs to read, without the grader's own files and what is `hidden`."""
    packages = [path for path in sys.path if "-packages" in path]
    found = {*SYSTEM_FOLDERS, *(f"/etc/{name}" for name in SYSTEM_FILES), sys.prefix, sys.base_prefix, *packages}
    for path in [*OWN, *hidden]:
        for folder in [each for each in found if path.resolve().is_relative_to(Path(each).resolve())]:
            found.remove(folder)
            found |= set(_around(Path(folder), path.resolve()))
    return sorted(found)


def _around(folder: Path, hidden: Path) -> Iterable[str]:
    """Yield what lies in the folder, without the way to what is hidden below it."""
    for entry in folder.iterdir() if folder.resolve() != hidden else ():
        target = entry.resolve()
        if not (target.is_relative_to(hidden) or hidden.is_relative_to(target)):
            yield str(entry)
        elif target != hidden and not entry.is_symlink():
            yield from _around(entry, hidden)
