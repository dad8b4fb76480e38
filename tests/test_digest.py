"""What decides whether a submission runs again, and whether its page is drawn again."""

import dataclasses
import json

import pytest

from hw4.grading import classroom, grade, output
from hw4.grading.execution.run import Limits
from hw4.grading.grade import Task
from hw4.grading.intake.students import find
from hw4.grading.submission import Submission
from tests.builders import submission

HANDED_IN = submission({"q-1-question": "Why?", "q-1-check": "assert 1", "q-1-answer": "**Answer:** Because."})
TASK = Task(HANDED_IN, HANDED_IN)


@pytest.fixture
def anew():
    """Forget the digests of the code before and after a test."""
    for cached in (grade.code_digest, output.drawing_digest):
        cached.cache_clear()
    yield
    for cached in (grade.code_digest, output.drawing_digest):
        cached.cache_clear()


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Limits)])
def test_each_limit_changes_the_digest(name):
    limits = dataclasses.replace(Limits(), **{name: getattr(Limits(), name) + 1})
    assert dataclasses.replace(TASK, limits=limits).digest() != TASK.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"strict": True},
        {"threads": 2},
        {"submission": Submission("hw.ipynb", "hw.ipynb", HANDED_IN.files | {"data.csv": b"1"})},
        {"submission": Submission("hw.ipynb", "hw.ipynb", {"hw.ipynb": b"{}"})},
        {"reference": Submission("hw.ipynb", "hw.ipynb", HANDED_IN.files | {"hw4/given.py": b"x = 1"})},
    ],
    ids=["strict", "threads", "a file", "the notebook", "the reference"],
)
def test_each_input_changes_the_digest(change):
    assert dataclasses.replace(TASK, **change).digest() != TASK.digest()


@pytest.fixture
def changed(anew, monkeypatch):
    """Return a function that returns both digests, with one byte more in a file of the grading code."""

    def digests(name=None, package=None):
        for cached in (grade.code_digest, output.drawing_digest):
            cached.cache_clear()
        read, version = output.Path.read_bytes, output.importlib.metadata.version
        with monkeypatch.context() as patch:
            patch.setattr(output.Path, "read_bytes", lambda path: read(path) + b"#" * (path.name == name))
            patch.setattr(output.importlib.metadata, "version", lambda each: version(each) + "x" * (each == package))
            return TASK.digest(), output.drawing_digest()

    return digests


ROOMS = [
    "forkserver.py",
    "questions.py",
    "run.py",
    "battery.py",
    "submission.py",
    "result.py",
    "grade.py",
    "errors.py",
    "system_calls.toml",
]


@pytest.mark.parametrize("name", ROOMS)
def test_code_of_every_room_makes_a_submission_run_again(changed, name):
    before, after = changed(), changed(name)
    assert before[0] != after[0] and before[1] == after[1]


@pytest.mark.parametrize("name", ["style.css", "math.woff2", "cells.py", "submission_page.py", "formulas.py"])
def test_what_only_draws_has_a_page_drawn_again_and_nothing_run(changed, name):
    before, after = changed(), changed(name)
    assert before[0] == after[0] and before[1] != after[1]


@pytest.mark.parametrize(("package", "which"), [("torch", 0), ("ipykernel", 0), ("math-core", 1), ("nh3", 1)])
def test_versions_belong_to_what_they_decide(changed, package, which):
    before, after = changed(), changed(package=package)
    assert before[which] != after[which] and before[1 - which] == after[1 - which]


def test_a_new_drawing_draws_the_page_and_runs_nothing(grade, notebook, tmp_path):
    (tmp_path / "class").mkdir()
    reference = notebook({"q-1-question": "Why?", "q-1-answer": "**Answer:**"}, name="reference.ipynb")
    notebook({"q-1-question": "Why?", "q-1-answer": "**Answer:**"}, name="class/ann.ipynb")
    notebook({"q-1-question": "Why?", "q-1-answer": "**Answer:** So."}, name="class/bob.ipynb")
    assert grade("class", reference=reference).returncode == 0
    folder = tmp_path / "graded" / "bob.ipynb"
    page = (folder / "report.html").read_text()
    found = json.loads((folder / "results.json").read_text())
    found["extra_data"]["drawing"] = "another"
    (folder / "results.json").write_text(json.dumps(found))
    (folder / "report.html").write_text("old")
    assert "bob" not in grade("class", reference=reference).stderr
    assert (folder / "report.html").read_text() == page


@pytest.mark.parametrize("options", [["--jobs", "1"], ["--jobs", "3"]])
def test_neither_jobs_nor_the_output_folder_are_in_a_digest(grade, notebook, tmp_path, options):
    (tmp_path / "class").mkdir()
    reference = notebook({"q-1-question": "Why?"}, name="reference.ipynb")
    notebook({"q-1-question": "Why?"}, name="class/ann.ipynb")
    notebook({"q-1-question": "Why?"}, name="class/bob.ipynb")
    grade("class", "--output", "first", reference=reference)
    (tmp_path / "first").rename(tmp_path / "second")
    again = grade("class", "--output", "second", *options, reference=reference)
    assert "ann: answers" not in again.stderr and "2 of 2 submissions: 2 answers missing" in again.stdout


def test_a_fault_of_the_grading_code_is_exit_code_3_and_ends_no_class(
    notebook, tmp_path, monkeypatch, capsys, launcher
):
    (tmp_path / "class").mkdir()
    for name in ("ann", "bob"):
        notebook({"q-1-question": "Why?"}, name=f"class/{name}.ipynb")
    real = grade.run

    def fail_once(*arguments):
        if not failed:
            failed.append(True)
            raise AssertionError("a fault")
        return real(*arguments)

    failed: list[bool] = []
    monkeypatch.setattr(grade, "run", fail_once)
    paths = [tmp_path / "class" / f"{name}.ipynb" for name in ("ann", "bob")]
    found = find(paths, paths[0], tmp_path).submissions
    options = classroom.Options(tmp_path / "graded", Limits())
    reference = classroom.collect(found[0])
    assert classroom.Classroom(found, paths[0], reference, options).grade(classroom.Launcher()) == 3
    printed = capsys.readouterr()
    assert "1 answers missing, 1 our fault" in printed.out and "AssertionError: a fault" in printed.err
