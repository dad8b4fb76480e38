"""Submissions, several at a time, here or on a Dask cluster; what is done is kept and not done again."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from . import bounded, output
from .errors import ExitCode, Unusable
from .execution.run import Execution, Limits
from .grade import Outcome, Task, code_digest, failed_outcome, grade, model_answers, read_reference
from .marks import spreadsheet, table
from .names import folder_names
from .notebook.comparison import questions
from .notebook.format import with_outputs
from .report.console import class_summary, progress_line
from .result import Result
from .sandbox.launcher import Launcher
from .submission import Found, Submission, collect
from .text import clean_text, last_line

LISTS = "found.txt"
UNGRADED = (ExitCode.UNUSABLE, ExitCode.FAULT)


@dataclass(frozen=True)
class Options:
    """How submissions are graded, and where what is left of them goes."""

    output: Path
    limits: Limits
    answers: Path | None = None  # a notebook with model answers
    own: Path | None = None  # the same, if it answers all that is asked
    single: bool = False  # the only submission goes into the output folder itself, and its cells are shown as they end
    strict: bool = False
    save: bool = False  # write a single notebook back if it ran clean
    fresh: bool = False  # grade also what has not changed
    jobs: int = 1
    threads: int = 1  # in which each submission computes
    dask: str | None = None  # the address of a cluster's scheduler
    lists: str = ""  # what was found in a class, for a file of its own


class Classroom:
    """The submissions that were found, graded against one reference."""

    def __init__(self, found: Sequence[Found], reference_path: Path, reference: Submission, options: Options) -> None:
        self.options, self.reference, self.reference_path = options, reference, reference_path
        names = [""] if options.single else folder_names([each.name for each in found])
        self.folders = {each: options.output / name for each, name in zip(found, names, strict=True)}

    @property
    def given(self) -> NotebookNode:
        """Return the reference's notebook; raise `Unusable` where it cannot be read."""
        return read_reference(self.reference.files[self.reference.notebook], self.reference.notebook)

    def grade(self, launcher: Launcher | None) -> ExitCode:
        """Grade all submissions, write what is left of each, and say what became of them; return the exit code.

        `launcher` starts the processes of what runs here; None for a cluster.
        """
        bounded.start()
        output.prepare(self.options.output, [found.place for found in self.folders])
        with spreadsheet.alone(self.options.output):
            return self._grade(launcher)

    def _grade(self, launcher: Launcher | None) -> ExitCode:
        if self.options.lists:
            output.replace(self.options.output / LISTS, self.options.lists)
        if not self.options.single:
            self._table()  # what would be lost is said before anything runs
        done: dict[Found, Outcome] = {}
        interrupted = False
        try:
            # None: disabled where standard error is no terminal
            with tqdm(total=len(self.folders), disable=self.options.single or None, leave=False) as bar:
                for found, outcome in self.outcomes(launcher):
                    done[found] = written = self._written(found, outcome)
                    if outcome.files and not self.options.single:
                        line = f"{last_line(written.name)}: {written.status}: {last_line(written.lines[-1])}"
                        bar.write(f"[{len(done)}/{len(self.folders)}] {line}", file=sys.stderr)
                    bar.update()
        except KeyboardInterrupt:
            if not done:
                raise
            interrupted = True
        return self._finish_single(done) if self.options.single else self._finish_class(done, interrupted)

    def _written(self, found: Found, outcome: Outcome) -> Outcome:
        """Write what is left of a submission; return the outcome, of a class's only what its table and pages say."""
        folder = self.folders[found]
        try:
            if outcome.fragments and not self.options.single:
                output.keep_fragments(folder, outcome.fragments)
            if outcome.files:  # what is unchanged was written by an earlier run
                output.write(outcome.files, folder)
        except (OSError, Unusable) as problem:
            outcome = replace(failed_outcome(found.name, problem), code=ExitCode.FAULT)
        return outcome if self.options.single else replace(outcome, files={}, fragments={}, lines=outcome.lines[-1:])

    def _finish_single(self, done: dict[Found, Outcome]) -> ExitCode:
        """Print all that there is to say of the only submission, and write its notebook back if that is wanted."""
        ((found, outcome),) = done.items()
        if outcome.code in UNGRADED:
            print(f"main.py: {last_line(outcome.lines[-1])}", file=sys.stderr)
            return outcome.code
        options, written = self.options, [self.options.output / name for name in outcome.files]
        output.remove_pages(options.output, but=outcome.files)
        if options.save and outcome.code == ExitCode.CLEAN:
            name = next(iter(outcome.files))  # the executed notebook
            path = found.files[found.notebook]
            if found.place.is_file() and path != found.place:
                raise Unusable(f"{found.place}: nothing can be saved into an archive")
            executed = nbformat.v4.reads(outcome.files[name])
            own = any(each and each.exists() and path.samefile(each) for each in (self.reference_path, options.own))
            written.append(output.replace(path, with_outputs(path.read_bytes(), executed, stamped=own)))
        print(*outcome.lines, *(clean_text(str(path)) for path in written), sep="\n")
        return outcome.code

    def _finish_class(self, done: dict[Found, Outcome], interrupted: bool) -> ExitCode:
        """Write the pages of the class and its table of marks; return whether all could be graded."""
        from .report.class_pages import Graded, pages_of  # which a single run does without

        options, graded, unusable = self.options, list[Graded](), list[tuple[str, str]]()
        rows: dict[str, table.Cells] = {}
        for found in filter(done.get, self.folders):
            outcome, folder = done[found], self.folders[found].name
            if outcome.code in UNGRADED:
                unusable.append((found.name, outcome.lines[-1]))
            else:
                graded.append(Graded(found.name, folder, outcome.answers, outcome.faults))
            fixed = {"folder": folder, "status": outcome.status, "summary": outcome.lines[-1]}
            rows[found.name] = outcome.states() | fixed | {"handed in": found.original}
        pages = pages_of(questions(self.given, self.given)[0])
        answers = model_answers(self.given, options.answers, options.own)
        key = hashlib.sha256(f"{self.reference.digest()} {code_digest()} {answers.notebook}".encode(errors="replace"))
        reference = output.reference_fragments(options.output, answers, key.hexdigest())
        page = output.write_class(options.output, graded, unusable, pages, reference)
        states = [outcome.status for outcome in done.values()]
        print(class_summary(states, len(self.folders)), clean_text(str(page)), sep="\n")
        marks = self._table()  # as it stands now: somebody may have marked in the meantime
        marks.update(rows)
        print(clean_text(str(marks.path)), *marks.write(), sep="\n")
        codes = {outcome.code for outcome in done.values() if outcome.code in UNGRADED}
        return ExitCode.INTERRUPTED if interrupted else max(codes, default=ExitCode.CLEAN)

    def outcomes(self, launcher: Launcher | None) -> Iterator[tuple[Found, Outcome]]:
        """Yield each submission with its outcome, as soon as it is graded."""
        options = self.options
        if launcher and options.single:  # in this thread, where an interrupt keeps what has run
            for found in self.folders:
                yield found, self._outcome(found, lambda task: grade(task, launcher, show_progress))
            return
        with ExitStack() as stack:
            if launcher:
                grader, width = partial(grade, launcher=launcher), options.jobs
                stack.callback(launcher.close)  # or what still runs would be waited for
            else:
                from . import cluster  # which imports Dask

                grader, width = stack.enter_context(cluster.grader(options.dask or "", self.reference, options.threads))
            pool = ThreadPoolExecutor(width)
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
            running = {pool.submit(self._outcome, found, grader): found for found in self.folders}
            for future in as_completed(running):
                yield running.pop(future), future.result()

    def _outcome(self, found: Found, grader: Callable[[Task], Outcome]) -> Outcome:
        """Return the outcome of a submission, read only now: what `grader` returns, or what an earlier run left."""
        options = self.options
        try:
            task = Task(collect(found), self.reference, options.limits, options.strict, options.threads)
            return self._earlier(found, task) or grader(task)
        except Exception as problem:  # also what somebody's file system makes of a name
            return failed_outcome(found.name, problem)

    def _earlier(self, found: Found, task: Task) -> Outcome | None:
        """Return the outcome that an earlier run left for the very same task, its page up to date; None without one."""
        folder, name = self.folders[found], found.name
        kept = {} if self.options.fresh or self.options.single else output.kept(folder)
        try:
            code = ExitCode(kept["code"])
            if code > ExitCode.FAILED or (kept["task"], kept["name"]) != (task.digest(), name):
                return None
            if kept["drawing"] != output.drawing_digest() or not output.fragments_path(folder).exists():
                output.keep_fragments(folder, bounded.call(output.redraw, folder, self.given, name))
            return Outcome(name, code, {}, kept["lines"], kept["answers"], kept["faults"])
        except (KeyError, ValueError, TypeError, OSError, Unusable, bounded.BeyondLimits):
            return None

    def _table(self) -> table.Table:
        people = {found.name: (found.person, found.original) for found in self.folders}
        return table.Table(self.options.output / table.FILE, table.Asked.by(self.given), people)


def show_progress(result: Result, execution: Execution) -> None:
    """Print the line of the cell that has just run."""
    print(progress_line(result, execution), file=sys.stderr, flush=True)
