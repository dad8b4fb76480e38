"""The result as Gradescope's autograder reads it ("Autograder Specifications", output format of results.json).

A student sees all of it. What only the grader is to see is printed, and Gradescope shows that to nobody else.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ..notebook.questions import CELL_ID, part_of
from ..result import Result, Row
from ..text import last_line
from .console import counts


def gradescope(result: Result) -> dict[str, Any]:
    """Return the JSON: a row without score per part that a person marks, and one with points where checks decide."""
    tests = [test for row in result.rows.values() if row.question.parts for test in _parts(result, row)]
    tests += _decided(result)
    return {
        "score": sum(test.get("score", 0) for test in tests),
        "execution_time": round(result.seconds(), 3),
        "output": "\n".join([f"{counts(result)}.", *_errors(result, result.loose)]),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def _parts(result: Result, row: Row) -> Iterator[dict[str, Any]]:
    """Yield a row for each part of a question, but for one that a function answers."""
    question, title = row.question, last_line(result.titles.get(row.question.id, row.question.id))
    for part in [] if question.judged else question.parts:
        cells = sorted({answer.cell + 1 for answer in question.answers if answer.part in (part, "")})
        where = f"in cell{'s' * (len(cells) > 1)} {', '.join(map(str, cells))}"
        said = f"Your answer was found {where}; a person marks it."
        if part in question.missing:
            said = "No answer was found."
        elif part in question.perhaps:
            said = f"What was found {where} is perhaps your answer: a person decides. Begin it with **Answer:**."
        errors = list(_errors(result, row, part))
        failed = {"status": "failed"} if errors or part in question.missing else {}
        yield {"name": f"{title}, part {part}" if part else title, **failed, "output": "\n".join([said, *errors])}


def _errors(result: Result, row: Row, part: str = "") -> Iterator[str]:
    """Yield a line for each cell of a question that failed, without those that belong to another part than `part`."""
    for execution in result.failed_cells():
        cell = result.notebook.cells[execution.index]
        if result.row_of[execution.index] is row and (not part or part_of(cell) in ("", part)):
            yield f"Cell {execution.index + 1} {execution.status}: {last_line(execution.reason)}"


def _decided(result: Result) -> Iterator[dict[str, Any]]:
    """Yield a row for each question with given checks, and for the one whose function is judged."""
    verdict, judged = result.finding.verdict, result.judged_question()
    faults: dict[str, list[str]] = defaultdict(list)
    points: dict[str, float] = defaultdict(float)
    for name, wrong in verdict.given.items():
        match = CELL_ID.fullmatch(name)
        question = match["question"] if match else name
        points[question] += result.points.get(name, 0)
        faults[question] += [f"The given check: {last_line(wrong)}"] if wrong else []
    if judged and (verdict.asked or verdict.problem):
        points[judged] = points.get(judged, 1)
        faults[judged] += [f"{name}: {last_line(wrong)}" for name, wrong in verdict.asked.items() if wrong]
        faults[judged] += [f"Not judged: {last_line(verdict.problem)}"] if verdict.problem else []
    for question, most in points.items():
        row, wrong = result.rows.get(question), faults[question]
        kind = "function" if row and row.question.judged else "check"
        errors = list(_errors(result, row)) if row else []
        yield {
            "name": f"{last_line(result.titles.get(question, question))} ({kind})",
            "score": 0 if wrong else most,
            "max_score": most,
            "status": "failed" if wrong else "passed",
            "output": "\n".join([*(wrong or ["Right."]), *errors]),
        }
