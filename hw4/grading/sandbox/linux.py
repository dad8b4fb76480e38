"""Linux's system calls that Python 3.11's `os` lacks, and the numbers of the kernel's headers by their names there.

The headers are those of Linux's source, below include/uapi. The packages psutil, python-prctl and pyroute2 were
weighed: none offers mounts, Landlock and user namespaces.
"""

import contextlib
import ctypes
import os
import struct
from collections.abc import Callable
from enum import IntFlag

# asm-generic/unistd.h, the same on x86_64 and aarch64
SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442
SYS_LANDLOCK_CREATE_RULESET, SYS_LANDLOCK_ADD_RULE, SYS_LANDLOCK_RESTRICT_SELF = 444, 445, 446

# linux/prctl.h
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38

# linux/capability.h
CAPABILITY_VERSION_3 = 0x20080522
CAPABILITY_SETS = 24  # bytes: effective, permitted and inheritable, of 64 bits each

# linux/sched.h
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 1 << 17, 1 << 27, 1 << 28, 1 << 29, 1 << 30

# linux/sockios.h, linux/if.h
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
IFREQ = "16sH22x"  # struct ifreq: the interface's name, its flags

# linux/fcntl.h
AT_FDCWD, AT_EMPTY_PATH, AT_RECURSIVE = -100, 0x1000, 0x8000

# linux/mount.h; MNT_DETACH from include/linux/fs.h
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND = 1 << 1, 1 << 2, 1 << 3, 1 << 12
MS_REC, MS_PRIVATE, MS_SLAVE = 1 << 14, 1 << 18, 1 << 19
MNT_DETACH = 1 << 1
OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC, MOVE_MOUNT_F_EMPTY_PATH = 1, os.O_CLOEXEC, 4
MOUNT_ATTR_RDONLY = 1
READ_ONLY = struct.pack("4Q", MOUNT_ATTR_RDONLY, 0, 0, 0)  # struct mount_attr: set, clear, propagation, userns_fd

# linux/landlock.h
LANDLOCK_CREATE_RULESET_VERSION = LANDLOCK_RULE_PATH_BENEATH = 1
LANDLOCK_ACCESS_NET_BIND_TCP, LANDLOCK_ACCESS_NET_CONNECT_TCP = 1, 2
LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, LANDLOCK_SCOPE_SIGNAL = 1, 2
Access = IntFlag(  # LANDLOCK_ACCESS_FS_*, from 1 << 0 on
    "Access",
    "EXECUTE WRITE_FILE READ_FILE READ_DIR REMOVE_DIR REMOVE_FILE MAKE_CHAR MAKE_DIR MAKE_REG MAKE_SOCK MAKE_FIFO "
    "MAKE_BLOCK MAKE_SYM REFER TRUNCATE IOCTL_DEV",
)
NEWEST_ACCESS = {1: Access.MAKE_SYM, 2: Access.REFER, 3: Access.TRUNCATE, 4: Access.TRUNCATE}  # by Landlock's version

LIBC = ctypes.CDLL(None, use_errno=True)


def system(name: str, *arguments: int | str | bytes | None) -> int:
    """Call the function `name` of the C library and return its result; raise `OSError` where that is negative."""
    values = [os.fsencode(value) if isinstance(value, str) else value for value in arguments]
    result = getattr(LIBC, name)(*[ctypes.c_long(value) if isinstance(value, int) else value for value in values])
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return result


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def map_user(uid: int, gid: int) -> None:
    """Keep the user's and the group's number in the user namespace that this process has just entered."""
    for name, text in {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}.items():
        attempt(write, f"/proc/self/{name}", text)


def attempt(function: Callable[..., object], *arguments: object) -> OSError | None:
    """Call the function; return the `OSError` that it raises, or None where it raises none."""
    try:
        function(*arguments)
    except OSError as error:
        return error
    return None


def descendants(root: int, most: int) -> list[int]:
    """Return the pids of all that descends from a process, the first `most` and some.

    It takes a tenth of psutil's time, which looks at every process of the system: a fork bomb leaves little.
    """
    found = [root]
    for pid in found:
        with contextlib.suppress(OSError):  # it has just ended
            for task in os.listdir(f"/proc/{pid}/task") if len(found) <= most else ():
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                    found += map(int, children.read().split())
    return found[1:]
