"""What keeps a stranger's code to its own files and processes, as far as Linux offers it; loaded by its path alone."""

import ctypes
import fcntl
import os
import re
import resource
import signal
import stat
import struct
from contextlib import suppress

LIBC = ctypes.CDLL(None, use_errno=True)
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR, CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 428, 429, 442, 444, 445, 446
PDEATHSIG, DUMPABLE, CAPBSET_DROP, SUBREAPER, NO_NEW_PRIVS = 1, 4, 24, 36, 38  # for prctl
NEW = {"net": 1 << 30, "pid": 1 << 29, "ipc": 1 << 27, "user": 1 << 28, "mount": 1 << 17}  # for unshare
READ, RUN, USE, ALL = 0b1100, 0b1101, 0b1100_0000_0000_1110, 0xFFFF  # Landlock's rights to a tree,
OF_FILES = 0b1100_0000_0000_0111  # and those of them that a single file has
DEVICES = [f"/dev/{name}" for name in ["null", "zero", "full", "random", "urandom", "tty", "ptmx"]]
OWN = {
    "/proc": ("proc", 15, ""),
    "/dev/shm": ("tmpfs", 6, "size=1g,mode=1777"),
    "/dev/pts": ("devpts", 10, "ptmxmode=666"),
}
ROOT = "/tmp"  # where the new root is put together: any directory that every system has


def system(name, *arguments):
    """Call a function of the C library; raise `OSError` where it fails."""
    arguments = [os.fsencode(item) if isinstance(item, str) else item for item in arguments]
    result = getattr(LIBC, name)(*[ctypes.c_long(item) if isinstance(item, int) else item for item in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return result


def attempt(name, *arguments):
    with suppress(OSError):
        return system(name, *arguments)


def isolate(folder, readable, memory, report=None):
    """Go on in a child that may write below `folder` and read below `readable` alone; return phrases of what holds.

    The caller's process, the keeper, ends all that the child has started once the child ends, and then ends the same
    way. Each process has `memory` bytes at most (None: no limit). The child's pid is written to the fd `report`.
    """
    parent, keeper, spaces = os.getppid(), os.getpid(), namespaces()
    attempt("prctl", SUBREAPER, 1)
    end_with(parent)
    fds = [report] if report is not None else []
    fds += [start_init(fds)] if "pid" in spaces else []
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    if inner := os.fork():
        try:
            keep(inner, report)
        finally:
            os._exit(1)
    end_with(0 if "pid" in spaces else keeper)  # a parent outside the namespace has the number 0
    for fd in fds:
        os.close(fd)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    mounts = own_mounts(folder, readable, "pid" in spaces) if spaces else []
    limits = limit(memory, spaces)
    abi = landlock(folder, readable, "net" in spaces)
    for capability in range(64):
        attempt("prctl", CAPBSET_DROP, capability)
    attempt("capset", struct.pack("Ii", 0x20080522, 0), bytes(24))
    walls = ["own root"] * ("own root" in mounts) + [f"Landlock {abi}"] * (abi > 0)
    held = {
        "no network": "net" in spaces,
        "no TCP": "net" not in spaces and abi > 3,
        "own processes": "pid" in spaces,
        f"own files only ({', '.join(walls)})": walls,
    }
    return [phrase for phrase, holds in held.items() if holds] + [name for name in mounts if "/" in name] + limits


def end_with(parent):
    attempt("prctl", PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that
        os._exit(1)


def namespaces():
    """Enter the namespaces there are; a user namespace only together with another: alone it is of no use."""
    uid, gid, spaces = os.geteuid(), os.getegid(), []
    for name in ["net", "pid", "ipc"]:
        with suppress(OSError):
            system("unshare", NEW[name] | (0 if spaces else NEW["user"]))
            spaces.append(name)
    files = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
    files["../sys/user/max_user_namespaces"] = "0"  # none inside ours, where capabilities would come back
    for name, text in files.items() if spaces else ():
        with suppress(OSError), open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    if "net" in spaces:
        with suppress(OSError):
            probe = system("socket", 2, 2, 0)
            fcntl.ioctl(probe, 0x8914, struct.pack("16sH22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
            os.close(probe)
    return spaces


def start_init(fds):
    """Start the first process of the pid namespace, which ends, and all others there with it, when the keeper does.

    Returns the fd that must stay open in the keeper alone.
    """
    read, write = os.pipe()
    if os.fork():
        os.close(read)
        return write
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans leave no zombies
    for fd in [*fds, write]:
        os.close(fd)
    os.read(read, 1)
    os._exit(0)


def keep(inner, report):
    """Wait for the process `inner`, end what it left behind, and end as it did."""

    def forward(number, _):
        with suppress(ProcessLookupError):
            os.kill(inner, number)

    signal.signal(signal.SIGTERM, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # SIGINT is for the inner one alone
    if report is not None:
        with suppress(OSError):
            os.write(report, b"%d\n" % inner)
        os.close(report)
    ended = None
    while ended != inner:
        ended, status = os.wait()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(ChildProcessError):
        while True:
            for pid in children():
                os.kill(pid, signal.SIGKILL)
            os.wait()
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        attempt("prctl", DUMPABLE, 0)  # one core is enough
        with suppress(OSError):
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        os.kill(os.getpid(), -code)
    os._exit(code)


def children():
    """Return our children's pids; orphans among our descendants have become ours."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
            if int(file.read().rpartition(b")")[2].split()[1]) == os.getpid():
                found.append(int(pid))
    return found


def own_mounts(folder, readable, own_processes):
    """Mount what is ours alone, in a root of our own if possible; return what could be had of it."""
    with suppress(OSError):
        system("unshare", NEW["mount"])
        system("mount", None, "/", None, 1 << 14 | 1 << 18, None)  # MS_REC | MS_PRIVATE
        kinds = {place: kind for place, kind in OWN.items() if own_processes or place != "/proc"}
        try:
            return ["own root", *own_root(folder, readable, kinds)]
        except OSError:
            attempt("umount2", ROOT, 2)  # MNT_DETACH
            return furnish("", kinds)
    return []


def own_root(folder, readable, kinds):
    """Leave the `folder` and, for reading, what is `readable`: of the rest even the sockets are out of reach."""
    here, trees = os.getcwd(), {}
    for path in sorted({*map(os.path.realpath, [folder, *readable]), folder, *readable, "/proc", *DEVICES[:-1]}):
        with suppress(OSError):
            trees[path] = system("syscall", OPEN_TREE, -100, path, 0x88001)  # cloned, recursive, closed by exec
            if path not in (folder, os.path.realpath(folder)):
                system("syscall", MOUNT_SETATTR, trees[path], "", 0x9000, struct.pack("4Q", 1, 0, 0, 0), 32)
    system("mount", "tmpfs", ROOT, "tmpfs", 0, "size=1m,mode=755")
    for path, tree in trees.items():
        leaf = stat.S_ISDIR(os.fstat(tree).st_mode)
        os.makedirs(ROOT + (path if leaf else os.path.dirname(path)), exist_ok=True)
        if not leaf:
            os.close(os.open(ROOT + path, os.O_CREAT))
        system("syscall", MOVE_MOUNT, tree, "", -100, ROOT + path, 4)
        os.close(tree)
    for name, target in {"ptmx": "pts/ptmx", "fd": "/proc/self/fd"}.items():
        os.symlink(target, f"{ROOT}/dev/{name}")
    for name in ["pts", "shm"]:
        os.mkdir(f"{ROOT}/dev/{name}")
    made = furnish(ROOT, kinds)
    os.chdir(ROOT)
    try:
        system("pivot_root", ".", ".")
        system("umount2", ".", 2)
    except OSError:  # the root of a machine without a disk cannot be replaced
        os.chroot(".")
    os.chdir(here if os.path.isdir(here) else folder)
    attempt("syscall", MOUNT_SETATTR, -100, "/", 0, struct.pack("4Q", 1, 0, 0, 0), 32)
    return made


def furnish(root, kinds):
    made = []
    for place, (kind, flags, options) in kinds.items():
        with suppress(OSError):
            system("mount", kind, root + place, kind, flags, options)
            made.append(f"own {place}")
    return made


def landlock(folder, readable, own_network):
    """Forbid what is neither below `folder` nor `readable`; return the version of Landlock, 0 if there is none."""
    attempt("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
    with suppress(OSError):
        abi = system("syscall", CREATE_RULESET, None, 0, 1)
        handled = ALL & (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
        fields = [handled, 0 if own_network else 3, 3][: 1 + (abi > 3) + (abi > 5)]  # files, TCP, abstract and signals
        rules = system("syscall", CREATE_RULESET, struct.pack(f"{len(fields)}Q", *fields), 8 * len(fields), 0)
        rights = {folder: ALL, "/dev/shm": ALL, "/dev/pts": USE, "/proc": READ} | dict.fromkeys(DEVICES, USE)
        for path, right in [*rights.items(), *((path, RUN) for path in readable)]:
            with suppress(OSError):
                tree = os.open(path, os.O_PATH | os.O_CLOEXEC)
                right &= handled if stat.S_ISDIR(os.fstat(tree).st_mode) else handled & OF_FILES
                attempt("syscall", ADD_RULE, rules, 1, struct.pack("=Qi", right, tree), 0)
                os.close(tree)
        system("syscall", RESTRICT_SELF, rules, 0)
        os.close(rules)
        return abi
    return 0


def limit(memory, spaces):
    """Set the limits there are for a process; return those that a notebook can meet."""
    counted = [int(number) for number in re.findall(r"\d+", os.uname().release)[:2]] >= [5, 14]  # by namespace
    limits = {"CORE": (0, ""), "FSIZE": (2 << 30, "files of 2 GiB")}
    if memory is not None:
        limits["DATA"] = memory, f"memory {memory / 2**30:.3g} GiB"
    if spaces and counted and os.geteuid():
        limits["NPROC"] = 512, "512 processes"
    held = []
    for name, (value, phrase) in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        with suppress(OSError, ValueError):
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, [value if hard == resource.RLIM_INFINITY else min(value, hard)] * 2)
            held.append(phrase)
    return list(filter(None, held))
