"""The deletion of folders in which a submission's code has written, on Linux by descriptors.

`shutil.rmtree` was weighed: it fails on 1,000 nested folders and on folders without permissions.
"""

import contextlib
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from time import time

PREFIX, INSIDE = "hw4-scratch-", ("sockets", "scratch")  # how a scratch folder's name begins, and what is in it
SETTLED = 60.0  # seconds after which a new folder is surely held by who made it
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


def hold(path: Path) -> int:
    """Mark a scratch folder as in use until `remove`, or until this process ends; return a descriptor of that.

    What this user's killed graders have left beside it is deleted first: folders like it that nobody holds.
    """
    if sys.platform != "linux":
        return os.open(os.devnull, os.O_RDONLY)
    import fcntl

    for other in path.parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), opened(None, str(other), change=False) as folder:
            status = os.fstat(folder)
            old = status.st_uid == os.geteuid() and status.st_mtime < time() - SETTLED
            if old and all(name.startswith(INSIDE) for name in os.listdir(folder)):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(str(other))
    held = os.open(path, FOLDER)
    with contextlib.suppress(OSError):  # a file system without locks, on which nothing is taken for left
        fcntl.flock(held, fcntl.LOCK_EX)
    return held


def remove(path: Path, held: int) -> None:
    """Delete a scratch folder, which `hold` has marked."""
    if sys.platform == "linux":
        remove_tree(str(path))
    else:
        shutil.rmtree(path, ignore_errors=True)
    os.close(held)


def remove_tree(path: str) -> bool:
    """Delete the folder at `path` with all that is in it, and follow no link; return whether it is gone.

    Raises nothing. A nested folder is moved to the top before it is emptied: two descriptors serve for any depth.
    """
    with contextlib.suppress(OSError), opened(None, path) as top:
        names = os.listdir(top)
        while sum(_remove(top, name) for name in names):
            names = os.listdir(top)
    with contextlib.suppress(OSError):
        os.rmdir(path)
    return not os.path.lexists(path)


def _remove(top: int, name: str) -> bool:
    """Delete what `name` stands for in the folder `top`, folders in it moved to `top`; return whether it is gone."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=top)
        return True
    with contextlib.suppress(OSError):
        with opened(top, name) as folder:
            for child in os.listdir(folder):
                try:
                    os.unlink(child, dir_fd=folder)
                except OSError:
                    with opened(folder, child):  # which makes it movable
                        os.rename(child, f"{INSIDE[1]}-{secrets.token_hex(16)}", src_dir_fd=folder, dst_dir_fd=top)
        os.rmdir(name, dir_fd=top)
        return True
    return False


@contextlib.contextmanager
def opened(parent: int | None, name: str, change: bool = True) -> Iterator[int]:
    """Yield a descriptor of the folder `name`, which gets its owner's permissions first if that is to `change`."""
    place = os.open(name, os.O_PATH | FOLDER, dir_fd=parent)
    try:
        if change:
            os.chmod(f"/proc/self/fd/{place}", 0o700)  # of this very folder, whatever its name stands for by now
        folder = os.open(".", FOLDER, dir_fd=place)
    finally:
        os.close(place)
    try:
        yield folder
    finally:
        os.close(folder)
