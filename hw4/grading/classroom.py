"""A whole class: several submissions at a time, here or on a Dask cluster; what is done is kept and not done again."""

import csv
import functools
import io
import json
import re
import sys
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace

from . import output as files
from .errors import ExitCode, Unusable
from .grade import Outcome, nothing, outcome
from .notebook.format import read_notebook
from .notebook.questions import questions as questions_of
from .report import pages as report
from .result import Result, plain
from .sandbox.launcher import Launcher, modules
from .submission import collect

SAID = {
    ExitCode.CLEAN: "clean",
    ExitCode.FAILED: "failed",
    ExitCode.UNUSABLE: "not graded",
    ExitCode.FAULT: "our fault",
}
FORMULA = re.compile(r"\A[=+\-@\t\r]")  # what makes a spreadsheet take a text for a formula


def grade_all(found, reference, task_of, options, warm=None):
    """Grade the submissions `found`, a (name, path) each, and write a folder for each and `results.csv`.

    `task_of` makes the task of a submission; `warm` is for those that run here. Returns the exit code: whether all
    could be graded.
    """
    files.prepare(options.output, [path for _, path in found])
    names = folders([name for name, _ in found])
    asked = read_notebook(reference.files[reference.notebook], reference.notebook)
    own = Result(asked)
    done, waiting, interrupted = {}, dict(zip(names, found, strict=True)), False
    try:
        with executor(options, warm) as (submit, width):
            running = {}
            report.drawn(own)  # while the warm process imports
            while waiting or running:
                while waiting and len(running) < width:
                    folder = next(iter(waiting))
                    name, path = waiting.pop(folder)
                    try:
                        task = task_of(collect(path, options.reference, name))
                    except Unusable as problem:
                        done[folder] = finish(nothing(name, ExitCode.UNUSABLE, problem), folder, done, found, options)
                        continue
                    old = None if options.fresh else earlier(options.output / folder, task)
                    if old:
                        done[folder] = old
                    else:
                        running[submit(task)] = folder, name
                for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                    folder, name = running.pop(future)
                    problem = future.exception()
                    result = (
                        nothing(name, ExitCode.FAULT, f"{type(problem).__name__}: {problem}")
                        if problem
                        else future.result()
                    )
                    done[folder] = finish(result, folder, done, found, options)
    except KeyboardInterrupt:
        interrupted = True
    table = options.output / "results.csv"
    files.replace(table, rows(done, names, asked, table))
    first = pages(done, names, own, options.output)
    print(summary(done.values(), len(found)), table, first, sep="\n")
    codes = {result.code for result in done.values()}
    return (
        ExitCode.INTERRUPTED
        if interrupted
        else max(codes & {ExitCode.UNUSABLE, ExitCode.FAULT}, default=ExitCode.CLEAN)
    )


def folders(names):
    """Return a folder's name for each submission: one part of a path, unlike every other."""
    taken = []
    for name in names:
        name = files.safe(name)
        taken.append(f"{name}_" if name.endswith((".html", ".csv")) else name)  # the class's own files
        while taken.index(taken[-1]) < len(taken) - 1:
            taken[-1] += "_"
    return taken


@contextmanager
def executor(options, warm):
    """Yield what submits a task to a `concurrent.futures.Executor`, and how many tasks to hand it at a time."""
    if options.dask:
        from distributed import Client

        with Client(options.dask) as client:
            pool = client.get_executor(pure=False)
            yield lambda task: pool.submit(work, task), 2 * max(1, sum(client.nthreads().values()))
        return
    with ThreadPoolExecutor(options.jobs) as pool:
        try:
            yield lambda task: pool.submit(graded, task, warm), options.jobs + 1
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            warm.end()  # or what still runs would be waited for


def graded(task, warm):
    """Grade one submission; what its notebook mentions is imported for those after it."""
    warm.expect(modules(task.submission.texts()))
    return outcome(task, warm)


@functools.cache
def warm_worker():
    """Return the warm process of this worker of a cluster; it ends with the worker."""
    return Launcher()


def work(task):
    """Grade one submission in a worker of a cluster; only the files travel back."""
    return replace(graded(task, warm_worker()), result=None)


def earlier(folder, task):
    """Return the outcome that an earlier run left in `folder` for the very same task; None if there is none."""
    try:
        found = json.loads((folder / "results.json").read_text(encoding="utf-8"))["extra_data"]
        if found["task"] == task.digest() and found["code"] in (ExitCode.CLEAN, ExitCode.FAILED):
            return Outcome(task.submission.name, found["code"], {}, found["lines"], found["answers"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def finish(result, folder, done, found, options):
    """Write what is left of a submission, say that it is done, and return it without its files."""
    files.write(result, options.output / folder)
    line = f"[{len(done) + 1}/{len(found)}] {plain(result.name)}: {SAID[result.code]}: {plain(result.lines[-1])}"
    bar = ""
    if sys.stderr.isatty():
        filled = 40 * (len(done) + 1) // len(found)
        bar = f"\033[K[{'#' * filled:40}]\r"
    print(f"{line}\n{bar}", end="", file=sys.stderr, flush=True)
    return replace(result, files={})


def rows(done, names, asked, table):
    """Return the text of `results.csv`: a row per submission, a column per question, and room for marks.

    What somebody wrote into the columns for marks and comments in the file that stands there already is kept.
    """
    questions, _ = questions_of(asked, asked)
    marks = [f"{kind} {question.id}{'-' * bool(part)}{part}" for question in questions for part in question.parts
             for kind in ("mark", "comment")]  # fmt: skip
    old = {}
    if table.exists():
        with open(table, encoding="utf-8-sig", newline="") as file:
            old = {row.get("folder"): row for row in csv.DictReader(file)}
    text = io.StringIO()
    columns = ["submission", "folder", "status", *(question.id for question in questions), "summary", *marks]
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for folder in names:
        if folder in done:
            result = done[folder]
            row = {"submission": result.name, "folder": folder, "status": SAID[result.code], **result.answers}
            row = {key: harmless(value) for key, value in (row | {"summary": result.lines[-1]}).items()}
            writer.writerow(row | {mark: old.get(folder, {}).get(mark) or "" for mark in marks})
        elif folder in old:
            writer.writerow(old[folder])
    return text.getvalue()


def pages(done, names, reference, output):
    """Write the pages of the class, and one per question of the result `reference`; return the path of the first."""
    asked = reference.notebook
    results, unusable = [], []
    for folder in (name for name in names if name in done):
        one = done[folder]
        try:
            results.append(one.result or files.load(output / folder, asked, one.name))
            results[-1].folder = folder
        except (OSError, ValueError, KeyError, TypeError):
            unusable.append((one.name, one.lines[-1]))
    questions = [question.id for question in questions_of(asked, asked)[0]]
    for order, (_, name) in report.ORDERS.items():
        files.replace(output / name, report.index(results, questions, unusable, order))
    for question in questions:
        files.replace(output / f"{files.safe(question)}.html", report.question_page(question, reference, results))
    return output / "index.html"


def harmless(text):
    """Return `text` on one line, and so that no spreadsheet computes it."""
    text = plain(text)
    return f"'{text}" if FORMULA.match(text) else text


def summary(results, total):
    counts = {said: sum(result.code == code for result in results) for code, said in SAID.items()}
    told = ", ".join(f"{count} {said}" for said, count in counts.items() if count)
    return f"{len(results)} of {total} submissions: {told or 'none graded'}"
