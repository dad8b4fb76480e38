"""What keeps a stranger's code to its own files and processes, as far as Linux offers it; loaded by its path alone."""

import ctypes
import fcntl
import os
import resource
import signal
import stat
import struct
from contextlib import suppress

LIBC = ctypes.CDLL(None, use_errno=True)
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR, CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 428, 429, 442, 444, 445, 446
PDEATHSIG, DUMPABLE, CAPBSET_DROP, SUBREAPER, NO_NEW_PRIVS = 1, 4, 24, 36, 38  # for prctl
NET, PID, IPC, USER, MOUNT = 1 << 30, 1 << 29, 1 << 27, 1 << 28, 1 << 17  # for unshare
CWD, READONLY = -100, struct.pack("4Q", 1, 0, 0, 0)  # for mount_setattr
READ, RUN, USE, ALL, OF_FILES = 0b1100, 0b1101, 0b11 << 14 | 0b1110, 0xFFFF, 0b11 << 14 | 0b111  # Landlock's rights
DEVICES = [f"/dev/{name}" for name in ["null", "zero", "full", "random", "urandom", "tty"]]
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
    parent, keeper, held = os.getppid(), os.getpid(), namespaces()
    attempt("prctl", SUBREAPER, 1)
    end_with(parent)
    if report is not None:
        os.set_inheritable(report, False)
    alive = start_init() if "own processes" in held else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    if inner := os.fork():
        try:
            keep(inner, report)
        finally:
            os._exit(1)
    end_with(keeper if alive is None else 0)  # a parent outside the namespace has the number 0
    for fd in {alive, report} - {None}:
        os.close(fd)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    held += own_mounts(folder, readable, held) if held else []
    attempt("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
    own_users = bool(held) and os.geteuid() > 0
    held += landlock(folder, readable, held)
    for capability in range(64):
        attempt("prctl", CAPBSET_DROP, capability)
    attempt("capset", struct.pack("Ii", 0x20080522, 0), bytes(24))
    return held + limit(memory, own_users)


def end_with(parent):
    attempt("prctl", PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that
        os._exit(1)


def namespaces():
    """Enter the namespaces there are; a user namespace only together with another: alone it is of no use."""
    uid, gid, held = os.geteuid(), os.getegid(), []
    for phrase, flag in {"no network": NET, "own processes": PID, "own semaphores": IPC}.items():
        if attempt("unshare", flag | (0 if held else USER)) is not None:
            held.append(phrase)
    files = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
    files["../sys/user/max_user_namespaces"] = "0"  # none inside ours, where capabilities would come back
    for name, text in files.items() if held else ():
        with suppress(OSError), open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    if "no network" in held and (probe := attempt("socket", 2, 2, 0)) is not None:
        with suppress(OSError):
            fcntl.ioctl(probe, 0x8914, struct.pack("16sH22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
        os.close(probe)
    return held


def start_init():
    """Start the first process of the pid namespace; all others end with it, and it with the fd that is returned."""
    ours, alive = os.pipe()
    streams = [(os.POSIX_SPAWN_DUP2, ours, 0), *((os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_WRONLY, 0) for n in (1, 2))]
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # which it inherits: orphans leave no zombies
    os.posix_spawn("/bin/sh", ["sh", "-c", "read end"], {}, file_actions=streams)  # cheaper than a fork, which copies
    signal.signal(signal.SIGCHLD, before)
    os.close(ours)
    return alive


def keep(inner, report):
    """Wait for the process `inner`, end what it left behind, and end as it did."""
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(inner, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # SIGINT is for the inner one alone
    if report is not None:
        with suppress(OSError):
            os.write(report, b"%d\n" % inner)
        os.close(report)
    os.waitid(os.P_PID, inner, os.WEXITED | os.WNOWAIT)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ends = {}
    with suppress(ChildProcessError):
        while True:
            for pid in children():
                os.kill(pid, signal.SIGKILL)
            pid, ends[pid] = os.wait()
    code = os.waitstatus_to_exitcode(ends[inner])
    if code < 0:
        attempt("prctl", DUMPABLE, 0)  # one core is enough
        with suppress(OSError):
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        os.kill(os.getpid(), -code)
    os._exit(code)


def children():
    """Return the pids of our children; orphans among our descendants have become ours."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
            if int(file.read().rpartition(b")")[2].split()[1]) == os.getpid():
                found.add(int(pid))
    return found


def own_mounts(folder, readable, held):
    """Mount what is ours alone, in a root of our own if that is possible."""
    kinds = {"/dev/shm": ("tmpfs", 6, "size=1g,mode=1777"), "/dev/pts": ("devpts", 10, "ptmxmode=666")}
    kinds |= {"/proc": ("proc", 15, None)} if "own processes" in held else {}
    with suppress(OSError):
        system("unshare", MOUNT)
        system("mount", None, "/", None, 1 << 14 | 1 << 18, None)  # MS_REC | MS_PRIVATE
        try:
            own_root(folder, readable, kinds)
            return ["other files out of sight"]
        except OSError:
            while attempt("umount2", ROOT, 2) is not None:  # MNT_DETACH; what was there before is locked
                pass
            furnish("", kinds)
    return []


def furnish(root, kinds):
    for place, (kind, flags, options) in kinds.items():
        attempt("mount", kind, root + place, kind, flags, options)


def own_root(folder, readable, kinds):
    """Leave the `folder` and, for reading, what is `readable`: of the rest not even a socket can be reached."""
    own, here, trees = {folder, os.path.realpath(folder)}, os.getcwd(), {}
    for path in sorted({*own, *readable, *map(os.path.realpath, readable), "/proc", *DEVICES}):
        with suppress(OSError):
            tree = system("syscall", OPEN_TREE, CWD, path, 0x88001)  # a copy, recursive, closed by exec
            if path not in own:
                system("syscall", MOUNT_SETATTR, tree, "", 0x9000, READONLY, 32)
            trees[path] = tree
    system("mount", "tmpfs", ROOT, "tmpfs", 0, "size=1m,mode=755")
    for path, tree in trees.items():
        is_folder = stat.S_ISDIR(os.fstat(tree).st_mode)
        os.makedirs(ROOT + (path if is_folder else os.path.dirname(path)), exist_ok=True)
        if not is_folder:
            os.close(os.open(ROOT + path, os.O_CREAT))
        system("syscall", MOVE_MOUNT, tree, "", CWD, ROOT + path, 4)
        os.close(tree)
    for name, target in {"ptmx": "pts/ptmx", "fd": "/proc/self/fd"}.items():
        os.symlink(target, f"{ROOT}/dev/{name}")
    for name in ["pts", "shm"]:
        os.mkdir(f"{ROOT}/dev/{name}")
    furnish(ROOT, kinds)
    system("syscall", MOUNT_SETATTR, CWD, ROOT, 0, READONLY, 32)
    system("chroot", ROOT)
    os.chdir(here if os.path.isdir(here) else folder)


def landlock(folder, readable, held):
    """Forbid what is neither below `folder` nor below `readable`."""
    with suppress(OSError):
        abi = system("syscall", CREATE_RULESET, None, 0, 1)
        handled = ALL & (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
        tcp = 0 if "no network" in held else 3
        fields = [handled, tcp, 3][: 1 + (abi > 3) + (abi > 5)]  # the last: abstract sockets and signals
        rules = system("syscall", CREATE_RULESET, struct.pack(f"{len(fields)}Q", *fields), 8 * len(fields), 0)
        rights = dict.fromkeys(readable, RUN) | {"/proc": READ, "/dev/pts": USE, "/dev/ptmx": USE, "/dev/shm": ALL}
        for path, right in (rights | dict.fromkeys(DEVICES, USE) | {folder: ALL}).items():
            with suppress(OSError):
                tree = os.open(path, os.O_PATH)
                right &= handled & (ALL if stat.S_ISDIR(os.fstat(tree).st_mode) else OF_FILES)
                attempt("syscall", ADD_RULE, rules, 1, struct.pack("=Qi", right, tree), 0)
                os.close(tree)
        system("syscall", RESTRICT_SELF, rules, 0)
        os.close(rules)
        return ["no TCP"] * (abi > 3 and tcp > 0) + [f"own files only (Landlock {abi})"]
    return []


def limit(memory, own_users):
    """Limit each process, and their number where it is counted without the user's others: since Linux 5.14."""
    limits = {"CORE": 0, "FSIZE": 2 << 30} | ({} if memory is None else {"DATA": memory})
    release = os.uname().release.replace("-", ".").replace("+", ".").split(".")
    limits |= {"NPROC": 512} if own_users and [int(part) for part in release[:2]] >= [5, 14] else {}
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        with suppress(OSError, ValueError):
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, [value if hard == resource.RLIM_INFINITY else min(value, hard)] * 2)
    return [] if memory is None else [f"memory {memory / 2**30:.3g} GiB"]
