"""The page of one submission, and of each answer in it the piece that the pages of a class are made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..notebook.questions import GIVEN, Remark, part_of, role
from ..result import Result, Row
from .cells import Cells, remark
from .console import counts
from .layout import FRAGMENT, document, page_name, render
from .verbatim import code_block


@dataclass(frozen=True)
class Shown:
    """A cell as HTML; where it is a given one, the line behind which it is folded, and whether it is unfolded."""

    html: str
    given: str = ""
    open: bool = False


@dataclass(frozen=True)
class Block:
    """A question on a submission's page, with all that belongs to it, wherever in the notebook it stands."""

    row: Row
    cells: list[Shown]
    remarks: list[Remark]


def submission_page(result: Result, cells: Cells | None = None) -> str:
    """Return the page of one submission; `cells` are its own, where they are drawn already."""
    cells = cells or Cells(result)
    loose = [result.loose] if any(row is result.loose for row in result.row_of) else []
    rows = [row for row in result.rows.values() if row.question.parts]
    body = render(
        "submission.html",
        result=result,
        rows=rows,
        faults=result.faults(),
        counts=counts(result),
        undrawn=len(cells.formulas.failures),
        lost=[each for each in result.finding.remarks if each.cell is None and each.question not in result.rows],
        judged=result.judged_question(),
        function=code_block(result.finding.function),
        blocks=[_block(result, row, cells) for row in rows + loose],
        remark=remark,
        found=perhaps_in,
    )
    return document(result.title or "Report", body)


def _block(result: Result, row: Row, cells: Cells) -> Block:
    indices = [index for index, owner in enumerate(result.row_of) if owner is row]
    shown = [each for index in indices for each in _shown(result, index, cells, _spans(index, result.rows.values()))]
    for index in sorted({answer.cell for answer in row.question.answers} - set(indices)):
        shown.append(Shown(cells.excerpt(index, _spans(index, [row]), "Found elsewhere")))
    return Block(row, shown, [each for each in result.finding.remarks if each.question == row.question.id])


def _spans(index: int, rows: Iterable[Row], part: str = "") -> list[tuple[int, int]]:
    """Return where in a cell answers to the questions of `rows` stand; with `part`, only those to it or to no part."""
    answers = [each for row in rows for each in row.question.answers if each.cell == index]
    return sorted({(each.start, each.end) for each in answers if not part or each.part in (part, "")})


def _shown(
    result: Result, index: int, cells: Cells, spans: list[tuple[int, int]], mixed: bool = False
) -> Iterator[Shown]:
    """Yield a cell; where it is `mixed`, or has given text, the answer in the `spans`, and behind a fold all of it."""
    reading, cell = result.readings[index], result.notebook.cells[index]
    if not reading.given and not mixed:
        yield Shown(cells.html[index])
        return
    found = cells.excerpt(index, spans or reading.added, "Added to the given text" if reading.given else "Answer")
    if found:
        yield Shown(found)
    title = result.titles.get(reading.question or "") if role(cell) == "question" else ""
    line = f"{'Given' if reading.given else 'All of this'} {role(cell) or 'cell'}, cell {index + 1}"
    yield Shown(
        cells.html[index],
        f"{line}: {title}" if title else line,
        bool(cells.marks[index] or (found and cell.get("outputs"))),
    )


def fragments(result: Result, cells: Cells) -> dict[str, str]:
    """Return the answer to each question, and to each part of one, as HTML by the name of the page that it is for."""
    found = {}
    for row in result.rows.values():
        for part in dict.fromkeys(["", *row.question.parts]):
            found[page_name(row.question.id, part)] = _fragment(result, row, cells, part)
    return found


def asked(result: Result, cells: Cells) -> dict[str, str]:
    """Return each question as a reference asks it, as HTML by its id."""
    told = {"question", "snippet"}
    found = {}
    for row in result.rows.values():
        given = [cells.html[one] for one in row.question.cells if role(result.notebook.cells[one]) in told]
        found[row.question.id] = FRAGMENT.clean("".join(given))
    return found


def _fragment(result: Result, row: Row, cells: Cells, part: str) -> str:
    question = row.question
    concerned = question.parts if not part else [part]
    perhaps = [each for each in question.perhaps if each in concerned]
    html = render(
        "answer.html",
        result=result,
        row=row,
        missing=[each for each in question.missing if each in concerned],
        perhaps=perhaps,
        found=perhaps_in(row, perhaps),
        machinery=[each for each in result.finding.machinery if each.question == question.id],
        cells=list(_of_answer(result, row, cells, part)),
        judged=question.id == result.judged_question(),
        function=code_block(result.finding.function),
    )
    return FRAGMENT.clean(html)


def perhaps_in(row: Row, parts: Iterable[str]) -> list[int]:
    """Return the positions of the cells with what perhaps answers the `parts`."""
    return sorted({answer.cell for answer in row.question.answers if answer.part in parts})


def _of_answer(result: Result, row: Row, cells: Cells, part: str) -> Iterator[Shown]:
    """Yield all that was taken for the answer, or for that to a part, in its order.

    Of given cells only what was added to them, and behind a fold the whole; or those that did not go well.
    """
    answers = row.question.answers
    for index in sorted({*row.question.cells, *(answer.cell for answer in answers)}):
        cell, reading = result.notebook.cells[index], result.readings[index]
        letters = {answer.part for answer in answers if answer.cell == index}
        letters = letters or {"" if reading.given else part_of(cell)}
        spans = _spans(index, [row], part)
        if part and not letters & {part, ""}:
            continue
        if part and letters - {part, ""}:
            yield Shown(cells.excerpt(index, spans, f"Part {part}"))
        elif reading.added or cells.marks[index] or role(cell) not in GIVEN:
            yield from _shown(result, index, cells, spans, set(spans) < set(_spans(index, result.rows.values())))
