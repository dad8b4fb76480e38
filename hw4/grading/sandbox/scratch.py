"""The scratch folder: a copy of a submission in which its processes run."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from .program import Isolation, Program

SYSTEM_FOLDERS = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/sys/devices"]
SYSTEM_FILES = ["alternatives", "fonts", "group", "hosts", "ld.so.cache", "localtime", "passwd"]  # in /etc


class Scratch:
    """A copy of `files` {path: content} in a new folder, which is deleted after the `with` block.

    `folder` is all that the submission's processes may write, and `work` in it is where they run. Each of them has
    `memory` bytes (None: any number).
    """

    def __init__(self, files: Mapping[str, bytes], memory: int | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hw4-"))  # short: a socket's path has 107 characters at most
        self.work, self.home, self.temporary = (self.folder / name for name in ("work", "home", "tmp"))
        self.memory = memory
        for folder in (self.work, self.home, self.temporary):
            folder.mkdir()
        for path, content in files.items():
            file = self.work / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, onerror=_make_writable)

    def program(self, argv: list[str], stdin: int, stdout: int, stderr: int) -> Program:
        """Return the program that runs `argv` in the folder, isolated as well as the system allows."""
        home = str(self.home)
        environment = {"HOME": home, "IPYTHONDIR": home, "MPLCONFIGDIR": home, "TMPDIR": str(self.temporary)}
        isolation = Isolation(str(self.folder), readable(), self.memory)
        return Program(argv, str(self.work), stdin, stdout, stderr, environment, isolation)


def readable() -> list[str]:
    """Return the files and folders that any program of this Python needs to read."""
    packages = [path for path in sys.path if "-packages" in path]
    return sorted({*SYSTEM_FOLDERS, *(f"/etc/{name}" for name in SYSTEM_FILES), sys.prefix, sys.base_prefix, *packages})


def _make_writable(function: Callable[[str], object], path: str, _: object) -> None:
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700)
        function(path)
