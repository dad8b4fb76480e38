"""The deletion of a folder in which a submission's code has written, by descriptors, on Linux alone.

`shutil.rmtree` was weighed: it fails on 1,000 nested folders and on folders without permissions.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator, Set
from time import time

FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
SETTLED = 60.0  # seconds after which a new folder is surely held by who made it


def hold(path: str) -> int:
    """Return a descriptor that marks the folder as in use until it is closed, or its process ends."""
    folder = os.open(path, FOLDER)
    fcntl.flock(folder, fcntl.LOCK_EX)
    return folder


def remove_abandoned(parent: str, prefix: str, inside: Set[str]) -> None:
    """Delete what this user's killed processes left in `parent`: folders with the prefix that nobody holds.

    What holds anything else than the names `inside` is not ours, and stays.
    """
    for entry in os.scandir(parent):
        if not entry.name.startswith(prefix):
            continue
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            folder = os.open(entry.path, FOLDER)
            stack.callback(os.close, folder)
            status = os.fstat(folder)
            if (
                status.st_uid == os.geteuid()
                and status.st_mtime < time() - SETTLED
                and inside >= set(os.listdir(folder))
            ):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(entry.path)


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
                        os.rename(child, secrets.token_hex(16), src_dir_fd=folder, dst_dir_fd=top)
        os.rmdir(name, dir_fd=top)
        return True
    return False


@contextlib.contextmanager
def opened(parent: int | None, name: str) -> Iterator[int]:
    """Yield a descriptor of the folder `name`, which gets its owner's permissions first."""
    place = os.open(name, os.O_PATH | FOLDER, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{place}", 0o700)  # of this very folder, whatever its name stands for by now
        folder = os.open(".", os.O_RDONLY | FOLDER, dir_fd=place)
    finally:
        os.close(place)
    try:
        yield folder
    finally:
        os.close(folder)
