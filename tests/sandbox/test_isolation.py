"""What a stranger's code cannot reach, and that it ends with its keeper; each test isolates a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tests.builders import ROOT

READABLE = [sys.prefix, sys.base_prefix, "/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/sys/devices", "/missing"]
PROGRAM = """
import ctypes, os, shutil, signal, socket, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in a shell's background starts without
sys.path.insert(0, {root!r})
from hw4.grading.sandbox import isolation, keeper, limits, linux, mounts, program
system, refused = isolation.system, {refused!r}

def refuse(name, *arguments):
    if name in refused or name == "syscall" and arguments[0] in refused:
        raise PermissionError(1, name)
    return system(name, *arguments)

def fails(function, *arguments):
    try:
        function(*arguments)
    except OSError:
        return True

isolation.system = keeper.system = mounts.system = linux.system = refuse
wanted = program.Isolation({folder!r}, {folder!r}, {readable!r}, limits.ResourceLimits(memory=2 << 30))
layers = isolation.isolate(wanted, {report!r} or os.open(os.devnull, os.O_WRONLY))
active = limits.phrases(layers)
"""
LANDLOCK, NAMESPACES, OPEN_TREE = [444], ["unshare"], [428]  # what is refused to simulate a system without

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is nothing like it elsewhere")


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a process which isolates itself and then runs the lines."""
    folder = tmp_path / "scratch"
    (folder / "shm").mkdir(parents=True)

    def run(lines, refused=(), report=None, through=()):
        program = PROGRAM.format(root=str(ROOT), refused=refused, folder=str(folder), readable=READABLE, report=report)
        command = [*through, sys.executable, "-c", program + textwrap.dedent(lines)]
        fds = [] if report is None else [report]
        environment = os.environ | {"TMPDIR": str(folder)}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        started.append(subprocess.Popen(command, cwd=folder, env=environment, pass_fds=fds, **options))
        return started[-1]

    started = []
    yield run
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def output(start):
    """Return a function that runs the lines in isolation, where all goes well, and returns what they print."""

    def run(lines, refused=(), needs=""):
        process = start(
            f"if {needs!r} not in ' '.join(active): print('SKIP'); sys.exit()\n" + textwrap.dedent(lines), refused
        )
        text, _ = process.communicate(timeout=60)
        if text == "SKIP\n":
            pytest.skip(f"the system does not offer: {needs}")
        assert process.returncode == 0, text
        return text.strip()

    return run


def alive(mark):
    """Return whether a process has `mark` in its command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes() and path.parent.name != str(os.getpid()):
                return True
        except OSError:
            continue
    return False


def ends(mark):
    deadline = time.monotonic() + 5
    while alive(mark) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(mark)


def test_the_network_is_out_of_reach_but_for_the_loopback(output):
    lines = """
    print(socket.create_server(("127.0.0.1", 0)).getsockname()[0])
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        print(fails(udp.connect, ("192.0.2.1", 53)))
    """
    assert output(lines, needs="no network") == "127.0.0.1\nTrue"


def test_tcp_is_denied_where_there_is_no_network_namespace(output):
    lines = """
    try: socket.create_connection(("127.0.0.1", 9))
    except OSError as problem: print(type(problem).__name__)
    """
    assert output(lines, NAMESPACES, needs="no TCP") == "PermissionError"


@pytest.mark.parametrize("refused", [[], LANDLOCK, NAMESPACES, OPEN_TREE], ids=["all", "mounts", "landlock", "no root"])
def test_only_the_folder_can_be_written_and_only_what_is_readable_read(output, tmp_path, refused):
    (tmp_path / "secret").write_text("secret")
    lines = f"""
    folder, prefix = {str(tmp_path)!r}, sys.prefix
    open("made", "w").write("x"); os.mkdir("sub"); shutil.move("made", "sub/made")
    print(fails(open, folder + "/new", "w"), fails(open, folder + "/secret"), fails(os.mkdir, folder + "/sub"))
    print(fails(open, prefix + "/new", "w"), fails(open, "/dev/new", "w"), fails(open, "/new", "w"))
    print(fails(os.listdir, "/home"), fails(os.listdir, "/var"))
    open("/dev/null", "w").write("x"); print(open("/etc/passwd").read(1) > "")
    """
    needs = "other files out of sight" if refused == LANDLOCK else "Landlock"
    assert output(lines, refused, needs) == "True True True\nTrue True True\nTrue True\nTrue"
    assert not (tmp_path / "new").exists() and (tmp_path / "scratch/sub/made").read_text() == "x"


def test_a_socket_of_another_program_cannot_be_reached(output, tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        lines = f"print(fails(socket.socket(socket.AF_UNIX).connect, {str(tmp_path / 's')!r}))"
        assert output(lines, needs="other files out of sight") == "True"


def test_a_socket_in_the_folder_can_be_bound_and_reached_from_outside(start, tmp_path):
    process = start("s = socket.socket(socket.AF_UNIX); s.bind('s'); s.listen(); print(1, flush=True); s.accept()")
    if (line := process.stdout.readline()) != "1\n" and "other files out of sight" not in active_layers(start):
        pytest.skip("without a root of its own, it makes no such socket")
    assert line == "1\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "scratch/s"))
    assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("refused", [[], LANDLOCK, NAMESPACES], ids=["all", "namespaces", "landlock"])
def test_processes_outside_can_be_neither_killed_nor_read(output, refused):
    with subprocess.Popen(["sleep", "60"]) as other:
        lines = f"""
        abi = [phrase[25:-1] for phrase in active if "Landlock" in phrase]  # it stops signals since version 6
        print("own processes" not in active and abi < ["6"] or fails(os.kill, {other.pid}, 0))
        print(fails(open, "/proc/{other.pid}/environ"))
        """
        try:
            needs = "Landlock" if refused == NAMESPACES else "own processes"
            assert output(lines, refused, needs) == "True\nTrue"
        finally:
            other.kill()


def test_proc_shows_own_processes_only(output):
    assert output("print(*filter(str.isdigit, os.listdir('/proc')))", needs="other files") == "1 2"


def test_capabilities_are_gone_and_do_not_come_back(output):
    lines = """
    print({line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap")})
    print(ctypes.CDLL(None).unshare(1 << 28), subprocess.run(["mount", "-t", "tmpfs", "x", "."]).returncode != 0)
    """
    assert output(lines, needs="own processes").splitlines()[0] == "{'0000000000000000'}"
    assert output(lines, LANDLOCK + OPEN_TREE, needs="own processes").splitlines()[-1] == "-1 True"


@pytest.mark.parametrize("refused", [[], LANDLOCK + NAMESPACES + ["prctl"]], ids=["all", "nothing"])
def test_memory_ends_in_an_error_and_files_do(output, refused):
    lines = """
    try: bytearray(8 << 30)
    except MemoryError: print("MemoryError")
    with open("large", "w") as file: print(fails(os.posix_fallocate, file.fileno(), 0, 3 << 30))
    import resource; print(resource.getrlimit(resource.RLIMIT_CORE))
    """
    assert output(lines, refused) == "MemoryError\nTrue\n(0, 0)"


def test_a_fork_bomb_meets_a_limit_of_its_own(output):
    lines = """
    import resource
    print(resource.getrlimit(resource.RLIMIT_NPROC)[0] == 512 or not os.getuid())
    """
    assert output(lines, needs="own processes") == "True"


def test_pytorch_and_its_workers_run(start):
    lines = """
    import torch
    if __name__ == "__main__":
        loader = torch.utils.data.DataLoader(torch.ones(10), num_workers=1)
        print(sum(batch.item() for batch in loader), os.system("true"), os.openpty() is None)
    """
    text, _ = start(lines).communicate(timeout=120)
    if "PermissionError" in text and "no network" not in active_layers(start):
        pytest.skip("without namespaces, semaphores have no place of their own")
    assert text == "10.0 0 False\n"


def active_layers(start):
    text, _ = start("print(active)").communicate(timeout=60)
    return text


def test_the_exit_code_is_passed_on(start):
    assert start("sys.exit(7)").wait(timeout=10) == 7


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGINT, signal.SIGTERM])
def test_what_a_signal_ended_is_no_success(start, number):
    lines = f"signal.signal({number:d}, signal.SIG_DFL) if {number:d} != 9 else 0; os.kill(os.getpid(), {number:d})"
    assert start(lines).wait(timeout=10) == 256 - number


def test_the_reported_process_can_be_interrupted(start):
    read, write = os.pipe()
    process = start("try: print(1, flush=True); time.sleep(60)\nexcept KeyboardInterrupt: print('stopped')", (), write)
    os.close(write)
    with open(read) as report:
        inner, keeper = map(int, report.readline().split())
        assert process.stdout.readline() == "1\n" and inner != keeper == process.pid
        os.kill(inner, signal.SIGINT)
        assert process.communicate(timeout=10)[0] == "stopped\n" and process.returncode == 0
        assert report.read() == "0\n"  # its exit code


DAEMON = """
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execv(sys.executable, [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)", {mark!r}])
    os._exit(0)
"""


@pytest.mark.parametrize("refused", [[], NAMESPACES, NAMESPACES + LANDLOCK], ids=["all", "landlock", "nothing"])
def test_a_daemon_is_gone_when_the_keeper_ends(start, refused, tmp_path):
    mark = str(tmp_path)
    process = start(DAEMON.format(mark=mark + "/daemon") + "time.sleep(1)", refused)
    assert process.stdout.readline() == "1\n" and alive(mark + "/daemon")
    assert process.wait(timeout=10) == 0 and not alive(mark + "/daemon")


def test_nothing_outlives_a_killed_keeper(start, tmp_path):
    mark = str(tmp_path / "daemon")
    lines = "if 'own processes' not in active: sys.exit()\nctypes.CDLL(None).prctl(1, 0)\n" + DAEMON.format(mark=mark)
    process = start(lines + "time.sleep(60)")
    if process.stdout.readline() != "1\n":
        pytest.skip("the system does not offer: own processes")
    process.kill()
    process.wait(timeout=10)
    assert ends(mark) and ends(str(tmp_path))


@pytest.mark.parametrize("refused", [[], NAMESPACES], ids=["all", "landlock"])
def test_the_keeper_dies_with_its_parent(start, tmp_path, refused):
    parent = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]
    process = start("print(1, flush=True); time.sleep(60)", refused, through=parent)
    assert process.stdout.readline() == "1\n"
    process.kill()
    process.wait()
    assert ends(str(tmp_path))


@pytest.fixture
def served(tmp_path):
    """Yield the port of a TCP server outside."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_without_a_wall_the_code_reaches_the_network_and_what_its_user_can(output, served, tmp_path):
    (tmp_path / "mine").write_text("content")
    lines = f"""
    print(not {{"no network", "no TCP", "other files out of sight"}} & set(active), "own files only" in str(active))
    socket.create_connection(("127.0.0.1", {served}))
    print(open({str(tmp_path / "mine")!r}).read()); open({str(tmp_path / "new")!r}, "w").close()
    """
    assert output(lines, LANDLOCK + NAMESPACES) == "True False\ncontent"
    assert (tmp_path / "new").exists()


def test_without_namespaces_there_are_neither_semaphores_nor_messages_with_descriptors_and_others_are_seen(output):
    lines = f"""
    import multiprocessing
    print(fails(multiprocessing.get_context("fork").Lock), "own semaphores" in active)
    print(fails(socket.send_fds, socket.socketpair()[0], [b"x"], [1]))
    print(os.path.exists("/proc/{os.getpid()}"), os.path.exists("/proc/net/unix"))
    """
    assert output(lines, NAMESPACES, needs="system calls filtered") == "True False\nTrue\nTrue True"


def test_a_connection_within_the_own_network_holds_little_that_nobody_reads(output):
    lines = """
    server = socket.create_server(("127.0.0.1", 0))
    client, held = socket.create_connection(server.getsockname()), 0
    kept = server.accept()
    client.setblocking(False)
    for _ in range(1000):
        time.sleep(0.001)
        try:
            held += client.send(bytes(1 << 16))
        except BlockingIOError:
            pass
    print(0 < held < 1 << 19)
    """
    assert output(lines, needs="no network") == "True"


def test_without_namespaces_terminals_and_sockets_of_the_user_are_out_of_reach_and_so_are_priorities(output, tmp_path):
    ours, theirs = os.openpty()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        lines = f"""
        import resource
        print(fails(os.open, {os.ttyname(theirs)!r}, os.O_RDWR | os.O_NOCTTY), fails(os.openpty))
        print(fails(lambda: socket.socket(socket.AF_UNIX).connect({str(tmp_path / "s")!r})), end=" ")
        print(fails(resource.prlimit, {os.getpid()}, resource.RLIMIT_CORE, (0, 0)), end=" ")
        print(fails(os.setpriority, os.PRIO_USER, 0, 1), fails(os.setpriority, os.PRIO_PROCESS, {os.getpid()}, 1))
        """
        assert output(lines, NAMESPACES, needs="Landlock") == "True True\nTrue True True True"
    os.close(ours)
    os.close(theirs)


def test_before_landlock_6_and_without_namespaces_processes_of_the_user_can_be_ended(output):
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            output(f"os.kill({other.pid}, 15)", LANDLOCK + NAMESPACES)
            assert other.wait(timeout=10) == -15
        finally:
            other.kill()


def test_without_namespaces_what_a_program_started_outlives_a_killed_keeper(start, tmp_path):
    mark = str(tmp_path / "daemon")
    process = start(DAEMON.format(mark=mark) + "time.sleep(60)", NAMESPACES)
    assert process.stdout.readline() == "1\n"
    process.kill()
    process.wait(timeout=10)
    (left,) = [each for each in psutil.process_iter(["cmdline"]) if (each.info["cmdline"] or [""])[-1] == mark]
    assert left.is_running()
    left.kill()


@pytest.mark.parametrize("step", ["unshare", "prctl", "mount", "capset", "chroot", 317, 428, 429, 442, 444, 445, 446])
def test_a_step_that_fails_is_left_out(output, step):
    active = output("print(*active, sep='\\n')", [step]).splitlines()
    without = {
        "unshare": "own processes",
        317: "filtered",
        444: "own files only",
        446: "own files only",
        "chroot": "other files",
    }
    assert "memory 2 GiB (polled)" in active and without.get(step, "nothing") not in " ".join(active)
