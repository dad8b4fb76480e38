"""The keeper: a process that isolates itself, forks the one that it keeps, and ends all that this one has started."""

import contextlib
import os
import signal

from . import linux
from .linux import attempt, system

MOST = 100_000  # processes that are ended at a time
NICE = 10  # of what could starve its keeper: with an own pid namespace, all ends at once


def fork(own_processes: bool, report: int) -> None:
    """Fork, and return in the child; the calling process becomes its keeper, which ends after it and tells its code.

    With `own_processes` the child lies in a new pid namespace. Its pid, the keeper's, and in the end its exit code are
    written to the file descriptor `report`.
    """
    keeper = os.getpid()
    attempt(system, "prctl", linux.PR_SET_CHILD_SUBREAPER, 1)
    os.set_inheritable(report, False)
    descriptors = [report, start_init()] if own_processes else [report]
    if child := os.fork():
        try:
            keep(child, report)
        finally:
            os._exit(1)
    if not own_processes:
        os.nice(NICE)
    die_with(0 if own_processes else keeper)  # a parent outside of the namespace has the number 0
    for descriptor in descriptors:
        os.close(descriptor)


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


def keep(child: int, report: int) -> None:
    """Wait for the process `child`, end what it left behind, and report its exit code."""
    attempt(os.write, report, b"%d %d\n" % (child, os.getpid()))
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    statuses = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            for pid in linux.descendants(os.getpid(), MOST):  # orphans among them have become its children
                attempt(os.kill, pid, signal.SIGKILL)
            pid, status = os.wait()
            while pid:  # as many as have ended: a fork bomb leaves little time
                statuses[pid] = status
                pid, status = os.waitpid(-1, os.WNOHANG)
    code = os.waitstatus_to_exitcode(statuses[child])
    attempt(os.write, report, b"%d\n" % code)
    os._exit(code % 256)
