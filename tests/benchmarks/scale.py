"""A large class on a cluster that computes nothing: `python -m tests.benchmarks.scale [COUNT]`, 2,000 by default.

Three workers in this process hand back what a tiny submission leaves. What is printed is what remains then: the bytes
that a task carries and that come back, the seconds per submission of this process, the class's pages, and its memory.
"""

import pickle
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
from distributed import LocalCluster

from hw4.grading import bounded, cluster, output
from hw4.grading.classroom import Classroom, Options
from hw4.grading.course.given import assignment
from hw4.grading.errors import ExitCode
from hw4.grading.execution.run import Limits
from hw4.grading.grade import Outcome, Task, planned
from hw4.grading.intake.students import find
from hw4.grading.result import Result
from hw4.grading.submission import Submission
from tests.builders import made

CELLS = {"setup": "import torch", "cnn-1-answer": "**Answer:** So."}
EARLY = 10  # submissions after which memory should grow no more


def left_of(reference: Submission, body: bytes) -> Outcome:
    """Return what a tiny submission leaves, drawn once for all of the class."""
    from hw4.grading.grade import outcome_of

    result: Result = planned((body, "hw.ipynb"), (reference.files[reference.notebook], reference.notebook), {}).result
    return outcome_of(result, "hw.ipynb", False, {"task": "", "name": ""})


def memory() -> float:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(count: int) -> None:
    reference, body = assignment(), nbformat.writes(made(CELLS)).encode()
    outcome = left_of(reference, body)
    grown: list[float] = []

    def grade(task: Task, launcher: object) -> Outcome:
        grown.append(memory())
        return replace(outcome, name=task.submission.name, code=ExitCode.CLEAN)

    cluster.grade = grade  # type: ignore[assignment]
    cluster.Launcher = lambda *_: SimpleNamespace(close=lambda: None)  # type: ignore[assignment]
    task = Task(Submission("s", "hw.ipynb", {"hw.ipynb": body}), reference)
    rows = [
        ("bytes of a task with the reference", len(pickle.dumps(task))),
        ("bytes of a task as it travels", len(pickle.dumps(replace(task, reference=cluster.NOTHING)))),
        ("bytes that come back", len(pickle.dumps(outcome))),
    ]
    workers: Any = LocalCluster(3, threads_per_worker=1, processes=False)
    with tempfile.TemporaryDirectory() as folder, workers:
        for number in range(count):
            place = Path(folder, "class", f"s{number:05}")
            place.mkdir(parents=True)
            (place / "hw.ipynb").write_bytes(body)
        options = Options(Path(folder, "graded"), Limits(), dask=workers.scheduler_address)
        found = find([Path(folder, "class")], Path("hw.ipynb"), Path(folder)).submissions
        classroom = Classroom(found, Path("hw.ipynb"), reference, options)
        output.prepare(options.output)
        bounded.start()
        start = time.perf_counter()
        done = {entry: classroom._written(entry, each) for entry, each in classroom.outcomes(None)}
        middle = time.perf_counter()
        classroom._write_pages(done)
        end = time.perf_counter()
        pages = list(Path(folder, "graded").glob("*.html"))
        rows += [
            ("submissions", len(done)),
            ("milliseconds a submission, handed out, taken back and written", 1000 * (middle - start) / count),
            ("milliseconds a submission, pages of the class", 1000 * (end - middle) / count),
            ("pages of the class", len(pages)),
            ("MiB of the largest of them", max(page.stat().st_size for page in pages) / 2**20),
            (f"MiB of memory, from submission {EARLY} to the last", grown[-1] - grown[EARLY]),
            ("MiB of memory, for the pages", memory() - grown[-1]),
        ]
    print(f"| {count:,} tiny submissions | |\n| --- | ---: |")
    for what, value in rows:
        print(f"| {what} | {value:,.1f} |" if isinstance(value, float) else f"| {what} | {value:,} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 2000)
