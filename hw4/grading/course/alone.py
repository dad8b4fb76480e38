"""Questions of one submission run alone, once or whenever a file of it changes.

A few files are looked at several times a second: watchfiles, a compiled package, would wait for the same.
"""

import dataclasses
import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from time import sleep

from nbformat import NotebookNode

from .. import bounded, output
from ..classroom import Options
from ..errors import ExitCode, Unusable
from ..grade import Task, grade, read_reference
from ..notebook.checks import needed
from ..notebook.comparison import questions
from ..notebook.format import read_notebook, write_notebook
from ..notebook.questions import GIVEN, question_of, role
from ..report.console import failure_lines, remark_lines, summary
from ..result import Result
from ..sandbox.launcher import Launcher, modules_mentioned
from ..submission import HELPERS, Submission, files_below
from ..text import last_line

INTERVAL = 0.3  # seconds between two looks at the files


@dataclass(frozen=True)
class Desk:
    """Where a student works at one submission: what it is compared with, and how and by what it is run."""

    path: Path
    read: Callable[[], Submission]  # what lies there now
    reference: Submission
    options: Options
    launcher: Launcher

    def attempt(self, submission: Submission, names: Collection[str]) -> ExitCode:
        """Run the questions of these names alone, leave their page, and say what became of them."""
        options = self.options
        output.prepare(options.output, [self.path])
        mine, asked, code = bounded.call(selected, submission, self.reference, names)
        self.launcher.preload(modules_mentioned([code]))
        task = Task(mine, asked, options.limits, options.strict, options.threads)
        outcome = grade(task, self.launcher, describe=verdict)
        output.write(outcome.files, options.output)
        page = [str(options.output / output.PAGE)] if outcome.code <= ExitCode.FAILED else []
        print(*outcome.lines, *page, sep="\n", flush=True)
        return outcome.code

    def watch(self, names: Collection[str]) -> ExitCode:
        """Run each question again when what it depends on changes, until an interrupt; `names` empty: all."""
        texts, stamps, code = dict[str, str](), list[tuple[str, int, int]](), ExitCode.CLEAN
        print(f"watching {self.path}; Ctrl-C ends it", flush=True)
        while code != ExitCode.INTERRUPTED:
            before, stamps = stamps, self._stamps()
            try:
                if stamps != before:
                    submission, earlier = self.read(), texts
                    texts = bounded.call(text_by_question, submission, self.reference, names)
                    changed = [name for name in texts if texts[name] != earlier.get(name)]
                    code = self.attempt(submission, changed) if changed else code
            except (Unusable, bounded.BeyondLimits) as error:  # such as half a file: its rest changes the stamps
                if not texts:
                    raise Unusable(str(error)) from None
                print(f"waiting: {last_line(str(error))}", flush=True)
            sleep(INTERVAL)
        return code

    def _stamps(self) -> list[tuple[str, int, int]]:
        """Return what tells one state of the submission's files from another."""
        folder = self.path if self.path.is_dir() else self.path.parent
        files = [file for file in [*folder.glob("*"), *files_below(folder / HELPERS)] if file.is_file()]
        return [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files]


def verdict(result: Result) -> list[str]:
    """Return a line for each question that ran, then what failed, and what else is to be said."""
    lines = []
    for row in result.rows.values():
        missing = ", ".join(row.question.missing)
        state = f"no answer yet{' to ' * bool(missing)}{missing}" if row.question.missing else row.answer()
        checks = f", {row.passed} of {row.checks} checks passed" if row.checks else ""
        fault = "" if row.question.missing else result.faults().get(row.question.id, "")
        lines.append(f"{row.question.id}: {state}{', ' * bool(fault)}{fault}{checks}")
    return [*lines, *failure_lines(result), *remark_lines(result), summary(result)]


class Parts:
    """A submission's notebook, divided by the questions of its reference."""

    def __init__(self, submission: Submission, reference: Submission) -> None:
        self.submission = submission
        self.given = read_reference(reference.files[reference.notebook], reference.notebook)
        self.notebook = read_notebook(submission.files[submission.notebook], submission.notebook)
        found, self.owners = questions(self.notebook, self.given)
        self.questions = {question.id: question for question in found}

    def cells(self, names: Collection[str]) -> list[NotebookNode]:
        """Return the cells of these questions and of none, such as the setup, and given code that they need.

        Raises `Unusable` for a name that no question has.
        """
        for name in set(names) - set(self.questions):
            close = get_close_matches(name, self.questions, n=1)
            raise Unusable(f"no question {name}: {f'did you mean {close[0]}' if close else ', '.join(self.questions)}?")
        kept = {index for index, owner in enumerate(self.owners) if owner is None or owner in names}
        kept |= {index for name in names for index in self.questions[name].cells}
        code = {index: cell for index, cell in enumerate(self.notebook.cells) if cell.cell_type == "code"}
        given = [index for index, cell in code.items() if role(cell) in GIVEN]
        for index in sorted(kept & code.keys()):
            earlier = [*(each for each in given if each not in kept), *sorted(kept & code.keys())]  # the kept go before
            wanted, _ = needed(code[index], [code[each] for each in earlier if each < index])
            kept |= {each for each in given if code[each] in wanted}
        return [self.notebook.cells[index] for index in sorted(kept)]

    def code(self, cells: Collection[NotebookNode]) -> str:
        """Return the code of the cells, and of the submission's modules that it names; other files by their hashes."""
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        files = {path: body for path, body in self.submission.files.items() if path != self.submission.notebook}
        while named := [path for path in files if re.search(rf"\b{re.escape(PurePosixPath(path).stem)}\b", code)]:
            for path in named:
                body = files.pop(path)
                text = body.decode(errors="replace") if path.endswith(".py") else hashlib.sha256(body).hexdigest()
                code += f"\n{text}"
        return code


def text_by_question(submission: Submission, reference: Submission, names: Collection[str] = ()) -> dict[str, str]:
    """Return the text on which the verdict on each question depends, by its id; of these `names`, where there are any.

    Raises `Unusable` for a name that no question has.
    """
    parts = Parts(submission, reference)
    cells = {name: parts.cells([name]) for name in names or parts.questions}
    return {name: "\n".join([*(cell.source for cell in each), parts.code(each)]) for name, each in cells.items()}


def selected(
    submission: Submission, reference: Submission, names: Collection[str]
) -> tuple[Submission, Submission, str]:
    """Return a submission and its reference with the questions of these names only, and the code that is run.

    Raises `Unusable` for a name that no question has.
    """
    parts = Parts(submission, reference)
    cells = parts.notebook.cells = parts.cells(names)
    ids = {cell.id for cell in cells}
    asked = [cell for cell in parts.given.cells if question_of(cell) in (None, *names) or cell.id in ids]
    given = NotebookNode({**parts.given, "cells": asked})
    return _with(submission, parts.notebook), _with(reference, given), parts.code(cells)


def _with(submission: Submission, notebook: NotebookNode) -> Submission:
    """Return the submission with another notebook in the place of its own."""
    body = write_notebook(notebook).encode()
    return dataclasses.replace(submission, files=submission.files | {submission.notebook: body})
