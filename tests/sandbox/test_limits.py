"""The limits: each kind of overuse is stopped, by whatever way it is tried; every loop here has an end of its own."""

import errno
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psutil
import pytest

from hw4.grading.execution.kernel import Kernel
from hw4.grading.sandbox import watch
from hw4.grading.sandbox.limits import Layer, ResourceLimits, phrases
from hw4.grading.sandbox.scratch import Scratch

if sys.platform != "linux":
    pytest.skip("the attacks are Linux's", allow_module_level=True)

MEMORY = "more than 0.25 GiB of memory"
MANY = 1100  # descriptors, more than `select` can wait for
HIDDEN = "what cannot be counted: Permission denied"
UNREADABLE = """
import shutil
shutil.copy(os.path.realpath(sys.executable), "py"); os.chmod("py", 0o111)
program, home = ["./py", "-c"], {"PYTHONHOME": sys.base_prefix}
"""
OPEN_FILES = """
kept = []
for n in range(8):
    f = os.open(str(n), os.O_CREAT | os.O_RDWR); os.posix_fallocate(f, 0, 30 << 20); os.unlink(str(n)); kept += [f]
"""
WAIT = "\ntime.sleep(20)\n"
OUTLIVED = "time.sleep(3); print('not stopped', flush=True)"
LIVES_ON = """
def lives_on(work):
    if os.fork() == 0:
        threading.Thread(target=lambda: (time.sleep(0.3), work(), time.sleep(20))).start()
        libc.syscall({"x86_64": 60}.get(platform.machine(), 93), 0)  # ends this thread alone

"""
SOCKETS = """
pairs = [socket.socketpair() for _ in range(480)]
for one in sum(pairs, ()):
    one.setblocking(False)
    try: one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    except PermissionError: pass
    try:
        while one.send(bytes(1 << 14)): pass
    except BlockingIOError: pass"""
FILL = """
def fill(path, mib):
    with open(path, "wb") as file:
        for _ in range(mib): file.write(bytes(1 << 20))
"""
USES_OF_MEMORY = {
    "two processes": "os.fork(); x = bytearray(200 << 20)",
    "four processes that left their session": """
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        if os.fork(): os._exit(0)
        x = bytearray(100 << 20)
        break""",
    "forty small processes": """
for _ in range(40):
    if os.fork() == 0:
        x = bytearray(15 << 20)
        break""",
    "shared mappings": """
for _ in range(4):
    x = mmap.mmap(-1, 100 << 20)
    for place in range(0, 100 << 20, 4096): x[place] = 1
    globals()[f"x{_}"] = x""",
    "shared mappings that are let go": """
for _ in range(4):
    x = mmap.mmap(-1, 100 << 20)
    for place in range(0, 100 << 20, 4096): x[place] = 1
    x.madvise(mmap.MADV_DONTNEED)
    globals()[f"x{_}"] = x""",
    "shared memory of a device": """
kept = []
for _ in range(4):
    x = mmap.mmap(os.open("/dev/zero", os.O_RDWR), 100 << 20)
    for place in range(0, 100 << 20, 4096): x[place] = 1
    kept.append(x)""",
    "pages in pipes": """
import fcntl
vector = (ctypes.c_size_t * 2)()
for _ in range(2):
    x = mmap.mmap(-1, 202 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); x.madvise(mmap.MADV_HUGEPAGE)
    base = ctypes.addressof(ctypes.c_char.from_buffer(x))
    fcntl.fcntl(os.pipe()[1], fcntl.F_SETPIPE_SZ, 1 << 20)
    end = max(int(name) for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}"))
    for place in range(base + (-base & (2 << 20) - 1), base + (200 << 20), 2 << 20):
        vector[:] = ctypes.memset(place, 1, 2 << 20), 4096
        if libc.vmsplice(end, vector, 1, 0) < 0: raise PermissionError
    libc.munmap(ctypes.c_void_p(base), ctypes.c_size_t(202 << 20))""",
    "buffers of sockets": "for _ in range(12):\n    if os.fork() == 0: break" + SOCKETS,
    "buffers of sockets in few processes": "for _ in range(3):\n    if os.fork() == 0: break" + SOCKETS,
    "a process without its first thread": LIVES_ON
    + """
def work():
    os.fork()
    globals()["x"] = bytearray(200 << 20)

lives_on(work)""",
    "page tables": """
for _ in range(16):
    if os.fork() == 0: break
x = mmap.mmap(-1, 1 << 37, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ)
for place in range(0, 1 << 34, 1 << 21): x[place]""",
    "two that hide what they share": "libc.prctl(4, 0)\nos.fork(); x = bytearray(200 << 20)",
    "two of an unreadable program": UNREADABLE
    + """
for _ in range(2): subprocess.Popen([*program, "x = bytearray(180 << 20); import time; time.sleep(20)"], env=home)""",
    "a child of a child that ended": """
if os.fork() == 0:
    if os.fork() == 0:
        os.fork(); x = bytearray(180 << 20)
    else: os._exit(0)""",
}


@pytest.mark.parametrize("lines", USES_OF_MEMORY.values(), ids=USES_OF_MEMORY)
def test_memory_counts_all_processes(attack, lines):
    found = attack(lines + WAIT, memory=1 << 28)
    if found.limit is None and "PermissionError" in found.text:
        return  # it would have no process that shows it
    hides = found.bound("memory") == "polled" and ("prctl" in lines or "./py" in lines)
    assert found.limit == MEMORY or (hides and found.limit == HIDDEN)


FILES_IN_MEMORY = {
    "a file": "fill('a', 200)",
    "a file for shared memory": "fill('/dev/shm/a', 200)",
    "a deleted file": "file = open('a', 'wb'); os.unlink('a'); file.write(bytes(200 << 20)); file.flush()",
    "files in the home and the temporary folder": "fill('../home/a', 100); fill('../tmp/b', 100)",
}


@pytest.mark.parametrize("lines", FILES_IN_MEMORY.values(), ids=FILES_IN_MEMORY)
def test_memory_counts_files_in_memory(attack, lines):
    found = attack(FILL + lines + "\nx = bytearray(150 << 20); time.sleep(4)", memory=1 << 28)
    if found.bound("disk") == "exact":
        assert found.limit == MEMORY
    else:
        assert "PermissionError" in found.text or found.limit is None or "memory" in found.limit


USES_OF_DISK = {
    "a large file": "fill('a', 200)",
    "many files": "for n in range(20): fill(str(n), 10)",
    "files of several processes": "os.fork(); os.fork(); fill(f'a{os.getpid()}', 60)",
    "a deleted file": "file = open('a', 'wb'); os.unlink('a')\nfor _ in range(200): file.write(bytes(1 << 20))",
    "shared memory": "fill('/dev/shm/a', 200)",
    "the temporary folder": "fill(os.path.join(os.environ['TMPDIR'], 'a'), 200)",
    "the home": "fill(os.path.expanduser('~/a'), 200)",
    "a reserved file": "os.posix_fallocate(os.open('a', os.O_CREAT | os.O_RDWR), 0, 200 << 20)",
    "a folder without permissions": "os.mkdir('a'); fill('a/b', 90); os.chmod('a', 0); time.sleep(1); fill('c', 90)",
    "deleted files in a hidden process": "libc.prctl(4, 0)" + OPEN_FILES,
    "deleted files of an unreadable program": UNREADABLE
    + f"subprocess.run([*program, {'import os, time' + OPEN_FILES + 'time.sleep(3)'!r}], env=home, check=True)",
    "deleted files on their way through a socket": OPEN_FILES.replace("[f]", "[pair := socket.socketpair()]")
    + "    socket.send_fds(kept[-1][0], [b'x'], [f]); os.close(f)",
    "deleted files that are mapped": OPEN_FILES.replace("[f]", "[mmap.mmap(f, 30 << 20)]") + "    os.close(f)",
    "deleted files of a process without its first thread": LIVES_ON
    + f"lives_on(lambda: exec({OPEN_FILES + OUTLIVED!r}))\n"
    + "os.wait(); sys.exit('Error: no space for the child')",
    "deleted files that a thread has alone": OPEN_FILES
    + """
stack = mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + (1 << 20) - 64
thread = libc.clone(ctypes.cast(libc.pause, ctypes.c_void_p), ctypes.c_void_p(top), 0x50B00, None)
if thread < 0: raise PermissionError
for each in kept: os.close(each)
time.sleep(4); print("not stopped", flush=True); os._exit(0)""",
    "folders with long names in each other": """
for _ in range(30): os.mkdir("n" * 250); os.chdir("n" * 250)
fill("a", 60); fill("b", 60)""",
    "nested folders": "for _ in range(300): os.mkdir('a'); os.chdir('a')\nfill('b', 120)",
}


@pytest.mark.parametrize("lines", USES_OF_DISK.values(), ids=USES_OF_DISK)
def test_disk_counts_all_that_is_written(attack, lines):
    found = attack(FILL + lines + "\ntime.sleep(3)\nprint('not stopped')", disk=100 << 20)
    assert "not stopped" not in found.text
    assert "Error" in found.text or found.limit


@pytest.mark.parametrize(
    "lines",
    {
        "empty files": "for n in range(3000): open(str(n), 'w').close()",
        "folders": "for n in range(3000): os.mkdir(str(n))",
        "links": "for n in range(3000): os.symlink('nowhere', str(n))",
        "queues": "for n in range(3000): os.mkfifo(str(n))",
        "processes": "os.fork(); os.fork()\nfor n in range(800): open(f'{os.getpid()}-{n}', 'w').close()",
    }.items(),
    ids=lambda case: case[0],
)
def test_files_are_counted(attack, lines):
    found = attack(lines[1] + "\ntime.sleep(3)\nprint('not stopped')", files=1000)
    assert "No space left" in found.text or found.limit == "more than 1000 files"


@pytest.mark.parametrize(
    "lines",
    {
        "children": "for _ in range(60):\n    if os.fork() == 0: break",
        "daemons": "for _ in range(60):\n    if os.fork() == 0:\n        os.setsid(); os.fork(); break",
        "programs": "for _ in range(60): subprocess.Popen(['sleep', '20'])",
    }.items(),
    ids=lambda case: case[0],
)
def test_processes_are_counted(attack, lines):
    assert attack(lines[1] + WAIT, processes=40).limit == "more than 40 processes"


BOMBS = {
    "that spins": "for _ in range(10):\n    try: os.fork()\n    except OSError: pass\nwhile True: pass",
    "that waits": "for _ in range(10):\n    try: os.fork()\n    except OSError: time.sleep(1)",
    "of programs": "for _ in range(400): subprocess.Popen(['sh', '-c', 'sleep 20 & sleep 20'], start_new_session=True)",
}


@pytest.mark.parametrize("lines", BOMBS.values(), ids=BOMBS)
def test_a_fork_bomb_is_named_and_nothing_of_it_is_left(attack, lines):
    found = attack(lines + WAIT)
    assert found.limit == "more than 200 processes"
    deadline = time.monotonic() + 20
    while psutil.pid_exists(found.process.root) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(found.process.root)  # the keeper ends after all


def test_what_is_polled_can_be_exceeded_between_two_looks(attack, monkeypatch):
    monkeypatch.setattr(watch, "POLL", 60.0)
    found = attack("for _ in range(60):\n    if os.fork() == 0: break\ntime.sleep(1)", processes=40)
    assert found.bound("40 processes") == "polled" and found.limit is None


def test_a_look_that_lasts_puts_off_no_other(monkeypatch):
    waits = []

    def closed(seconds):
        waits.append(seconds)
        return len(waits) == 3

    found = watch.Watch(ResourceLimits(), "/", None)
    monkeypatch.setattr(found, "_look", lambda: time.sleep(0.3))  # as where a fork bomb leaves us little
    monkeypatch.setattr(found._closed, "wait", closed)
    found._run()
    assert waits == [watch.POLL] * 3


@pytest.mark.parametrize("raised", [ValueError("a number"), MemoryError(), OSError(errno.EIO, "Input/output error")])
def test_a_look_that_raises_stops_what_it_looks_at_and_not_the_watching(attack, monkeypatch, raised):
    def fails(*_):
        monkeypatch.undo()
        raise raised

    monkeypatch.setattr(watch, "_in_memory", fails)
    named = getattr(raised, "strerror", None) or type(raised).__name__
    assert attack(WAIT).limit == f"what cannot be counted: {named}"
    assert attack(WAIT, seconds=1.0).limit == "more than 1 s in all"


def test_a_look_that_cannot_kill_is_tried_again(monkeypatch):
    class Process:
        pid, root, layers, kills = os.getpid(), None, (), 0

        def poll(self):
            return None

        def kill(self):
            self.kills += 1
            if self.kills == 1:
                raise RuntimeError

    process, found = Process(), watch.Watch(ResourceLimits(seconds=-1.0), "/", None)
    found._processes.append(process)
    found._look()
    assert found.reason(process) == "more than -1 s in all" and process.kills == 2


def test_beyond_a_thousand_descriptors_kernels_are_heard_and_processes_watched(attack, forking):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(MANY + 500, limits[1]), limits[1]))
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        for _ in range(MANY):
            stack.enter_context(open(os.devnull))
        assert attack(WAIT, seconds=1.0).limit == "more than 1 s in all"
        scratch = stack.enter_context(Scratch({}))
        kernel = stack.enter_context(Kernel(forking, scratch))
        assert kernel.execute("1", 20, lambda message: None)["status"] == "ok"


def test_threads_are_counted(attack):
    lines = "for n in range(300): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()\nprint('started')"
    found = attack(lines + "\ntime.sleep(3); print('not stopped')", threads=100)
    assert "can't start new thread" in found.text or found.bound("threads") == "polled"
    assert "can't start new thread" in found.text or found.limit == "more than 100 threads"


def test_threads_of_all_processes_are_counted(attack):
    with Scratch({}, ResourceLimits(1 << 30, threads=100)) as first, ThreadPoolExecutor(2) as pool:
        lines = "for _ in range(70): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
        lines += "time.sleep(6); print('not stopped', flush=True); os._exit(0)"
        both = list(pool.map(lambda scratch: attack(lines, scratch=scratch), [first, Scratch({}, beside=first)]))
    assert not all("not stopped" in each.text for each in both)


@pytest.mark.parametrize(
    "lines", ["time.sleep(60)", "while time.time(): pass", "os.fork(); os.setsid(); time.sleep(60)"]
)
def test_time_is_counted_from_the_start(attack, lines):
    assert attack(lines, seconds=2.0).limit == "more than 2 s in all"


def test_one_that_stays_within_its_limits_is_not_stopped(attack):
    found = attack(
        FILL + "fill('a', 30); x = bytearray(100 << 20); n = os.fork(); time.sleep(1); n and os.wait(); print('done')"
    )
    assert found.text == "done\ndone\n" and found.limit is None


def test_of_two_the_other_one_is_not_hurt(attack):
    for lines, limit in [("os.fork(); x = bytearray(200 << 20)" + WAIT, MEMORY), ("print('fine')", None)]:
        found = attack(lines, memory=1 << 28)
        assert found.limit == limit
    assert found.text == "fine\n"


def test_nothing_is_left_of_one_that_was_stopped(attack):
    mark = "4321.5"
    lines = f"for _ in range(5): subprocess.Popen(['sleep', '{mark}'], start_new_session=True)\n"
    attack(lines + "os.fork(); x = bytearray(200 << 20)" + WAIT, memory=1 << 28)
    deadline = time.monotonic() + 10
    while (left := running(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def running(mark):
    return [each for each in psutil.process_iter(["cmdline"]) if mark in (each.info["cmdline"] or [])]


def test_the_line_says_of_each_limit_how_it_is_kept():
    limits = ResourceLimits(memory=3 << 29, disk=1 << 29, files=7, processes=8, threads=9, seconds=10)
    exact = ["memory 1.5 GiB (exact)", "disk 0.5 GiB (exact)", "7 files (exact)", "8 processes (polled)"]
    assert phrases(limits.layers(True, True)) == [*exact, "9 threads (exact)", "10 s in all (polled)"]
    polled = ["memory 1.5 GiB (polled)", "disk 0.5 GiB (polled)", "7 files (polled)", "8 processes (polled)"]
    assert phrases(limits.layers(False, False)) == [*polled, "9 threads (polled)", "10 s in all (polled)"]
    assert phrases([Layer("a"), Layer("b", False, "why")]) == ["a"]


def test_a_process_that_has_just_ended_hides_nothing(monkeypatch):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    monkeypatch.setattr(watch.os, "listdir", lambda path: [])  # of its threads, between two moments
    assert watch._visible(ended.pid) == ended.pid
