"""The keeper: a process that isolates itself, forks the one that it keeps, and ends all that this one has started."""

import contextlib
import os
import signal

import linux
from linux import attempt, system


def fork(own_processes: bool, report: int | None) -> None:
    """Fork, and return in the child; the calling process becomes its keeper, which ends as the child does.

    With `own_processes` the child lies in a new pid namespace. Its pid is written to the file descriptor `report`.
    """
    keeper = os.getpid()
    attempt(system, "prctl", linux.PR_SET_CHILD_SUBREAPER, 1)
    if report is not None:
        os.set_inheritable(report, False)
    descriptors = [descriptor for descriptor in (report, start_init() if own_processes else None) if descriptor]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    child = os.fork()
    if child:
        try:
            keep(child, report)
        finally:
            os._exit(1)
    die_with(0 if own_processes else keeper)  # a parent outside of the namespace has the number 0
    for descriptor in descriptors:
        os.close(descriptor)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, or end at once where it has ended already."""
    attempt(system, "prctl", linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def start_init() -> int:
    """Start the first process of the pid namespace; all others end with it, and it with the descriptor returned."""
    end, alive = os.pipe()
    streams = [(os.POSIX_SPAWN_DUP2, end, 0), *((os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_WRONLY, 0) for n in (1, 2))]
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # which it inherits: orphans leave no zombies
    os.posix_spawn("/bin/sh", ["sh", "-c", "read end"], {}, file_actions=streams)  # a fork would copy page tables
    signal.signal(signal.SIGCHLD, before)
    os.close(end)
    return alive


def keep(child: int, report: int | None) -> None:
    """Wait for the process `child`, end what it left behind, and end as it did."""
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(child, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # SIGINT is for the child alone
    if report is not None:
        attempt(os.write, report, b"%d %d\n" % (child, os.getpid()))
        os.close(report)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    statuses = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            for pid in children():
                os.kill(pid, signal.SIGKILL)
            pid, statuses[pid] = os.wait()
    code = os.waitstatus_to_exitcode(statuses[child])
    if code < 0:  # a signal ended the child
        attempt(system, "prctl", linux.PR_SET_DUMPABLE, 0)  # one core is enough
        attempt(signal.signal, -code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        os.kill(os.getpid(), -code)
    os._exit(code)


def children() -> set[int]:
    """Return the pids of this process's children; orphans among its descendants have become such."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
            if int(file.read().rpartition(b")")[2].split()[1]) == os.getpid():
                found.add(int(pid))
    return found
