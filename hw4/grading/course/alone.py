"""Questions of one submission run alone, once or whenever a file of it changes.

A few files are looked at several times a second: watchfiles, a compiled package, would wait for the same.
"""

import dataclasses
from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from time import sleep

from nbformat import NotebookNode

from .. import bounded, output
from ..classroom import Options
from ..errors import ExitCode, Unusable
from ..grade import Task, grade, read_reference
from ..notebook.checks import needed
from ..notebook.comparison import Comparison, compare
from ..notebook.format import read_notebook, write_notebook
from ..notebook.questions import GIVEN, question_of, role
from ..notebook.reference import Reference
from ..report.console import failure_lines, remark_lines, summary
from ..result import Result
from ..sandbox.launcher import Launcher
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

    def attempt(self, names: Collection[str]) -> ExitCode:
        """Run the questions of these names alone, leave their page, and say what became of them."""
        submission = self.read()
        pair = bounded.call(selected, submission, self.reference, names)
        options = self.options
        task = Task(*pair, options.limits, options.strict, options.threads)
        outcome = grade(task, self.launcher, describe=verdict)
        output.write(outcome.files, options.output)
        page = [str(options.output / output.PAGE)] if outcome.code <= ExitCode.FAILED else []
        print(*outcome.lines, *page, sep="\n", flush=True)
        return outcome.code

    def watch(self, names: Collection[str]) -> ExitCode:
        """Run each question again when its cells or the modules change, until an interrupt; `names` empty: all."""
        seen: dict[str, str] = {}
        stamps, problem = None, ""
        print(f"watching {self.path}; Ctrl-C ends it", flush=True)
        while True:
            now = self._stamps()
            if now != stamps or problem:
                try:
                    texts = bounded.call(text_by_question, self.read(), self.reference)
                    changed = [name for name in texts if texts[name] != seen.get(name) and name in (names or texts)]
                    if changed and self.attempt(changed) == ExitCode.INTERRUPTED:
                        return ExitCode.INTERRUPTED
                    seen, stamps, problem = texts, now, ""
                except (Unusable, bounded.BeyondLimits) as error:  # such as half a file, which is being written
                    if problem == str(error) != "":
                        print(f"waiting: {last_line(problem)}", flush=True)
                    stamps, problem = now, "" if problem == str(error) else str(error)
            sleep(INTERVAL)

    def _stamps(self) -> list[tuple[str, int, int]]:
        """Return what tells one state of the submission's files from another."""
        folder = self.path if self.path.is_dir() else self.path.parent
        files = [*folder.glob("*.ipynb"), *(files_below(folder / HELPERS) if (folder / HELPERS).is_dir() else ())]
        status = [(str(file), file.stat()) for file in files if file.exists()]
        return [(name, each.st_mtime_ns, each.st_size) for name, each in status]


def verdict(result: Result) -> list[str]:
    """Return a line for each question that ran, then what failed, and what else is to be said."""
    lines = []
    for row in result.rows.values():
        missing = ", ".join(row.question.missing)
        state = f"no answer yet{' to ' * bool(missing)}{missing}" if row.question.missing else row.answer()
        checks = f", {row.passed} of {row.checks} checks passed" if row.checks else ""
        lines.append(f"{row.question.id}: {state}{checks}")
    return [*lines, *failure_lines(result), *remark_lines(result), summary(result)]


def _compared(submission: Submission, reference: Submission) -> tuple[NotebookNode, NotebookNode, Comparison]:
    given = read_reference(reference.files[reference.notebook], reference.notebook)
    notebook = read_notebook(submission.files[submission.notebook], submission.notebook)
    return notebook, given, compare(notebook, Reference.of(given))


def text_by_question(submission: Submission, reference: Submission) -> dict[str, str]:
    """Return the text on which each question of a submission depends, by its id."""
    notebook, _, found = _compared(submission, reference)
    modules = "".join(submission.texts()[1:])
    pairs = list(zip(notebook.cells, found.cells, strict=True))
    setup = "\n".join(cell.source for cell, reading in pairs if reading.question is None and _is_code(cell))
    texts = {}
    for question in found.questions:
        own = [notebook.cells[index] for index in question.cells]
        code = "\n".join([setup, *(cell.source for cell in own if _is_code(cell))])
        texts[question.id] = "\n".join([code, *(cell.source for cell in own), modules if HELPERS in code else ""])
    return texts


def selected(submission: Submission, reference: Submission, names: Collection[str]) -> tuple[Submission, Submission]:
    """Return a submission and its reference with the questions of these names only, and with what they need.

    That is what belongs to no question, such as the setup, and given code that binds a name which they use. Raises
    `Unusable` for a name that no question has.
    """
    notebook, given, found = _compared(submission, reference)
    known = {question.id: question for question in found.questions}
    for name in set(names) - set(known):
        close = get_close_matches(name, known, n=1)
        raise Unusable(f"no question {name}: {f'did you mean {close[0]}' if close else ', '.join(known)}?")
    owners = [cell.question for cell in found.cells]
    kept = {index for index, owner in enumerate(owners) if owner is None or owner in names}
    kept |= {index for name in names for index in known[name].cells}
    cells = notebook.cells
    others = [index for index, cell in enumerate(cells) if role(cell) in GIVEN and cell.cell_type == "code"]
    for index in sorted(kept):
        earlier = [*(each for each in others if each not in kept), *sorted(kept)]  # what is kept goes before
        wanted, _ = needed(cells[index], [cells[each] for each in earlier if each < index and _is_code(cells[each])])
        kept |= {each for each in others if cells[each] in wanted}
    ids = {cells[index].id for index in kept}
    notebook.cells = [cells[index] for index in sorted(kept)]
    asked = [cell for cell in given.cells if question_of(cell) in (None, *names) or cell.id in ids]
    return _with(submission, notebook), _with(reference, NotebookNode({**given, "cells": asked}))


def _is_code(cell: NotebookNode) -> bool:
    return cell.cell_type == "code"


def _with(submission: Submission, notebook: NotebookNode) -> Submission:
    """Return the submission with another notebook in the place of its own."""
    body = write_notebook(notebook).encode()
    return dataclasses.replace(submission, files=submission.files | {submission.notebook: body})
