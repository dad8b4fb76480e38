"""The result as Gradescope's autograder reads it ("Autograder Specifications", output format of results.json)."""

from typing import Any

from ..result import Result, Row
from ..text import last_line
from .console import failure_lines, isolation_line, remark_lines, summary


def gradescope(result: Result) -> dict[str, Any]:
    """Return the JSON: a row per question that informs and carries no score, and one with points per given check."""
    tests = [_question(row) for row in result.rows.values() if row.question.parts]
    verdict = result.finding.verdict
    for name in verdict.given:
        # The check asks for the function: the point is lost where the check or the battery fails.
        faults = verdict.faults()
        points = result.points.get(name, 0)
        tests.append(
            {
                "name": name,
                "score": 0 if faults else points,
                "max_score": points,
                "status": "failed" if faults else "passed",
                "output": "\n".join(map(last_line, faults)),
            }
        )
    lines = [summary(result), *failure_lines(result), *remark_lines(result), isolation_line(result)]
    return {
        **({} if verdict.given else {"score": 0}),
        "execution_time": round(result.seconds(), 3),
        "output": "\n".join(lines),
        "output_format": "text",
        "tests": tests,
    }


def _question(row: Row) -> dict[str, Any]:
    fine = not row.question.missing and row.passed == row.checks
    output = f"{row.answer()}; {row.passed} of {row.checks} checks passed"
    return {"name": row.question.id, "status": "passed" if fine else "failed", "output": output}
