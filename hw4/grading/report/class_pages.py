"""The pages of a class: the submissions in two orders, and a page per question with everybody's answer to it."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from ..notebook.questions import role
from ..result import Result, Row
from .cells import Cells, mark
from .layout import anchor, document, table
from .markup import text
from .submission_page import Drawn, battery_row, battery_table, cells_of, machinery

FIRST = "index.html"
ORDERS = {"name": ("by name", FIRST), "failures": ("failures first", "failures.html")}
GIVEN = frozenset({"question", "snippet"})


def class_pages(
    results: Sequence[Result],
    unusable: Sequence[tuple[str, str]],
    reference: Result,
    drawn: Sequence[Drawn] | None = None,
) -> Iterator[tuple[str, str]]:
    """Yield the (file name, text) of each page.

    `unusable` holds (title, reason) of what could not be graded, and `drawn` the cells of each result, where they are
    drawn already.
    """
    questions, cells = list(reference.rows), [Cells(result) for result in results] if drawn is None else drawn
    for order, (_, name) in ORDERS.items():
        yield name, index(results, questions, unusable, order)
    answer = Cells(reference)
    for question in questions:
        yield page_name(question), question_page(question, (reference, answer), list(zip(results, cells, strict=True)))


def page_name(question: str) -> str:
    """Return the name of the file of a question's page."""
    return f"{anchor(question).removeprefix('question-')}.html"


def index(
    results: Sequence[Result],
    questions: Sequence[str],
    unusable: Sequence[tuple[str, str]] = (),
    order: str = "name",
) -> str:
    """Return the page of a class in one of the `ORDERS`: a row per submission, a column per question.

    The page links to the one in the other order, to each question's page and to each submission's.
    """

    def sort_key(result: Result) -> tuple[int, int, str]:
        failures, missing = _failures(result), sum(bool(row.question.missing) for row in result.rows.values())
        return (0, 0, result.title) if order == "name" else (-failures, -missing, result.title)

    lines, answered = [], dict.fromkeys(questions, 0)
    for result in sorted(results, key=sort_key):
        page, failures = _page_of(result), _failures(result)
        line = f'<th scope="row"><a href="{page}">{text(result.title)}</a></th>'
        line += f'<td class="{"bad" if failures else ""}">{failures}</td>'
        for name in questions:
            kind, word = _state(result, name)
            answered[name] += kind == "ok"
            line += f'<td class="{kind}"><a href="{page}#{anchor(name)}">{word}</a></td>'
        lines.append(f"<tr>{line}</tr>")
    totals = [sum(map(bool, map(_failures, results))), *answered.values()]
    total = "".join(f"<td>{count}</td>" for count in totals)
    names = [f'<a href="{quote(page_name(name), safe="")}">{text(name)}</a>' for name in questions]
    rows = [f'<tr><th scope="row">In all</th>{total}</tr>', *lines]
    left = "".join(f"<li><strong>{text(title)}</strong>: {text(reason)}</li>" for title, reason in unusable)
    left = f"<h2>Could not be graded</h2><ul>{left}</ul>" if left else ""
    other, target = ORDERS["failures" if order == "name" else "name"]
    return document(
        "Class",
        f"<header><h1>Class</h1><p>{len(results)} submissions, {ORDERS[order][0]}; "
        f'<a href="{target}">{other}</a>. {len(unusable)} could not be graded.</p></header>'
        f'<main class="class">{left}<h2>Submissions</h2>{table(["Submission", "Failures", *names], rows)}</main>',
    )


def _failures(result: Result) -> int:
    return len(result.failed_cells()) + len(result.finding.verdict.faults())


def _page_of(result: Result) -> str:
    return f"{quote(result.folder, safe='')}/report.html"


def _state(result: Result, question: str) -> tuple[str, str]:
    """Return the kind and the word for a question of a submission."""
    row = result.rows.get(question)
    if row is None or not row.question.cells:
        return "bad", "gone"
    if any(result.row_of[execution.index] is row for execution in result.failed_cells()):
        return "bad", "failed"
    if row.question.id == _judged(result) and result.finding.verdict.faults():
        return "bad", "wrong"
    return ("warn", text(row.answer())) if row.doubtful else ("ok", "answered")


def _judged(result: Result) -> str | None:
    """Return the id of the question that the function answers."""
    row = battery_row(result)
    return row.question.id if row else None


def question_page(question: str, reference: tuple[Result, Drawn], submissions: Sequence[tuple[Result, Drawn]]) -> str:
    """Return the page on which the question of that id is graded across the class, beside the reference's answer.

    Each result comes with its cells, drawn; the reference's has not run.
    """
    result, cells = reference
    row = result.rows[question]
    given = [cells.html[one] for one in row.question.cells if role(result.notebook.cells[one]) in GIVEN]
    by_title = sorted(submissions, key=lambda submission: submission[0].title)
    answers = "".join(_answer(question, *submission) for submission in by_title)
    return document(
        question,
        f'<a class="skip" href="#answers">Skip to the answers</a><header><h1>{text(question)}</h1>'
        f"<h2>The question</h2><h3>As it was asked</h3>{''.join(given)}"
        f"<details><summary>The reference answer</summary>{cells_of(result, row, cells, but=GIVEN)}</details></header>"
        f'<main id="answers"><h2>{len(submissions)} answers</h2>{answers}</main>',
    )


def _found(result: Result, row: Row, cells: Drawn) -> str:
    """Return all that was taken for the answer, in its order: of given cells only what was added to them."""
    shown = []
    for index in sorted({*row.question.cells, *(answer.cell for answer in row.question.answers)}):
        mixed = cells.added[index]
        if mixed or role(result.notebook.cells[index]) not in GIVEN:
            shown.append(mixed or cells.html[index])
    return "".join(shown)


def _answer(question: str, result: Result, cells: Drawn) -> str:
    row: Row | None = result.rows.get(question)
    changed = [each for each in result.finding.machinery if each.question == question]
    block = machinery(changed) + _found(result, row, cells) if row else ""
    if row is None or row.question.deleted:
        block = mark("bad", "Question deleted", "from this notebook.") + block
    elif row.question.missing:
        parts = ", ".join(row.question.missing)
        block = mark("warn", "No answer", f"to {text(parts)}." if parts else "was found.") + block
    if row and row.question.perhaps:
        parts = ", ".join(row.question.perhaps) or "the question"
        block = mark("warn", "Perhaps an answer", f"to {text(parts)} stands here: it was found elsewhere.") + block
    if question == _judged(result):
        block += battery_table(result)
    # The whole page's cleaning drops an attribute that it does not know: ids of cells would stand there many times.
    block = block.replace(' id="cell-', ' data-cell="')
    folder = quote(result.folder, safe="")
    block = block.replace('href="pictures/', f'href="{folder}/pictures/')
    block = block.replace('href="#cell-link-', f'href="{folder}/report.html#cell-link-')
    link = f"{_page_of(result)}#{anchor(question)}"
    return f'<section><h3><a href="{link}">{text(result.title)}</a></h3>{block}</section>'
