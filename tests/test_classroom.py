"""A whole class: the table, what is kept, what is done again, and who is let down by whom."""

import csv
import json
import signal
import subprocess
import sys
import time

import pytest

from hw4.grading.classroom import folder_names
from hw4.grading.marks.spreadsheet import quoted
from tests.builders import ROOT

ASKED = {"q-1-question": "Why?", "q-1-check": "assert 1", "q-1-answer": "**Answer:**"}


@pytest.fixture
def classroom(notebook, tmp_path):
    """Return the reference of a class of four, of whom one fails, one handed in nothing and one a broken file."""
    for name in ["ann", "bob", "cid"]:
        (tmp_path / "class" / name).mkdir(parents=True)
    notebook(ASKED | {"q-1-answer": "**Answer:** Because."}, name="class/ann/hw.ipynb")
    notebook(ASKED | {"q-1-check": "assert 0"}, name="class/bob/hw.ipynb")
    (tmp_path / "class" / "=dan.ipynb").write_text("{")
    return notebook(ASKED, name="reference.ipynb")


def table(tmp_path):
    with open(tmp_path / "graded" / "results.csv", newline="", encoding="utf-8-sig") as file:
        return {row["folder"]: row for row in csv.DictReader(file)}


def test_a_class_gets_a_row_each_and_the_code_says_that_not_all_could_be_graded(grade, classroom, tmp_path):
    run = grade("class", reference=classroom)
    assert run.returncode == 2
    rows = table(tmp_path)
    assert {name: (row["status"], row["q-1"]) for name, row in rows.items()} == {
        "ann": ("clean", "answered"),
        "bob": ("failed", "missing, 1 failed"),
        "cid": ("not graded", ""),
        "dan.ipynb": ("not graded", ""),
    }
    assert rows["dan.ipynb"]["submission"] == "'=dan.ipynb"
    assert {path.name for path in (tmp_path / "graded" / "ann").iterdir()} == {
        "hw.ipynb",
        "report.html",
        "results.json",
    }
    assert [line[:5] for line in run.stderr.splitlines()][-4:] == ["[1/4]", "[2/4]", "[3/4]", "[4/4]"]
    assert "4 of 4 submissions: 1 clean, 1 failed, 2 not graded" in run.stdout


def test_only_what_is_new_or_changed_is_graded_again_and_marks_are_kept(grade, classroom, notebook, tmp_path):
    grade("class", reference=classroom)
    path = tmp_path / "graded" / "results.csv"
    filled = path.read_text().replace(",,\n", ",7,good\n", 1)
    path.write_text(filled)
    notebook(ASKED, name="class/bob/hw.ipynb")
    kept = [
        tmp_path / "graded" / name for name in ("ann/report.html", ".fragments/ann.json", ".fragments/.reference.json")
    ]
    written = [file.stat().st_mtime_ns for file in kept]
    again = grade("class", reference=classroom)
    assert [file.stat().st_mtime_ns for file in kept] == written  # not drawn again
    assert "bob: answers missing" in again.stderr and "ann: clean" not in again.stderr
    rows = table(tmp_path)
    assert (rows["dan.ipynb"]["mark q-1"], rows["dan.ipynb"]["comment q-1"]) == ("7", "good")
    assert rows["bob"]["status"] == "answers missing"
    assert "ann: clean" in grade("class", "--fresh", reference=classroom).stderr


@pytest.mark.slow
def test_an_interrupt_keeps_what_is_done_and_leaves_nothing_running(classroom, notebook, tmp_path):
    notebook({"a": "import time; time.sleep(4321.5)"}, name="class/bob/hw.ipynb")
    command = [sys.executable, str(ROOT / "main.py"), "class", "--reference", str(classroom), "--jobs", "2"]
    run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "ann: clean" not in run.stderr.readline():
        pass
    time.sleep(1)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert table(tmp_path)["ann"]["status"] == "clean"
    assert not subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True).stdout


def test_a_submission_that_kills_whatever_it_can_reach_costs_no_other(grade, classroom, notebook, tmp_path):
    attack = "import os, signal\nfor pid in range(2, 70_000):\n    try: os.kill(pid, 9)\n    except OSError: pass"
    notebook(ASKED | {"q-1-check": attack}, name="class/bob/hw.ipynb")
    grade("class", "--timeout", "20", reference=classroom)
    assert table(tmp_path)["ann"]["status"] == "clean"


def test_names_become_folders_that_stay_inside_and_apart():
    names = ["ann", "index.html", "../../etc", "a/b", "a_b", "", ".", "con\ntrol", "x" * 500, "ann"]
    made = folder_names(names)
    assert len(set(made)) == len(names)
    assert "index.html" not in made and all(
        "/" not in name and name.strip(". ") and len(name) < 110 and name.isprintable() for name in made
    )


@pytest.mark.parametrize("text", ["=1+2", "+A1", "-A1", "@x", "=cmd|' /C calc'!A0", "\t=1", "\r=1"])
def test_no_spreadsheet_computes_what_a_student_wrote(text):
    assert quoted(text)[0] not in "=+-@\t\r"


def test_the_results_of_a_class_are_those_of_a_single_run(grade, classroom, tmp_path):
    grade("class", reference=classroom)
    grade("class/ann/hw.ipynb", "--output", "alone", reference=classroom)
    several, alone = ((tmp_path / place / "hw.ipynb").read_bytes() for place in ("graded/ann", "alone"))
    assert several == alone
    rows = [json.loads((tmp_path / place / "results.json").read_text())["tests"] for place in ("graded/ann", "alone")]
    assert rows[0] == rows[1]
