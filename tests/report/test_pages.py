"""The pages: what a grader finds on them, and that nothing of a student's runs, requests or swallows on them."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hw4.grading.affine.judge import Verdict
from hw4.grading.execution.run import Execution, Limits
from hw4.grading.notebook.questions import Remark
from hw4.grading.report import layout
from hw4.grading.report.cells import Cells
from hw4.grading.report.submission_page import submission_page
from hw4.grading.result import Finding, Result
from tests.builders import NOTEBOOK
from tests.report import hostile
from tests.report.builders import Parsed, class_index, harmful, question, question_page, result

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
    one.row_of[4] = one.rows["q-1"]
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
    for words in ["Failed.", "0 of 1 questions", "1 of 2 gradient", "120 s a cell", "isolation: no network"]:
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
