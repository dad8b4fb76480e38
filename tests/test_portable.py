"""That nothing but the modules named for it calls what only Unix or Linux has.

What is available where is the word of the Python 3.11 documentation: "Availability: Unix", or "Linux".
"""

import ast

import pytest

from tests.builders import ROOT

OS = """
chroot confstr ctermid fchdir fchmod fchown fork forkpty fpathconf getegid geteuid getgid getgroups getloadavg
getpgid getpgrp getpriority getresgid getresuid getsid getuid initgroups killpg lchown major makedev memfd_create
minor mkfifo mknod nice openpty pathconf pidfd_open pipe2 plock posix_fadvise posix_spawn posix_spawnp pread preadv
pwrite pwritev readv sched_setaffinity sched_getaffinity sched_yield sendfile setegid seteuid setgid setgroups setns
setpgid setpriority setregid setresgid setresuid setreuid setsid setuid setxattr sysconf tcgetpgrp ttyname uname
unshare wait wait3 wait4 waitid writev WEXITED WNOHANG WNOWAIT POSIX_SPAWN_DUP2
"""
SIGNAL = """
SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 alarm pause pidfd_send_signal
pthread_kill pthread_sigmask setitimer sigpending sigtimedwait sigwait sigwaitinfo siginterrupt
"""
UNIX = {
    "os": set(OS.split()),
    "signal": set(SIGNAL.split()),
    "socket": {"AF_UNIX", "SOCK_SEQPACKET", "recv_fds", "send_fds", "CMSG_LEN", "sethostname"},
    "select": {"epoll", "poll", "kqueue", "kevent"},
}
MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty", "syslog"}
LINUX_ONLY = {
    "isolation.py",
    "linux.py",
    "forkserver.py",
    "forked.py",
    "keeper.py",
    "cleanup.py",
    "cgroup.py",
    "mounts.py",
    "seccomp.py",
}  # named for it
FILES = [file for file in [*(ROOT / "hw4").rglob("*.py"), ROOT / "main.py"] if file.name not in LINUX_ONLY]


def unix_only(text):
    """Return the names in the source `text` that only Unix has."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found += [f"{node.value.id}.{node.attr}"] * (node.attr in UNIX.get(node.value.id, ()))
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name in MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module] * (node.module in MODULES)
            found += [f"{node.module}.{alias.name}" for alias in node.names if alias.name in UNIX.get(node.module, ())]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_only_the_modules_named_for_it_call_what_only_unix_has(file):
    assert unix_only(file.read_text(encoding="utf-8")) == []


def test_such_a_call_is_seen():
    assert unix_only("import os, fcntl\nos.fork()\nfrom os import killpg") == ["fcntl", "os.killpg", "os.fork"]
