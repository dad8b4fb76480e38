"""`main.py` as a user runs it: what it prints, what it leaves, and its exit codes."""

import signal
import subprocess
import sys
import time

import nbformat
import pytest

from tests.builders import ROOT

CLEAN = {"q-1-question": "Why?", "q-1-check": "assert 1 + 1 == 2", "q-1-answer": "**Answer:** Because."}


def test_a_clean_notebook_exits_zero_and_leaves_its_files(notebook, grade, executed, tmp_path):
    run = grade(notebook(CLEAN))
    assert run.returncode == 0
    assert executed()["q-1-check"].execution_count == 1
    assert "<html" in (tmp_path / "graded" / "report.html").read_text()
    assert run.stdout.splitlines()[-3:] == ["graded/hw.ipynb", "graded/report.html", "graded/results.json"]


def test_the_table_has_a_row_per_question(notebook, grade):
    cells = CLEAN | {
        "q-2-question": "And?",
        "q-2-evidence-1": "assert 0",
        "q-2-answer-a": "**Answer:** A. Yes.",
        "q-2-answer-b": "**Answer:**",
    }
    rows = [line.split() for line in grade(notebook(cells)).stdout.splitlines()]
    assert rows[0] == ["question", "answer", "checks", "seconds"]
    assert rows[1][:3] == ["q-1", "answered", "1/1"]
    assert rows[2][:4] == ["q-2", "B", "missing", "0/1"]


def test_a_failing_cell_exits_one_is_named_and_stops_nothing(notebook, grade, executed):
    run = grade(
        notebook(
            CLEAN | {"q-2-question": "And?", "q-2-check": "raise ValueError('first\\nlast')", "q-3-check": "print(7)"}
        )
    )
    assert run.returncode == 1
    assert "failed: q-2, cell 5 (q-2-check): ValueError: last" in run.stdout.splitlines()
    assert executed()["q-3-check"].outputs[0].text == "7\n"


@pytest.mark.parametrize("tag", ["raises-exception", "skip-execution", "nbval-skip"])
def test_no_tag_turns_a_failure_into_a_success(notebook, grade, tag):
    path = notebook(CLEAN | {"bad": "assert False"})
    document = nbformat.read(path, as_version=4)
    document.cells[-1].metadata.tags = [tag]
    document.metadata.execution = {"allow_errors": True}
    nbformat.write(document, path)
    assert grade(path).returncode == 1


@pytest.mark.parametrize("source", ["import sys; sys.exit(0)", "exit()", "syntax error", "input()", "%%bash\nexit 3"])
def test_what_ends_a_cell_early_is_a_failure_and_the_rest_runs(notebook, grade, executed, source):
    assert grade(notebook({"bad": source, "later": "print('still here')"})).returncode == 1
    assert executed()["later"].outputs[0].text == "still here\n"


def test_stored_outputs_are_cleared_first(notebook, grade, executed):
    path = notebook({"bad": "1 / 0", "empty": ""})
    document = nbformat.read(path, as_version=4)
    for cell in document.cells:
        cell.outputs = [nbformat.v4.new_output("stream", text="all checks passed")]
    nbformat.write(document, path)
    grade(path)
    assert "all checks passed" not in str(executed())


def test_the_input_is_not_changed(notebook, grade):
    path = notebook(CLEAN)
    before = path.read_bytes()
    grade(path)
    assert path.read_bytes() == before


def test_save_writes_the_outputs_back_and_twice_gives_the_same_bytes(notebook, grade, executed):
    path = notebook({"q-1-snippet": "print(1)\n2"})
    assert grade(path, "--save").returncode == 0
    first = path.read_bytes()
    grade(path, "--save")
    assert path.read_bytes() == first
    assert [output.output_type for output in executed()["q-1-snippet"].outputs] == ["stream", "execute_result"]


def test_save_leaves_a_notebook_that_failed_as_it_was(notebook, grade):
    path = notebook({"bad": "1 / 0"})
    before = path.read_bytes()
    grade(path, "--save")
    assert path.read_bytes() == before


def test_save_gives_every_graded_part_the_points_of_the_notebook(notebook, grade):
    path = notebook(CLEAN, metadata={"hw4": {"points_per_part": 3}})
    document = nbformat.read(path, as_version=4)
    for cell, points in zip(document.cells, [None, 1, 0], strict=True):
        cell.metadata.nbgrader = {"grade": points is not None} | ({"points": points} if points is not None else {})
    nbformat.write(document, path)
    grade(path, "--save")
    saved = nbformat.read(path, as_version=4).cells
    assert [cell.metadata.nbgrader.get("points") for cell in saved] == [None, 3, 0]


def test_a_missing_answer_counts_only_when_strict(notebook, grade):
    path = notebook({"q-1-question": "Why?", "q-1-answer": "**Answer:**"})
    assert grade(path).returncode == 0
    assert grade(path, "--strict").returncode == 1


@pytest.mark.parametrize(
    "source",
    ["while True: pass", "import time; time.sleep(600)"],
)
def test_a_cell_past_its_limit_is_reported_and_the_rest_runs_with_its_variables(notebook, grade, source):
    run = grade(
        notebook({"before": "x = 1", "q-1-question": "Why?", "q-1-snippet": source, "after": "assert x == 1"}),
        "--timeout",
        "2",
    )
    assert run.returncode == 1
    assert "timed out: q-1, cell 3 (q-1-snippet): stopped after 2 s" in run.stdout.splitlines()
    assert "(after)" not in run.stdout


STUBBORN = """
import time
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        pass
"""


def test_a_cell_that_swallows_the_interrupt_costs_its_kernel_and_not_the_run(notebook, grade, executed):
    run = grade(notebook({"before": "x = 1", "bad": STUBBORN, "lost": "x", "after": "print('new')"}), "--timeout", "1")
    assert run.returncode == 1
    assert "timed out: (no question), cell 2 (bad): stopped after 1 s" in run.stdout
    assert (
        "failed in a new kernel, without what earlier cells defined: (no question), cell 3 (lost): NameError"
        in run.stdout
    )
    assert executed()["after"].outputs[0].text == "new\n"


@pytest.mark.parametrize(
    ("source", "how"),
    {
        "import os; os._exit(0)": "the kernel ended with exit code 0",
        "import os; os._exit(7)": "the kernel ended with exit code 7",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": "the kernel was killed by SIGKILL",
    }.items(),
)
def test_a_dead_kernel_is_reported_and_the_rest_runs_in_a_new_one(notebook, grade, executed, source, how):
    run = grade(notebook({"bad": source, "after": "print('new')"}))
    assert run.returncode == 1
    assert f"died: (no question), cell 1 (bad): {how}" in run.stdout
    assert executed()["bad"].outputs[0].evalue.startswith(how)
    assert executed()["after"].outputs[0].text == "new\n"


def test_what_the_total_limit_leaves_no_time_for_is_said_not_to_have_run(notebook, grade):
    run = grade(
        notebook({"slow": "import time; time.sleep(600)", "q-1-question": "", "q-1-check": "assert True"}),
        "--total-timeout",
        "2",
    )
    assert run.returncode == 1
    assert "not run: q-1, cell 3 (q-1-check): the run's 2 s were used up" in run.stdout
    assert "0 of 1 checks passed" in run.stdout


@pytest.mark.slow
def test_an_interrupt_keeps_what_ran_and_exits_130(notebook, executed):
    path = notebook({"first": "print('kept')", "slow": "import time; time.sleep(600)"})
    command = [sys.executable, str(ROOT / "main.py"), str(path)]
    run = subprocess.Popen(command, cwd=path.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert [word in run.stderr.readline() for word in ("starting: hw.ipynb", "first")] == [True, True]
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert "interrupted: " in out
    assert executed()["first"].outputs[0].text == "kept\n"


@pytest.mark.parametrize("arguments", [["--timeout", "0"], ["--timeout", "soon"], ["--what"], ["no.ipynb"], ["."]])
def test_wrong_usage_exits_two_with_a_clear_line_and_no_traceback(grade, arguments):
    run = grade(*arguments)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-1].startswith("main.py: ")


def test_an_unreadable_notebook_exits_two(grade, tmp_path):
    (tmp_path / "bad.ipynb").write_text("{")
    run = grade("bad.ipynb")
    assert run.returncode == 2
    assert [line.partition(": ")[0] for line in run.stderr.splitlines()] == ["starting", "main.py"]


def test_an_output_folder_that_would_replace_the_input_is_refused(notebook, grade):
    path = notebook(CLEAN)
    before = path.read_bytes()
    assert grade(path, "--output", ".").returncode == 2
    assert path.read_bytes() == before


def test_the_kernel_is_the_python_that_runs_main_whatever_the_kernelspec_says(notebook, grade, executed):
    path = notebook(
        {"which": "import sys; print(sys.executable)"},
        metadata={"kernelspec": {"name": "conda-of-somebody", "display_name": "R"}},
    )
    assert grade(path).returncode == 0
    assert executed()["which"].outputs[0].text.strip() == sys.executable


def test_the_working_directory_is_a_scratch_copy_that_holds_the_notebook(notebook, grade, executed, tmp_path):
    assert grade(notebook({"where": "import os; print(os.getcwd(), os.listdir())"})).returncode == 0
    text = executed()["where"].outputs[0].text
    assert str(tmp_path) not in text and "hw.ipynb" in text


def test_a_submission_without_its_own_answers_does_not_fall_back_on_ours(notebook, grade, tmp_path):
    run = grade(
        notebook({"q-1-check": "from hw4.answers import part4_affine_backward"}),
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert run.returncode == 1
    assert "ModuleNotFoundError: No module named 'hw4" in run.stdout


def test_a_submission_runs_its_own_answers(notebook, grade, executed, tmp_path):
    (tmp_path / "hw4").mkdir()
    (tmp_path / "hw4" / "answers.py").write_text("part4_affine_backward = 'mine'")
    grade(notebook({"q-1-check": "from hw4.answers import part4_affine_backward as f; print(f)"}))
    assert executed()["q-1-check"].outputs[0].text == "mine\n"


def test_what_a_cell_says_cannot_command_the_terminal(notebook, grade):
    run = grade(notebook({"bad": "raise ValueError('\\x1b[2Jall passed\\u202e\\r0 failed')"}))
    assert not any(not (character.isprintable() or character == "\n") for character in run.stdout)


def test_the_limit_on_memory_is_the_options(notebook, grade):
    path = notebook({"big": "eaten = bytearray(1 << 30)"})
    assert grade(path, "--memory", "3").returncode == 0
    run = grade(path, "--memory", "0.9")
    assert run.returncode == 1 and "MemoryError" in run.stdout
    assert "memory 0.9 GiB" in next(line for line in run.stdout.splitlines() if line.startswith("isolation: "))


def test_the_limit_on_what_is_written_is_the_options(notebook, grade):
    path = notebook({"large": "open('large', 'wb').write(bytes(40 << 20)); import time; time.sleep(1)"})
    assert grade(path).returncode == 0
    run = grade(path, "--disk", "0.03")
    named = ("may write: 0.03 GiB, 100,000 files", "more than 0.03 GiB on disk")  # exact, and polled
    assert run.returncode == 1 and any(limit in run.stdout for limit in named)
    assert "disk 0.03 GiB" in next(line for line in run.stdout.splitlines() if line.startswith("isolation: "))


def test_the_number_of_threads_is_the_options(notebook, grade, executed, monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    path = notebook({"look": "import torch; print(torch.get_num_threads())"})
    for options, number in [((), "1"), (("--threads", "2"), "2")]:
        assert grade(path, *options).returncode == 0
        assert executed()["look"].outputs[0].text == f"{number}\n"


def test_the_limit_on_outputs_is_the_options(notebook, grade, executed):
    path = notebook({"long": "for number in range(3000): print(number, 'x' * 90)"})
    assert grade(path).returncode == 0
    assert len(executed()["long"].outputs[0].text) > 270_000
    assert grade(path, "--output-size", "0.1").returncode == 0
    kept, said = executed()["long"].outputs
    assert len(kept.text) <= 0.1 * 2**20 and said.text.endswith(" lines cut]\n")
    assert "flooded: (no question), cell 1 (long): stopped after" in grade(path, "--output-size", "0.02").stdout
