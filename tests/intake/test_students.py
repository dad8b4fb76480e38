"""Who handed in what: each form of a class, as graders get it."""

import pytest

from hw4.grading.errors import Unusable
from hw4.grading.submission import collect
from tests.intake.builders import BOOK, OTHER, adds_up, laid, read, tarred, told, zipped

MOODLE = "{}_{}_assignsubmission_file_"


def names(tmp_path, files, **options):
    """Return the {name: original} of what is to be graded in a folder of these files."""
    return told(read(laid(tmp_path / "class", files), **options))[0]


# A class, or one submission

CLASSES = {
    "one kept the given name": ["ann/homework.ipynb", "bob/my homework.ipynb", "cem/final.ipynb"],
    "one kept it, in a flat folder": ["homework.ipynb", "bob.ipynb"],
    "one kept it, and another's is in a folder": ["homework.ipynb", "bob/hw.ipynb"],
    "only one handed in as yet": ["ann/hw.ipynb"],
    "a second one's archive beside the first one's notebook": ["ann.ipynb", "bob.zip"],
}
ALONE = {
    "a notebook": ["hw.ipynb"],
    "with its parts": ["hw.ipynb", "hw4/answers.py", "images/scan.png", "data/x.csv", "report.pdf"],
    "in a folder of its own": ["notebooks/hw.ipynb", "hw4/answers.py"],
    "with an older state": ["hw.ipynb", "old/hw.ipynb"],
    "in versions": ["v1/hw.ipynb", "v2/hw.ipynb"],
}


def content(name):
    return zipped({"hw.ipynb": BOOK}) if name.endswith(".zip") else BOOK


@pytest.mark.parametrize("files", CLASSES.values(), ids=CLASSES)
def test_a_folder_is_a_class_unless_it_clearly_is_one_submission(tmp_path, files):
    found = read(laid(tmp_path / "class", {name: content(name) for name in files}))
    assert (
        len(found.submissions) == len(files) and not found.single and adds_up(found, {n.split("/")[0] for n in files})
    )


@pytest.mark.parametrize("files", ALONE.values(), ids=ALONE)
def test_one_submission_is_no_class(tmp_path, files):
    found = read(laid(tmp_path / "ann", dict.fromkeys(files, BOOK)))
    assert found.single and len(found.submissions) == 1 and not found.submissions[0].problem


def test_of_two_readings_the_class_s_is_taken_and_the_option_for_the_other_is_named(tmp_path):
    folder = laid(tmp_path / "ann", {"homework.ipynb": BOOK, "scratch.ipynb": OTHER})
    found = read(folder)
    assert len(found.submissions) == 2 and "--single" in found.remarks[0]
    alone = read(folder, single=True)
    assert alone.single and alone.submissions[0].notebook == "homework.ipynb"


def test_sections_are_read_into_also_where_few_handed_in(tmp_path):
    files = dict.fromkeys(["tuesday/ann/hw.ipynb", "tuesday/bob/hw.ipynb", "friday/cem/hw.ipynb"], BOOK)
    files |= {"monday/00123.ipynb": BOOK, "monday/124.ipynb": BOOK, "friday/zoe": None, "friday/.DS_Store": ""}
    found = read(laid(tmp_path / "class", files))
    graded, refused, ignored = told(found)
    assert sorted(graded) == ["friday/cem", "monday/00123.ipynb", "monday/124.ipynb", "tuesday/ann", "tuesday/bob"]
    assert list(refused) == ["friday/zoe"] and list(ignored) == ["friday/.DS_Store"]


@pytest.mark.parametrize("around", ["hw4/", "submissions/", "2026/homework 4/", "tuesday/hw4/"])
def test_folders_around_a_class_make_it_no_submission(tmp_path, around):
    files = {f"{around}{name}/hw.ipynb": BOOK for name in ("ann", "bob")}
    assert list(names(tmp_path, files)) == [f"{around}ann", f"{around}bob"]
    assert len(names(tmp_path, {"friday/hw4/cem.ipynb": BOOK, "friday/hw4/dan.ipynb": BOOK})) == 4


def test_entries_may_be_given_one_by_one(tmp_path):
    files = {f"{MOODLE.format(name, number)}/hw.ipynb": BOOK for name, number in (("Ann", 1), ("Bo", 2))}
    folder = laid(tmp_path / "class", files | {"__MACOSX/._x": "x", "cem.zip": zipped({"hw.ipynb": BOOK})})
    found = read(*sorted(folder.iterdir()))
    assert [each.name for each in found.submissions] == ["Ann", "Bo", "cem"]
    assert found.ignored == [((folder / "__MACOSX").as_posix(), "left by macOS")]
    laid(tmp_path, {"a/hw.ipynb": BOOK, "a/hw4/answers.py": "x", "b/hw.ipynb": BOOK})
    first, second = read(tmp_path / "a" / "hw.ipynb", tmp_path / "b" / "hw.ipynb").submissions
    assert "hw4/answers.py" in first.files and first.name != second.name


@pytest.mark.parametrize("inner", ["hw4", "Part 4", "2026-11-25 19-51"])
def test_a_folder_in_a_student_s_folder_makes_no_section(tmp_path, inner):
    files = {f"{name}/{inner}/hw.ipynb": BOOK for name in ("ann", "bob", "cem")}
    assert list(names(tmp_path, files)) == ["ann", "bob", "cem"]


# Forms

FORMS = {
    "a ZIP file": {"ann.zip": zipped({"hw.ipynb": BOOK})},
    "a folder in it": {"ann.ZIP": zipped({"ann/hw.ipynb": BOOK, "__MACOSX/ann/._hw.ipynb": "x"})},
    "a TAR file": {"ann.tar.gz": tarred({"./hw.ipynb": BOOK})},
    "xz": {"ann.tar.xz": tarred({"hw.ipynb": BOOK}, "w:xz")},
    "an archive in an archive": {"ann.zip": zipped({"work.tgz": tarred({"x/hw.ipynb": BOOK})})},
    "an archive in a folder": {"ann/hw4.zip": zipped({"hw.ipynb": BOOK})},
    "capitals": {"ann.IPYNB": BOOK},
    "as JSON": {"ann.ipynb.json": BOOK},
    "as text": {"ann.ipynb.TXT": BOOK},
    "a download's number after the ending": {"ann.ipynb (1)": BOOK},
}


@pytest.mark.parametrize("files", FORMS.values(), ids=FORMS)
def test_every_form_is_read_as_the_notebook_in_it(tmp_path, files):
    found = read(laid(tmp_path / "class", files | {"bob/hw.ipynb": BOOK}))
    (ann,) = [each for each in found.submissions if each.name.startswith("ann")]
    submission = collect(ann)
    assert submission.notebook.endswith(".ipynb") and submission.files[submission.notebook] == BOOK.encode()


INSTEAD = {
    "hw.py": "no notebook, but hw.py",
    "hw.html": "no notebook, but hw.html",
    "scan.pdf": "no notebook, but scan.pdf",
    "work.rar": "no notebook, but work.rar",
    "work.zip": "a damaged archive, or one that is packed otherwise than its name says",
    "notes.txt": "no notebook in it",
}


@pytest.mark.parametrize(("file", "reason"), INSTEAD.items())
def test_what_is_no_notebook_is_named_in_a_folder_and_as_a_file(tmp_path, file, reason):
    files = {f"ann/{file}": "x", f"ann_{file}": "x", "bob/hw.ipynb": BOOK, "cem/hw.ipynb": BOOK}
    graded, refused, ignored = told(read(laid(tmp_path / "class", files)))
    assert list(graded) == ["bob", "cem"] and refused["ann"].endswith(reason)
    assert len(refused) == 2 or ignored == {"ann_notes.txt": "no notebook"}


def test_an_archive_is_graded_as_the_folder_in_it(tmp_path):
    files = {"hw.ipynb": BOOK, "hw4/answers.py": "x = 1", "images/a.png": b"a", ".DS_Store": b"x", "notes/b.txt": "b"}
    folder = laid(tmp_path / "folder", {f"ann/{name}": body for name, body in files.items()} | {"bob/hw.ipynb": BOOK})
    archive = laid(tmp_path / "archive", {"ann.zip": zipped(files), "bob/hw.ipynb": BOOK})
    first, second = (collect(read(place).submissions[0]) for place in (folder, archive))
    assert (first.name, first.digest()) == (second.name, second.digest())
    (alone,) = read(archive / "ann.zip").submissions
    assert collect(alone).files == first.files


def test_a_class_may_be_one_archive(tmp_path):
    files = {f"class/{name}/hw.ipynb": BOOK for name in ("ann", "bob")} | {"class/cem.zip": zipped({"hw.ipynb": BOOK})}
    laid(tmp_path, {"all.zip": zipped(files)})
    assert list(told(read(tmp_path / "all.zip"))[0]) == ["ann", "bob", "cem"]


# Copies, and several submissions of one student


def test_of_copies_the_newest_is_graded_and_the_others_are_named(tmp_path):
    files = dict.fromkeys(["ann.ipynb", "ann (2).ipynb", "ann-Copy1.ipynb", "bob - Copy.ipynb", "bob.ipynb"], BOOK)
    found = read(laid(tmp_path / "class", files))
    graded, _, ignored = told(found)
    assert list(graded.values()) == ["ann-Copy1.ipynb", "bob.ipynb"] and adds_up(found, files)
    assert ignored["ann.ipynb"] == "replaced by ann-Copy1.ipynb, the newest"
    assert [each.person for each in found.submissions] == ["ann.ipynb", "bob.ipynb"]


@pytest.mark.parametrize("bare", ["homework", "hw", "Untitled", "final submission"])
def test_copies_of_a_name_that_is_nobody_s_are_several_students(tmp_path, bare):
    files = dict.fromkeys([f"{bare}.ipynb", f"{bare} (1).ipynb", f"{bare} (2).ipynb"], BOOK)
    assert len(names(tmp_path, files)) == 3


CHOICES = {
    "hw-Copy1.ipynb": ["hw.ipynb", "hw-Copy1.ipynb"],
    "hw.ipynb": ["hw-checkpoint.ipynb", ".ipynb_checkpoints/hw-checkpoint.ipynb", "hw.ipynb", ".~hw.ipynb"],
    "homework.ipynb": ["homework.ipynb", "homework_draft.ipynb"],
    "attempt 10/hw.ipynb": ["attempt 10/hw.ipynb", "attempt 9/hw.ipynb"],
    "2026-11-26/hw.ipynb": ["2026-11-26/hw.ipynb", "2026-11-25/hw.ipynb"],
}


@pytest.mark.parametrize(("chosen", "files"), CHOICES.items())
def test_of_a_student_s_notebooks_one_is_graded_and_that_is_said(tmp_path, chosen, files):
    files = {f"ann/{name}": BOOK for name in files} | {"ann/shopping.ipynb": OTHER, "bob/hw.ipynb": BOOK}
    ann, _ = read(laid(tmp_path / "class", files)).submissions
    assert (ann.name, ann.files[ann.notebook]) == ("ann", tmp_path / "class" / "ann" / chosen)
    assert all(note.startswith(f"ann/{chosen} is graded, ") for note in ann.notes) and ann.notes


def test_the_platform_s_number_goes_before_the_time(tmp_path):
    files = dict.fromkeys(["lee_1_90_hw-1.ipynb", "lee_1_80_hw.ipynb", "bob_2_70_hw.ipynb"], BOOK)
    graded, _, ignored = told(read(laid(tmp_path / "class", files)))
    assert graded == {"lee": "lee_1_90_hw-1.ipynb", "bob": "bob_2_70_hw.ipynb"}
    assert "number" in ignored["lee_1_80_hw.ipynb"]


# Files that come along


def test_a_student_s_files_come_along_from_beside_and_above(tmp_path):
    files = {"ann/final/hw.ipynb": BOOK, "ann/final/pics/a.png": b"a", "ann/data/x.csv": "1", "ann/tools.py": "y = 1"}
    ann, _ = read(laid(tmp_path / "class", files | {"bob/hw.ipynb": BOOK})).submissions
    assert set(collect(ann).files) == {"hw.ipynb", "pics/a.png", "../data/x.csv", "../tools.py"}


PLACES = ["answers.py", "hw4/answers.py", "final/answers.py", "final/src/answers.py", "answers (1).py", "../answers.py"]


@pytest.mark.parametrize("place", PLACES)
def test_the_function_is_found_where_students_leave_it_and_that_is_said(tmp_path, place):
    files = {"ann/final/hw.ipynb": BOOK, f"ann/{place}": "mine", "bob/hw.ipynb": BOOK}
    found = read(laid(tmp_path / "class", files))
    ann = found.submissions[0]
    inside = not place.startswith("..")  # what lies in the class's folder is nobody's
    assert collect(ann).files.get("hw4/answers.py") == (b"mine" if inside else None)
    assert ("hw4/answers.py is taken from" in "".join(ann.notes)) == inside
    assert inside or found.ignored == [("answers.py", "nobody's: whose part it is cannot be told")]


@pytest.mark.parametrize("shared", ["hw4/answers.py", "answers.py", "images/scan.png", "data/x.csv"])
def test_what_lies_in_a_flat_class_is_nobody_s(tmp_path, shared):
    found = read(laid(tmp_path / "class", {"lee_1_2_hw.ipynb": BOOK, "bob_3_4_hw.ipynb": BOOK, shared: "x"}))
    assert [list(collect(each).files) for each in found.submissions] == [["bob_3_4_hw.ipynb"], ["lee_1_2_hw.ipynb"]]
    assert found.ignored == [(shared.split("/")[0], "nobody's: whose part it is cannot be told")]


def test_files_that_a_platform_sorted_by_student_come_along(tmp_path):
    files = {
        "lee_1_2_hw.ipynb": BOOK,
        "lee_1_3_answers-1.py": "mine",
        "lee_1_4_scan.png": b"a",
        "bob_5_6_hw.ipynb": BOOK,
    }
    found = read(laid(tmp_path / "class", files))
    assert set(collect(found.submissions[1]).files) == {
        "lee_1_2_hw.ipynb",
        "answers-1.py",
        "scan.png",
        "hw4/answers.py",
    }
    assert adds_up(found, files)


def test_a_notebook_that_is_given_alone_comes_with_its_function_and_with_what_it_names(tmp_path):
    book = BOOK.replace("A step.", "![](scan.png) ![](pics/a.png) and data")
    files = {
        "hw.ipynb": book,
        "answers.py": "mine",
        "scan.png": b"a",
        "pics/a.png": b"b",
        "data/x": "1",
        "other.png": b"c",
    }
    (alone,) = read(laid(tmp_path / "downloads", files) / "hw.ipynb").submissions
    assert set(collect(alone).files) == {"hw.ipynb", "answers.py", "hw4/answers.py", "scan.png", "pics/a.png"}


def test_a_file_that_is_too_large_is_left_out_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr("hw4.grading.submission.LARGEST", 5000)
    files = {"ann/hw.ipynb": BOOK, "ann/big.bin": b"x" * 9000, "ann/small.txt": "x", "bob/hw.ipynb": BOOK}
    ann = collect(read(laid(tmp_path / "class", files)).submissions[0])
    assert set(ann.files) == {"hw.ipynb", "small.txt"} and ann.notes[0].startswith("big.bin is left out")


# What is ignored


def test_what_an_earlier_run_wrote_is_never_graded(tmp_path):
    files = {"ann/hw.ipynb": BOOK, "bob/hw.ipynb": BOOK, "results/.grading-output": "", "results/ann/hw.ipynb": BOOK}
    files |= {f"former/{name}": "" for name in ("results.csv", "index.html", "failures.html")}
    files |= {"former/ann/hw.ipynb": BOOK, "bob/graded/hw.ipynb": BOOK, "bob/graded/.grading-output": ""}
    folder = laid(tmp_path / "class", files)
    graded, _, ignored = told(read(folder))
    assert list(graded) == ["ann", "bob"] and set(ignored) == {"results", "former"}
    with pytest.raises(Unusable, match="what an earlier run wrote"):
        read(folder / "results")


def test_the_reference_in_the_class_s_folder_is_nobody_s(tmp_path):
    folder = laid(tmp_path / "class", {"homework.ipynb": BOOK, "ann/hw.ipynb": BOOK, "bob/hw.ipynb": BOOK})
    found = read(folder, reference=folder / "homework.ipynb")
    assert found.ignored == [("homework.ipynb", "the reference")] and len(found.submissions) == 2


# Names


def test_students_of_one_name_stay_two_and_keep_what_stands_for_them(tmp_path):
    late = MOODLE.format("Ann Lee", 9)
    files = {f"{MOODLE.format('Ann Lee', 5)}/hw.ipynb": BOOK, f"{MOODLE.format('Bo', 7)}/hw.ipynb": BOOK}
    before = read(laid(tmp_path / "class", files)).submissions
    after = read(laid(tmp_path / "class", {f"{late}/hw.ipynb": BOOK})).submissions
    assert [each.name for each in before] == ["Ann Lee", "Bo"]
    assert [each.name for each in after] == ["Ann Lee (5)", "Ann Lee (9)", "Bo"]
    assert [each.person for each in after if each.original != late] == [each.person for each in before]


def test_names_that_differ_in_case_or_normalization_stay_apart(tmp_path):
    wanted = ["Jose\u0301", "Jos\u00e9", "ann", "Ann", "a\nb", "\udcff"]
    found = read(laid(tmp_path / "class", {f"{name}/hw.ipynb": BOOK for name in wanted}))
    assert len({each.name for each in found.submissions}) == len(wanted)
    assert found.lists(judged=True).isprintable() or "\n" in found.lists(judged=True)


def test_a_pattern_of_names_may_be_given(tmp_path):
    files = dict.fromkeys(["HW4--Ann Lee--77--final.ipynb", "HW4--Bo--78--hw.ipynb"], BOOK)
    assert list(names(tmp_path, files, names="*--{name}--{id}--{file}")) == ["Ann Lee", "Bo"]
    for wrong in ("{nickname}.ipynb", "{name}-{name}.ipynb"):
        with pytest.raises(Unusable, match="no more than one each of name, id"):
            read(tmp_path / "class", names=wrong)


# The three lists


def test_one_cause_is_one_line_however_many_share_it(tmp_path):
    files = {f"s{number}/hw.ipynb": BOOK for number in range(40)}
    files |= {f"s{number}/answers.py": "x" for number in range(10)} | {f"e{number}": None for number in range(20)}
    found = read(laid(tmp_path / "class", files))
    said = found.lists(judged=True).splitlines()
    assert len([line for line in said if "answers.py" in line]) == 2 and len(said) < 10
    assert any(line.strip().startswith("no hw4/answers.py, 30 of 40: s10") and "18 more" in line for line in said)
    assert all(each.name in found.lists(judged=True, most=99) for each in found.submissions)


MIXED = {
    "ann/hw.ipynb": BOOK,
    "bob/my work.ipynb": BOOK,
    "cem.zip": zipped({"hw.ipynb": BOOK}),
    "dora.tgz": tarred({"dora/hw.ipynb": BOOK, "dora/answers.py": "x"}),
    "Finn Fo_12_assignsubmission_file_/hw4.zip": zipped({"hw.ipynb": BOOK}),
    "Finn Fo_12_assignsubmission_onlinetext_/onlinetext.html": "<p>",
    "Gus_13_assignsubmission_file_/hw.py": "x",
    "lee_late_123_456_hw-2.ipynb": BOOK,
    "lee_late_123_400_hw.ipynb": BOOK,
    "lee_late_123_457_scan.png": b"x",
    "Hal.IPYNB": BOOK,
    "Ina.ipynb.json": BOOK,
    "Jo.ipynb.txt": BOOK,
    "kim.json": BOOK,
    "lou.py": "x",
    "moe.html": "x",
    "ned.pdf": "x",
    "ole.7z": "x",
    "pat.zip": b"PK\x03\x04junk",
    "qi.zip": zipped({"a.zip": zipped({"b.zip": zipped({"hw.ipynb": BOOK})})}),
    "ria.zip": zipped({"a.zip": zipped({"hw.ipynb": BOOK})}),
    "sam.ipynb": BOOK,
    "sam (1).ipynb": BOOK,
    "sam-Copy2.ipynb": BOOK,
    ".ipynb_checkpoints/sam-checkpoint.ipynb": BOOK,
    "xia/hw.ipynb": BOOK,
    "xia/hw-Copy1.ipynb": BOOK,
    "yan/scratch.ipynb": OTHER,
    "yan/hw.ipynb": BOOK,
    "zed/hw4/hw.ipynb": BOOK,
    "empty": None,
    "hw4/answers.py": "x",
    "images/a.png": b"x",
    "README.md": "x",
    "roster.csv": "x",
    "__MACOSX/._ann": "x",
    ".DS_Store": "x",
    ".idea/workspace.xml": "x",
    "Thumbs.db": "x",
    "graded/.grading-output": "",
    "graded/ann/hw.ipynb": BOOK,
    "env/pyvenv.cfg": "x",
    "bob (1)/hw.ipynb": BOOK,
    "tuesday/tia/hw.ipynb": BOOK,
    "tuesday/ugo/hw.ipynb": BOOK,
    "thursday/wes": None,
    "thursday/vic/hw.ipynb": BOOK,
    "thursday/.DS_Store": "x",
}


def test_the_three_lists_add_up_to_every_entry_of_a_class_of_all_forms(tmp_path):
    found = read(laid(tmp_path / "class", MIXED))
    entries = {"/".join(name.split("/")[: 2 if "day/" in name else 1]) for name in MIXED}
    assert adds_up(found, entries)
    graded, refused, ignored = told(found)
    files = {"Hal.IPYNB", "Ina.ipynb.json", "Jo.ipynb.txt", "sam-Copy2.ipynb"}
    folders = {"Finn Fo", "ann", "bob", "bob (1)", "cem", "dora", "lee", "ria", "xia", "yan", "zed"}
    assert set(graded) == files | folders | {"thursday/vic", "tuesday/tia", "tuesday/ugo"}
    instead = {"Gus", "kim.json", "lou.py", "moe.html", "ned.pdf", "ole.7z"}
    assert set(refused) == instead | {"empty", "pat.zip", "qi", "thursday/wes"}
    assert f"{len(entries)} entries" in found.lists(judged=True)


def test_a_class_is_read_the_same_in_an_archive(tmp_path):
    files = {f"class/{name}": body for name, body in MIXED.items() if body is not None and name[:2] not in ("qi", "ri")}
    laid(tmp_path, {"all.zip": zipped(files)})
    laid(tmp_path / "folder", {name.removeprefix("class/"): body for name, body in files.items()})
    packed, unpacked = told(read(tmp_path / "all.zip")), told(read(tmp_path / "folder"))
    assert [set(each) for each in packed[:2]] == [set(each) for each in unpacked[:2]]
