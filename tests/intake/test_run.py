"""`main.py` on what graders have: the lists come first, and no run grades what another one wrote."""

import csv

import nbformat
import pytest

from tests.builders import made
from tests.intake.builders import ASKED, BOOK, laid, zipped

pytestmark = pytest.mark.slow


def rows(folder):
    with open(folder / "results.csv", newline="", encoding="utf-8-sig") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


@pytest.fixture
def reference(tmp_path):
    path = tmp_path / "homework.ipynb"
    path.write_text(nbformat.writes(made(ASKED)))
    return path


def test_a_run_within_the_class_never_grades_its_own_output(grade, reference, tmp_path):
    files = {
        "Ann_1_assignsubmission_file_/hw4.zip": zipped({"hw.ipynb": BOOK}),
        "Bo_2_assignsubmission_file_/x.py": "x",
    }
    laid(tmp_path / "class", files | {"Cem_3_assignsubmission_file_/hw.IPYNB": BOOK, "__MACOSX/._x": "x"})
    for output in ("results", "results", "again"):
        run = grade(tmp_path / "class", "--output", tmp_path / "class" / output, reference=reference)
        assert run.returncode == 2
        found = rows(tmp_path / "class" / output)
        assert {name: row["handed in"] for name, row in found.items()} == {
            "Ann": "Ann_1_assignsubmission_file_",
            "Bo": "Bo_2_assignsubmission_file_",
            "Cem": "Cem_3_assignsubmission_file_",
        }
        assert found["Bo"]["status"] == "not graded" and "no notebook, but x.py" in found["Bo"]["summary"]
        lists, _, rest = run.stderr.partition("\n\n")
        assert "2 to be graded" in lists and "1 not gradable" in lists and "left by macOS: __MACOSX" in lists
        assert "/3] Bo: not graded" in rest
        assert lists in (tmp_path / "class" / output / "found.txt").read_text()


def test_an_archive_is_graded_and_nothing_is_saved_into_it(grade, reference, tmp_path):
    body = zipped({"ann/hw.ipynb": BOOK, "ann/data.txt": "7"})
    laid(tmp_path, {"ann.zip": body})
    assert grade("ann.zip", reference=reference).returncode == 0
    run = grade("ann.zip", "--save", reference=reference)
    assert run.returncode == 2 and "nothing can be saved into an archive" in run.stderr
    assert (tmp_path / "ann.zip").read_bytes() == body


def test_files_above_the_notebook_are_where_its_cells_look_for_them(grade, reference, tmp_path):
    cells = ASKED | {"read": "print(open('../data/x.txt').read(), open('beside.txt').read())"}
    files = {"work/hw.ipynb": nbformat.writes(made(cells)), "data/x.txt": "above", "work/beside.txt": "beside"}
    run = grade(laid(tmp_path / "ann", files), "--single", reference=reference)
    assert run.returncode == 0, run.stdout
    assert "above beside" in (tmp_path / "graded" / "hw.ipynb").read_text()
