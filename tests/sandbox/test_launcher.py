"""Processes for a submission's code, forked or launched."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from hw4.grading.grade import Task, run
from hw4.grading.sandbox import cgroup
from hw4.grading.sandbox import launcher as module
from hw4.grading.sandbox.launcher import Launcher, Process, modules_mentioned
from hw4.grading.sandbox.limits import Layer, ResourceLimits, phrases
from hw4.grading.sandbox.log import Log
from hw4.grading.sandbox.program import OWN_ROOT, PLACE, Program
from hw4.grading.sandbox.scratch import Scratch
from tests.builders import JUDGED, ROOT, made, submission

WAIT = "import time\ntime.sleep(15)"
CELLS = {"q-1-question": "", "q-1-check": "import hw4.answers\nassert 6 * 7 == 42", "q-1-answer": "**Answer:** Yes."}
HANDED_IN = submission(
    made(CELLS, JUDGED), {"hw4/__init__.py": "", "hw4/answers.py": (ROOT / "hw4" / "answers.py").read_text()}
)


@pytest.fixture(params=[True, False], ids=["forked", "launched"])
def launcher(request, monkeypatch):
    if request.param and sys.platform != "linux":
        pytest.skip("forked on Linux alone")
    monkeypatch.setattr(module, "FORKS", request.param)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in a shell's background starts without
    with Launcher() as launcher:
        yield launcher


@pytest.fixture
def start(launcher, tmp_path):
    """Return a function that starts a script of these lines, isolated in a scratch folder, and its standard output."""

    def run(lines, isolated=True):
        script = tmp_path / "script.py"
        script.write_text(lines)
        read, write = os.pipe()
        with open(os.devnull) as nothing, open(write, "wb") as output:
            streams = nothing.fileno(), output.fileno(), 2
            argv = [str(script), "argument"]
            program = Program(argv, str(tmp_path), *streams)
            process: Process = scratch.start(launcher, argv, *streams) if isolated else launcher.start(program)
        started.append(process)
        return process, stack.enter_context(open(read))

    started = []
    with Scratch({"data.txt": b"given"}, ResourceLimits(4 << 30)) as scratch, contextlib.ExitStack() as stack:
        yield run
        for process in started:
            process.kill()


def ended(process, seconds=20):
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return process.poll()


@pytest.mark.parametrize("isolated", [True, False])
def test_a_program_runs_in_its_folder_with_its_arguments_and_its_exit_code_comes_back(start, isolated):
    process, output = start("import os, sys; print(sys.argv[1:], os.path.exists('data.txt')); sys.exit(7)", isolated)
    assert output.read() == f"['argument'] {isolated}\n"
    assert ended(process) == 7 and process.pid
    assert all(isinstance(layer, Layer) for layer in process.layers)


def test_an_exception_is_exit_code_one_and_a_signal_its_negative_number(start):
    assert ended(start("raise ValueError('expected by the test')")[0]) == 1
    assert ended(start("import os; os.kill(os.getpid(), 9)")[0]) == -signal.SIGKILL


def test_a_signal_reaches_the_program(start):
    lines = "import time\ntry: print(1, flush=True); time.sleep(60)\nexcept KeyboardInterrupt: raise SystemExit(5)"
    process, output = start(lines)
    output.readline()
    process.send_signal(signal.SIGINT)
    assert ended(process) == 5
    process.send_signal(signal.SIGINT)  # nobody is left to receive it


def test_a_killed_program_takes_its_children_along(start):
    mark = "5432.1"
    lines = f"import subprocess, time; subprocess.Popen(['sleep', '{mark}']); print(1, flush=True); time.sleep(60)"
    process, output = start(lines)
    output.readline()
    process.kill()
    assert process.poll() is not None
    deadline = time.monotonic() + 10
    while running(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(mark)


def running(mark):
    return [each for each in psutil.process_iter(["cmdline"]) if mark in (each.info["cmdline"] or [])]


@pytest.mark.slow
def test_where_the_system_does_not_fork_a_submission_is_graded_all_the_same(monkeypatch):
    monkeypatch.setattr(module, "FORKS", False)
    with Launcher() as launcher:
        found = run(Task(HANDED_IN, HANDED_IN), launcher)
    verdict = found.finding.verdict
    assert not found.failed() and found.finding.layers[0] == "no sandbox"
    assert verdict.given == {"q-1-check": None} and verdict.problem is None
    assert verdict.asked and not any((verdict.asked | verdict.beyond).values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("x = bytearray(300 << 20)", "more than 0.25 GiB of memory"),
        ("open('a', 'wb').write(bytes(120 << 20))", "more than 0.0977 GiB on disk"),
        ("import subprocess\nfor _ in range(30): subprocess.Popen(['sleep', '20'])", "more than 20 processes"),
        ("", "more than 4 s in all"),
    ],
)
def test_where_the_system_does_not_fork_the_code_has_the_users_rights_under_polled_limits(
    monkeypatch, tmp_path, lines, said
):
    monkeypatch.setattr(module, "FORKS", False)
    monkeypatch.setattr(cgroup, "PROC", tmp_path / "missing")  # which is Linux's, too
    (tmp_path / "script.py").write_text(f"open({str(tmp_path / 'new')!r}, 'w').close()\n{lines}\n{WAIT}")
    limits = ResourceLimits(1 << 28, 100 << 20, processes=20, seconds=4.0)
    with Launcher() as launcher, Scratch({}, limits) as scratch, open(os.devnull, "r+b") as null:
        process = scratch.start(launcher, [str(tmp_path / "script.py")], *[null.fileno()] * 3)
        assert ended(process) is not None and scratch.why_killed(process) == said
    assert {layer.bound for layer in process.layers[1:]} == {"polled"} and (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_forkserver_that_was_killed_is_replaced():
    with Launcher() as launcher:
        launcher._forkserver._process.kill()
        launcher._forkserver._process.wait()
        assert run(Task(HANDED_IN, HANDED_IN), launcher).exit_code() == 0


def test_no_module_of_ours_is_in_the_memory_of_a_submission(result):
    names = sorted(path.stem for path in (ROOT / "hw4/grading/sandbox").glob("*.py"))
    look = f"import sys\nprint([name for name in sys.modules if name.startswith('hw4') or name in {names}])"
    look += "\nprint('grading' in str(sys.path))"
    assert result({"look": look}).notebook.cells[0].outputs[0].text == "[]\nFalse\n"


def test_a_submission_may_have_a_module_named_like_one_of_ours(result):
    found = result(
        {"look": "import program, linux; print(program.x, linux.x)"}, {"program.py": "x = 1", "linux.py": "x = 2"}
    )
    assert found.notebook.cells[0].outputs[0].text == "1 2\n"


@pytest.mark.slow
def test_temporary_files_go_into_the_scratch_folder_whatever_was_preloaded(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("import tempfile; print(tempfile.mkdtemp())")
    with Launcher(["torch._dynamo"]) as launcher, Scratch({}) as scratch, open(os.devnull) as nothing:
        log = Log()
        process = scratch.start(launcher, [str(path)], nothing.fileno(), log.descriptor, log.descriptor)
        log.close()
        own_root = OWN_ROOT in phrases(process.layers)
        place = PLACE if own_root else str(scratch.folder)
        assert ended(process, 60) == 0 and log.last_line().startswith(f"{place}/tmp/")


def test_modules_are_preloaded_for_the_words_that_a_text_mentions():
    words = ("kernel", "torch", "torch.optim", "matplotlib")
    kernel, torch, optim, figures = (module.PRELOADED[word] for word in words)
    assert modules_mentioned([]) == kernel
    assert modules_mentioned(["", "import torch"]) == [*kernel, *torch]
    assert modules_mentioned(["matplotlib, torch.optim", "sklearn"]) == [*kernel, *torch, *optim, *figures]


def test_what_is_preloaded_later_is_imported_in_what_starts_from_then_on(tmp_path):
    path = tmp_path / "script.py"
    path.write_text("import sys; print('colorsys' in sys.modules, 'wave' in sys.modules)")
    with Launcher(["no_such_module", "", "wave"]) as launcher:  # "" is no ImportError, as a broken module's is none

        def said():
            log = Log()
            with Scratch({}) as scratch, open(os.devnull) as nothing:
                process = scratch.start(launcher, [str(path)], nothing.fileno(), log.descriptor, log.descriptor)
                log.close()
                assert ended(process, 60) == 0
            return log.last_line()

        assert said() == "False True"
        launcher.preload(["colorsys"])
        assert said() == "True True"
        launcher._forkserver._process.kill()
        launcher._forkserver._process.wait()
        assert said() == "True True"  # started anew


def test_the_portable_modules_import_without_the_modules_that_unix_alone_has():
    program = "import psutil, sys\nsys.modules.update(dict.fromkeys(['fcntl', 'resource', 'pwd', 'grp', 'termios']))\n"
    program += "import hw4.grading.sandbox.launcher, hw4.grading.sandbox.scratch"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_what_no_namespace_ends_at_once_has_a_lower_priority(attack):
    found = attack("print(os.nice(0))")
    assert found.text == ("0\n" if found.layers["own processes"].active else "10\n")
