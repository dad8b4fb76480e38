"""The file systems that a submission's processes see, and the one in memory that holds what they write."""

import os
import stat

import linux
from linux import attempt, system
from program import PLACE, Isolation, ResourceLimits

DEVICES = [f"/dev/{name}" for name in ["null", "zero", "full", "random", "urandom", "tty"]]
FILE_SYSTEMS = {  # by path: type, flags, options
    "/dev/pts": ("devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "ptmxmode=666"),
    "/proc": ("proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC, None),  # needs an own pid namespace
}
SHARED_MEMORY = "shm"  # in a scratch folder, what stands for /dev/shm
NEW_ROOT = "/tmp"  # where the new root is put together: any folder that every system has


def enter_own_mounts(wanted: Isolation) -> None:
    """Enter a mount namespace with a root that holds what is `wanted`, or at least own temporary file systems."""
    system("unshare", linux.CLONE_NEWNS)
    system("mount", None, "/", None, linux.MS_REC | linux.MS_PRIVATE, None)
    try:
        enter_own_root(wanted)
    except OSError:
        while attempt(system, "umount2", NEW_ROOT, linux.MNT_DETACH) is None:  # until what was there before: locked
            pass
        mount_file_systems("", f"{wanted.folder}/{SHARED_MEMORY}")
        raise


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


def mount_file_systems(root: str, shared_memory: str) -> None:
    """Mount those file systems below `root` that can be, and the folder for shared memory."""
    attempt(system, "mount", shared_memory, f"{root}/dev/shm", None, linux.MS_BIND, None)
    for path, (kind, flags, options) in FILE_SYSTEMS.items():
        attempt(system, "mount", kind, root + path, kind, flags, options)


def enter_own_root(wanted: Isolation) -> None:
    """Make a root of the wanted folder and, for reading, the readable ones: not even a socket beside can be reached."""
    inside, trees = os.path.relpath(os.getcwd(), os.path.realpath(wanted.folder)), copy_trees(wanted)
    system("mount", "tmpfs", NEW_ROOT, "tmpfs", 0, "size=1m,mode=755")
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
    for name in ["pts", "shm"]:
        os.mkdir(f"{NEW_ROOT}/dev/{name}")
    mount_file_systems(NEW_ROOT, f"{NEW_ROOT}{PLACE}/{SHARED_MEMORY}")
    set_read_only(linux.AT_FDCWD, NEW_ROOT, 0)
    system("chroot", NEW_ROOT)
    os.chdir(f"{PLACE}/{inside}")


def copy_trees(wanted: Isolation) -> dict[str, int]:
    """Return {place: descriptor} of copies of the mounts that the new root needs, as far as they exist."""
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
            continue
    return trees


def set_read_only(folder: int, path: str, flags: int) -> None:
    system("syscall", linux.SYS_MOUNT_SETATTR, folder, path, flags, linux.READ_ONLY, len(linux.READ_ONLY))
