"""What a run leaves in the output folder, written so that a reader never meets half a file."""

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode

from . import report
from .errors import Unusable
from .names import safe_name
from .notebook.format import write_notebook
from .result import Finding, Result
from .submission import MARKER
from .text import clean_text

if TYPE_CHECKING:
    from .report.submission_page import Cells

Files = dict[str, str | bytes]  # content by the path from a submission's folder
GRADING = Path(__file__).parent
# The packages on which the pages depend
DRAWS = ("jinja2", "lxml", "markdown-it-py", "math-core", "nbconvert", "nh3", "pillow", "pygments")
RESULTS = "results.json"
PAGE = "report.html"


def prepare(folder: Path, inputs: Iterable[Path] = ()) -> None:
    """Make the output folder; raise `Unusable` when it cannot be made, or when it is where one of the inputs lies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.samefile(place) for path in inputs for place in (path, path.parent) if place.exists()):
            raise Unusable(f"{folder}: what is written there could replace what is graded; name another --output")
        (folder / MARKER).write_text("main.py writes here what it found, and reads nothing below.\n")
    except OSError as problem:
        raise Unusable(f"{folder}: {problem.strerror}") from None


def files_of(result: Result, name: str, kept: Mapping[str, Any], cells: "Cells") -> Files:
    """Return {file name: content} of what a submission's run leaves; `kept` is for a later run.

    `name` is that of the notebook's file, and `cells` are the result's, drawn.
    """
    from .report.gradescope import gradescope
    from .report.pictures import picture_path
    from .report.submission_page import submission_page

    pictures = {path: picture_path(body) for path, body in result.files.items()}
    extra = {**kept, "notebook": safe_name(name), "drawing": drawing_digest(), "finding": asdict(result.finding)}
    extra |= {"pictures": pictures, "digests": result.digests()}
    return {
        safe_name(name): write_notebook(result.notebook),
        PAGE: submission_page(result, cells),
        RESULTS: json.dumps(gradescope(result) | {"extra_data": extra}, indent=1, ensure_ascii=False) + "\n",
        **{name: result.files[path] for path, name in pictures.items()},
        **cells.originals,
    }


def files_without_result(text: str) -> Files:
    """Return what is left of a submission that could not be graded, for the reason in `text`."""
    found = {"score": 0, "output": text, "output_format": "text", "tests": []}
    return {RESULTS: json.dumps(found, indent=1) + "\n"}


def kept(folder: Path) -> dict[str, Any]:
    """Return what an earlier run kept in `folder`; {} where there is nothing that can be read."""
    with contextlib.suppress(KeyError, TypeError):
        return dict(read_json(folder / RESULTS)["extra_data"])
    return {}


def read_json(path: Path) -> Any:
    """Return what an earlier run wrote into a file; None where there is nothing that can be read."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))


def load(folder: Path, reference: NotebookNode, title: str) -> Result:
    """Return the result that an earlier run left in `folder`, as an answer to the notebook `reference`.

    Raises `OSError`, `ValueError`, `KeyError` or `TypeError` where that is not what a run leaves.
    """
    found = kept(folder)
    notebook = nbformat.v4.reads((folder / found["notebook"]).read_text(encoding="utf-8"))
    result = Result(notebook, reference, title, finding=Finding.from_json(found["finding"]))
    for path, name in found["pictures"].items():
        result.files[path] = (folder / name).read_bytes()
    return result


def redraw(folder: Path, reference: NotebookNode, title: str) -> dict[str, str]:
    """Draw the page of what an earlier run left in `folder` anew; return its fragments for the pages of the class."""
    from .report.submission_page import Cells, fragments

    found, result = kept(folder), load(folder, reference, title)
    cells = Cells(result)
    write(files_of(result, found["notebook"], found, cells), folder)
    return fragments(result, cells)


def write(files: Files, folder: Path) -> list[Path]:
    """Write the `files` into `folder`; return their paths."""
    earlier = safe_name(str(kept(folder).get("notebook", PAGE)))
    for name in {PAGE, RESULTS, earlier} - set(files):
        (folder / name).unlink(missing_ok=True)  # what an earlier run left would be taken for this one's
    return [replace(folder / name, content) for name, content in files.items()]


def replace(path: Path, content: str | bytes) -> Path:
    """Put `content` into the file at `path`, whose folder is made if need be, all of it or nothing; return the path."""
    draft = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:20]}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content if isinstance(content, bytes) else clean_text(content).encode())
        os.replace(draft, path)
    except OSError as problem:
        raise Unusable(f"{path}: {problem.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    return path


@functools.cache
def drawing_digest() -> str:
    """Return a hash of all that the pages depend on beside the result: code, style, font, versions."""
    files = (file for file in Path(report.__file__).parent.rglob("*") if file.is_file())
    return digest(sorted(file for file in files if file.suffix != ".pyc"), DRAWS)


def digest(files: Iterable[Path], packages: Iterable[str]) -> str:
    """Return a hash of the files' contents, of the packages' versions, and of Python's."""
    total = hashlib.sha256(sys.version.encode())
    for file in files:
        total.update(file.relative_to(GRADING).as_posix().encode() + b"\0" + file.read_bytes())
    for name in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            total.update(f"\0{name} {importlib.metadata.version(name)}".encode())
    return total.hexdigest()
