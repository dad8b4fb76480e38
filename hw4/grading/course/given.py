"""What every student is given, and where it stands."""

from pathlib import Path

from ..submission import ANSWERS, GRADING, HELPERS, Submission, files_below, read

ROOT = Path(__file__).resolve().parents[3]
NAME = "Part4_SummaryQuestions.ipynb"
STUDENT = Path(__file__).parent / "student"  # laid out as the hand-out is
BLANK = STUDENT / NAME


def assignment() -> Submission:
    """Return the blank notebook, and what of `hw4/` beside `main.py` a submission runs with."""
    paths = {path.relative_to(ROOT).as_posix(): path for path in files_below(ROOT / HELPERS)}
    given = {name: read(path) for name, path in paths.items() if name != ANSWERS and not name.startswith(GRADING)}
    return Submission(NAME, NAME, {NAME: read(BLANK), **given})
