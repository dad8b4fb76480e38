"""The page of one submission."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..notebook.comparison import Remark
from ..notebook.questions import role
from ..result import Result, Row
from .cells import Cells, mark, remark
from .console import counts
from .layout import anchor, document, table
from .markup import text
from .verbatim import code_block


@dataclass(frozen=True)
class DrawnCells:
    """The cells of a result as HTML, in the notebook's order: what a helper process returns of `Cells`."""

    html: list[str]
    added: list[str]


Drawn = Cells | DrawnCells


def submission_page(result: Result, cells: Cells | None = None) -> str:
    """Return the page of one submission; `cells` are its own, where they are drawn already."""
    cells, rows = cells or Cells(result), [row for row in result.rows.values() if row.question.parts]
    first = verdict(result, cells) + machinery(result.finding.machinery) + unplaced(result)
    header = f"<header><h1>{text(result.title or 'Report')}</h1>{first}</header>"
    body, seen = [], set()
    for index, row in enumerate(result.row_of):
        if row is result.loose:
            body.append(cells.html[index])
        elif row.question.id not in seen:
            seen.add(row.question.id)
            body.append(_block(result, row, cells))
    seconds = ", ".join(f"{text(row.question.id)} {row.seconds:.1f} s" for row in result.all_rows if row.seconds)
    footer = f"<footer><h2>Measured</h2><p>The only figures that another run changes: {seconds or 'none'}.</p></footer>"
    skip = '<a class="skip" href="#questions">Skip to the questions</a>'
    return document(
        result.title or "Report",
        f'{skip}{header}{overview(result, rows)}<main id="questions">{"".join(body)}</main>{footer}',
    )


def verdict(result: Result, cells: Cells) -> str:
    """Return the line that says what ran, what failed, what is missing, and within which limits and layers."""
    finding = result.finding
    if finding.interrupted:
        kind, word = "bad", "Interrupted."
    elif result.failed():
        kind, word = "bad", "Failed."
    elif result.missing():
        kind, word = "warn", "Ran clean, answers missing."
    elif result.doubtful():
        kind, word = "warn", "Ran clean, some answers in doubt."
    else:
        kind, word = "ok", "Ran clean."
    facts = [f"{counts(result)} (cells and their checks by the kernel's own word)"]
    battery = finding.verdict.asked | finding.verdict.beyond
    for checks, what in [(battery, "gradient checks passed"), (finding.verdict.given, "given checks passed as given")]:
        if checks:
            facts.append(f"{sum(wrong is None for wrong in checks.values())} of {len(checks)} {what}")
    if finding.remarks:
        facts.append(f"given cells changed: {len(finding.remarks)}")
    if cells.formulas.failures:
        facts.append(f"formulas not drawn: {len(cells.formulas.failures)}")
    if finding.limits:
        facts.append(f"limits {finding.limits.cell:g} s a cell, {finding.limits.total:g} s in all")
        facts.append(f"isolation: {', '.join(finding.layers) or 'none'}")
    return f'<p class="verdict {kind}"><strong>{word}</strong> {text("; ".join(facts))}.</p>'


def machinery(remarks: Iterable[Remark]) -> str:
    """Return the remarks on what the submission's code changes of what runs and checks it."""
    return "".join(mark("warn", "Machinery changed:", text(each.text)) for each in remarks)


def unplaced(result: Result) -> str:
    """Return the remarks on given cells of which neither the place nor the question is left, and the battery then."""
    gone = [each for each in result.finding.remarks if each.cell is None and each.question not in result.rows]
    return "".join(map(remark, gone)) + ("" if judged_question(result) else battery_table(result))


def overview(result: Result, rows: list[Row]) -> str:
    """Return the table of the questions, which links to each."""
    lines = []
    for row in rows:
        failed = sum(result.row_of[execution.index] is row for execution in result.failed_cells())
        changed = sum(each.question == row.question.id for each in result.finding.remarks)
        values = [
            ("warn" if row.doubtful else "ok", row.answer()),
            ("bad", f"{failed} failed") if failed else ("", "clean" if row.seconds else "-"),
            ("bad" if row.passed < row.checks else "", f"{row.passed} of {row.checks}" if row.checks else "-"),
            ("warn" if changed else "", f"{changed} changed" if changed else "as given"),
        ]
        cells = "".join(f'<td class="{kind}">{text(value)}</td>' for kind, value in values)
        link = f'<a href="#{anchor(row.question.id)}">{text(row.question.id)}</a>'
        lines.append(f'<tr><th scope="row">{link}</th>{cells}</tr>')
    columns = ["Question", "Answer", "Cells", "Checks", "Given cells"]
    return f'<nav aria-label="Questions"><h2>Questions</h2>{table(columns, lines)}</nav>'


def _block(result: Result, row: Row, cells: Cells) -> str:
    """Return a question with all that belongs to it, wherever in the notebook it stands."""
    name, state = text(row.question.id), row.answer()
    if row.checks:
        state += f", {row.passed} of {row.checks} checks passed"
    kind = "warn" if row.doubtful else "bad" if row.passed < row.checks else "ok"
    battery = battery_table(result) if row.question.id == judged_question(result) else ""
    if battery and result.finding.verdict.faults():
        kind, state = "bad", f"{state}, wrong"
    lost = [each for each in result.finding.remarks if each.cell is None and each.question == row.question.id]
    heading = f'<h3>{name} <span class="{kind}">{state}</span></h3>'
    return (
        f'<section id="{anchor(row.question.id)}" aria-label="{name}">{heading}'
        f"{''.join(map(remark, lost))}{cells_of(result, row, cells)}{battery}</section>"
    )


def cells_of(result: Result, row: Row, cells: Drawn, but: frozenset[str] = frozenset()) -> str:
    """Return the HTML of the cells that belong to the question of `row`, without those of the roles in `but`."""
    indices = [index for index, owner in enumerate(result.row_of) if owner is row]
    return "".join(cells.html[index] for index in indices if role(result.notebook.cells[index]) not in but)


def judged_question(result: Result) -> str | None:
    """Return the id of the question that the function answers, or else of the first with a given check."""
    judged = [row.question.id for row in result.rows.values() if row.question.judged]
    pairs = zip(result.readings, result.notebook.cells, strict=True)
    checked = [reading.question for reading, cell in pairs if reading.question and role(cell) == "check"]
    return next(iter([*judged, *checked]), None)


def battery_table(result: Result) -> str:
    """Return the table of what was found in processes out of the notebook's reach; "" when nothing was judged."""
    found = result.finding.verdict
    judged = [(name, wrong, "wrong") for name, wrong in found.asked.items()]
    judged += [(f"{name} (beyond what was asked)", wrong, "lacking") for name, wrong in found.beyond.items()]
    judged += [(f"{name} as given", wrong, "wrong") for name, wrong in found.given.items()]
    judged += [("function", found.problem, "not judged")] * bool(found.problem)
    lines = []
    for name, wrong, word in judged:
        kind = "ok" if wrong is None else "warn" if word == "lacking" else "bad"
        said = "right" if wrong is None else f"{word}: {wrong}"
        lines.append(f'<tr><th scope="row">{text(name)}</th><td class="{kind}">{text(said)}</td></tr>')
    label = '<p class="label">Our own checks, in processes of their own</p>'
    if code := result.finding.function:
        label = f'<p class="label">The function</p><div class="student">{code_block(code)}</div>{label}'
    return f"{label}{table(['Check', 'Verdict'], lines)}" if lines else ""
