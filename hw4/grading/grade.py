"""One submission from its files to its result, and to the files that are left of it."""

import functools
import hashlib
import json
import traceback
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from . import output as files
from .affine.judge import Trial
from .errors import ExitCode, Unusable
from .execution.kernel import Kernel
from .execution.run import Limits, run
from .notebook import comparison
from .notebook.format import read_notebook
from .notebook.questions import GIVEN, question_of, role
from .result import Result
from .sandbox.scratch import Scratch
from .submission import Submission, laid_out

JUDGED = "def part4_affine_backward"


@dataclass(frozen=True)
class Task:
    """What is to be graded, against what, and how: all that a worker on another machine needs."""

    submission: Submission
    reference: Submission
    limits: Limits = field(default_factory=Limits)
    strict: bool = False

    def digest(self):
        """Return a hash of all that the result depends on, our own code included."""
        total = hashlib.sha256(f"{self.limits} {self.strict}".encode())
        total.update((self.submission.digest() + self.reference.digest()).encode())
        for module in sorted(Path(__file__).parent.rglob("*.py")):
            total.update(module.read_bytes())
        return total.hexdigest()


@dataclass(frozen=True)
class Outcome:
    """What is left of a submission: its exit code, the files by name, what the console and a table say of it."""

    name: str
    code: int
    files: dict[str, str]
    lines: list[str]  # the last one sums it up
    answers: dict[str, str] = field(default_factory=dict)  # by question
    result: Result | None = None  # what the files were made of, where it is still at hand


def outcome(task, warm, progress=lambda result, execution: None):
    """Grade the submission, whatever it is, and return its `Outcome`."""
    name = task.submission.name
    try:
        result = grade(task, warm, progress)
        answers = {row.question.id: row.answer() for row in result.rows.values() if row.question.parts}
        lines = [*result.table(), *result.failures, *result.remarked(), result.isolation(), result.summary()]
        code = result.exit_code(task.strict)
        kept = {"task": task.digest(), "code": code, "lines": lines[-1:], "answers": answers, "facts": result.facts()}
        left = files.texts(result, files.safe(task.submission.notebook), kept)
        return Outcome(name, code, left, lines, answers, result)
    except Unusable as problem:
        return nothing(name, ExitCode.UNUSABLE, problem)
    except Exception:
        return nothing(name, ExitCode.FAULT, traceback.format_exc())


def nothing(name, code, reason):
    """Return the outcome of a submission that could not be graded."""
    text = " ".join(str(reason).split()) if code == ExitCode.UNUSABLE else str(reason)  # a file's name may have lines
    found = {"score": 0, "output": text, "output_format": "text", "tests": []}
    return Outcome(name, code, {"results.json": json.dumps(found, indent=1) + "\n"}, [text])


def grade(task, warm, progress=lambda result, execution: None):
    """Run the submission and return its `Result`; `progress` is told of each cell that ended.

    An interrupt ends the run and not the result. Raises `Unusable` when there is no notebook to run.
    """
    submission, reference, limits = task.submission, task.reference, task.limits
    with ExitStack() as stack:
        scratch = stack.enter_context(Scratch(laid_out(submission, reference), limits.memory))
        kernel = stack.enter_context(Kernel(warm, scratch))  # boots while we read
        asked = reference_notebook(reference.files[reference.notebook], reference.notebook)
        notebook = read_notebook(submission.files[submission.notebook], submission.name)
        judged = JUDGED in reference.files.get("hw4/answers.py", b"").decode(errors="replace")
        cells = given_checks(asked)
        trial = stack.enter_context(Trial(warm, scratch, cells, judged)) if cells or judged else None

        result = Result(notebook, asked, submission.name, remarks=comparison.restore_ids(notebook, asked))
        result.limits = limits
        try:
            for execution in run(notebook, kernel, limits):
                result.add(execution)
                progress(result, execution)
            if trial:
                ran, result.gradients = trial.verdict(limits.total)
                result.originals = {name: ran[name] for name in checks(asked)}
        except KeyboardInterrupt:
            result.interrupted = True
        result.held = list(kernel.process.held)
    return result


@functools.lru_cache(maxsize=1)
def reference_notebook(body, name):
    """Return the notebook of a reference, which a class reads only once."""
    return read_notebook(body, name)


def checks(asked):
    """Return the ids of the reference's own checks."""
    return [cell.id for cell in asked.cells if role(cell) == "check"]


def given_checks(asked):
    """Return the (id, source) of the reference's own checks and of the given code that they need.

    In a process of their own they tell what holds whatever the submission did to its cells or in its kernel.
    """
    questions = {question_of(cell) for cell in asked.cells if role(cell) == "check"}
    needed = [cell for cell in asked.cells if cell.cell_type == "code" and role(cell) in (None, *GIVEN)]
    kept = [cell for cell in needed if question_of(cell) in {None, *questions}]
    return [(cell.id, cell.source) for cell in kept] if questions else []
