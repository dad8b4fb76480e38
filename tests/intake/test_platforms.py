"""The names that platforms give, read from the table's own examples."""

import pytest

from hw4.grading.intake.platforms import original
from hw4.grading.intake.tree import TABLES
from tests.intake.builders import BOOK, adds_up, laid, read, told

SECOND = {  # another student of the same class
    "Moodle": "Bo Ek_999_assignsubmission_file_",
    "Moodle, all files in one folder": "Bo Ek_999_assignsubmission_file_x.ipynb",
    "Canvas": "ekbo_99_7777_x.ipynb",
    "GitHub Classroom": "hw-4-submissions/hw-4-boek",
    "JupyterHub, nbgrader's exchange": "boek+hw4+2026-11-24 09:00:00.5 UTC+a1b2",
    "Blackboard": "Homework 4_boek_attempt_2026-11-24-09-00-00_x.ipynb",
}


def entry(name):
    return name if name.endswith(".ipynb") else f"{name}/hw.ipynb"


@pytest.mark.parametrize("platform", TABLES["platform"], ids=lambda platform: platform["name"])
def test_the_student_is_shown_as_the_platform_names_them_and_the_original_is_kept(tmp_path, platform):
    example, other = platform["example"], SECOND[platform["name"]]
    folder = laid(tmp_path, {entry(example): BOOK, entry(other): BOOK})
    folder = folder / example.split("/")[0] if "/" in example else folder
    graded, refused, _ = told(read(folder))
    assert graded[platform["shown"]] == example.split("/")[-1] and len(graded) == 2 and not refused
    assert platform["source"]


GRADESCOPE = """---
submission_101:
  :submitters:
  - :name: Ann Lee
    :sid: '0012'
    :email: ann@example.edu
  - :name: Bo Ek
    :sid: '0013'
    :email: bo@example.edu
  :created_at: 2026-11-25 19:51:00.000000000 Z
  :score: 1.0
  :history:
  - :id: 77
    :submitters: []
submission_102:
  :submitters:
  - :name: Jörg Ü
    :sid:
"""


@pytest.mark.parametrize("top", ["", "assignment_1_export/"])
def test_a_gradescope_export_names_its_submissions_groups_included(tmp_path, top):
    files = {f"{top}submission_{number}/hw.ipynb": BOOK for number in (101, 102, 103)}
    found = read(laid(tmp_path / "export", files | {f"{top}submission_metadata.yml": GRADESCOPE}))
    names = ["Ann Lee, Bo Ek", "Jörg Ü", "submission_103"]
    assert [each.name.removeprefix(top) for each in found.submissions] == names
    assert found.ignored == [(f"{top}submission_metadata.yml", "Gradescope's list")]


@pytest.mark.parametrize(
    "text", ["", "- 1", "submission_101: 7", "submission_101:\n  :submitters: x", "a: [", "&a [*a]"]
)
def test_a_list_that_nobody_can_read_costs_only_the_names(tmp_path, text):
    files = {f"submission_{number}/hw.ipynb": BOOK for number in (101, 102)} | {"submission_metadata.yml": text}
    assert list(told(read(laid(tmp_path / "export", files)))[0]) == ["submission_101", "submission_102"]


def test_an_assignment_s_name_before_all_repositories_is_left_out_of_the_students(tmp_path):
    files = {f"part-4-{name}/hw.ipynb": BOOK for name in ("annlee", "bo-ek", "cem")}
    assert list(told(read(laid(tmp_path / "clones", files)))[0]) == ["annlee", "bo-ek", "cem"]
    files = {f"van-{name}/hw.ipynb": BOOK for name in ("dyck", "gogh")}
    assert list(told(read(laid(tmp_path / "people", files)))[0]) == ["van-dyck", "van-gogh"]


def test_what_moodle_keeps_of_one_student_in_two_folders_is_one_submission(tmp_path):
    names = [f"Ann_1_assignsubmission_{kind}_" for kind in ("file", "onlinetext")]
    files = {
        f"{names[0]}/hw.ipynb": BOOK,
        f"{names[1]}/onlinetext.html": "<p>",
        "Bo_2_assignsubmission_file_/x.py": "x",
    }
    found = read(laid(tmp_path / "class", files))
    assert told(found)[:2] == ({"Ann": names[0]}, {"Bo": "no notebook, but x.py"})
    assert adds_up(found, {name.split("/")[0] for name in files})


def test_canvas_keeps_no_name_where_it_grades_anonymously(tmp_path):
    files = dict.fromkeys(["anon_a1b2c_10_hw.ipynb", "anon_late_x9y8z_11_hw.ipynb"], BOOK)
    assert list(told(read(laid(tmp_path / "class", files)))[0]) == ["a1b2c", "x9y8z"]


def test_names_that_fit_a_platform_by_chance_lose_nobody(tmp_path):
    files = dict.fromkeys(["hw_2026_11_ann.ipynb", "hw_2026_12_bob.ipynb"], BOOK)
    assert len(told(read(laid(tmp_path / "class", files)))[0]) == 2


def test_of_two_exchanges_of_one_student_the_later_is_graded(tmp_path):
    files = {f"ann+hw4+2026-11-25 {time} UTC/hw.ipynb": BOOK for time in ("19:51:00.9", "19:52:00.1", "09:59:59.0")}
    graded, _, ignored = told(
        read(laid(tmp_path / "inbound", files | {"bo+hw4+2026-11-25 10:00:00.0 UTC/hw.ipynb": BOOK}))
    )
    assert graded["ann"] == "ann+hw4+2026-11-25 19:52:00.1 UTC" and len(ignored) == 2


COPIES = [
    "hw-Copy1",
    "hw - Copy",
    "hw - Copy (2)",
    "hw copy 2",
    "hw (1)",
    "hw(12)",
    "hw_copy",
    "Copy of hw",
    "hw-checkpoint",
]


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_told_from_a_name(name):
    assert original(f"{name}.ipynb") == "hw"
    assert original("hw_copyright.ipynb") == "hw_copyright" and original("copy.ipynb") == "copy"
