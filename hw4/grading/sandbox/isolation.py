"""The sandbox of a submission's process: its own files and processes and nothing else, as far as Linux offers it.

bubblewrap and nsjail were weighed: they start programs afresh, and a
kernel that is forked with PyTorch imported boots 2 s sooner.
"""

import contextlib
import fcntl
import os
import resource
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path

from . import keeper, linux, mounts, seccomp
from .limits import Layer, ResourceLimits
from .linux import Access, attempt, system
from .program import OWN_ROOT, PLACE, Isolation

# The layers' names, as the line `isolation:` shows them
NETWORK, PROCESSES, SEMAPHORES = "no network", "own processes", "own semaphores"
TCP, FILES = "no TCP", "own files only"
CALLS = "system calls filtered"

NAMESPACES = {NETWORK: linux.CLONE_NEWNET, PROCESSES: linux.CLONE_NEWPID, SEMAPHORES: linux.CLONE_NEWIPC}
MOST_DESCRIPTORS = 1024  # of a process: each socket can hold 200 KiB in the kernel
READ = Access.READ_FILE | Access.READ_DIR
RUN = READ | Access.EXECUTE
USE = READ | Access.WRITE_FILE | Access.TRUNCATE | Access.IOCTL_DEV
ALL = ~Access(0)
ON_FILES = USE & ~Access.READ_DIR | Access.EXECUTE


def isolate(wanted: Isolation, report: int, in_memory: bool = False) -> list[Layer]:
    """Return in a child of the caller, isolated as `wanted`; the list says which layers are active there.

    The calling process becomes the child's keeper, which writes to the file descriptor `report`. `in_memory` says
    whether the wanted folder is a file system in memory with the wanted limits.
    """
    for door in wanted.doors:
        linux.write(door, "0")
    parent = os.getppid()
    layers = enter_namespaces()
    entered = {layer.name for layer in layers if layer.active}
    keeper.die_with(parent)
    keeper.fork(PROCESSES in entered, report)
    if entered:
        layers.append(tried(OWN_ROOT, mounts.enter_own_root, wanted))
    attempt(system, "prctl", linux.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    own_root = layers[-1].name == OWN_ROOT and layers[-1].active
    layers += restrict_files(wanted, tcp=NETWORK not in entered, own_root=own_root)
    for capability in range(64):
        attempt(system, "prctl", linux.PR_CAPBSET_DROP, capability)
    attempt(system, "capset", struct.pack("Ii", linux.CAPABILITY_VERSION_3, 0), bytes(linux.CAPABILITY_SETS))
    set_limits(wanted.limits, own_user=bool(entered) and os.geteuid() > 0)
    needless = {"hides_files": in_memory or entered, "hides_memory": wanted.doors, "reaches_sockets": own_root}
    layers.append(tried(CALLS, seccomp.filter_system_calls, [name for name in seccomp.ALSO if not needless[name]]))
    return layers + wanted.limits.layers(bool(wanted.doors), in_memory)


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
        linux.map_user(uid, gid)
        attempt(linux.write, "/proc/sys/user/max_user_namespaces", "0")  # capabilities would come back in a further one
    if layers[0].active:
        attempt(raise_loopback)
        for name in ("tcp_rmem", "tcp_wmem"):  # else a connection holds megabytes, which are nobody's memory
            attempt(linux.write, f"/proc/sys/net/ipv4/{name}", "4096 65536 106496")
    return layers


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, linux.SIOCSIFFLAGS, struct.pack(linux.IFREQ, b"lo", linux.IFF_UP))


def restrict_files(wanted: Isolation, tcp: bool, own_root: bool) -> list[Layer]:
    """Forbid by Landlock what is not `wanted`, with `tcp` all of TCP, and without `own_root` what all share."""
    paths = {"/proc": READ} | dict.fromkeys(mounts.DEVICES, USE) | {"/dev/zero": READ}  # whose memory would be shared
    if own_root:  # else files would stay, and the user's own terminals be open
        paths |= {"/dev/shm": ALL, "/dev/pts": USE, "/dev/ptmx": USE}
    accesses = dict.fromkeys(wanted.readable, RUN) | paths | {wanted.folder: ALL, PLACE: ALL}
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


def set_limits(wanted: ResourceLimits, own_user: bool) -> None:
    """Limit each process, and the number of threads, those of the namespace where only these count."""
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: wanted.disk, resource.RLIMIT_NOFILE: MOST_DESCRIPTORS}
    limits[resource.RLIMIT_DATA] = wanted.memory
    release = os.uname().release.replace("-", ".").replace("+", ".").split(".")
    if own_user and [int(part) for part in release[:2]] >= [5, 14]:  # which counts by user namespace
        limits[resource.RLIMIT_NPROC] = wanted.threads
    elif os.geteuid() > 0:  # counted with all else that the user runs: enough for a class, too little for a fork bomb
        with contextlib.suppress(OSError):
            running = int(Path("/proc/loadavg").read_text().split()[3].rpartition("/")[2])
            # Each run has the same one, mostly.
            limits[resource.RLIMIT_NPROC] = (running // wanted.threads + 2) * wanted.threads
    for kind, value in limits.items():
        hard = resource.getrlimit(kind)[1]
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        attempt(resource.setrlimit, kind, (lowest, lowest))
