"""The system calls that a submission's code is refused."""

import platform
import re
from pathlib import Path

import pytest

from hw4.grading.sandbox import seccomp

if platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"):
    pytest.skip("there is a filter on Linux alone", allow_module_level=True)

GROUPS = [seccomp.CALLS[name] for name in ("refused", "hides_files", "missing", "sockets")]
GROUPS += [entry["calls"] for entry in seccomp.CALLS["masked"]]
TABLES = [(name, *found) for group in GROUPS for name, found in group.items()]
COLUMN = 1 if platform.machine() == "x86_64" else 2
HEADERS = {
    1: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    2: "/usr/include/asm-generic/unistd.h",
}


@pytest.mark.parametrize("column", HEADERS)
def test_the_tables_hold_the_numbers_of_the_kernels_headers(column):
    if not Path(HEADERS[column]).exists():
        pytest.skip("the kernel's headers are not installed")
    text = Path(HEADERS[column]).read_text()
    numbers = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text))
    known = [entry for entry in TABLES if entry[0] in numbers]
    assert len(known) > 40
    for entry in known:
        assert str(entry[column]) == numbers[entry[0]], entry[0]


REFUSED = [(entry[0], entry[COLUMN]) for entry in TABLES if entry[COLUMN] >= 0]
BY_ARGUMENT = {"clone", "chmod", "creat", "fchmod", "mkdir", "mknod", "open", "openat", "mkdirat", "mknodat"}
BY_ARGUMENT |= {"fchmodat", "fchmodat2", "socket", "socketpair", "sendmsg", "sendmmsg", "mmap", "setsockopt"}
BY_ARGUMENT.add("sched_setscheduler")  # or by the other layers


KINDS = """
ptrace process_vm_readv keyctl add_key request_key bpf perf_event_open userfaultfd mount umount2 open_tree fsopen
fsmount move_mount mount_setattr pivot_root io_uring_setup io_uring_enter io_uring_register unshare setns memfd_create
shmget semget msgget mq_open clone3 open_by_handle_at pidfd_getfd"""
ARGUMENTS = [("clone", (0x3D0B00, 0, 0, 0), False), ("clone", (17, 0, 0, 0), True)]
ARGUMENTS += [("mmap", (0, 9, 3, flags), flags not in (0x21, 0x23)) for flags in (0x01, 0x02, 0x03, 0x22, 0x21, 0x23)]
ARGUMENTS += [("setsockopt", (3, 1, option, 0), option not in (7, 8)) for option in range(40)]
ARGUMENTS += [("prlimit64", (pid, 7, 0, 0), pid == 0) for pid in (0, 1, 1 << 16)]
ARGUMENTS += [("setpriority", (which, who, 9, 0), which == who == 0) for which in (0, 1, 2) for who in (0, 5)]
ARGUMENTS += [("sched_setscheduler", (9, policy, 0, 0), policy == 0) for policy in (0, 1, 2, 3, 5)]
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def decide(instructions, number, architecture, arguments=(0,) * 6):
    """Return what a filter's instructions say of a call, computed as the kernel's filter.h describes them."""
    memory = {0: number, 4: architecture} | {16 + 8 * n: value for n, value in enumerate(arguments)}
    value = place = 0
    while True:
        code, true, false, operand = instructions[place]
        if code == 0x06:
            return operand
        if code == 0x20:
            value, jump = memory[operand], 0
        else:
            jump = true if {0x15: value == operand, 0x35: value >= operand, 0x45: value & operand}[code] else false
        place += 1 + jump


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_of_each_machine_decides_as_the_tables_say(machine):
    column, architecture, _ = seccomp.CALLS["machines"][machine]
    code = seccomp.instructions(column, architecture)
    numbers = {entry[0]: entry[column + 1] for entry in TABLES if entry[column + 1] >= 0}
    for name in KINDS.split():
        assert decide(code, numbers[name], architecture) & 0x7FFF0000 == ERRNO, name
    assert decide(code, 0, architecture) == ALLOW
    assert decide(code, 0, architecture ^ 1) & 0x7FFF0000 == ERRNO  # another machine's table
    assert decide(code, 0x40000000, architecture) & 0x7FFF0000 == ERRNO  # x86_64's second table
    for family in range(50):
        for call, known in [("socket", (2, 10, 16)), ("socketpair", (1, 2, 10, 16))]:
            allowed = decide(code, numbers[call], architecture, (family, 1, 0, 0, 0, 0)) == ALLOW
            assert allowed == (family in known), family
    for call, arguments, allowed in ARGUMENTS:
        assert (decide(code, numbers[call], architecture, (*arguments, 0, 0)) == ALLOW) == allowed, (call, arguments)
    needless = seccomp.instructions(column, architecture, also=())
    for call, arguments in [("mmap", (0, 9, 3, 0x21)), ("setsockopt", (3, 1, 7, 0)), ("socket", (1, 1, 0, 0))]:
        assert decide(needless, numbers[call], architecture, (*arguments, 0, 0)) == ALLOW
    for flags, allowed in [(17, True), (0x3D0F00, True), (17 | 1 << 28, False), (17 | 1 << 30, False)]:
        assert (decide(code, numbers["clone"], architecture, (flags, 0, 0, 0, 0, 0)) == ALLOW) == allowed
    for mode, allowed in [(0o755, True), (0o1777, True), (0o4755, False), (0o2755, False)]:
        assert (decide(code, numbers["fchmod"], architecture, (3, mode, 0, 0, 0, 0)) == ALLOW) == allowed
        assert (decide(code, numbers["openat"], architecture, (3, 0, 0o101, mode, 0, 0)) == ALLOW) == allowed


def test_each_refused_call_is_refused(attack):
    calls = [number for name, number in REFUSED if name not in BY_ARGUMENT]
    assert len(calls) > 35
    found = attack(
        f"print({{fails(syscall, number, -1, 0, 0, 0, 0, 0) for number in {calls}}} <= {{'EPERM', 'ENOSYS'}})"
    )
    assert found.text == "True\n" and found.layers["system calls filtered"].active


CASES = {
    "a vsock": "fails(socket.socket, 40, 1)",
    "a packet socket": "fails(socket.socket, 17, 2)",
    "a socket of the kernel's ciphers": "fails(socket.socket, 38, 5)",
    "a Bluetooth socket": "fails(socket.socket, 31, 3)",
    "a pair of vsocks": "fails(socket.socketpair, 40, 1)",
    "a set-user-id bit": "fails(os.chmod, 'file', 0o4755)",
    "a set-group-id bit by descriptor": "fails(os.fchmod, 3, 0o2755)",
    "a file that is made with a set-id bit": "fails(os.open, 'new', os.O_CREAT | os.O_WRONLY, 0o6755)",
    "a folder with a set-group-id bit": "fails(os.mkdir, 'folder', 0o2755) or fails(os.chmod, '.', 0o2700)",
    "a user namespace by unshare": "fails(syscall, 272 if platform.machine() == 'x86_64' else 97, 1 << 28)",
    "a user namespace by clone": "fails(syscall, {'x86_64': 56}.get(platform.machine(), 220), 1 << 28, 0, 0, 0, 0)",
    "shared memory without a file": "fails(os.memfd_create, 'x')",
    "another table of calls": "fails(syscall, (1 << 30) + 39) if platform.machine() == 'x86_64' else 'ENOSYS'",
}


@pytest.mark.parametrize("expression", CASES.values(), ids=CASES)
def test_what_depends_on_an_argument_is_refused(attack, expression):
    found = attack(f"open('file', 'w').close()\nprint({expression})\n")
    assert found.text.strip() in ("EPERM", "ENOSYS", "EAFNOSUPPORT")


def test_what_a_homework_needs_works(attack):
    lines = """
import multiprocessing
if __name__ == "__main__":
    os.mkdir("folder", 0o755); os.chmod("folder", 0o700); open("file", "w").close()
    thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
    print(subprocess.run(["true"]).returncode, os.system("exit 3") >> 8)
    mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    socket.socketpair(); socket.if_nameindex(); print(os.getppid() >= 0, flush=True)
    server = socket.create_server(("127.0.0.1", 0)); print(server.getsockname()[0])
    with multiprocessing.get_context("fork").Pool(2) as pool: print(pool.map(abs, [-1, -2]))
"""
    found = attack(lines)
    if found.layers["no network"].active:
        assert found.text == "thread\n0 3\nTrue\n127.0.0.1\n[1, 2]\n"
    else:  # where there are no namespaces, neither TCP nor semaphores are a submission's own
        assert found.text.startswith("thread\n0 3\nTrue\n") and "PermissionError" in found.text


def test_the_filter_is_passed_on_to_children(attack):
    lines = "program = 'import os; os.memfd_create(\"x\")'\n"
    lines += "print(subprocess.run([sys.executable, '-c', program], capture_output=True).returncode)"
    assert attack(lines).text == "1\n"
