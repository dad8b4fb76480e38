"""Where the time of a class goes, by phase: `python -m tests.benchmarks.phases [COPIES]`, 24 by default.

A class of the four snippets and all answers is graded one submission at a time, first as `main.py` does it, then with
what the helper process does done in this one, so that its parts can be told apart. Each second counts for the
innermost phase. Kernel and judge boot while the grader reads and compares: what is printed is what it waited for.
"""

import contextlib
import functools
import importlib
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hw4.grading import bounded
from hw4.grading.classroom import Classroom, Options
from hw4.grading.course.given import BLANK, NAME, ROOT, assignment
from hw4.grading.execution.run import Limits
from hw4.grading.intake.students import find
from hw4.grading.sandbox.launcher import Launcher, modules_mentioned
from tests.benchmarks.group import write_class

HELPER = "the helper process: pickling, waiting"
PHASES = {
    "read the files of a submission": ["classroom:collect"],
    "copy them into a scratch folder": ["sandbox.scratch:Scratch.__init__"],
    "fork a process": ["execution.kernel:Kernel._start", "affine.judge:Judge.__init__"],
    "read the notebook": ["grade:read_notebook", "grade:read_reference"],
    "compare": ["grade:compare", "result:Result.__init__"],
    "look for what was changed in the machinery": ["grade:machinery_remarks"],
    "boot of the kernel": ["execution.kernel:Kernel._connect"],
    "cells": ["execution.kernel:Kernel.execute"],
    "verdict": ["affine.judge:Judge.verdict"],
    "end of the processes": ["execution.kernel:Kernel.kill", "affine.judge:Judge.__exit__"],
    "clean-up of the scratch folder": ["sandbox.scratch:Scratch.__exit__"],
    "draw": [
        "report.cells:Cells.__init__",
        "report.submission_page:submission_page",
        "report.submission_page:fragments",
    ],
    "compose results.json and the notebook": ["output:files_of"],
    "write": ["output:write", "output:keep_fragments"],
    "pages of the class": ["output:write_class", "output:reference_fragments"],
    "table of marks": ["marks.table:Table.update", "marks.table:Table.write"],
}


def resolve(place: str) -> tuple[Any, str]:
    """Return the module or class of a place such as "output:write", and the name in it."""
    module, _, path = place.partition(":")
    *owners, name = path.split(".")
    owner = importlib.import_module(f"hw4.grading.{module}")
    for each in owners:
        owner = getattr(owner, each)
    return owner, name


def measure(folder: Path, direct: bool) -> Counter[str]:
    """Grade the class in `folder`; return the seconds of each phase, and of the "whole"."""
    seconds: Counter[str] = Counter()
    running: list[list[float]] = []  # of each phase that has begun: when, and the seconds of those within it

    def timed(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            running.append([time.perf_counter(), 0.0])
            try:
                return function(*arguments, **options)
            finally:
                start, within = running.pop()
                taken = time.perf_counter() - start
                seconds[phase] += taken - within
                if running:
                    running[-1][1] += taken

        return call

    with contextlib.ExitStack() as stack:
        for phase, places in PHASES.items():
            for owner, name in map(resolve, places):
                stack.enter_context(patch.object(owner, name, timed(phase, getattr(owner, name))))
        here = (lambda function, *arguments, **_: function(*arguments)) if direct else timed(HELPER, bounded.call)
        stack.enter_context(patch.object(bounded, "call", here))
        start = time.perf_counter()
        found = find([folder / "class"], BLANK, folder / "unpacked").submissions
        seconds["find"] = time.perf_counter() - start
        reference = assignment()
        launcher = stack.enter_context(Launcher(modules_mentioned(reference.texts()), hidden=[ROOT / "hw4"]))
        options = Options(folder / f"graded-{direct}", Limits(), own=ROOT / NAME)
        timed("start, and the rest", Classroom(found, BLANK, reference, options).grade)(launcher)
        seconds["whole"] = time.perf_counter() - start
    return seconds


def main(copies: int) -> None:
    """Print a table with a row per phase."""
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(sys.stderr):
        folder = Path(name)
        write_class(folder / "class", copies, answers=True)
        graded, apart = measure(folder, False), measure(folder, True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"| phase | ms per submission, of {copies} | with the helper's work in this process |\n| --- | ---: | ---: |")
    for phase in sorted(graded | apart, key=lambda phase: -max(graded[phase], apart[phase])):
        print(f"| {phase} | {1000 * graded[phase] / copies:.1f} | {1000 * apart[phase] / copies:.1f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 24)
