"""One question alone, and again whenever it is saved: what runs, and what is said."""

import json
import signal
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from hw4.grading.course.alone import selected, text_by_question
from hw4.grading.course.given import BLANK, STUDENT
from hw4.grading.errors import Unusable
from tests.builders import ROOT, submission

REFERENCE = {
    "title": "x",
    "setup": "import math\nimport math as nn",
    "q-1-question": "Why does the loss fall?",
    "q-1-snippet": "import math as nn\nsteps = 3",
    "q-1-answer": "**Answer:** *Write your answer here.*",
    "q-2-question": "How many weights has the layer?",
    "q-2-snippet": "doubled = 2 * steps",
    "q-2-answer": "**Answer:** *Write your answer here.*",
    "q-3-question": "Which state is carried over?",
    "q-3-answer": "**Answer:** *Write your answer here.*",
}


def cells(chosen):
    return [cell["id"] for cell in json.loads(chosen.files[chosen.notebook])["cells"]]


def test_a_question_comes_with_the_setup_and_the_given_code_that_it_needs():
    handed_in = submission(REFERENCE | {"q-2-answer": "Forty.", "mine": "other = nn.pi + 1"})
    reference = submission(REFERENCE)
    mine, asked, _ = selected(handed_in, reference, ["q-2"])
    needed = ["setup", "q-1-snippet", "q-2-question", "q-2-snippet", "q-2-answer"]
    assert [name for name in cells(mine) if name != "title"] == needed
    assert [name for name in cells(asked) if name != "title"] == needed


def test_a_name_that_the_setup_binds_brings_no_other_question_with_it():
    reference = submission(REFERENCE)
    mine, *_ = selected(submission(REFERENCE | {"mine": "other = nn.pi + 1"}), reference, ["q-3"])
    assert "q-1-snippet" not in cells(mine) and "mine" in cells(mine)


def test_an_answer_that_stands_elsewhere_comes_with_its_question():
    moved = {name: text for name, text in REFERENCE.items() if name != "q-1-answer"}
    mine, *_ = selected(submission(moved | {"text": "**Answer 1:** It falls."}), submission(REFERENCE), ["q-1"])
    assert "text" in cells(mine)


def test_what_a_student_imports_above_the_first_question_comes_along():
    items = list(REFERENCE.items())
    handed_in = submission(dict([*items[:2], ("imports", "import random"), *items[2:]]))
    assert "imports" in cells(selected(handed_in, submission(REFERENCE), ["q-3"])[0])


def test_a_name_that_no_question_has_is_answered_with_the_nearest():
    with pytest.raises(Unusable, match=r"no question q2: did you mean q-2\?"):
        selected(submission(REFERENCE), submission(REFERENCE), ["q2"])
    with pytest.raises(Unusable, match="no question receptive field: q-1, q-2, q-3"):
        selected(submission(REFERENCE), submission(REFERENCE), ["receptive field"])


NAMING = REFERENCE | {
    "title-text": "The function goes into `hw4/answers.py`; figures are given.",
    "q-1-snippet": "from hw4.figures import show\nsteps = 3",
    "q-3-snippet": "from hw4 import answers",
    "q-3-mine": "numbers = open('data.csv').read()",
}
FILES = {"hw4/answers.py": "from .tools import x", "hw4/tools.py": "x = 1", "hw4/figures.py": "y = 1", "data.csv": "1"}


@pytest.mark.parametrize(
    ("cells", "files", "changed"),
    [
        ({"q-2-answer": "Forty."}, {}, ["q-2"]),
        ({"q-3-mine": "numbers = 1"}, {}, ["q-3"]),
        ({"setup": "import torch"}, {}, ["q-1", "q-2", "q-3"]),
        ({"q-1-snippet": "from hw4.figures import show\nsteps = 4"}, {}, ["q-1", "q-2"]),
        ({}, {"hw4/answers.py": "from .tools import x as y"}, ["q-3"]),
        ({}, {"hw4/tools.py": "x = 2"}, ["q-3"]),
        ({}, {"hw4/figures.py": "y = 2"}, ["q-1", "q-2"]),
        ({}, {"data.csv": "2"}, ["q-3"]),
        ({}, {"notes.txt": "none"}, []),
    ],
)
def test_a_question_depends_on_its_cells_the_given_code_that_these_need_and_the_files_that_they_name(
    cells, files, changed
):
    reference = submission({name: text for name, text in NAMING.items() if name != "q-3-mine"})
    before = text_by_question(submission(NAMING, FILES), reference)
    after = text_by_question(submission(NAMING | cells, FILES | files), reference)
    assert [name for name in before if before[name] != after[name]] == changed


def write(folder, answers=None, **sources):
    """Write a hand-in of the assignment into `folder`, with the `sources` of cells, by ids with underscores."""
    notebook = nbformat.read(BLANK, as_version=4)
    for name, source in sources.items():
        cell_id = name.replace("_", "-")
        place = next((place for place, cell in enumerate(notebook.cells) if cell.id == cell_id), None)
        if place is None:
            owner = cell_id.rsplit("-", 1)[0]
            place = max(place for place, cell in enumerate(notebook.cells) if cell.id.startswith(owner)) + 1
            notebook.cells.insert(place, new_code_cell(source))
        else:
            notebook.cells[place].source = source
    (folder / "hw4").mkdir(exist_ok=True)
    if answers is not None:
        (folder / "hw4" / "answers.py").write_text(answers)
    path = folder / BLANK.name
    path.write_text(nbformat.writes(notebook))
    return path


def only(path, *names):
    command = [sys.executable, str(ROOT / "main.py"), str(path), *(f"--only={name}" for name in names)]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=300)


HALF = "def part4_affine_backward(ctx, grad_output):\n    X, W, b = ctx.saved_tensors\n"
DOUBLED = HALF + "    return grad_output @ W, 0.5 * grad_output.T @ X, grad_output.sum(0)\n"


@pytest.mark.slow
def test_a_wrong_gradient_is_named_with_how_it_is_wrong(tmp_path):
    done = only(write(tmp_path, DOUBLED), "backprop-2")
    assert done.returncode == 1
    assert "backprop-2: answered, wrong, 1 of 1 checks passed" in done.stdout.splitlines()
    assert "wrong backward: shapes: dL/dX is 2 times the right one" in done.stdout
    assert done.stdout.splitlines()[-1] == "graded/report.html"


@pytest.mark.slow
def test_an_error_in_the_function_is_shown_with_its_line_there_and_a_stub_is_not_called_wrong(tmp_path):
    done = only(write(tmp_path, f"{HALF}    return grad_output @ missing, None, None\n"), "backprop-2")
    assert "  in line 24: return part4_affine_backward(ctx, grad_output); in line 3 of hw4/answers.py" in done.stdout
    stub = (STUDENT / "hw4" / "answers.py").read_text()
    done = only(write(tmp_path, stub), "backprop-2")
    assert "backprop-2: no answer yet, 0 of 1 checks passed" in done.stdout.splitlines()


@pytest.mark.slow
def test_a_failing_cell_is_shown_with_its_error_and_its_line_and_missing_parts_are_named(tmp_path):
    path = write(
        tmp_path, cnn_3_x="def inverse(x):\n    return 1 / x\n\ninverse(0)", opt_2_answer_b="**Answer:** **B.** Ever."
    )
    done = only(path, "cnn-3", "opt-2")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("failed: cnn-3, cell "))
    assert lines[at].endswith(": ZeroDivisionError: division by zero")
    assert lines[at + 1] == "  in line 2: return 1 / x"
    assert "opt-2: no answer yet to A" in lines


@pytest.mark.slow
def test_only_and_watch_want_one_notebook(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name)
    done = only(tmp_path, "cnn-3")
    assert done.returncode == 2 and "--only and --watch want one notebook" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("more", [["--only=cnn3"], ["--only=cnn3", "--watch"]])
def test_a_name_that_no_question_has_ends_the_run(tmp_path, more):
    command = [sys.executable, str(ROOT / "main.py"), str(write(tmp_path)), *more]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and done.stderr.endswith("main.py: no question cnn3: did you mean cnn-3?\n")


@pytest.mark.slow
def test_a_question_alone_is_not_written_over_the_notebook_that_it_stands_in(tmp_path):
    path = write(tmp_path)
    before = path.read_bytes()
    command = [sys.executable, str(ROOT / "main.py"), str(path), "--only=cnn-3", "--output=."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and path.read_bytes() == before


WATCHED = ["backprop-2", "cnn-3", "loss-2"]


@pytest.mark.slow
def test_watching_runs_what_was_saved_and_survives_half_a_file(tmp_path):
    path = write(tmp_path, DOUBLED)
    command = [sys.executable, str(ROOT / "main.py"), str(path), "--watch", *(f"--only={name}" for name in WATCHED)]
    run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
    try:
        assert "watching" in run.stdout.readline()

        def said():
            lines = []
            while not lines or lines[-1] != "graded/report.html":
                lines.append(run.stdout.readline().rstrip("\n"))
                assert lines[-1] or run.poll() is None, run.stderr.read()
            return lines

        assert {line.split(":")[0] for line in said()} >= set(WATCHED)
        path.write_text(path.read_text()[:2000])
        assert run.stdout.readline().startswith("waiting: ")
        write(tmp_path, cnn_3_answer="**Answer:** 112 pixels.")
        after = said()
        assert "cnn-3: answered" in after and not any(line.startswith("backprop-2: ") for line in after)
        write(
            tmp_path,
            DOUBLED.replace("grad_output @ W", "0.5 * grad_output @ W"),
            cnn_3_answer="**Answer:** 112 pixels.",
        )
        after = said()
        assert "backprop-2: answered, 1 of 1 checks passed" in after
        assert not any(line.startswith(("cnn-3: ", "loss-2: ")) for line in after)  # which import hw4.figures at most
        assert not any(line.startswith("wrong backward") for line in after)
    finally:
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
    assert run.returncode == 130
