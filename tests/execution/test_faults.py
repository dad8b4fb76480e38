"""What a submission's code can do wrong, and what is said of it; each runs between two cells that have to survive."""

import time

import psutil
import pytest

from hw4.grading.report.console import failure_lines
from hw4.grading.text import last_line

GIB = 2**30
SWALLOW = "import time\nwhile True:\n    try:\n        time.sleep(99)\n    except BaseException:\n        pass"
EAT = "import time, os\n[os.fork() for _ in range(2)]\neaten = b'x' * (600 * 2**20)\ntime.sleep(99)"
SPAM = "from IPython.display import HTML, display\nwhile True:\n    display(HTML('<b>x</b>' * 999))"
FORGED = """
kernel = get_ipython().kernel
kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=kernel.get_parent())
1 / 0"""
CLOSE = "import os\nfor number in range(3, 99):\n    try:\n        os.close(number)\n    except OSError:\n        pass"
CROWD = "import os, time\nfor _ in range(300):\n    if os.fork() == 0:\n        time.sleep(99)\ntime.sleep(99)"

# {what: (source, what is reported, whether the cells after it keep their variables)}
FAULTS = {
    "a failing assert": ("assert 1 == 2, 'first\\nlast'", "failed: AssertionError: last", True),
    "a syntax error": ("def f(:", "failed: SyntaxError: invalid syntax", True),
    "a traceback without end": ("raise ValueError('x\\n' * 100_000 + 'end')", "failed: ValueError: end", True),
    "an endless recursion": ("def f():\n    f()\nf()", "failed: RecursionError: maximum recursion depth", True),
    "too many brackets": ("exec('(' * 100_000)", "failed: SyntaxError: too many nested parentheses", True),
    "input": ("input('name? ')", "failed: StdinNotImplementedError", True),
    "sys.exit": ("import sys; sys.exit(0)", "failed: SystemExit: 0", True),
    "a forged end": (FORGED, "failed: ZeroDivisionError", True),
    "an infinite loop": ("while True: pass", "timed out: stopped after 2 s", True),
    "a sleep without end": ("import time; time.sleep(1e6)", "timed out: stopped after 2 s", True),
    "a swallowed interrupt": (SWALLOW, "timed out: stopped after 2 s", False),
    "a stopped kernel": ("import os; os.kill(os.getpid(), 19)", "timed out: stopped after 2 s", False),
    "os._exit": ("import os; os._exit(0)", "died: the kernel ended with exit code 0", False),
    "a killed kernel": ("import os; os.kill(os.getpid(), 9)", "died: the kernel was killed by SIGKILL", False),
    "a crash": ("import ctypes; ctypes.string_at(0)", "died: the kernel was killed by SIGSEGV", False),
    "closed sockets": (CLOSE, "died: the kernel", False),
    "a huge allocation": ("bytearray(20 * 2**30)", "failed: MemoryError", True),
    "a huge tensor": ("import torch; torch.ones(2**33)", "failed: RuntimeError: [enforce fail at alloc_cpu", True),
    "memory in children": (EAT, "died: the kernel was stopped: more than 1.5 GiB of memory", False),
    "too many processes": (CROWD, "died: the kernel was stopped: more than 200 processes", False),
    "text without end": ("while True: print('passed ' * 99)", "flooded: stopped after 10 MiB of output", True),
    "a text of 300 MB": ("print('x' * 300_000_000)", "flooded: stopped after 10 MiB of output", True),
    "displays without end": (SPAM, "flooded: stopped after 10 MiB of output", True),
    "a file without end": (
        "with open('big', 'wb') as f:\n    while True: f.write(bytes(2**24))",
        "failed: OSError",
        True,
    ),
    "the network": ("import socket; socket.create_connection(('192.0.2.1', 80), 1)", "failed: OSError", True),
    "a file elsewhere": ("open('/usr/hw4', 'w')", "failed: ", True),
}


@pytest.mark.parametrize(("source", "said", "lives"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_reported_where_it_is_and_nothing_else_is_lost(result, source, said, lives):
    cells = {"before": "x = 'kept'; print(x)", "q-1-question": "Why?", "q-1-snippet": source, "after": "print(x)"}
    found = result(cells, cell=2 if "2 s" in said else 30, memory=int(1.5 * GIB), output=2**20)
    status, _, reason = said.partition(": ")
    assert failure_lines(found)[0].startswith(f"{status}: q-1, cell 3 (q-1-snippet): {reason}")
    assert found.exit_code() == 1
    before, bad, after = (cell for cell in found.notebook.cells if cell.cell_type == "code")
    assert before.outputs[0].text == "kept\n"
    assert any(output.output_type == "error" for output in bad.outputs)
    assert len(str(bad.outputs)) < 2**21
    if lives:
        assert after.outputs[0].text == "kept\n"
        assert [line for line in failure_lines(found)[1:] if not line.startswith("  in line ")] == []
    else:
        assert failure_lines(found)[1].startswith(
            "failed in a new kernel, without what earlier cells defined: q-1, cell 4"
        )


DETACHED = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(7654.3)
    os._exit(0)"""
LINGERING = {
    "a thread": "import threading, time\nthreading.Thread(target=lambda: time.sleep(7654.3)).start()",
    "a child": "import subprocess; subprocess.Popen(['sleep', '7654.3'])",
    "a daemon": DETACHED,
}


@pytest.mark.parametrize("source", LINGERING.values(), ids=LINGERING)
def test_what_outlives_its_cell_does_not_outlive_the_run(result, source):
    before = set(psutil.pids())
    assert result({"bad": source, "after": "print('on')"}).exit_code() == 0
    deadline = time.monotonic() + 10
    while (left := [pid for pid in set(psutil.pids()) - before if running(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def running(pid):
    try:
        process = psutil.Process(pid)
        return "7654.3" in " ".join(process.cmdline()) or "forkserver" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def test_what_is_cut_from_an_output_is_said(result):
    found = result({"long": "for n in range(30_000): print('line', n)"}, output=2**20)
    assert found.exit_code() == 0
    assert found.notebook.cells[0].outputs[-1].text.endswith(" lines cut]\n")


def test_output_that_imitates_our_verdicts_reaches_neither_console_nor_code(result):
    found = result({"bad": "print('27 of 27 questions answered')\nraise ValueError('\\x1b[2J\\nmain.py: all passed')"})
    assert found.exit_code() == 1
    said, place = failure_lines(found)
    assert said == "failed: (no question), cell 1 (bad): ValueError: main.py: all passed"
    assert place == r"  in line 2: raise ValueError('\x1b[2J\nmain.py: all passed')"


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\rb", "a\u202eb", "a\x00b", "a\nb", "\x1b]0;title\x07b", "\x9b2Jx"])
def test_nothing_that_a_terminal_obeys_is_left_of_a_text(text):
    assert last_line(text).isprintable()


def test_secrets_of_our_environment_are_not_passed_on(result, monkeypatch):
    monkeypatch.setenv("GRADER_TOKEN", "secret")
    found = result({"look": "import os; print(dict(os.environ), open('/proc/self/environ').read())"})
    assert "secret" not in found.notebook.cells[0].outputs[0].text


def test_no_state_passes_from_one_submission_to_the_next(result):
    leave = "import torch, builtins, os\ntorch.mark = builtins.mark = 1\nos.environ['MARK'] = '1'\nopen('mark', 'w')"
    look = "import torch, builtins, os, sys\n"
    look += "print(hasattr(torch, 'mark'), 'MARK' in os.environ, os.listdir(), 'hw4' in sys.modules)"
    assert result({"leave": leave}).exit_code() == 0
    found = result({"look": look}).notebook.cells[0].outputs[0].text
    assert found == "False False ['hw.ipynb'] False\n"


def test_the_kernel_listens_on_no_address_but_its_own_loopback(result):
    listening = "[line.split()[1][:8] for line in open('/proc/self/net/tcp') if line.split()[3] == '0A']"
    found = result({"look": f"print(set({listening}) <= {{'0100007F'}})"})
    assert found.notebook.cells[0].outputs[0].text == "True\n"
