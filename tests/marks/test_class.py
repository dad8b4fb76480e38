"""A class that is graded three times, with marks entered between and a damage each time: all of them stay."""

import shutil
import subprocess
import sys

import pytest

from hw4.grading.marks.spreadsheet import unquoted
from tests.builders import ROOT
from tests.marks.builders import Played

ASKED = {"q-1-question": "### Question 1\n\nWhy?", "q-1-answer": "**Answer:**"}
NAMES = ["007", "0123", "1e5", "Jörg", "José", "रोजी", "रोज", "=dan", "ann", "Ann", "O'Neil, Pat", "Lee_4711_assign"]


class Graded(Played):
    """The class in `folder`, which `main.py` grades as a user has it do."""

    def __init__(self, folder, notebook):
        super().__init__(folder / "graded")
        self.root, self.notebook = folder, notebook
        notebook(ASKED, "reference.ipynb")

    def hand_in(self, name, answer="because"):
        (self.root / "class" / name).mkdir(parents=True, exist_ok=True)
        self.notebook(ASKED | {"q-1-answer": f"**Answer:** {answer}"}, f"class/{name}/hw.ipynb")

    def start(self, *arguments):
        command = [sys.executable, str(ROOT / "main.py"), *(arguments or ["class"])]
        command += ["--reference", "reference.ipynb"] * (arguments[:1] != ("feedback",))
        return subprocess.Popen(command, cwd=self.root, stdout=-1, stderr=-1, text=True)

    def grade(self, *arguments):
        """Return the exit code, what is printed, and what is said."""
        run = self.start(*arguments)
        out, err = run.communicate(timeout=300)
        return run.returncode, out, err

    def marks(self):
        """Return {name: (mark, comment, sum, what has changed)}."""
        columns = ["mark q-1", "comment q-1", "sum", "changed"]
        return {name: tuple(row[column] for column in columns) for name, row in self.rows().items()}


@pytest.fixture
def course(tmp_path, notebook):
    return Graded(tmp_path, notebook)


def enter(number, every):
    """Return an edit that marks each row of a position divisible by `every`, which tells the round and whose it is."""

    def edit(rows):
        for row in rows[::every]:
            row["mark q-1"] = f"{number},5"
            row["comment q-1"] = f"round {number}: näh, {unquoted(row['submission'])}"

    return edit


def expected(number, name):
    comment = f"round {number}: näh, {name}"
    return f"{number},5", comment, f"{number}.5", ""


@pytest.mark.slow
def test_a_class_of_twelve_graded_three_times_keeps_every_mark(course):
    for name in NAMES:
        course.hand_in(name)
    assert course.grade()[0] == 0
    names = list(course.rows())
    assert sorted(names) == sorted(NAMES)
    course.mark(enter(1, 1), delimiter=";", columns=lambda columns: [*columns[::-1], "grader"])
    rest = {name: expected(1, name) for name in NAMES}

    course.hand_in("late")
    course.hand_in("Jörg", "another answer")
    course.hand_in("Ann", "another answer")
    code, out, _ = course.grade()
    changed = {name: (*rest[name][:3], "q-1") for name in ("Jörg", "Ann")}
    assert code == 0 and out.count("changed since it was marked: q-1") == 2
    assert course.marks() == rest | changed | {"late": ("", "", "", "")}

    def second(rows):
        enter(2, 3)(rows)
        for row in rows:
            row["submission"] = row["submission"].lstrip("0")
            row["folder"] = "1,00E+05" if row["folder"] == "1e5" else row["folder"]
        return sorted(rows, key=lambda row: row["summary"] + row["key"])

    marked = list(course.rows())[::3]
    course.mark(second, "utf-16", delimiter="\t")
    shutil.move(course.root / "class" / "ann", course.root / "class" / "Ann Lee")  # renamed
    shutil.rmtree(course.root / "class" / "José")  # gone
    assert course.grade()[0] == 0
    final = rest | changed | {"late": ("", "", "", "")} | {name: expected(2, name) for name in marked}
    assert course.marks() == final | {"Ann Lee": ("", "", "", "")}
    assert course.rows()["1e5"]["folder"] == "1e5" and len(list(course.folder.glob("results.*.csv"))) == 2

    code, out, err = course.grade("feedback")
    assert code == 0 and f"{len(NAMES) + 2} pages in graded/feedback" in out, err
    assert "round" in (course.folder / "feedback" / "ann.html").read_text()
    assert "another answer" in (course.folder / "feedback" / "Jörg.html").read_text()


@pytest.mark.slow
def test_a_part_of_the_class_another_output_and_nothing_new_leave_the_table_as_it_is(course):
    for name in ("ann", "bob", "cem"):
        course.hand_in(name)
    course.grade()
    course.mark(enter(1, 1))
    course.grade()
    before = course.path.read_bytes()
    for arguments in ["class"], ["class", "--output", "elsewhere"]:
        assert course.grade(*arguments)[0] == 0 and course.path.read_bytes() == before
    for arguments in ["class/ann", "class/bob"], ["class", "--fresh"]:
        assert course.grade(*arguments)[0] == 0
        assert course.marks() == {name: expected(1, name) for name in ("ann", "bob", "cem")}


@pytest.mark.slow
def test_of_two_runs_at_once_one_is_told_so_in_one_line(course):
    for name in ("ann", "bob"):
        course.hand_in(name)
    runs = [course.start(), course.start()]
    ended = [(run.communicate(timeout=300), run.returncode) for run in runs]
    assert sorted(code for _, code in ended) == [0, 2]
    ((_, said),) = [texts for texts, code in ended if code]
    line = "main.py: graded: another run is writing there: wait for its end, or name another --output"
    assert said.splitlines()[-1] == line


@pytest.mark.slow
def test_a_table_open_in_a_spreadsheet_stops_only_the_writing_of_the_table(course):
    course.hand_in("ann")
    course.hand_in("bob")
    course.grade()
    course.hand_in("cem")
    (course.folder / ".~lock.results.csv#").touch()
    before = course.path.read_bytes()
    code, out, err = course.grade()
    assert code == 2 and "3 of 3 submissions" in out and "results.csv is open in another program" in err
    assert course.path.read_bytes() == before
    (course.folder / ".~lock.results.csv#").unlink()
    assert course.grade()[0] == 0 and set(course.rows()) == {"ann", "bob", "cem"}


@pytest.mark.slow
def test_a_table_that_cannot_be_read_is_said_before_anything_runs(course):
    course.hand_in("ann")
    course.hand_in("bob")
    course.grade()
    course.path.write_text("whose,mark\nann,1\n")
    code, out, err = course.grade("class", "--fresh")
    assert (code, out) == (2, "") and "[1/2]" not in err
    assert "no table with a column key or submission" in err.splitlines()[-1]
