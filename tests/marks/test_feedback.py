"""What students get back, and what platforms import."""

import csv
import io
import json

import pytest

from hw4.grading.errors import ExitCode, Unusable
from hw4.grading.marks import feedback
from hw4.grading.report.markup import FOLDER as PLACE
from tests.marks.builders import Played

MOODLE = "Ann Lee_4711_assignsubmission_file_"
CANVAS = ["leeann_1234_567_hw-2.ipynb", "doebob_LATE_1235_568_hw.ipynb"]
NAMES = ["zoe", "<b>bob</b>", MOODLE, *CANVAS]


@pytest.fixture
def course(tmp_path):
    """Return a class in which everybody's answer tells whose it is, and where zoe is marked."""
    played = Played(tmp_path / "graded")
    names = [name.replace("/", "_") for name in NAMES]
    fragments = played.folder / ".fragments"
    fragments.mkdir()
    for name in names:
        own = {"cnn-1.html": f'<p>answer of {name} <a href="{PLACE}/pictures/a.png">picture</a></p>'}
        (fragments / f"{name}.json").write_text(json.dumps(own | {"cnn-2.html": "", "cnn-2-a.html": ""}))
    reference = [{"cnn-1": "<p>What is a stride?</p>"}, {"cnn-1.html": "<p>the model answer</p>"}]
    (fragments / ".reference.json").write_text(json.dumps(["key", *reference]))
    played.run(names)

    def marked(rows):
        rows[0] |= {"mark cnn-1": "2", "mark cnn-2-A": "0,5", "adjustment": "-1"}
        rows[0]["comment cnn-1"] = "Good & <b>short</b>,\n=as asked"

    played.mark(marked, delimiter=";")
    return played


def page(course, name="zoe"):
    return (course.folder / "feedback" / f"{name}.html").read_text()


def rows(course, name):
    text = (course.folder / "feedback" / f"{name}.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_page_has_marks_comments_the_sum_and_the_own_cells(course, capsys):
    assert feedback.run([str(course.folder)]) == ExitCode.CLEAN
    assert capsys.readouterr().out.endswith(f"5 pages in {course.folder}/feedback\n")
    html = page(course)
    assert "<strong>1.5 of 6 points</strong>, with an adjustment of -1, 1 of 3 parts not marked" in html
    assert "cnn-1: 2 of 2</strong> Good &amp; &lt;b&gt;short&lt;/b&gt;,<br>=as asked" in html
    assert "cnn-2-A: 0,5 of 2" in html and "cnn-2-B: no mark of 2" in html
    assert "<p>answer of zoe picture</p>" in html and "What is a stride?" in html
    assert course.rows()["zoe"]["sum"] == "1.5"


def test_a_page_has_nothing_of_others_and_of_the_reference_answer_only_if_asked(course):
    feedback.run([str(course.folder)])
    for name in ("zoe", MOODLE):
        html = page(course, name)
        assert html.count("answer of") == 1 and f"answer of {name}" in html and "model answer" not in html
    feedback.run([str(course.folder), "--with-answers"])
    assert "the model answer" in page(course)


def test_what_another_submission_left_in_a_folder_is_not_shown(course):
    (course.folder / "zoe" / "results.json").write_text(json.dumps({"extra_data": {"name": "Zoe"}}))
    feedback.run([str(course.folder)])
    assert "answer of" not in page(course) and "cnn-1: 2 of 2" in page(course)


def test_who_is_gone_still_gets_the_marks(course):
    (course.folder / ".fragments" / "zoe.json").unlink()
    feedback.run([str(course.folder)])
    assert "cnn-1: 2 of 2" in page(course)


def test_a_name_is_no_markup(course):
    feedback.run([str(course.folder)])
    assert "<h1>&lt;b&gt;bob&lt;_b&gt;</h1>" in page(course, "<b>bob<_b>")


def test_moodle_finds_its_participants_by_number_and_gets_the_comments(course):
    feedback.run([str(course.folder)])
    zoe, *_ = by_name = rows(course, "moodle")
    columns = ["Identifier", "Full name", "Email address", "Grade", "Maximum grade", "Last modified (grade)"]
    assert list(zoe) == [*columns, "Feedback comments"]
    assert (zoe["Grade"], zoe["Maximum grade"]) == ("1.5", "6")
    assert zoe["Feedback comments"].startswith("cnn-1: 2 Good &amp; &lt;b&gt;short&lt;/b&gt;,<br>=as asked<br>cnn-2-A")
    (ann,) = [row for row in by_name if row["Identifier"]]
    assert (ann["Identifier"], ann["Full name"], ann["Grade"]) == ("Participant 4711", "Ann Lee", "")


def test_canvas_finds_its_users_by_id_and_the_assignment_by_its_column(course):
    feedback.run([str(course.folder), "--assignment", "Homework 4 (123)"])
    points, *students = rows(course, "canvas")
    assert list(points) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Homework 4 (123)"]
    assert (points["Student"], points["Homework 4 (123)"]) == ("Points Possible", "6")
    assert {row["Student"]: row["ID"] for row in students if row["ID"]} == {"leeann": "1234", "doebob": "1235"}
    assert students[0]["Homework 4 (123)"] == "1.5"


@pytest.mark.parametrize(
    ("file", "number"),
    [
        (f"tuesday/{MOODLE}/hw.ipynb", "Participant 4711"),
        ("all.zip/Lee, Ann_12_assignsubmission_file_hw.ipynb", "Participant 12"),
        ("week_4_5_6/zoe", ""),
    ],
)
def test_a_platforms_number_is_found_wherever_in_a_path_it_stands(course, file, number):
    course.run(["zoe"], people={"zoe": ("zoe", file)}, file=file)
    feedback.run([str(course.folder)])
    assert rows(course, "moodle")[0]["Identifier"] == number


def test_columns_that_somebody_added_for_a_platform_are_used(course):
    course.mark(lambda rows: [row | {"Email address": "zoe@uni.example", "SIS Login ID": "zoe7"} for row in rows])
    feedback.run([str(course.folder)])
    assert rows(course, "moodle")[0]["Email address"] == "zoe@uni.example"
    assert rows(course, "canvas")[1]["SIS Login ID"] == "zoe7"


def test_a_sum_that_is_no_number_is_not_handed_on(course):
    course.mark(lambda rows: [row | {"mark cnn-2-B": "see me"} for row in rows])
    assert feedback.run([str(course.folder)]) == ExitCode.UNUSABLE
    assert rows(course, "moodle")[0]["Grade"] == "" == rows(course, "canvas")[1]["Homework"]
    assert not list((course.folder / "feedback").glob("zoe*.html"))


def test_an_adjustment_that_is_no_number_holds_back_only_its_own_page(course):
    assert feedback.run([str(course.folder)]) == ExitCode.CLEAN
    before = {path.name for path in (course.folder / "feedback").glob("*.html")}
    course.mark(lambda rows: [row | {"adjustment": "-10 %" * (row["folder"] == "zoe")} for row in rows])
    assert feedback.run([str(course.folder)]) == ExitCode.UNUSABLE
    after = {path.name for path in (course.folder / "feedback").glob("*.html")}
    assert before - after == {"zoe.html"} and len(after) == len(before) - 1


def test_no_cell_for_a_platform_is_a_formula(course):
    course.run(["=1+1"])
    feedback.run([str(course.folder)])
    assert rows(course, "canvas")[-1]["Student"] == "'=1+1" == rows(course, "moodle")[-1]["Full name"]


def test_a_folder_without_a_class_is_refused_in_one_line(tmp_path):
    with pytest.raises(Unusable, match="no class was graded here"):
        feedback.run([str(tmp_path)])
