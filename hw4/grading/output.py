"""What a run leaves in the output folder, written so that a reader never meets half a file."""

import contextlib
import json
import os
import re
from threading import Lock, Thread

import nbformat

from .errors import Unusable
from .notebook.format import read_notebook, write_notebook
from .result import Result, plain

DRAWING = Lock()  # of the page of the warm-up and of the one in earnest


def prepare(folder, inputs=()):
    """Make the output folder; raise `Unusable` when it cannot be made, or when it is where one of the inputs lies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.samefile(place) for path in inputs for place in (path, path.parent) if place.exists()):
            raise Unusable(f"{folder}: what is written there could replace what is graded; name another --output")
    except OSError as problem:
        raise Unusable(f"{folder}: {problem.strerror}") from None


def texts(result, name, kept):
    """Return {file name: text} of what one submission's run leaves, `kept` for a later run of ours."""
    return {
        name: write_notebook(result.notebook),
        "report.html": page(result),
        "results.json": json.dumps(
            gradescope(result) | {"extra_data": kept | {"notebook": name}}, indent=1, ensure_ascii=False
        )
        + "\n",
    }


def load(folder, asked, title):
    """Return the result that an earlier `write` left in `folder`, as an answer to the notebook `asked`."""
    kept = json.loads((folder / "results.json").read_text(encoding="utf-8"))["extra_data"]
    notebook = nbformat.v4.reads((folder / kept["notebook"]).read_text(encoding="utf-8"))
    return Result(notebook, asked, title).told(kept["facts"])


def gradescope(result):
    """Return the result as Gradescope's autograder specification has it: rows without a score only inform."""
    tests = [row.test() for row in result.rows.values() if row.question.parts]
    for name, wrong in result.originals.items():
        faults = [f"{check}: {fault}" for check, fault in (result.gradients | {"as given": wrong}).items() if fault]
        points = result.points.get(name, 0)
        tests.append(
            {
                "name": name,
                "score": 0 if faults else points,
                "max_score": points,
                "status": "failed" if faults else "passed",
                "output": "\n".join(plain(fault) for fault in faults),
            }
        )
    total = {} if result.originals else {"score": 0}
    lines = [result.summary(), *result.failures, *result.remarked(), result.isolation()]
    seconds = round(sum(row.seconds for row in result.rows.values()), 3)
    return total | {"execution_time": seconds, "output": "\n".join(lines), "output_format": "text", "tests": tests}


def write(outcome, folder):
    """Write the files of `outcome` into `folder`; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in {"report.html"} - set(outcome.files):
        (folder / name).unlink(missing_ok=True)  # what an earlier run left would be taken for this one's
    return [replace(folder / name, text) for name, text in outcome.files.items()]


def safe(name):
    """Return `name` as one part of a path that every system takes, and that a terminal shows as it is."""
    return re.sub(r"[^\w .,@()=+-]", "_", name).strip(". ").lstrip("=+-@")[:100] or "submission"


def replace(path, text):
    """Put `text` into the file at `path`, all of it or nothing; return the path."""
    draft = path.with_name(f".{path.name[:100]}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.replace(draft, path)
    except OSError as problem:
        raise Unusable(f"{path}: {problem.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    return path


def warm_up(submission):
    """Import what draws the page and draw one of what has not run, while the kernel works on the other core."""

    def draw():
        with contextlib.suppress(Exception):  # what is wrong with the page is said when it is drawn in earnest
            page(Result(read_notebook(submission.files[submission.notebook], "")))

    Thread(target=draw, daemon=True).start()


def page(result):
    """Return the page of `result`."""
    from .report import pages  # which takes a second

    with DRAWING:
        return pages.page(result)
