"""The pages that a grader reads: of a submission, of a class, of one question across the class.

Self-contained HTML without a script. What comes from a student was cleaned alone (`cells`); here the whole is, again.
"""

import functools
import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote
from weakref import WeakKeyDictionary

from ..notebook.questions import role
from .cells import ATTRIBUTES, TAGS, Cells, cleaner, mark, remark, text

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'"
)
OURS = {"main", "header", "footer", "nav", "section"}
PAGE = cleaner(
    tags=TAGS | OURS,
    attributes=ATTRIBUTES
    | {"*": {"lang", "dir", "class", "id", "tabindex", "aria-label", "aria-labelledby", "aria-hidden"}},
    url_schemes={"http", "https", "mailto", "data"},
    link_rel="noopener noreferrer",
)


def page(result):
    """Return the page of one submission."""
    cells, rows = drawn(result, anew=True), [row for row in result.rows.values() if row.question.parts]
    header = f"<header><h1>{text(result.title or 'Report')}</h1>{verdict(result, cells)}{unplaced(result)}</header>"
    body, seen = [], set()
    for index, row in enumerate(result.row_of):
        if row is result.rows[None]:
            body.append(cells.html[index])
        elif row.question.id not in seen:
            seen.add(row.question.id)
            body.append(_block(result, row, cells))
    seconds = ", ".join(f"{text(row.question.id)} {row.seconds:.1f} s" for row in result.rows.values() if row.seconds)
    footer = f"<footer><h2>Measured</h2><p>The only figures that another run changes: {seconds or 'none'}.</p></footer>"
    skip = '<a class="skip" href="#questions">Skip to the questions</a>'
    return document(
        result.title or "Report",
        f'{skip}{header}{overview(result, rows)}<main id="questions">{"".join(body)}</main>{footer}',
    )


def verdict(result, cells):
    """Say in one line what ran, what failed, what is missing, and within which limits and walls."""
    missing = any(row.question.missing for row in result.rows.values())
    wrong = sum(message is not None for message in result.gradients.values())
    kind, word = (
        ("bad", "Interrupted.") if result.interrupted else ("bad", "Failed.") if result.failures else (None, "")
    )
    kind, word = (kind, word) if kind else ("warn", "Ran clean, answers missing.") if missing else ("ok", "Ran clean.")
    facts = [result.counts().removeprefix("interrupted: ")]
    facts += [f"{len(result.gradients) - wrong} of {len(result.gradients)} gradient checks passed"] * bool(
        result.gradients
    )
    wrong = sum(message is not None for message in result.originals.values())
    facts += [f"{len(result.originals) - wrong} of {len(result.originals)} given checks passed as given"] * bool(
        result.originals
    )
    facts += [f"given cells changed: {len(result.remarks)}"] * bool(result.remarks)
    facts += [f"formulas not drawn: {len(cells.formulas.failures)}"] * bool(cells.formulas.failures)
    facts += [f"limits {result.limits.cell:g} s a cell, {result.limits.total:g} s in all"] if result.limits else []
    facts += [f"isolation: {', '.join(result.held) or 'none'}"] if result.limits else []
    return f'<p class="verdict {kind}"><strong>{word}</strong> {text("; ".join(facts))}.</p>'


def unplaced(result):
    """Return the remarks on given cells of which neither the place nor the question is left."""
    gone = [one for one in result.remarks if one.cell is None and one.question not in result.rows]
    battery = "" if _battery_row(result) else gradients(result)
    return "".join(map(remark, gone)) + battery


def overview(result, rows):
    """Return the table of the questions, which links to each."""
    lines = []
    for row in rows:
        name, answer, checks, _ = row.cells()
        failed = sum(result.row_of[one.index] is row for one in result.executions if one.status != "ok")
        changed = sum(one.question == row.question.id for one in result.remarks)
        values = [
            ("warn" if row.question.missing else "ok", answer),
            ("bad", f"{failed} failed") if failed else ("", "clean" if row.seconds else "-"),
            ("bad" if row.passed < row.checks else "", checks.replace("/", " of ")),
            ("warn" if changed else "", f"{changed} changed" if changed else "as given"),
        ]
        cells = "".join(f'<td class="{kind}">{text(value)}</td>' for kind, value in values)
        lines.append(f'<tr><th scope="row"><a href="#{anchor(row.question.id)}">{text(name)}</a></th>{cells}</tr>')
    head = _head(["Question", "Answer", "Cells", "Checks", "Given cells"])
    return f'<nav aria-label="Questions"><h2>Questions</h2>{_table(head, lines)}</nav>'


def _head(names):
    return "<tr>" + "".join(f'<th scope="col">{name}</th>' for name in names) + "</tr>"


def _table(head, lines):
    rows = "".join(lines)
    return f'<div class="wide" tabindex="0"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _block(result, row, cells):
    """Return a question with all that belongs to it, wherever in the notebook it stands."""
    _, answer, checks, _ = row.cells()
    state = answer + (f", {row.passed} of {row.checks} checks passed" if row.checks else "")
    kind = "warn" if row.question.missing else "bad" if row.passed < row.checks else "ok"
    lost = [one for one in result.remarks if one.cell is None and one.question == row.question.id]
    return (
        f'<section id="{anchor(row.question.id)}" aria-label="{text(row.question.id)}">'
        f'<h3>{text(row.question.id)} <span class="{kind}">{state}</span></h3>'
        f"{''.join(map(remark, lost))}{own_cells(result, row, cells)}"
        f"{gradients(result) if row is _battery_row(result) else ''}</section>"
    )


def own_cells(result, row, cells, but=()):
    indices = [index for index, owner in enumerate(result.row_of) if owner is row]
    return "".join(cells.html[index] for index in indices if role(result.notebook.cells[index]) not in but)


def _battery_row(result):
    """Return the row of the question with a given check, to which our checks of the gradients belong."""
    checks = (row for row, cell in zip(result.row_of, result.notebook.cells, strict=True) if role(cell) == "check")
    return next((row for row in checks if row is not result.rows[None]), None)


def gradients(result):
    judged = result.gradients | {f"{name} as given": wrong for name, wrong in result.originals.items()}
    if not judged:
        return ""
    lines = [
        f'<tr><th scope="row">{text(name.removeprefix("check_").replace("_", " "))}</th>'
        f'<td class="{"bad" if wrong else "ok"}">{text(f"wrong: {wrong}" if wrong else "right")}</td></tr>'
        for name, wrong in judged.items()
    ]
    return f'<p class="label">Our own checks, in processes of their own</p>{_table(_head(["Check", "Verdict"]), lines)}'


def anchor(question):
    return "question-" + re.sub(r"[^A-Za-z0-9_-]", "-", question)


DRAWN = WeakKeyDictionary()  # a page per question draws every submission again and again


def drawn(result, anew=False):
    if anew or result not in DRAWN:
        DRAWN[result] = Cells(result)
    return DRAWN[result]


ORDERS = {"name": ("by name", "index.html"), "failures": ("failures first", "failures.html")}


def index(results, questions, unusable=(), order="name"):
    """Return the page of a class in one of the `ORDERS`: a row per submission, a column per question.

    `questions` are the ids, and `unusable` holds (title, reason) of what could not be graded. The page links to the one
    in the other order, to each question's `<id>.html` and to each submission's `<folder>/report.html`.
    """

    def first(one):
        missing = sum(bool(row.question.missing) for row in one.rows.values())
        return (0, 0, one.title) if order == "name" else (-len(one.failures), -missing, one.title)

    lines, answered = [], dict.fromkeys(questions, 0)
    for one in sorted(results, key=first):
        page = f"{quote(one.folder, safe='')}/report.html"
        line = f'<th scope="row"><a href="{page}">{text(one.title)}</a></th>'
        line += f'<td class="{"bad" if one.failures else ""}">{len(one.failures)}</td>'
        for name in questions:
            kind, word = _mark(one, name)
            answered[name] += kind == "ok"
            line += f'<td class="{kind}"><a href="{page}#{anchor(name)}">{word}</a></td>'
        lines.append(f"<tr>{line}</tr>")
    totals = "".join(f"<td>{count}</td>" for count in [sum(bool(one.failures) for one in results), *answered.values()])
    names = [f'<a href="{quote(name, safe="")}.html">{text(name)}</a>' for name in questions]
    table = _table(_head(["Submission", "Failures", *names]), [f'<tr><th scope="row">In all</th>{totals}</tr>', *lines])
    left = "".join(f"<li><strong>{text(title)}</strong>: {text(reason)}</li>" for title, reason in unusable)
    left = f"<h2>Could not be graded</h2><ul>{left}</ul>" if left else ""
    other, target = ORDERS["failures" if order == "name" else "name"]
    return document(
        "Class",
        f"<header><h1>Class</h1><p>{len(results)} submissions, {ORDERS[order][0]}; "
        f'<a href="{target}">{other}</a>. {len(unusable)} could not be graded.</p></header>'
        f'<main class="class">{left}<h2>Submissions</h2>{table}</main>',
    )


def _mark(result, name):
    row = result.rows.get(name)
    if row is None or not row.question.cells:
        return "bad", "gone"
    failed = any(result.row_of[one.index] is row for one in result.executions if one.status != "ok")
    return (
        ("bad", "failed") if failed else ("warn", text(row.cells()[1])) if row.question.missing else ("ok", "answered")
    )


def question_page(question, reference, results):
    """Return the page on which the `question` of that id is graded across the class, beside the reference's answer.

    All are results; the reference's has not run.
    """
    row, cells = reference.rows[question], drawn(reference)
    given = [one for one in row.question.cells if role(reference.notebook.cells[one]) in ("question", "snippet")]
    answers = []
    for one in sorted(results, key=lambda one: one.title):
        its = one.rows.get(question)
        block = (
            own_cells(one, its, drawn(one), but=("question", "snippet"))
            if its and its.question.cells
            else mark("bad", "Gone", "the question.")
        )
        link = f"{quote(one.folder, safe='')}/report.html#{anchor(question)}"
        answers.append(f'<section><h3><a href="{link}">{text(one.title)}</a></h3>{block}</section>')
    body = "".join(answers).replace(' id="cell-', ' data-cell="')  # which the whole page's cleaning drops
    return document(
        question,
        f'<a class="skip" href="#answers">Skip to the answers</a><header><h1>{text(question)}</h1>'
        f"<h2>The question</h2><h3>As it was asked</h3>{''.join(cells.html[one] for one in given)}"
        f"<details><summary>The reference answer</summary>"
        f"{own_cells(reference, row, cells, but=('question', 'snippet'))}</details></header>"
        f'<main id="answers"><h2>{len(results)} answers</h2>{body}</main>',
    )


@functools.cache
def _style():
    folder = Path(__file__).parent
    font = b64encode((folder / "math.woff2").read_bytes()).decode()
    return (
        (folder / "style.css")
        .read_text(encoding="utf-8")
        .replace("url(math.woff2)", f"url(data:font/woff2;base64,{font})")
    )


def document(title, body):
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{_style()}</style></head>\n<body>{PAGE.clean(body)}</body></html>\n"
    )
