"""The page of one submission, and of each answer in it the piece that the pages of a class are made of."""

from ..notebook.questions import role
from ..result import Result
from .cells import Cells
from .console import counts
from .layout import FRAGMENT, document, page_name, render


def submission_page(result: Result, cells: Cells | None = None) -> str:
    """Return the page of one submission; `cells` are its own, where they are drawn already."""
    cells = cells or Cells(result)
    rows = [row for row in result.rows.values() if row.question.parts]
    rows += [result.loose] * any(row is result.loose for row in result.row_of)
    blocks = [(row, list(cells.of_row(row))) for row in rows]
    body = render("submission.html", result=result, cells=cells, blocks=blocks, counts=counts(result))
    return document(result.title or "Report", body)


def fragments(result: Result, cells: Cells) -> dict[str, str]:
    """Return the answer to each question, and to each part of one, as HTML by the name of the page that it is for."""
    found = {}
    for row in result.rows.values():
        for part in dict.fromkeys(["", *row.question.parts]):
            concerned, shown = [part] if part else row.question.parts, list(cells.of_answer(row, part))
            html = render("answer.html", result=result, cells=cells, row=row, concerned=concerned, shown=shown)
            found[page_name(row.question.id, part)] = FRAGMENT.clean(html)
    return found


def asked(result: Result, cells: Cells) -> dict[str, str]:
    """Return each question as a reference asks it, as HTML by its id."""
    found = {}
    for row in result.rows.values():
        told = [index for index in row.question.cells if role(result.notebook.cells[index]) in ("question", "snippet")]
        found[row.question.id] = FRAGMENT.clean("".join(cells.html[index] for index in told))
    return found
