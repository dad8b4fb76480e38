"""What belongs to the grader, to other submissions and to other users is out of the reach of a submission's code."""

import os
import socket
import stat
import sys
import time
from pathlib import Path

import pytest

from hw4.grading.execution.kernel import CellTimeout, Kernel, KernelDeath
from hw4.grading.sandbox import scratch as module
from hw4.grading.sandbox.launcher import Launcher
from hw4.grading.sandbox.limits import ResourceLimits, phrases
from hw4.grading.sandbox.log import Log
from hw4.grading.sandbox.scratch import Scratch, readable

if sys.platform != "linux":
    pytest.skip("there is nothing like it elsewhere", allow_module_level=True)


@pytest.fixture
def kernel(forking):
    with Scratch({"data.txt": b"given"}, ResourceLimits(1 << 30)) as scratch, Kernel(forking, scratch) as kernel:
        yield kernel


def run(kernel, source, seconds=20):
    """Return what the cell prints."""
    texts = []
    kernel.execute(source, seconds, lambda message: texts.append(message["content"].get("text", "")))
    return "".join(texts)


def test_the_code_sees_neither_the_sockets_nor_the_log(kernel):
    lines = f"""
import os
print(os.path.exists({str(kernel.scratch.sockets)!r}), sorted(os.listdir("..")))
print([name for top, _, names in os.walk("..") for name in names if "log" in name or "json" in name])
"""
    (sees, folders), (logs,) = (line.split(" ", 1) for line in run(kernel, lines).splitlines()[:2])
    hidden = "other files out of sight" in phrases(kernel.process.layers)
    assert sees == str(not hidden) and folders == "['home', 'shm', 'tmp', 'work']" and logs == "[]"


OPENED: list[str] = []  # by this process, while a test looks


def watched(event, arguments):
    if OPENED and event in (
        "open",
        "os.listdir",
        "os.scandir",
        "os.chmod",
        "os.remove",
        "os.rename",
        "shutil.copytree",
    ):
        OPENED.append(f"{event} {arguments[0]}")


def test_once_the_code_runs_the_grader_opens_no_path_below_the_scratch_folder_but_to_count_files(kernel, forking):
    shared = str(kernel.scratch.shared)
    run(kernel, "import os; open('a', 'w').write('x')")
    sys.addaudithook(watched)
    OPENED.append("begin")
    try:
        run(kernel, "print(1); time = __import__('time'); time.sleep(0.5)")
        kernel.restart()
        run(kernel, "print(2)")
        assert kernel.scratch.read(forking, "a") == b"x"
        found = [each for each in OPENED if shared in each]
    finally:
        OPENED.clear()
    polled = any("disk" in layer.name and layer.bound == "polled" for layer in kernel.process.layers)
    assert bool(found) == polled and all(each.startswith("os.scandir ") for each in found)


def test_a_command_of_a_cell_runs_with_a_terminal_or_without(kernel):
    assert run(kernel, "!echo one; echo two >&2; exit 3\nprint(_exit_code)").split() == ["one", "two", "3"]
    with pytest.raises(CellTimeout):
        run(kernel, "!sleep 60", seconds=1)
    assert kernel.interrupt() and run(kernel, "print(1)") == "1\n"


REPLACED = {
    "links": "for place in ['../home', '../tmp', '.']: os.symlink('/etc/passwd', f'{place}/kernel-2.log')",
    "queues": "for place in ['../home', '../tmp', '.']: os.mkfifo(f'{place}/kernel-2.log')",
    "all gone": "import shutil; [shutil.rmtree(os.path.join('..', name)) for name in ('home', 'tmp', 'shm')]",
    "links for folders": "for n in ('home', 'tmp'): os.rename(f'../{n}', f'../x{n}'); os.symlink('/', f'../{n}')",
}


@pytest.mark.parametrize("source", REPLACED.values(), ids=REPLACED)
def test_a_new_kernel_starts_whatever_the_last_one_did_to_its_folder(kernel, source):
    run(kernel, "import os\n" + source)
    with pytest.raises(KernelDeath, match="exit code 7"):
        run(kernel, "import os; os._exit(7)")
    kernel.restart()
    assert run(kernel, "print(1)") == "1\n"


def test_a_flood_of_log_lines_neither_blocks_nor_costs(kernel):
    lines = """
import os
for name in os.listdir("/proc/self/fd"):
    try:
        if os.readlink(f"/proc/self/fd/{name}").startswith("pipe"):
            os.set_blocking(int(name), False)
            os.write(int(name), b"x" * (1 << 22))
    except OSError:
        pass
"""
    run(kernel, lines)
    assert "1\n" in run(kernel, "print(1)")
    assert len(kernel._log._tail) <= 4096


def test_a_log_keeps_its_end_alone():
    log = Log(pause=0)
    for number in range(2000):
        os.write(log.descriptor, b"line %d %s\n" % (number, b"x" * 1000))
    log.close()
    assert log.last_line().startswith("line 1999") and len(log.content()) == 4096


def test_a_log_ends_with_its_last_writer():
    log = Log()
    log.close()
    assert log.last_line() == ""


def test_inherited_descriptors_are_the_named_ones(attack):
    found = attack(
        "print(sorted(os.readlink(f'/proc/self/fd/{n}').split(':')[0] for n in os.listdir('/proc/self/fd')[:-1]))"
    )
    assert found.text == "['/dev/null', 'pipe', 'pipe']\n"


def test_other_users_cannot_read_the_scratch_folder():
    with Scratch({"a": b"x"}) as scratch:
        assert stat.S_IMODE(scratch.top.stat().st_mode) == 0o700 and scratch.top.stat().st_uid == os.geteuid()


def test_a_copy_beside_is_out_of_reach_and_shares_the_limits(attack):
    with Scratch({"a": b"first"}, ResourceLimits(1 << 30, disk=100 << 20)) as first:
        beside = Scratch({"a": b"second"}, beside=first)
        found = attack("open('b', 'wb').write(bytes(70 << 20)); print(os.listdir('../..'))", scratch=first)
        assert "2" not in found.text or "PermissionError" in found.text
        found = attack(f"print(open('a').read(), fails(open, {str(first.work / 'b')!r}))", scratch=beside)
        assert found.text.startswith("second E")
        found = attack("open('c', 'wb').write(bytes(70 << 20)); time.sleep(2); print('written')", scratch=beside)
        assert "written" not in found.text


WRITTEN = {
    "a file": ("open('a', 'w').write('text')", b"text"),
    "nothing": ("", None),
    "a queue": ("os.mkfifo('a')", None),
    "a folder": ("os.mkdir('a')", None),
    "a link to the grader's": ("os.symlink({secret!r}, 'a')", None),
    "a device": ("os.symlink('/dev/zero', 'a')", None),
    "a file without permissions": ("open('a', 'w').close(); os.chmod('a', 0)", None),
    "a long file": ("open('a', 'wb').write(bytes(3 << 20))", bytes(1 << 20)),
}


@pytest.mark.parametrize(("lines", "content"), WRITTEN.values(), ids=WRITTEN)
def test_what_a_cell_wrote_is_read_in_the_sandbox(attack, forking, tmp_path, lines, content):
    (tmp_path / "secret").write_text("secret")
    with Scratch({}, ResourceLimits(1 << 30)) as scratch:
        attack(lines.format(secret=str(tmp_path / "secret")), scratch=scratch)
        found = scratch.read(forking, "a")
    if lines.endswith("chmod('a', 0)") and os.geteuid() == 0:
        assert found in (b"", None)
    else:
        assert found == content


@pytest.mark.parametrize("hidden", ["class", "class/ref.ipynb", "class/../class", "alias"])
def test_what_is_hidden_in_a_readable_folder_is_out_of_reach(tmp_path, monkeypatch, attack, forking, hidden):
    top = tmp_path / "readable"
    for path in ("lib/module.py", "class/ref.ipynb", "class/hw4/answers.py", "lib/deep/x"):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text("content")
    (top / "alias").symlink_to("class")
    (top / "inside").symlink_to("class/hw4")
    (top / "loop").symlink_to(".")
    (top / "lib" / "back").symlink_to("../class")
    monkeypatch.setattr(module, "SYSTEM_FOLDERS", [*module.SYSTEM_FOLDERS, str(top)])
    monkeypatch.setattr(forking, "hidden", (top / hidden,))
    names = [
        "lib/module.py",
        "lib/deep/x",
        "class/ref.ipynb",
        "alias/ref.ipynb",
        "loop/class/ref.ipynb",
        "lib/back/ref.ipynb",
    ]
    names += ["inside/answers.py"] * (hidden != "class/ref.ipynb")
    found = attack(f"print({{name for name in {names} if fails(open, os.path.join({str(top)!r}, name)) is None}})")
    assert eval(found.text) == {"lib/module.py", "lib/deep/x"}


def test_the_graders_own_files_are_hidden_where_the_clone_lies_in_a_readable_folder(monkeypatch):
    monkeypatch.setattr(module, "SYSTEM_FOLDERS", [*module.SYSTEM_FOLDERS, str(module.CLONE.parent)])
    found = [Path(path).resolve() for path in readable()]
    assert module.CLONE / "README.md" in found
    for own in module.OWN:
        assert not any(own.is_relative_to(path) for path in found)


def test_an_abstract_socket_cannot_be_reached(attack):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0hw4-test")
        server.listen()
        found = attack("print(fails(lambda: socket.socket(socket.AF_UNIX).connect('\\0hw4-test')))")
    assert found.text in ("ECONNREFUSED\n", "EPERM\n", "EAFNOSUPPORT\n")


def test_nothing_is_left_behind(attack, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "target").mkdir(mode=0o500)
    before = sorted(os.listdir(tmp_path)), sorted(os.listdir("/dev/shm"))
    lines = f"""
os.makedirs("x/y"); os.symlink({str(tmp_path / "target")!r}, "x/link"); os.chmod("x", 0)
subprocess.Popen(["sleep", "30"], start_new_session=True)
fails(open, "/dev/shm/hw4-left", "w")
"""
    with Scratch({}, ResourceLimits(1 << 30)) as scratch:
        attack(lines, scratch=scratch)
    left = [name for name in os.listdir(tmp_path) if name != "attack.py"]
    assert (left, sorted(os.listdir("/dev/shm"))) == before
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o500


def test_a_launcher_that_is_closed_early_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Scratch({}, ResourceLimits(1 << 30)) as scratch, Launcher() as launcher:
        with Kernel(launcher, scratch) as kernel:
            run(kernel, "import os; os.makedirs('a/b')")
            launcher.close()
        start = time.monotonic()
    assert os.listdir(tmp_path) == [] and time.monotonic() - start < 30
