"""The sandbox of a submission's process: its own files and processes and nothing else, as far as Linux offers it.

Imported from its own folder by the forkserver. bubblewrap and nsjail were weighed: they start programs afresh, and a
kernel that is forked with PyTorch imported boots 2 s sooner.
"""

import fcntl
import os
import resource
import socket
import stat
import struct
from collections.abc import Callable

import keeper
import linux
from linux import Access, attempt, system
from program import Isolation, Layer

# The layers' names, as the line `isolation:` shows them
NETWORK, PROCESSES, SEMAPHORES = "no network", "own processes", "own semaphores"
ROOT, TCP, FILES = "other files out of sight", "no TCP", "own files only"

NAMESPACES = {NETWORK: linux.CLONE_NEWNET, PROCESSES: linux.CLONE_NEWPID, SEMAPHORES: linux.CLONE_NEWIPC}
DEVICES = [f"/dev/{name}" for name in ["null", "zero", "full", "random", "urandom", "tty"]]
FILE_SYSTEMS = {  # by path: type, flags, options
    "/dev/shm": ("tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1g,mode=1777"),
    "/dev/pts": ("devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "ptmxmode=666"),
    "/proc": ("proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC, None),  # needs an own pid namespace
}
NEW_ROOT = "/tmp"  # where the new root is put together: any folder that every system has
READ = Access.READ_FILE | Access.READ_DIR
RUN = READ | Access.EXECUTE
USE = READ | Access.WRITE_FILE | Access.TRUNCATE | Access.IOCTL_DEV
ALL = ~Access(0)
ON_FILES = USE & ~Access.READ_DIR | Access.EXECUTE
LARGEST_FILE = 2 << 30  # bytes
MOST_PROCESSES = 512


def isolate(wanted: Isolation, report: int | None = None) -> list[Layer]:
    """Return in a child of the caller, isolated as `wanted`; the list says which layers are active there.

    The calling process becomes the child's keeper. The child's pid is written to the file descriptor `report`.
    """
    parent = os.getppid()
    layers = enter_namespaces()
    entered = {layer.name for layer in layers if layer.active}
    keeper.die_with(parent)
    keeper.fork(PROCESSES in entered, report)
    if entered:
        layers.append(tried(ROOT, enter_own_mounts, wanted))
    attempt(system, "prctl", linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    own_user = bool(entered) and os.geteuid() > 0
    layers += restrict_files(wanted, tcp=NETWORK not in entered)
    for capability in range(64):
        attempt(system, "prctl", linux.PR_CAPBSET_DROP, capability)
    attempt(system, "capset", struct.pack("Ii", linux.CAPABILITY_VERSION_3, 0), bytes(linux.CAPABILITY_SETS))
    set_limits(wanted.memory, own_user)
    return layers + ([] if wanted.memory is None else [Layer(f"memory {wanted.memory / 2**30:.3g} GiB")])


def tried(name: str, step: Callable[..., object], *arguments: object) -> Layer:
    """Return the layer `name`, active if the `step` raises no `OSError`."""
    error = attempt(step, *arguments)
    return Layer(name, error is None, str(error or ""))


def enter_namespaces() -> list[Layer]:
    """Enter new namespaces, the user namespace only together with another: alone it is of no use."""
    uid, gid, layers, user = os.geteuid(), os.getegid(), [], linux.CLONE_NEWUSER
    for name, flag in NAMESPACES.items():
        layers.append(tried(name, system, "unshare", flag | user))
        user = 0 if layers[-1].active else user
    if not user:
        files = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
        files["../sys/user/max_user_namespaces"] = "0"  # none inside ours, where capabilities would come back
        for name, text in files.items():
            attempt(write, f"/proc/self/{name}", text)
    if layers[0].active:
        attempt(raise_loopback)
    return layers


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, linux.SIOCSIFFLAGS, struct.pack(linux.IFREQ, b"lo", linux.IFF_UP))


def enter_own_mounts(wanted: Isolation) -> None:
    """Enter a mount namespace with a root that holds what is `wanted`, or at least own temporary file systems."""
    system("unshare", linux.CLONE_NEWNS)
    system("mount", None, "/", None, linux.MS_REC | linux.MS_PRIVATE, None)
    try:
        enter_own_root(wanted)
    except OSError:
        while attempt(system, "umount2", NEW_ROOT, linux.MNT_DETACH) is None:  # until what was there before: locked
            pass
        mount_file_systems("")
        raise


def mount_file_systems(root: str) -> None:
    for path, (kind, flags, options) in FILE_SYSTEMS.items():
        attempt(system, "mount", kind, root + path, kind, flags, options)


def enter_own_root(wanted: Isolation) -> None:
    """Make a root of the wanted folder and, for reading, the readable ones: not even a socket beside can be reached."""
    here, trees = os.getcwd(), copy_trees(wanted)
    system("mount", "tmpfs", NEW_ROOT, "tmpfs", 0, "size=1m,mode=755")
    for path, tree in trees.items():
        place, is_folder = NEW_ROOT + path, stat.S_ISDIR(os.fstat(tree).st_mode)
        os.makedirs(place if is_folder else os.path.dirname(place), exist_ok=True)
        if not is_folder:
            os.close(os.open(place, os.O_CREAT))
        to = (linux.AT_FDCWD, place, linux.MOVE_MOUNT_F_EMPTY_PATH)
        system("syscall", linux.SYS_MOVE_MOUNT, tree, "", *to)
        os.close(tree)
    for name, target in {"ptmx": "pts/ptmx", "fd": "/proc/self/fd"}.items():
        os.symlink(target, f"{NEW_ROOT}/dev/{name}")
    for name in ["pts", "shm"]:
        os.mkdir(f"{NEW_ROOT}/dev/{name}")
    mount_file_systems(NEW_ROOT)
    set_read_only(linux.AT_FDCWD, NEW_ROOT, 0)
    system("chroot", NEW_ROOT)
    os.chdir(here if os.path.isdir(here) else wanted.folder)


def copy_trees(wanted: Isolation) -> dict[str, int]:
    """Return {path: descriptor} of copies of the mounts that the new root needs, as far as they exist."""
    writable = {wanted.folder, os.path.realpath(wanted.folder)}
    readable = {*wanted.readable, *map(os.path.realpath, wanted.readable), "/proc", *DEVICES}
    trees = {}
    for path in sorted(writable | readable):
        flags = linux.AT_RECURSIVE | linux.OPEN_TREE_CLONE | linux.OPEN_TREE_CLOEXEC
        try:
            tree = system("syscall", linux.SYS_OPEN_TREE, linux.AT_FDCWD, path, flags)
            if path not in writable:
                set_read_only(tree, "", linux.AT_RECURSIVE | linux.AT_EMPTY_PATH)
            trees[path] = tree
        except OSError:
            continue
    return trees


def set_read_only(folder: int, path: str, flags: int) -> None:
    system("syscall", linux.SYS_MOUNT_SETATTR, folder, path, flags, linux.READ_ONLY, len(linux.READ_ONLY))


def restrict_files(wanted: Isolation, tcp: bool) -> list[Layer]:
    """Forbid by Landlock what is not `wanted`, and with `tcp` all of TCP."""
    paths = {"/proc": READ, "/dev/pts": USE, "/dev/ptmx": USE, "/dev/shm": ALL} | dict.fromkeys(DEVICES, USE)
    accesses = dict.fromkeys(wanted.readable, RUN) | paths | {wanted.folder: ALL}
    net = (linux.LANDLOCK_ACCESS_NET_BIND_TCP | linux.LANDLOCK_ACCESS_NET_CONNECT_TCP) * tcp
    scopes = linux.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | linux.LANDLOCK_SCOPE_SIGNAL
    try:
        version = system("syscall", linux.SYS_LANDLOCK_CREATE_RULESET, None, 0, linux.LANDLOCK_CREATE_RULESET_VERSION)
        newest = linux.NEWEST_ACCESS.get(version, Access.IOCTL_DEV)
        handled = Access((newest << 1) - 1)
        fields = [handled, net, scopes][: 1 + (version >= 4) + (version >= 6)]  # struct landlock_ruleset_attr
        attributes = struct.pack(f"{len(fields)}Q", *fields)
        rules = system("syscall", linux.SYS_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
        for path, access in accesses.items():
            attempt(allow, rules, path, access & handled)
        system("syscall", linux.SYS_LANDLOCK_RESTRICT_SELF, rules, 0)
        os.close(rules)
    except OSError as error:
        return [Layer(FILES, False, str(error))]
    return [Layer(TCP)] * (tcp and version >= 4) + [Layer(f"{FILES} (Landlock {version})")]


def allow(rules: int, path: str, access: Access) -> None:
    """Add to the Landlock ruleset that `access` to the file or below the folder at `path` is allowed."""
    target = os.open(path, os.O_PATH)
    right = access if stat.S_ISDIR(os.fstat(target).st_mode) else access & ON_FILES
    attribute = struct.pack("=Qi", right, target)  # struct landlock_path_beneath_attr
    attempt(system, "syscall", linux.SYS_LANDLOCK_ADD_RULE, rules, linux.LANDLOCK_RULE_PATH_BENEATH, attribute, 0)
    os.close(target)


def set_limits(memory: int | None, own_user: bool) -> None:
    """Limit each process, and their number where it is counted without the user's others: since Linux 5.14."""
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: LARGEST_FILE}
    if memory is not None:
        limits[resource.RLIMIT_DATA] = memory
    release = os.uname().release.replace("-", ".").replace("+", ".").split(".")
    if own_user and [int(part) for part in release[:2]] >= [5, 14]:
        limits[resource.RLIMIT_NPROC] = MOST_PROCESSES
    for kind, value in limits.items():
        hard = resource.getrlimit(kind)[1]
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        attempt(resource.setrlimit, kind, (lowest, lowest))
