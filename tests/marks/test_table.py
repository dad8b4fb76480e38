"""What people and spreadsheets do to the table of marks between two runs: no mark is lost, or nothing is written."""

import csv
import io

import pytest

from hw4.grading.errors import Unusable
from hw4.grading.marks import spreadsheet
from hw4.grading.marks.table import KNOWN, Table, key
from tests.marks.builders import ASKED, EXPECTED, NAMES, Played, marked


@pytest.fixture
def course(tmp_path):
    """Return a class that was graded once."""
    played = Played(tmp_path / "graded")
    played.run()
    return played


def text_of(rows, **form):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", **form).writerows(rows)
    return text.getvalue()


def cut_zeros(rows):
    marked(rows)
    for row in rows:
        row["submission"] = row["submission"].lstrip("0")
        row["folder"] = row["folder"].lstrip("0")


def misread(rows):
    marked(rows)
    for row in rows:
        row["submission"] = row["submission"].encode().decode("cp1252", "replace")


def as_numbers(rows):
    marked(rows)
    for row in rows:
        row["submission"] = "1,23E+02" if row["submission"].isdecimal() else row["submission"].upper()


def question_marks(rows):
    marked(rows)
    for row in rows:
        row["submission"] = row["submission"].encode("cp1252", "replace").decode("cp1252")


FORMS = {
    "as it was": {},
    "semicolons": {"delimiter": ";"},
    "tabs": {"delimiter": "\t"},
    "bars": {"delimiter": "|"},
    "UTF-16 with tabs": {"delimiter": "\t", "encoding": "utf-16"},
    "UTF-16, big end first, without a mark": {"delimiter": ";", "encoding": "utf-16-be"},
    "UTF-8 without a mark": {"encoding": "utf-8"},
    "all in quotes": {"quoting": csv.QUOTE_ALL, "delimiter": ";"},
    "sorted columns": {"columns": sorted},
    "added columns": {"columns": lambda columns: ["grader", *columns, "total"]},
    "without names": {"columns": lambda columns: [each for each in columns if each not in ("submission", "folder")]},
    "without what a run finds": {"columns": lambda columns: ["key", *(each for each in columns if " " in each)]},
    "without keys": {"columns": lambda columns: columns[1:]},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_marks_survive_each_form_in_which_a_spreadsheet_saves(course, form):
    course.mark(marked, **form)
    course.run()
    assert course.marks() == EXPECTED
    course.run()
    assert course.marks() == EXPECTED


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac-roman", "cp1250"])
def test_marks_survive_an_encoding_that_lacks_letters(course, encoding):
    course.mark(marked, encoding, delimiter=";")
    course.run()
    found = course.marks()
    assert {name: mark for name, (mark, _) in found.items()} == dict.fromkeys(NAMES, "1,5")
    assert found["Jörg"][1] == "good, näh; Jörg"


@pytest.mark.parametrize("edit", [cut_zeros, misread, as_numbers, question_marks])
def test_rows_are_found_by_their_key_whatever_became_of_the_names(course, edit):
    course.mark(edit)
    course.run()
    assert {name: mark for name, (mark, _) in course.marks().items()} == dict.fromkeys(NAMES, "1,5")


@pytest.mark.parametrize("edit", [cut_zeros, misread, question_marks])
def test_rows_of_a_table_without_keys_are_found_by_what_became_of_their_names(course, edit):
    course.mark(edit, columns=lambda columns: columns[1:])
    course.path.with_name(KNOWN).unlink()
    course.run()
    assert {name: mark for name, (mark, _) in course.marks().items()} == dict.fromkeys(NAMES, "1,5")


def test_rows_sorted_and_emptied_lines_and_pasted_headers_change_nothing(course):
    course.mark(lambda rows: (marked(rows), rows[::-1])[1])
    lines = course.path.read_bytes().splitlines(keepends=True)
    lines[3:3] = [b",,,\r\n", b"\r\n", lines[0].removeprefix(b"\xef\xbb\xbf")]
    course.path.write_bytes(b"".join(lines))
    course.run()
    assert course.marks() == EXPECTED and list(course.rows()) == NAMES[::-1]


def test_lines_end_as_on_any_system(course):
    course.mark(marked)
    course.path.write_bytes(course.path.read_bytes().replace(b"\r\n", b"\r"))
    course.run()
    assert course.marks() == EXPECTED


@pytest.mark.parametrize("end", ["", "\n\n\n", "\r\n,,,\r\n"])
def test_the_last_line_ends_as_somebody_lets_it_end(course, end):
    course.mark(marked)
    course.path.write_bytes(course.path.read_bytes().rstrip() + end.encode())  # without any, as Google Sheets does
    course.run()
    assert course.marks() == EXPECTED


@pytest.mark.parametrize("line", ["sep=;\r\n", "sep=;\n"])
def test_the_line_by_which_excel_names_the_delimiter_is_no_header(course, line):
    course.mark(marked, delimiter=";")
    course.path.write_bytes(b"\xef\xbb\xbf" + line.encode() + course.path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    course.run()
    assert course.marks() == EXPECTED and course.text().startswith("key;submission;")


def test_comments_with_lines_quotes_and_delimiters_stay_as_they_are(course):
    comment = 'first; "second",\nthird\tlast '
    course.mark(lambda rows: rows[0].update({"comment cnn-2-B": comment}), delimiter=";")
    course.run()
    course.run()
    assert course.rows()["00123"]["comment cnn-2-B"] == comment


@pytest.mark.parametrize("text", ["=SUM(A1:A3)", "-2 for units", "@home", "'quoted", "+1 bonus", "a;=1", "＝1"])
def test_what_a_spreadsheet_would_compute_is_quoted_in_any_column_and_read_back(course, text):
    course.mark(lambda rows: [row | {"comment cnn-1": text, "notes": text} for row in rows])
    for _ in range(3):
        course.run()
        row = course.rows()["zoe"]
        assert row["notes"] == row["comment cnn-1"] == spreadsheet.quoted(text)
    assert Table(course.path, ASKED).rows[key("zoe")]["notes"] == text


@pytest.mark.parametrize("text", ["-1", "+0.5", "-1,5"])
def test_a_number_with_a_sign_stays_one(course, text):
    course.mark(lambda rows: [row | {"adjustment": text} for row in rows])
    course.run()
    assert course.rows()["zoe"]["adjustment"] == text


def test_unknown_rows_and_columns_stay_also_those_without_a_name_or_with_the_same(course):
    rows = list(csv.reader(io.StringIO(course.text())))
    rows = [row + extra for row, extra in zip(rows, [["", "", "x", "x"], *[["a", "b", "c", "d"]] * 5], strict=True)]
    rows.append(["", "average", *[""] * (len(rows[0]) - 4), "3", "4"])
    course.path.write_text(text_of(rows), encoding="utf-8")
    course.run()
    written = list(csv.reader(io.StringIO(course.text())))
    assert [row[-4:] for row in written] == [["", "", "x", "x"], *[["a", "b", "c", "d"]] * 5, ["", "", "3", "4"]]
    assert written[-1][1] == "average"


def test_a_file_of_the_former_form_keeps_its_marks(course):
    columns = ["submission", "folder", "status", "cnn-1", "cnn-2", "summary", "mark cnn-1", "comment cnn-1"]
    course.mark(marked, "utf-8", columns=lambda _: columns)
    course.path.with_name(KNOWN).unlink()
    course.run()
    assert course.marks() == EXPECTED and course.rows()["zoe"]["key"] == key("zoe")


# What cannot be placed


def swapped(rows):
    marked(rows)
    rows[0]["submission"], rows[2]["submission"] = rows[2]["submission"], rows[0]["submission"]


def twice(rows):
    marked(rows)
    rows.append(rows[2] | {"mark cnn-1": "2"})


def too_long(rows):
    marked(rows)
    rows[1]["comment cnn-2-B"] = "REST"


@pytest.mark.parametrize(
    ("edit", "damage", "said"),
    [
        (swapped, None, "the key of 00123 and the name of zoe"),
        (twice, None, "is a second one of zoe"),
        (too_long, lambda text: text.replace("REST", "a,b"), "more cells than there are columns"),
        (marked, lambda text: text.replace("comment cnn-2-B", "mark cnn-1"), "two columns are called 'mark cnn-1'"),
        (marked, lambda text: text.replace("key,submission", "id,who"), "no table with a column key or submission"),
        (marked, lambda text: text[: text.rindex("näh")], "half written"),
        (marked, lambda text: text[: text.rindex(",")], "half written"),
        (marked, lambda text: text[:30], "half written"),
        (marked, lambda text: "", "no table with a column"),
        (marked, lambda text: text + "\0" * 200, "no table with a column"),
    ],
)
def test_what_cannot_be_placed_stops_the_writing_in_one_line(course, edit, damage, said):
    course.mark(edit)
    if damage:
        course.path.write_text(damage(course.text()), encoding="utf-8")
    before = course.path.read_bytes()
    with pytest.raises(Unusable, match=said) as caught:
        course.run()
    assert "\n" not in str(caught.value) and course.path.read_bytes() == before


def test_a_name_without_a_key_that_may_be_two_students_stops_the_writing(tmp_path):
    course = Played(tmp_path)
    course.run(["0012", "012"])
    course.mark(cut_zeros, columns=lambda columns: columns[1:])
    with pytest.raises(Unusable, match="0012, 012"):
        course.run(["0012", "012"])


# A file half written


def test_a_file_cut_off_anywhere_loses_no_mark(course):
    course.mark(marked)
    course.run()
    whole = course.path.read_bytes()
    for end in range(0, len(whole), 7):
        course.path.write_bytes(whole[:end])
        try:
            course.run()
        except Unusable:
            assert course.path.read_bytes() == whole[:end]
        else:
            assert course.marks() == EXPECTED, whole[:end]


def test_rows_and_columns_that_are_gone_come_back_and_what_was_emptied_does_not(course):
    course.mark(marked)
    course.run()
    course.mark(lambda rows: rows[1:], columns=lambda columns: [each for each in columns if each != "mark cnn-1"])
    course.run()
    assert course.marks() == EXPECTED
    course.mark(lambda rows: [row | {"comment cnn-1": ""} for row in rows])
    course.run()
    assert course.marks() == dict.fromkeys(NAMES, ("1,5", ""))


def test_a_table_that_is_gone_comes_back(course):
    course.mark(marked)
    course.run()
    course.path.unlink()
    course.run()
    assert course.marks() == EXPECTED


# Who else is at it


@pytest.mark.parametrize("lock", [".~lock.results.csv#", "~$results.csv", ".results.csv.swp"])
def test_a_table_that_is_open_elsewhere_stays_as_it_is(course, lock):
    course.mark(marked)
    (course.folder / lock).write_text("")
    before = course.path.read_bytes()
    with pytest.raises(Unusable, match="open in another program"):
        course.run()
    assert course.path.read_bytes() == before
    (course.folder / lock).unlink()
    course.run()
    assert course.marks() == EXPECTED


def test_a_table_that_is_saved_while_it_is_written_stays_as_it_was_saved(course):
    marks = Table(course.path, ASKED, {name: (name, name) for name in NAMES})
    course.mark(marked)
    marks.lines[0]["notes"] = marks.lines[0]["status"] = "x"
    with pytest.raises(Unusable, match="changed in the meantime"):
        marks.write()
    course.run()
    assert course.marks() == EXPECTED


def test_only_one_run_at_a_time_writes_into_a_folder(tmp_path):
    with spreadsheet.alone(tmp_path), pytest.raises(Unusable, match="another run is writing there"):
        spreadsheet.alone(tmp_path).__enter__()
    with spreadsheet.alone(tmp_path):
        pass


def test_the_former_file_becomes_a_backup_with_a_number_when_it_changes(course):
    first = course.path.read_bytes()
    course.run()
    assert not list(course.folder.glob("results.*.csv"))
    course.run([*NAMES, "late"])
    course.run([*NAMES, "later"])
    assert (course.folder / "results.1.csv").read_bytes() == first
    assert "late" in (course.folder / "results.2.csv").read_text() and len(list(course.folder.glob("*.csv"))) == 3


@pytest.mark.parametrize("name", ["results.xlsx", "results.ods"])
def test_a_workbook_beside_the_table_is_named(course, name):
    (course.folder / name).write_bytes(b"")
    assert [line for line in course.run() if f"{name} is not read: save it as" in line]


# Grading again


def test_marks_of_who_is_not_graded_this_time_stay(course):
    course.mark(marked)
    course.run(["zoe", "new"])
    assert course.marks() == EXPECTED
    course.run([*NAMES, "new"])
    assert course.marks() == EXPECTED


def test_a_mark_whose_answer_has_changed_since_is_flagged_until_somebody_looks(course):
    course.mark(marked)
    assert not any("changed" in line for line in course.run())
    assert any("zoe: changed since it was marked: cnn-1" in line for line in course.run(zoe="second"))
    changed = {name: row["changed"] for name, row in course.rows().items()}
    assert changed == {name: "cnn-1" if name == "zoe" else "" for name in NAMES}
    course.run(["Jörg"])  # which changes nothing for anybody else
    assert course.rows()["zoe"]["changed"] == "cnn-1"
    course.mark(lambda rows: [row | {"changed": ""} for row in rows])
    course.run(zoe="second")
    assert course.rows()["zoe"]["changed"] == "" and course.marks() == EXPECTED
    course.run(zoe="third")
    assert course.rows()["zoe"]["changed"] == "cnn-1"


def test_a_mark_is_one_for_what_the_run_before_it_saw(course):
    course.mark(marked)
    course.run(zoe="second")  # handed in again after the mark was given, and before it was ever read
    assert course.rows()["zoe"]["changed"] == "cnn-1"
    course.mark(lambda rows: [row | {"mark cnn-1": "2"} for row in rows])
    course.run(zoe="second")
    assert course.rows()["zoe"]["changed"] == ""
    course.run(answer="first")  # back to what was handed in first
    assert course.rows()["zoe"]["changed"] == "cnn-1"


def test_no_edit_of_the_table_breaks_the_flags(course):
    course.mark(marked)
    course.run(zoe="second")
    course.mark(lambda rows: rows, columns=lambda columns: [each for each in columns if each != "changed"])
    course.run(zoe="second")
    assert course.rows()["zoe"]["changed"] == "cnn-1"


# Other names


def test_a_mark_stays_with_who_gets_another_name_since_somebody_is_called_the_same(tmp_path):
    course = Played(tmp_path)
    course.run(["ann", "zoe"], people={"ann": ("tuesday/ann", "tuesday/ann"), "zoe": ("zoe", "zoe")})
    course.mark(marked)
    people = {name: (name, name) for name in ("tuesday_ann", "monday_ann", "zoe")}
    people["tuesday_ann"] = ("tuesday/ann", "tuesday/ann")
    course.run(list(people), people=people)
    assert {name: comment for name, (_, comment) in course.marks().items()} == {
        "tuesday_ann": "good, näh; ann",
        "zoe": "good, näh; zoe",
    }
    course.run(["zoe"])
    assert len(course.rows()) == 3


def test_who_takes_over_a_name_takes_over_no_mark(tmp_path):
    course = Played(tmp_path)
    course.run(["ann"], people={"ann": ("tuesday/ann", "tuesday/ann")})
    course.mark(marked)
    people = {"tuesday_ann": ("tuesday/ann", "tuesday/ann"), "ann": ("monday/ann", "monday/ann")}
    course.run(list(people), people=people)
    assert list(course.marks()) == ["tuesday_ann"] and len(course.rows()) == 2


@pytest.mark.parametrize("file", ["Ann Lee_4711_assignsubmission_file_", "leeann_123_456_hw.ipynb"])
def test_a_table_without_keys_and_with_names_as_a_platform_made_them_keeps_its_marks(tmp_path, file):
    course = Played(tmp_path)
    course.run([file])
    course.mark(marked, columns=lambda columns: columns[1:])
    course.path.with_name(KNOWN).unlink()
    course.run(["Ann Lee"], people={"Ann Lee": ("Ann Lee (4711)", file)})
    assert list(course.marks()) == ["Ann Lee"]


def test_whoever_else_is_graded_a_known_name_is_the_one_known(tmp_path):
    course = Played(tmp_path)
    course.run(["ann"], people={"ann": ("tuesday/ann", "tuesday/ann")})
    course.mark(marked)
    course.run(["ann"])  # the folder of the section alone
    assert list(course.marks()) == ["ann"] == list(course.rows())


# Sums


@pytest.mark.parametrize(
    ("marks", "total"),
    [
        (["1", "0.5", ""], "1.5"),
        (["1,5", " 2 ", "0,1"], "3.6"),
        (["0.1", "0.2", ""], "0.3"),
        (["0", "0", "0"], "0"),
        (["9", "9", "9"], "27"),
        (["10", "", ""], "10"),
        (["", "", ""], ""),
    ],
)
def test_a_sum_is_exact_and_clips_nothing(course, marks, total):
    columns = ["mark cnn-1", "mark cnn-2-A", "mark cnn-2-B"]
    course.mark(lambda rows: [row | dict(zip(columns, marks, strict=True)) for row in rows])
    course.run()
    assert {row["sum"] for row in course.rows().values()} == {total}


@pytest.mark.parametrize("adjustment", ["-0,5", "−0.5"])
def test_an_adjustment_counts(course, adjustment):
    course.mark(lambda rows: [row | {"mark cnn-1": "2", "adjustment": adjustment} for row in rows])
    course.run()
    assert course.rows()["zoe"]["sum"] == "1.5"


@pytest.mark.parametrize("mark", ["good", "1/2", "01. Mai", "1.5.", "nan", "5 %", "inf"])
def test_a_mark_that_is_no_number_is_named(course, mark):
    course.mark(lambda rows: [row | {"mark cnn-2-A": mark} for row in rows if row["folder"] == "zoe"])
    said = course.run()
    assert said[0].endswith("results.csv: zoe: no number: mark cnn-2-A")
    row = course.rows()["zoe"]
    assert row["sum"] == "no number: mark cnn-2-A" and row["mark cnn-2-A"] == mark


def test_a_mark_above_what_its_part_is_worth_counts_and_is_named(course):
    course.mark(lambda rows: [row | {"mark cnn-2-A": "100,5"} for row in rows if row["folder"] == "zoe"])
    said = course.run()
    assert said[0].endswith("a part: mark cnn-2-A") and "more than the" in said[0]
    assert course.rows()["zoe"]["sum"] == "100.5"


def test_keys_are_letters_that_no_spreadsheet_changes_and_differ():
    keys = [key(name) for name in [*NAMES, "zoe ", "Zoe", "Jo\u0308rg", "एक", "ऐक"]]
    assert len(set(keys)) == len(keys)
    assert all(each.isascii() and each.isalpha() and each.islower() and not set(each) & set("aeiou") for each in keys)
