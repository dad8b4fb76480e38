"""The file systems that a submission's processes see, and the one in memory that holds what they write."""

import os
import stat

from . import linux
from .limits import ResourceLimits
from .linux import attempt, system
from .program import PLACE, Isolation

DEVICES = [f"/dev/{name}" for name in ["null", "zero", "full", "random", "urandom", "tty"]]
FILE_SYSTEMS = {  # by path: type (None: a folder of the submission's), flags, options
    "/dev/pts": ("devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "ptmxmode=666"),
    "/proc": ("proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC, None),  # needs an own pid namespace
    "/dev/shm": (None, linux.MS_BIND, None),
}
SHARED_MEMORY = "shm"  # in a scratch folder, what stands for /dev/shm
NEW_ROOT = "/tmp"  # where the new root is put together: any folder that every system has


def enter_namespace() -> None:
    """Enter a mount namespace in which this process may mount, by a user namespace of its own where it takes one."""
    if attempt(system, "unshare", linux.CLONE_NEWNS):
        uid, gid = os.geteuid(), os.getegid()
        system("unshare", linux.CLONE_NEWUSER | linux.CLONE_NEWNS)
        linux.map_user(uid, gid)
    system("mount", None, "/", None, linux.MS_REC | linux.MS_SLAVE, None)


def mount_scratch(folder: str, limits: ResourceLimits) -> int:
    """Mount a file system in memory over the folder; return a descriptor of what lies below."""
    below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    options = f"size={limits.disk},nr_inodes={limits.files},mode=700"
    try:
        system("mount", "tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    except OSError:
        os.close(below)
        raise
    return below


def release_scratch(folder: str) -> None:
    attempt(system, "umount2", folder, linux.MNT_DETACH)


def enter_own_root(wanted: Isolation) -> None:
    """Enter a mount namespace with a root of the wanted folder and, for reading, the readable ones.

    Not even a socket beside can be reached.
    """
    system("unshare", linux.CLONE_NEWNS)
    system("mount", None, "/", None, linux.MS_REC | linux.MS_PRIVATE, None)
    inside, trees = os.path.relpath(os.getcwd(), os.path.realpath(wanted.folder)), copy_trees(wanted)
    system("mount", "tmpfs", NEW_ROOT, "tmpfs", 0, "size=1m,mode=755")
    try:
        fill_root(trees)
        system("chroot", NEW_ROOT)
    except OSError:
        system("umount2", NEW_ROOT, linux.MNT_DETACH)
        raise
    os.chdir(f"{PLACE}/{inside}")


def fill_root(trees: dict[str, int]) -> None:
    """Put the trees, which `copy_trees` has returned, and the system's own file systems into the new root."""
    for path, tree in trees.items():
        place, is_folder = NEW_ROOT + path, stat.S_ISDIR(os.fstat(tree).st_mode)
        os.makedirs(place if is_folder else os.path.dirname(place), exist_ok=True)
        if not is_folder:
            os.close(os.open(place, os.O_CREAT))
        to = (linux.AT_FDCWD, place, linux.MOVE_MOUNT_F_EMPTY_PATH)
        system("syscall", linux.SYS_MOVE_MOUNT, tree, "", *to)
        os.close(tree)
    for name, target in {"dev/ptmx": "pts/ptmx", "dev/fd": "/proc/self/fd", "tmp": f"{PLACE}/tmp"}.items():
        attempt(os.symlink, target, f"{NEW_ROOT}/{name}")  # what is readable may lie below /tmp
    for path, (kind, flags, options) in FILE_SYSTEMS.items():
        os.makedirs(NEW_ROOT + path, exist_ok=True)
        source = kind or f"{NEW_ROOT}{PLACE}/{SHARED_MEMORY}"
        attempt(system, "mount", source, NEW_ROOT + path, kind, flags, options)
    set_read_only(linux.AT_FDCWD, NEW_ROOT, 0)


def copy_trees(wanted: Isolation) -> dict[str, int]:
    """Return {place: descriptor} of copies of the mounts that the new root needs, as far as they exist.

    Raises `OSError` where there is none of the wanted folder.
    """
    readable = {*wanted.readable, *map(os.path.realpath, wanted.readable), "/proc", *DEVICES}
    trees = {}
    for place, path in sorted({PLACE: wanted.folder, **{path: path for path in readable}}.items()):
        flags = linux.AT_RECURSIVE | linux.OPEN_TREE_CLONE | linux.OPEN_TREE_CLOEXEC
        try:
            tree = system("syscall", linux.SYS_OPEN_TREE, linux.AT_FDCWD, path, flags)
            if place != PLACE:
                set_read_only(tree, "", linux.AT_RECURSIVE | linux.AT_EMPTY_PATH)
            trees[place] = tree
        except OSError:
            if place == PLACE:
                raise
    return trees


def set_read_only(folder: int, path: str, flags: int) -> None:
    system("syscall", linux.SYS_MOUNT_SETATTR, folder, path, flags, linux.READ_ONLY, len(linux.READ_ONLY))
