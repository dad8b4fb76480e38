"""Work is counted, not timed: what one submission costs does not grow with its class, nor a page with the questions."""

import builtins
import gc
import io
import os
from collections import Counter

import jinja2
import pytest

from hw4.grading import bounded
from hw4.grading.classroom import Classroom, Options
from hw4.grading.execution.run import Limits
from hw4.grading.intake.students import find
from hw4.grading.names import folder_names
from hw4.grading.sandbox.launcher import Launcher
from hw4.grading.submission import collect

# jupyter_client leaves an event loop in each thread that has used a kernel.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@pytest.fixture
def work(notebook, tmp_path, monkeypatch):
    """Yield a function that grades a class and returns what was counted: processes, calls, files opened, templates."""

    def counted(owner, name, what, counts, below=""):
        function = getattr(owner, name)

        def counting(*arguments, **options):
            counts[what] += str(arguments[0]).startswith(below)
            return function(*arguments, **options)

        return counting

    def graded(people, questions=2, fresh=False):
        folder, cells = tmp_path / f"{people}-{questions}", {}
        for number in range(1, questions + 1):
            cells |= {f"q-{number}-question": f"Question {number}?", f"q-{number}-answer": "**Answer:** So."}
        folder.mkdir(exist_ok=True)
        reference = notebook(cells | {"check": "assert 1"}, name=f"{folder.name}/reference.ipynb")
        for number in range(people):
            (folder / "class" / f"s{number}").mkdir(parents=True, exist_ok=True)
            notebook(cells | {"own": "x = 1"}, name=f"{folder.name}/class/s{number}/hw.ipynb")
        options = Options(folder / "graded", Limits(60, 60), jobs=2, fresh=fresh)
        found = find([folder / "class"], reference, folder / "unpacked").submissions
        given = collect(find([reference], reference, folder / "unpacked", single=True).submissions[0])
        counts: Counter[str] = Counter()
        with monkeypatch.context() as patch, Launcher() as launcher:
            patch.setattr(launcher, "start", counted(launcher, "start", "processes", counts))
            patch.setattr(bounded, "call", counted(bounded, "call", "calls", counts))
            patch.setattr(jinja2.Template, "render", counted(jinja2.Template, "render", "templates", counts))
            for module, name in ((builtins, "open"), (io, "open"), (os, "open")):
                patch.setattr(module, name, counted(module, name, "files opened", counts, below=str(folder)))
            assert Classroom(found, reference, given, options).grade(launcher) == 0
        return counts

    yield graded
    gc.collect()  # here, where what is left of those loops is no error


def test_a_submission_costs_the_same_in_every_class(work):
    small, middle, large = (work(people) for people in (2, 3, 4))
    assert {what: middle[what] - small[what] for what in small} == {what: large[what] - middle[what] for what in small}
    assert small["processes"] and small["calls"] and small["files opened"] and small["templates"]


def test_what_is_unchanged_starts_nothing_and_is_not_drawn(work):
    work(2)
    work(3)
    again, larger = work(2), work(3)
    assert again["processes"] == again["calls"] == larger["processes"] == larger["calls"] == 0
    # some of them twice: its notebook, what is kept of its run, its fragments, its page's end
    assert larger["files opened"] - again["files opened"] <= 8


def test_a_question_costs_the_same_among_any_number_of_them(work):
    few, more, many = (work(2, questions) for questions in (2, 3, 4))
    assert more["templates"] - few["templates"] == many["templates"] - more["templates"]
    assert more["processes"] == few["processes"] and more["calls"] == few["calls"]


def test_the_name_of_a_folder_costs_the_same_in_every_class():
    compared = []

    class Name(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            compared.append(other)
            return str.__eq__(self, other)

    for count in (100, 200):
        folder_names([Name(f"student {number}") for number in range(count)] + [Name("student 1")] * 9)
    assert len(compared) < 1000  # once for each of a name's own, and not for each of the others'
