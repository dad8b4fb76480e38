"""Submissions, several at a time, here or on a Dask cluster; what is done is kept and not done again."""

import functools
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from . import bounded, class_output, output
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


@dataclass(frozen=True)
class Entry:
    """A submission that was found, and the folder for what is left of it."""

    found: Found
    folder: Path

    @property
    def name(self) -> str:
        """Return the name under which it is shown."""
        return self.found.name


Submit = Callable[[Task], "Future[Outcome]"]


class Classroom:
    """The submissions that were found, graded against one reference."""

    def __init__(self, found: Sequence[Found], reference_path: Path, reference: Submission, options: Options) -> None:
        self.options, self.reference, self.reference_path = options, reference, reference_path
        folders = [options.output / name for name in folder_names([each.name for each in found])]
        if options.single:
            folders = [options.output]
        self.entries = [Entry(each, folder) for each, folder in zip(found, folders, strict=True)]

    @functools.cached_property
    def given(self) -> NotebookNode:
        """Return the reference's notebook; raise `Unusable` where it cannot be read."""
        return read_reference(self.reference.files[self.reference.notebook], self.reference.notebook)

    def grade(self, launcher: Launcher | None) -> ExitCode:
        """Grade all submissions, write what is left of each, and say what became of them; return the exit code.

        `launcher` starts the processes of what runs here; None for a cluster.
        """
        bounded.start()
        output.prepare(self.options.output, [entry.found.place for entry in self.entries])
        with spreadsheet.alone(self.options.output):
            return self._grade(launcher)

    def _grade(self, launcher: Launcher | None) -> ExitCode:
        if self.options.lists:
            output.replace(self.options.output / LISTS, self.options.lists)
        if not self.options.single:
            self._table()  # what would be lost is said before anything runs
        done: dict[Entry, Outcome] = {}
        interrupted = False
        try:
            # None: disabled where standard error is no terminal
            with tqdm(total=len(self.entries), disable=self.options.single or None, leave=False) as bar:
                for entry, outcome in self.outcomes(launcher):
                    done[entry] = written = self._written(entry, outcome)
                    if outcome.files and not self.options.single:
                        line = f"{last_line(written.name)}: {written.status}: {last_line(written.lines[-1])}"
                        bar.write(f"[{len(done)}/{len(self.entries)}] {line}", file=sys.stderr)
                    bar.update()
        except KeyboardInterrupt:
            interrupted = True
        if interrupted and not done:
            return ExitCode.INTERRUPTED
        return self._finish_single(done) if self.options.single else self._finish_class(done, interrupted)

    def _written(self, entry: Entry, outcome: Outcome) -> Outcome:
        """Write what is left of a submission; return the outcome, of a class's only what its table and pages say."""
        try:
            if outcome.fragments and not self.options.single:
                class_output.keep_fragments(entry.folder, outcome.fragments)
            if outcome.files:  # what is unchanged was written by an earlier run
                output.write(outcome.files, entry.folder)
        except (OSError, Unusable) as problem:
            outcome = replace(failed_outcome(entry.name, problem), code=ExitCode.FAULT)
        return outcome if self.options.single else replace(outcome, files={}, fragments={}, lines=outcome.lines[-1:])

    def _finish_single(self, done: dict[Entry, Outcome]) -> ExitCode:
        """Print all that there is to say of the only submission, and write its notebook back if that is wanted."""
        ((entry, outcome),) = done.items()
        if outcome.code in (ExitCode.UNUSABLE, ExitCode.FAULT):
            print(f"main.py: {last_line(outcome.lines[-1])}", file=sys.stderr)
            return outcome.code
        options, written = self.options, [entry.folder / name for name in outcome.files]
        class_output.remove_pages(entry.folder, but=outcome.files)
        if options.save and outcome.code == ExitCode.CLEAN:
            name = next(iter(outcome.files))  # the executed notebook
            path = entry.found.files[entry.found.notebook]
            if entry.found.place.is_file() and path != entry.found.place:
                raise Unusable(f"{entry.found.place}: nothing can be saved into an archive")
            executed = nbformat.v4.reads(outcome.files[name])
            own = any(each and each.exists() and path.samefile(each) for each in (self.reference_path, options.own))
            written.append(output.replace(path, with_outputs(path.read_bytes(), executed, stamped=own)))
        print(*outcome.lines, *(clean_text(str(path)) for path in written), sep="\n")
        return outcome.code

    def _finish_class(self, done: dict[Entry, Outcome], interrupted: bool) -> ExitCode:
        """Write the table of marks and the pages of the class; return whether all could be graded."""
        page = self._write_pages(done)
        states = [outcome.status for outcome in done.values()]
        print(class_summary(states, len(self.entries)), clean_text(str(page)), sep="\n")
        for line in self._write_marks(done):
            print(line)
        codes = {outcome.code for outcome in done.values()} & {ExitCode.UNUSABLE, ExitCode.FAULT}
        return ExitCode.INTERRUPTED if interrupted else max(codes, default=ExitCode.CLEAN)

    def outcomes(self, launcher: Launcher | None) -> Iterator[tuple[Entry, Outcome]]:
        """Yield each submission with its outcome, as soon as it is graded."""
        options = self.options
        prepared = ((entry, self._prepared(entry)) for entry in self.entries)
        if launcher and options.single:
            for entry, task in prepared:  # in this thread, where an interrupt keeps what has run
                yield entry, task if isinstance(task, Outcome) else grade(task, launcher, show_progress)
            return
        running: dict[Future[Outcome], Entry] = {}
        with self._executor(launcher) as (submit, width):
            for entry, task in prepared:
                if isinstance(task, Outcome):
                    yield entry, task
                    continue
                running[submit(task)] = entry
                del task  # what waits and runs has it
                if len(running) >= width:
                    yield from _finished(running)
            while running:
                yield from _finished(running)

    def _prepared(self, entry: Entry) -> Task | Outcome:
        """Return the task of grading a submission, or its outcome where there is nothing to grade."""
        options = self.options
        try:
            submission = collect(entry.found)
            task = Task(submission, self.reference, options.limits, options.strict, options.threads)
            return self._earlier(entry, task) or task
        except Exception as problem:  # also what somebody's file system makes of a name
            return failed_outcome(entry.name, problem)

    @contextmanager
    def _executor(self, launcher: Launcher | None) -> Iterator[tuple[Submit, int]]:
        """Yield what submits a task, and how many tasks to hand it at a time; without a `launcher`, to a cluster."""
        options = self.options
        if launcher is None:
            from . import cluster  # which imports Dask

            with cluster.executor(options.dask or "", self.reference, options.threads) as submit_and_width:
                yield submit_and_width
            return
        with ThreadPoolExecutor(options.jobs) as pool:
            try:
                yield lambda task: pool.submit(grade, task, launcher), options.jobs + 1
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                launcher.close()  # or what still runs would be waited for

    def _earlier(self, entry: Entry, task: Task) -> Outcome | None:
        """Return the outcome that an earlier run left for the very same task, its page up to date; None without one."""
        kept = {} if self.options.fresh or self.options.single else output.kept(entry.folder)
        try:
            code = ExitCode(kept["code"])
            if code > ExitCode.FAILED or (kept["task"], kept["name"]) != (task.digest(), entry.name):
                return None
            if kept["drawing"] != output.drawing_digest() or not class_output.fragments_path(entry.folder).exists():
                fragments = bounded.call(output.redraw, entry.folder, self.given, entry.name)
                class_output.keep_fragments(entry.folder, fragments)
            return Outcome(entry.name, code, {}, kept["lines"], kept["answers"], kept["faults"])
        except (KeyError, ValueError, TypeError, OSError, Unusable, bounded.BeyondLimits):
            return None

    def _table(self) -> table.Table:
        people = {entry.name: (entry.found.person, entry.found.original) for entry in self.entries}
        return table.Table(self.options.output / table.FILE, table.Asked.by(self.given), people)

    def _write_marks(self, done: dict[Entry, Outcome]) -> list[str]:
        """Write the table of marks; return its path, and what there is to say of it."""
        rows: dict[str, dict[str, str]] = {}
        for entry, outcome in done.items():
            fixed = {"folder": entry.folder.name, "status": outcome.status, "summary": outcome.lines[-1]}
            rows[entry.name] = outcome.states() | fixed | {"handed in": entry.found.original}
        marks = self._table()  # as it stands now: somebody may have marked in the meantime
        marks.update(rows)
        return [clean_text(str(marks.path)), *marks.write()]

    def _write_pages(self, done: dict[Entry, Outcome]) -> Path:
        """Write the pages of the class, and one per question; return the path of the first."""
        from .report.class_pages import Graded, pages_of  # which a single run does without

        graded, unusable = [], []
        for entry in filter(done.get, self.entries):
            outcome = done[entry]
            if outcome.code in (ExitCode.UNUSABLE, ExitCode.FAULT):
                unusable.append((entry.name, outcome.lines[-1]))
            else:
                graded.append(Graded(entry.name, entry.folder.name, outcome.answers, outcome.faults))
        pages = pages_of(questions(self.given, self.given)[0])
        answers = model_answers(self.given, self.options.answers, self.options.own)
        key = hashlib.sha256(f"{self.reference.digest()} {code_digest()} {answers.notebook}".encode(errors="replace"))
        reference = class_output.reference_fragments(self.options.output, answers, key.hexdigest())
        return class_output.write_class(self.options.output, graded, unusable, pages, reference)


def _finished(running: dict[Future[Outcome], Entry]) -> Iterator[tuple[Entry, Outcome]]:
    """Wait until some of what is `running` has ended, take it out, and yield it."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        entry, problem = running.pop(future), future.exception()
        yield entry, failed_outcome(entry.name, problem) if problem else future.result()


def show_progress(result: Result, execution: Execution) -> None:
    """Print the line of the cell that has just run."""
    print(progress_line(result, execution), file=sys.stderr, flush=True)
