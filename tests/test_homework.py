"""The homework's own notebook: what it asks, that it runs, and that what is stored in it is what a run gives."""

import json
import re

import nbformat
import pytest

from hw4.grading.execution.kernel import Kernel
from hw4.grading.execution.run import Limits, run_cells
from hw4.grading.notebook.comparison import questions
from hw4.grading.notebook.questions import is_check, question_of, role
from hw4.grading.sandbox.scratch import Scratch
from tests.builders import NOTEBOOK, ROOT
from tests.test_readme import README, SHOWN, masked

# The assignment: sections, questions, and how many parts of each are graded one by one.
ASSIGNMENT = {
    "cnn": [1, 1, 1, 1],
    "dropout": [1, 1],
    "loss": [1, 1, 1, 3],
    "opt": [1, 2, 1, 6, 1, 4],
    "backprop": [1, 1],
    "seq": [2, 2, 3],
    "attn": [2],
    "unsup": [2, 3, 5],
    "gnn": [2, 1],
}
PARTS = {
    f"{section}-{number}": parts
    for section, all_parts in ASSIGNMENT.items()
    for number, parts in enumerate(all_parts, 1)
}
PRINTED = {
    "cnn-3-snippet": "torch.Size([1, 32, 122, 122])",
    "seq-2-snippet": "Y.shape=torch.Size([5, 6, 7, 8, 42000])\n",
}


@pytest.fixture(scope="session")
def stored():
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Return the finished `python main.py` on the homework itself, and the folder that it wrote."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("run")
    command = [sys.executable, str(ROOT / "main.py")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900), folder / "graded"


def test_it_asks_the_questions_and_parts_of_the_assignment_in_order(stored):
    found, _ = questions(stored, stored)
    assert {question.id: len(question.parts) for question in found} == PARTS
    assert [question.id for question in found] == list(PARTS)


def test_every_question_names_its_number_and_all_its_parts(stored):
    for cell in stored.cells:
        if role(cell) == "question":
            name = cell.id.removesuffix("-question")
            letters = re.findall(r"^\*\*([A-Z])\.\*\*", cell.source, re.MULTILINE)
            heading = rf"### Question {name.rpartition('-')[2]} \({name}\): \w[^\n]+\n"  # what an outline shows
            assert re.match(heading, cell.source), name
            assert letters == list("ABCDEF"[: PARTS[name]] if PARTS[name] > 1 else ""), name


def test_every_answer_is_below_its_question_and_marked(stored):
    _, owners = questions(stored, stored)
    for cell, owner in zip(stored.cells, owners, strict=True):
        if role(cell) == "answer":
            assert cell.id.startswith(f"{owner}-answer")
            assert cell.source.startswith("**Answer:**")


def test_each_graded_part_is_worth_the_points_that_the_notebook_states_once(stored):
    points = {cell.id: cell.metadata.get("nbgrader", {}).get("points") for cell in stored.cells}
    graded = {name for name, worth in points.items() if worth}
    assert {points[name] for name in graded} == {stored.metadata.hw4.points_per_part}
    assert len(graded) == sum(PARTS.values())
    assert points["backprop-2-check"] and not points["backprop-2-answer"]  # graded by running it


KINDS = {  # nbgrader's schema, version 3: grade, solution, locked
    "question": (False, False, True),
    "snippet": (False, False, True),
    "check": (True, False, True),
    "answer": (True, True, False),
}


def test_the_metadata_are_what_nbgrader_takes(stored):
    for cell in stored.cells:
        data = cell.metadata.get("nbgrader")
        assert (data is None) == (role(cell) not in KINDS), cell.id
        if data:
            assert (data.grade, data.solution, data.locked) == KINDS[role(cell)], cell.id
            assert (data.schema_version, data.task, data.grade_id) == (3, False, cell.id)
            keys = {"schema_version", "grade", "solution", "locked", "task", "grade_id"}
            assert set(data) == keys | ({"points"} if data.grade else set())


def test_it_is_format_4_5_for_the_python3_kernel(stored):
    assert (stored.nbformat, stored.nbformat_minor) == (4, 5)
    assert stored.metadata.kernelspec.name == "python3"


def test_formulas_use_no_command_that_some_front_end_lacks(stored):
    for cell in stored.cells:
        if cell.cell_type == "markdown" and cell.id != "macros":
            assert not re.search(r"\\(newcommand|def|vec|mat|operatorname|norm|given)\b", cell.source), cell.id


def test_the_macros_are_the_assignments_each_defined_once(stored):
    source = next(cell.source for cell in stored.cells if cell.id == "macros")
    names = re.findall(r"\\def\\(\w+?)(?=[#{])", source)
    theirs = "mat mattr matinv vec vectr rvar rvec diag set cset norm pderiv bb E ip given DKL grad"
    assert " ".join(names) == theirs


def words(cells):
    """Return how many words there are, formulas and tables included."""
    return sum(len(re.findall(r"\w+", cell.source)) for cell in cells)


def of_role(notebook, kind):
    return [cell for cell in notebook.cells if role(cell) == kind]


def test_the_answers_are_short(stored):
    answers = of_role(stored, "answer")
    assert words(answers) <= 10_200
    assert {cell.id: words([cell]) for cell in answers if words([cell]) > 380} == {}


def test_a_note_is_one_sentence_before_its_evidence(stored):
    notes = of_role(stored, "note")
    assert words(notes) <= 2_200
    for index, cell in enumerate(stored.cells):
        if role(cell) == "note":
            assert stored.cells[index + 1].id == cell.id.replace("-note-", "-evidence-")
            assert len(re.findall(r"[.!?](?=\s|$)", re.sub(r"\$[^$]*\$", "x", cell.source))) <= 1, cell.source


def test_evidence_is_short(stored):
    evidence = of_role(stored, "evidence")
    sizes = sorted(sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in evidence)
    assert len(evidence) <= 110
    assert sizes[len(sizes) // 2] <= 8 and sizes[-1] <= 20


def test_every_evidence_cell_asserts_something_or_defines_what_the_next_asserts(stored):
    evidence = of_role(stored, "evidence")
    silent = [cell.id for cell in evidence if not is_check(cell)]
    assert len(silent) <= len(evidence) // 5, silent


def test_the_file_and_what_its_evidence_shares_are_small():
    assert NOTEBOOK.stat().st_size <= 700_000
    lines = [line for file in (ROOT / "hw4" / "evidence").glob("*.py") for line in file.read_text().splitlines()]
    assert len(lines) < 350


@pytest.mark.parametrize("question", PARTS)
def test_every_question_runs_alone(stored, launcher, question):
    alone = nbformat.from_dict(stored | {"cells": [cell for cell in stored.cells if needed(cell, question)]})
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "hw4").glob("*.py")}
    files |= {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "hw4/evidence").glob("*.py")}
    with Scratch(files) as scratch, Kernel(launcher, scratch) as kernel:
        executions = list(run_cells(alone, kernel, Limits()))
    assert [each.reason for each in executions if each.status != "ok"] == []


def needed(cell, question):
    """Return whether `cell` belongs to what a question needs to run alone: the setup, and its own cells."""
    return cell.id == "setup" or question_of(cell) == question


def test_every_figure_has_alt_text_and_a_caption_below(stored):
    for cell in stored.cells:
        outputs = cell.get("outputs", [])
        for position, output in enumerate(outputs):
            if "image/png" in output.get("data", {}):
                assert output.metadata["image/png"]["alt"], cell.id
                assert outputs[position + 1].data["text/markdown"].startswith("**Figure.**"), cell.id


def test_what_is_stored_comes_from_one_run_from_start_to_end(stored):
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)


def test_nothing_stored_names_a_path_or_a_time_of_this_machine(stored):
    text = json.dumps([cell.get("outputs", []) for cell in stored.cells])
    assert not re.search(r"/(home|root|tmp|work|Users)/|0x[0-9a-f]{6,}", text)


def test_the_snippets_print_what_the_assignment_prints(stored):
    shown = {cell.id: cell.outputs for cell in stored.cells if cell.cell_type == "code"}
    for name, text in PRINTED.items():
        (output,) = shown[name]
        assert text in (output.get("text"), output.get("data", {}).get("text/plain"))


def test_main_runs_it_clean(run):
    finished, _ = run
    assert finished.returncode == 0, finished.stdout + finished.stderr
    rows = [line.split()[0] for line in finished.stdout.splitlines()]
    assert set(PARTS) <= set(rows)


def test_the_readme_shows_what_it_prints(run):
    finished, _ = run
    assert masked(dict(SHOWN.findall(README))["python main.py"]) == masked(finished.stdout)


def test_a_fresh_run_gives_the_stored_notebook_to_the_byte(run):
    _, folder = run
    assert (folder / NOTEBOOK.name).read_bytes() == NOTEBOOK.read_bytes()
