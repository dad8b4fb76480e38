"""The pages: what a grader finds on them, and that nothing of a student's runs, requests or swallows on them."""

import re
import subprocess

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from hw4.grading.affine.judge import Verdict
from hw4.grading.execution.run import Execution, Limits
from hw4.grading.notebook.comparison import compare
from hw4.grading.notebook.questions import Answer, Remark
from hw4.grading.notebook.reference import Reference
from hw4.grading.report import layout
from hw4.grading.report.cells import Cells
from hw4.grading.report.submission_page import submission_page
from hw4.grading.result import Finding, Result
from tests.builders import NOTEBOOK
from tests.report import hostile
from tests.report.builders import Parsed, class_index, harmful, question, question_page, result
from tests.report.test_frames import BROWSER, QUIET

EVIL = f'"><script>{hostile.ALERT}</script><!--'


@pytest.fixture(scope="module")
def evil():
    made, count = hostile.notebook()
    one = Result(made, title=EVIL, folder=EVIL)
    executions = [Execution(2, "failed", 1.0, EVIL), Execution(4, "timed out", 1.0, EVIL, new_kernel=True)]
    remarks = [Remark(EVIL, 1, EVIL, f"-{EVIL}\n+{EVIL}"), Remark(None, None, EVIL, EVIL)]
    verdict = Verdict({EVIL: EVIL}, {EVIL: EVIL}, {EVIL: EVIL}, EVIL)
    one.finding = Finding(executions, remarks, verdict, [EVIL], Limits())
    return one, count


def test_nothing_of_a_hostile_notebook_runs_or_requests(evil):
    assert evil[1] > 80
    assert harmful(submission_page(evil[0])) == []


def test_no_hostile_cell_swallows_a_later_one(evil):
    page = Parsed(submission_page(evil[0]))
    assert [number for number in range(evil[1]) if f"safe {number}\n" not in page.text + "\n"] == []
    depths = {attributes["id"] for attributes in page.all("div") if "id" in attributes}
    assert len(depths) == len(evil[0].notebook.cells)
    assert len(page.all("footer")) == len(page.all("main")) == 1


def test_nothing_of_a_student_poses_as_a_part_of_the_page(evil):
    ids = [attributes["id"] for _, attributes in Parsed(submission_page(evil[0])).elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert submission_page(evil[0]).count('class="verdict') == 1


def test_nothing_hostile_reaches_the_pages_of_a_class(evil):
    assert harmful(class_index([evil[0]], [EVIL, "q-1"], [(EVIL, EVIL)])) == []
    asked = next(iter(evil[0].rows))
    assert harmful(question_page(asked, Result(evil[0].notebook), [evil[0]])) == []


def test_the_whole_page_is_cleaned_again():
    html = layout.document(
        "x", "<main><script>1</script><p onclick=x style='position:fixed'>a</p><img src=//evil></main>"
    )
    assert harmful(html) == [] and "<main>" in html


def test_cleaning_twice_changes_nothing(evil):
    cleaned = layout.PAGE.clean(submission_page(evil[0]).partition("<body>")[2].partition("</body>")[0])
    assert layout.PAGE.clean(cleaned) == cleaned


def test_the_policy_forbids_every_request_before_anything_else_stands():
    head = Parsed(submission_page(result())).elements
    assert head[2:4] == [
        ("meta", {"charset": "utf-8"}),
        ("meta", {"http-equiv": "Content-Security-Policy", "content": layout.POLICY}),
    ]
    assert layout.POLICY.startswith("default-src 'none'")


def test_the_style_requests_nothing():
    style = submission_page(result()).partition("<style>")[2].partition("</style>")[0]
    assert re.findall(r"url\((.{9})", style) == ["data:font"]
    assert "@import" not in style


def test_the_same_run_gives_the_same_page():
    both = [Result(nbformat.read(NOTEBOOK, as_version=4), title="hw") for _ in range(2)]
    assert submission_page(both[0]) == submission_page(both[1])


def test_seconds_stand_in_the_footer_alone():
    one = result(*question(), new_code_cell("1", id="q-1-check"))
    pages = []
    for seconds in (1.0, 2.0):
        one = result(*question(), new_code_cell("1", id="q-1-check"))
        one.add(Execution(2, "ok", seconds))
        pages.append(submission_page(one).partition("<footer>")[0])
    assert pages[0] == pages[1]


def test_our_notebook_draws_every_formula_and_is_small():
    own = Result(nbformat.read(NOTEBOOK, as_version=4))
    assert Cells(own).formulas.failures == []
    figures = sum(len(source) for source in re.findall(r'src="([^"]+)"', submission_page(own)))
    assert len(submission_page(own).encode()) - figures < 1_000_000


def test_a_question_gathers_its_cells_wherever_they_stand():
    one = result(*question("q-1"), *question("q-2"), new_markdown_cell("Late thought."))
    one.row_of[4], one.rows["q-2"].question.answers = one.rows["q-1"], []
    first, second = submission_page(one).partition('id="question-q-2"')[::2]
    assert "Late thought." in first and "Late thought." not in second


def test_every_cell_is_on_the_page_once_even_with_two_questions_of_one_name():
    one = result(*question(), *question("q-2"), new_markdown_cell("# Loose", id="a-section"))
    one.notebook.cells[2].id = "q-1-question"
    html = submission_page(Result(one.notebook))
    assert re.findall(r'id="cell-(\d+)"', html) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("status", "words"), [("failed", "Failed"), ("timed out", "Timed out"), ("died", "kernel died")]
)
def test_what_went_wrong_stands_at_its_cell_in_words(status, words):
    one = result(*question(), new_code_cell("1 / 0", id="q-1-check"))
    one.add(Execution(2, status, 1.0, "Because & so", new_kernel=True))
    cell = submission_page(one).partition('id="cell-3"')[2]
    assert words in cell and "Because &amp; so" in cell and "New kernel" in cell


def test_a_cell_that_was_never_reached_says_so():
    one = result(new_code_cell("1"))
    one.finding.interrupted, one.finding.limits = True, Limits()
    assert "Not run" in submission_page(one)
    assert "Interrupted." in submission_page(one)


def test_the_verdict_says_what_ran_what_failed_and_what_held():
    one = result(*question(answer="**Answer:**"))
    one.finding = Finding(
        verdict=Verdict(asked={"shapes": None, "needs": "no"}), layers=["no network"], limits=Limits(120, 900)
    )
    line = Parsed(submission_page(one).partition('class="verdict')[2].partition("</p>")[0]).text
    for words in ["Failed.", "1 of 2 gradient", "120 s a cell", "isolation: no network", "by the kernel's own word"]:
        assert words in line


def test_a_changed_given_cell_shows_its_difference_where_it_stands():
    one = result(*question(), *question("q-2"))
    one.finding.remarks = [
        Remark("q-2", 2, "the question was edited", "-Why?\n+What?"),
        Remark("q-9", None, "q-9 was deleted"),
    ]
    before, _, after = submission_page(one).partition('id="question-q-2"')
    assert "q-9 was deleted" in before.partition("<nav")[0]
    assert "the question was edited" in after and "<del>-Why?</del>" in after and "1 changed" in before


def test_gradient_checks_stand_one_by_one_with_the_question_that_has_the_check():
    one = result(*question(), new_code_cell("assert 1", id="q-1-check"), *question("q-2"))
    one.finding.verdict = Verdict(asked={"shapes": None, "needs": "dL/dX is None"})
    block = submission_page(one).partition('id="question-q-1"')[2].partition('id="question-q-2"')[0]
    assert "shapes" in block and "right" in block and "wrong: dL/dX is None" in block


def test_the_table_links_to_every_question():
    page = Parsed(submission_page(result(*question("q-1"), *question("q-2"))))
    targets = {attributes["href"][1:] for attributes in page.all("a") if attributes["href"].startswith("#question-")}
    assert targets == {attributes["id"] for attributes in page.all("section")} and len(targets) == 2


def graded(title, answer="**Answer:** Because.", failed=False):
    one = result(*question(answer=answer), new_code_cell("1", id="q-1-check"), title=title, folder=title)
    one.add(Execution(2, "failed" if failed else "ok", 1.0))
    return one


def test_the_class_stands_by_name_or_failures_first_and_links_into_the_pages():
    results = [graded("ben", failed=True), graded("ann"), graded("cid", "**Answer:**")]
    titles = {
        order: re.findall(r'<th scope="row"><a[^>]*>(\w+)', class_index(results, ["q-1"], order=order))
        for order in ("name", "failures")
    }
    assert titles == {"name": ["ann", "ben", "cid"], "failures": ["ben", "cid", "ann"]}
    assert 'href="ben/report.html#question-q-1"' in class_index(results, ["q-1"])


def test_the_class_says_what_could_not_be_graded_and_why():
    assert "dan</strong>: not a notebook" in class_index([graded("ann")], ["q-1"], [("dan", "not a notebook")])


def test_a_question_page_holds_every_answer_under_one_question():
    results = [graded("ben", "**Answer:** B."), graded("ann", "**Answer:** A.")]
    html = question_page("q-1", Result(graded("us", "**Answer:** Ours.").notebook), results)
    assert html.count("Why?") == 1
    assert html.index("Ours.") < html.index("A.") < html.index("B.")
    assert "<details><summary>The reference answer" in html


ASKED = "### Question 1\n\nWhy does it rain in the mountains?"


def page_of(*cells, finding=None):
    """Return the question's page with one submission of these cells, against a reference that asks `ASKED`."""
    asked = new_markdown_cell(ASKED, id="q-1-question"), new_code_cell("assert 1", id="q-1-check")
    reference = new_notebook(cells=[*asked, new_markdown_cell("**Answer:** Ours.", id="q-1-answer")])
    one = Result(new_notebook(cells=list(cells)), reference, "ann", "ann", finding)
    return question_page("q-1", Result(reference), [one])


@pytest.mark.parametrize("joint", ["\n\n", " ", "\n"])
def test_an_answer_in_the_questions_own_cell_stands_on_the_questions_page(joint):
    html = page_of(new_markdown_cell(f"{ASKED}{joint}**Answer:** Clouds rise there.", id="q-1-question"))
    answers = html.partition('id="answers"')[2]
    seen = re.sub(r"(?s)<details.*?</details>", "", answers)
    assert "Clouds rise there." in seen and "Why does it rain" not in seen
    assert "Why does it rain" in answers  # folded


def test_who_did_not_answer_and_who_deleted_the_question_are_told_apart():
    asked = new_markdown_cell(ASKED, id="q-1-question")
    assert "No answer" in page_of(asked) and "Question deleted" not in page_of(asked)
    assert "Question deleted" in page_of(new_markdown_cell("# Something else"))


def test_the_function_stands_beside_its_verdict():
    cells = [new_markdown_cell(ASKED, id="q-1-question"), new_code_cell("assert 1", id="q-1-check")]
    finding = Finding(verdict=Verdict({"q-1-check": None}, {"shapes": "dL/dX is wrong"}), function="def mine(): pass")
    html = page_of(*cells, finding=finding)
    assert "mine" in html and "wrong: dL/dX is wrong" in html


def test_a_wrong_function_is_not_shown_as_a_right_answer():
    one = result(*question(), new_code_cell("assert 1", id="q-1-check"), title="ann", folder="ann")
    one.finding.verdict = Verdict({}, {"shapes": "dL/dX is 2 times the right one"})
    assert re.search(r'<td class="bad"><a href="ann/report.html#question-q-1"[^>]*>wrong<', class_index([one], ["q-1"]))
    heading = submission_page(one).partition('id="question-q-1"')[2].partition("</h3>")[0]
    assert 'class="bad"' in heading and "wrong" in heading


def seen(html):
    """Return `html` without what is folded."""
    return re.sub(r"(?s)<details(?![^>]* open).*?</details>", "", html)


LETTERED = (
    "### Question 2\n\nTrue or false?\n\n**A.** The sea is blue.\n\n**B.** Snow is green.\n\n**C.** Grass is grey."
)


def lettered(*cells, part=""):
    """Return the page of a question with parts A, B and C, or of one of them, with one submission of `cells`."""
    asked = new_markdown_cell(LETTERED, id="q-2-question")
    ours = [new_markdown_cell(f"**Answer:** {part}. Ours.", id=f"q-2-answer-{part.lower()}") for part in "ABC"]
    reference = new_notebook(cells=[asked, *ours])
    one = Result(new_notebook(cells=[asked, *cells]), reference, "ann", "ann")
    return question_page("q-2", Result(reference), [one], part).partition('<main id="answers"')[2]


def test_a_parts_page_shows_what_answers_it_and_no_other_part():
    together = new_markdown_cell("A. Mostly, by scattering.\n\nB. Never, it is white.\n\nC. Hardly ever.")
    html = lettered(together, part="B")
    assert "Never, it is white." in html and "scattering" not in html and "Hardly" not in html
    apart = [new_markdown_cell(f"**Answer:** {part}. Mine is {part}.") for part in "ABC"]
    html = lettered(*apart, part="C")
    assert "Mine is C." in html and "Mine is A." not in html


def test_an_answer_without_marks_stands_on_the_page_of_each_part():
    whole = new_markdown_cell("**Answer:** All of them are wrong, as colours depend on light.")
    assert all("depend on light" in lettered(whole, part=part) for part in ("", "A", "B", "C"))


def test_a_parts_page_says_only_of_its_part_that_nothing_was_found():
    first = new_markdown_cell("**Answer:** A. Blue, by scattering.", id="q-2-answer-a")
    assert "No answer" not in lettered(first, part="A") and "No answer" in lettered(first, part="B")
    assert "to B, C." in lettered(first)


def test_one_cell_for_two_questions_shows_each_its_own():
    asked = [
        new_markdown_cell(f"### Question {n}\n\nWhat is number {n} like, and why?", id=f"q-{n}-question")
        for n in (1, 2)
    ]
    reference = new_notebook(cells=[*asked, new_markdown_cell("**Answer:**", id="q-2-answer")])
    both = new_markdown_cell("**Answer 1:** Round like the moon.\n\n**Answer 2:** Curved like a swan.")
    one = Result(new_notebook(cells=[*asked, both]), reference, "ann", "ann")
    first = seen(question_page("q-1", Result(reference), [one]).partition('<main id="answers"')[2])
    assert "Round like the moon." in first and "swan" not in first
    page = seen(submission_page(one))
    assert page.count("Round like the moon.") >= 1 and "Curved like a swan." in page


def test_what_perhaps_answers_is_shown_with_where_it_was_found():
    one = result(*question(answer="**Answer:**"), title="ann", folder="ann")
    asked = one.rows["q-1"].question
    asked.missing, asked.perhaps, asked.answers = [], [""], [Answer("", 1, 0, 11)]
    page, across = submission_page(one), question_page("q-1", one, [one])
    assert re.search(r'found in <a href="#cell-2"[^>]*>cell 2</a>', page.partition("<nav")[0])
    assert "Perhaps an answer" in across and '<a href="ann/report.html#cell-2"' in across


def test_stored_outputs_of_a_reference_are_not_marked_as_not_run():
    shown_there = new_code_cell("1 + 1", id="q-1-evidence", outputs=[new_output("stream", text="2")])
    reference = result(*question(), shown_there)
    html = question_page("q-1", reference, [])
    assert "<pre>2</pre>" in html and "Not run" not in html


def test_questions_stand_in_the_references_order_and_loose_cells_at_the_end():
    reference = new_notebook(cells=[*question("q-1"), *question("q-2")])
    loose = new_markdown_cell("Thanks for the course.")
    mine = [loose, *question("q-2", "**Answer:** Two."), *question("q-1", "**Answer:** One.")]
    mine[1].source, mine[3].source = "### Why two?", "### Why one?"
    reference.cells[0].source, reference.cells[2].source = "### Why one?", "### Why two?"
    page = submission_page(Result(new_notebook(cells=mine), reference))
    places = [page.index(words) for words in ("One.", "Two.", "Cells that belong to no question", "Thanks for")]
    assert places == sorted(places)


def test_given_text_is_folded_unless_something_is_wrong_with_it():
    one = result(*question(), new_code_cell("assert 1", id="q-1-check"), new_code_cell("assert 0", id="q-1-snippet"))
    one.add(Execution(2, "ok", 1.0))
    one.add(Execution(3, "failed", 1.0, "AssertionError"))
    page = seen(submission_page(one))
    assert 'id="cell-1"' not in page and 'id="cell-3"' not in page
    assert 'id="cell-2"' in page and "AssertionError" in page


def test_what_is_wrong_stands_first_and_leads_to_its_place():
    one = result(*question("q-1"), new_code_cell("1 / 0", id="q-1-check"), *question("q-2", "**Answer:**"))
    one.add(Execution(2, "failed", 1.0, "ZeroDivisionError"))
    head = submission_page(one).partition("<nav")[0]
    assert re.search(r'Failed:</strong>\s*<a href="#question-q-1"[^>]*>q-1</a> \(1 failed\)', head)
    assert re.search(r'No answer:</strong>\s*<a href="#question-q-2"', head)


@pytest.mark.parametrize("answer", ["**Answer:**", ""])
def test_clean_is_never_said_beside_a_missing_answer(answer):
    one = result(*question(answer=answer), new_code_cell("assert 1", id="q-1-check"), title="ann", folder="ann")
    one.add(Execution(2, "ok", 1.0))
    words = submission_page(one).partition("</style>")[2] + class_index([one], ["q-1"]).partition("</style>")[2]
    assert "missing" in words and "clean" not in words
    assert "Ran clean." in submission_page(result(*question()))


def test_a_deleted_given_cell_is_shown_as_deleted_words():
    asked, check = new_markdown_cell(ASKED, id="q-1-question"), new_code_cell("assert 1", id="q-1-check")
    reference = new_notebook(cells=[asked, check, *question("q-2")])
    one = Result(new_notebook(cells=[check, *question("q-2")]), reference)
    one.finding.remarks = compare(one.notebook, Reference.of(reference)).remarks
    block = seen(submission_page(one)).partition('id="question-q-1"')[2].partition("</section>")[0]
    assert "<del>-Why does it rain in the mountains?</del>" in block


def test_ids_of_cells_stand_on_no_page_of_a_class_and_what_looks_like_one_is_text():
    said = 'Look at `id="cell-1"` and [here](#cell-2), `href="pictures/a.png"`.'
    one = result(*question(answer=f"**Answer:** {said}"), title="a b", folder="a b")
    html = question_page("q-1", one, [one])
    assert not re.search(r'<\w+[^>]* id="cell-', html)
    assert 'id="cell-1"' in Parsed(html).text and 'href="pictures/a.png"' in Parsed(html).text
    assert 'href="a%20b/report.html#cell-link-' in html


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_our_notebook_prints_on_at_most_forty_sheets(tmp_path):
    own = Result(nbformat.read(NOTEBOOK, as_version=4), title="hw")
    for index, cell in enumerate(own.notebook.cells):
        own.add(Execution(index, "ok", 1.0)) if cell.cell_type == "code" else None
    own.finding.verdict = Verdict({"given": None}, dict.fromkeys("abcd"), dict.fromkeys("efgh", "It is lacking."))
    own.finding.function, own.finding.limits = "def part4(ctx, grad):\n    return None\n" * 9, Limits()
    (tmp_path / "page.html").write_text(submission_page(own), encoding="utf-8")
    command = [BROWSER, "--headless", *QUIET.split(), f"--user-data-dir={tmp_path / 'profile'}", "--disable-sync"]
    command += [f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer", (tmp_path / "page.html").as_uri()]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert 5 < len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "page.pdf").read_bytes())) <= 40
