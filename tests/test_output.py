"""What a class's folder holds: pages made of fragments, links that lead everywhere, and nothing of an earlier run."""

import copy
import json
import re
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag

import pytest

from hw4.grading import bounded, output
from hw4.grading.grade import outcome_of
from hw4.grading.names import safe_name
from hw4.grading.notebook.questions import Question
from hw4.grading.report.class_pages import Graded, pages_of
from hw4.grading.report.layout import document
from hw4.grading.result import Result
from tests.builders import made

CELLS = {
    "a-section": "## Weather",
    "q-1-question": "### Question 1\n\nWhy does it rain?",
    "q-1-answer": "**Answer:** Clouds.",
    "q-2-question": "### Question 2\n\n**A.** Is snow white?\n\n**B.** Is hail hot?",
    "q-2-answer-a": "**Answer:** A. Yes.",
    "q-2-answer-b": "**Answer:** B. No.",
    "q-3-question": "### Question 3\n\nWhy does wind blow?",
    "q-3-answer": "**Answer:** Pressure.",
}
QUESTIONS = [Question("q-1"), Question("q-2", ["A", "B"]), Question("q-3")]
PAGES = pages_of(QUESTIONS)
NAMES = ["ann", "bob & co", "cem", 'd"e<b>', "50%"]


@pytest.fixture
def reference(monkeypatch):
    monkeypatch.setattr(bounded, "call", lambda function, *arguments: function(*arguments))
    return made(CELLS)


def hand_in(folder: Path, name: str, reference, cells=None) -> Graded:
    """Leave in a class's folder what a run of a submission leaves; return what the class's pages say of it."""
    result = Result(made(CELLS | (cells or {})), reference, name)
    outcome = outcome_of(result, "hw.ipynb", False, {"name": name})
    output.keep_fragments(folder / safe_name(name), outcome.fragments)
    output.write(outcome.files, folder / safe_name(name))
    return Graded(name, safe_name(name), outcome.answers, outcome.faults)


def write(folder: Path, reference, graded, unusable=(), pages=PAGES):
    drawn = output.reference_fragments(folder, Result(reference), "key")
    return output.write_class(folder, graded, unusable, pages, drawn)


def links(page: Path) -> list[str]:
    return re.findall(r'<a [^>]*?href="([^"]+)"', page.read_text(encoding="utf-8"))


def around(page: Path) -> list[str]:
    return re.findall(r'href="([^"]+)">(?:Previous|Next)', page.read_text(encoding="utf-8").rpartition("<nav")[2])


def test_every_link_of_a_class_leads_to_a_page_and_a_place_on_it(reference, tmp_path):
    write(tmp_path, reference, [hand_in(tmp_path, name, reference) for name in NAMES], [("eve", "not JSON")])
    pages = sorted([*tmp_path.glob("*.html"), *tmp_path.glob("*/report.html")])
    assert len(pages) == 2 + len(PAGES) + len(NAMES)
    for page in pages:
        for link in links(page):
            address, place = urldefrag(link)
            target = (page.parent / unquote(address)).resolve() if address else page
            assert target in pages, (page, link)
            text = target.read_text(encoding="utf-8")
            assert not place or f'id="{place}"' in text, (page, link)


def test_one_reads_through_all_submissions_and_all_questions_without_going_back(reference, tmp_path):
    write(tmp_path, reference, [hand_in(tmp_path, name, reference) for name in NAMES])
    found = {page.parent.name: around(page) for page in tmp_path.glob("*/report.html")}
    order = sorted(NAMES)
    for before, name, after in zip(["", *order], order, [*order[1:], ""], strict=False):
        expected = [f"../{quote(safe_name(each), safe='')}/report.html" for each in (before, after) if each]
        assert found[safe_name(name)] == expected
    assert around(tmp_path / "q-1.html") == ["q-2.html"]
    assert around(tmp_path / "q-2.html") == ["q-1.html", "q-3.html"]
    assert around(tmp_path / "q-2-a.html") == ["q-1.html", "q-2-b.html"]
    assert around(tmp_path / "q-2-b.html") == ["q-2-a.html", "q-3.html"]


def test_a_submission_that_comes_later_is_linked_from_its_neighbours_and_changes_no_other_page(reference, tmp_path):
    graded = [hand_in(tmp_path, name, reference) for name in ("ann", "bob", "eve", "fay")]
    write(tmp_path, reference, graded)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/report.html")}
    write(tmp_path, reference, [*graded, hand_in(tmp_path, "cem", reference)])
    changed = {path.parent.name for path, time in before.items() if path.stat().st_mtime_ns != time}
    assert changed == {"bob", "eve"}
    assert around(tmp_path / "cem" / "report.html") == ["../bob/report.html", "../eve/report.html"]


def test_a_page_without_its_class_is_that_with_it_but_for_the_links_at_its_end(reference, tmp_path):
    graded = [hand_in(tmp_path, name, reference) for name in ("ann", "bob")]
    alone = (tmp_path / "ann" / "report.html").read_text()
    write(tmp_path, reference, graded)
    assert (tmp_path / "ann" / "report.html").read_text().partition("<nav class=")[0] == alone.partition("<nav class=")[
        0
    ]


def test_nothing_is_drawn_for_the_pages_of_a_class_and_each_submission_is_read_once(reference, tmp_path, monkeypatch):
    graded = [hand_in(tmp_path, name, reference) for name in NAMES]
    write(tmp_path, reference, graded)
    pages = {path.name: path.read_bytes() for path in tmp_path.glob("*.html")}
    reads = []
    monkeypatch.setattr("hw4.grading.report.cells.Cells.__init__", None)
    monkeypatch.setattr(output, "load", None)
    read = Path.read_text

    def counted(path, *how, **more):
        reads.append(path.name)
        return read(path, *how, **more)

    monkeypatch.setattr(Path, "read_text", counted)
    write(tmp_path, reference, graded)
    monkeypatch.undo()
    assert sorted(reads) == sorted([".reference.json", "results.json", *(f"{safe_name(name)}.json" for name in NAMES)])
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.html")} == pages


def test_answers_stand_on_the_pages_by_name_and_parts_on_their_own(reference, tmp_path):
    other = {"q-2-answer-a": "**Answer:** A. Never.", "q-2-answer-b": "**Answer:**"}
    write(tmp_path, reference, [hand_in(tmp_path, "cem", reference), hand_in(tmp_path, "ann", reference, other)])
    answers = (tmp_path / "q-2-a.html").read_text().partition('<main id="answers"')[2]
    assert answers.index("Never.") < answers.index("Yes.") and "No." not in answers
    answers = (tmp_path / "q-2-b.html").read_text().partition('<main id="answers"')[2]
    ann, cem = answers.split("<section")[1:]
    assert "No answer" in ann and "No answer" not in cem and "Never." not in answers


def test_pages_of_an_earlier_run_are_removed_and_its_submissions_named(reference, tmp_path):
    (tmp_path / "mine.html").write_text("<p>of the grader's own</p>")
    graded = [hand_in(tmp_path, name, reference) for name in ("ann", "bob")]
    write(tmp_path, reference, graded, pages=pages_of([*QUESTIONS, Question("q-9", ["A", "B"])]))
    assert (tmp_path / "q-9-a.html").exists()
    alone = {"hw.ipynb": "{}", "report.html": document("of a single run", "x")}
    output.write(alone | {"results.json": '{"extra_data": {"notebook": "hw.ipynb"}}'}, tmp_path)
    write(tmp_path, reference, graded[1:])
    left = {path.name for path in tmp_path.glob("*.html")}
    assert left == {"mine.html", "index.html", "failures.html", *(page.file for page in PAGES)}
    assert not any((tmp_path / name).exists() for name in ("hw.ipynb", "results.json"))
    index = (tmp_path / "index.html").read_text()
    assert (
        "From earlier runs" in index and '<a href="ann/report.html">ann</a>' in index.partition("From earlier runs")[2]
    )
    assert "ann" not in (tmp_path / "q-1.html").read_text().partition("<body>")[2]


def test_a_single_submission_leaves_no_page_of_a_class_beside_its_own(reference, tmp_path):
    write(tmp_path, reference, [hand_in(tmp_path, "ann", reference)])
    (tmp_path / "mine.html").write_text("<p>of the grader's own</p>")
    output.write({"report.html": document("alone", "x")}, tmp_path)
    output.remove_pages(tmp_path, {"report.html"})
    assert {path.name for path in tmp_path.glob("*.html")} == {"mine.html", "report.html"}


def test_what_could_not_be_read_this_time_leaves_nothing_of_an_earlier_run(reference, tmp_path):
    hand_in(tmp_path, "ann", reference)
    output.write(output.files_without_result("not JSON"), tmp_path / "ann")
    assert [path.name for path in (tmp_path / "ann").iterdir()] == ["results.json"]
    write(tmp_path, reference, [], [("ann", "not JSON")])
    assert "From earlier runs" not in (tmp_path / "index.html").read_text()


def test_what_is_drawn_again_is_what_was_drawn(reference, tmp_path):
    hand_in(tmp_path, "ann", reference)
    kept = json.loads((tmp_path / output.FRAGMENTS / "ann.json").read_text())
    page = (tmp_path / "ann" / "report.html").read_bytes()
    (tmp_path / "ann" / "report.html").write_text("old")
    assert output.redraw(tmp_path / "ann", copy.deepcopy(reference), "ann") == kept
    assert (tmp_path / "ann" / "report.html").read_bytes() == page
