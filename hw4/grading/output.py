"""What a run leaves in the output folder, written so that a reader never meets half a file.

The pages of a class are written from the fragments that the drawing of each submission left.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import sys
import tempfile
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode

from . import bounded, report
from .errors import Unusable
from .names import safe_name
from .notebook.format import write_notebook
from .result import Finding, Result
from .submission import MARKER
from .text import clean_text

if TYPE_CHECKING:
    from .report.class_pages import Graded, Page
    from .report.submission_page import Cells

Files = dict[str, str | bytes]  # content by the path from a submission's folder
GRADING = Path(__file__).parent
# The packages on which the pages depend
DRAWS = ("jinja2", "lxml", "markdown-it-py", "math-core", "nbconvert", "nh3", "pillow", "pygments")
RESULTS = "results.json"
PAGE = "report.html"
FRAGMENTS = ".fragments"  # the folder, in a class's, for what each submission's drawing leaves for the class's pages
REFERENCE = ".reference.json"  # in it; no submission's folder has a name with a dot before it
LONGEST_HEAD = 1000  # bytes of a page up to what made it


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


def draw_reference(result: Result) -> tuple[dict[str, str], dict[str, str]]:
    """Return the questions of a reference by their ids, and the model answers by their pages' names, as HTML."""
    from .report.submission_page import Cells, asked, fragments

    cells = Cells(result)
    return asked(result, cells), fragments(result, cells)


def reference_fragments(folder: Path, answers: Result, key: str) -> list[dict[str, str]]:
    """Return what `draw_reference` does, kept in a class's `folder` from one run to the next of the same `key`."""
    key += drawing_digest()
    found_key, *found = kept_reference(folder)
    if found_key == key:
        return found
    found = list(bounded.call(draw_reference, answers))
    replace(folder / FRAGMENTS / REFERENCE, json.dumps([key, *found], ensure_ascii=False))
    return found


def kept_reference(folder: Path) -> list[Any]:
    """Return what the last run on the class in `folder` kept: its key, and what `draw_reference` returns."""
    return read_json(folder / FRAGMENTS / REFERENCE) or ["", {}, {}]


def fragments_path(folder: Path) -> Path:
    """Return where the fragments of the submission lie of which `folder` holds what is left."""
    return folder.parent / FRAGMENTS / f"{folder.name}.json"


def kept_fragments(folder: Path) -> dict[str, str]:
    """Return the fragments of the submission of which `folder` holds what is left; {} where there are none."""
    return read_json(fragments_path(folder)) or {}


def keep_fragments(folder: Path, fragments: Mapping[str, str]) -> None:
    """Keep a submission's fragments for the pages of its class."""
    replace(fragments_path(folder), json.dumps(fragments, ensure_ascii=False))


def write_class(
    folder: Path,
    graded: Sequence["Graded"],
    unusable: Sequence[tuple[str, str]],
    pages: Sequence["Page"],
    reference: Sequence[Mapping[str, str]],
) -> Path:
    """Write the pages of a class from the fragments of its submissions, one at a time; return the path of the first.

    `unusable` holds the (name, reason) of what could not be graded, `reference` what `reference_fragments` returns.
    Pages of an earlier run are removed, and its submissions named.
    """
    from .report import class_pages

    if kept(folder):  # a single submission's, in the same folder
        write({}, folder)
    present = {each.folder for each in graded} | {name for name, _ in unusable}
    earlier = sorted(path.parent.name for path in folder.glob(f"*/{PAGE}") if path.parent.name not in present)
    for order, (_, name) in class_pages.ORDERS.items():
        replace(folder / name, class_pages.index(graded, pages, unusable, order, earlier))
    questions, answers = reference
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pages-") as drafts:
        with contextlib.ExitStack() as stack:
            opened: dict[Page, tuple[IO[bytes], str]] = {}
            for page in pages:
                shown = questions.get(page.question, ""), answers.get(page.file, "")
                head, end = class_pages.question_page(page, pages, *shown, len(graded))
                opened[page] = stack.enter_context(open(Path(drafts, page.file), "wb")), end
                opened[page][0].write(head.encode())
            for around in class_pages.neighbours(graded):
                own = folder / around[1].folder
                link_around(own / PAGE, class_pages.links_around(around, pages))
                for page, answer in class_pages.answers(around, pages, kept_fragments(own)):
                    opened[page][0].write(clean_text(answer).encode())
            for draft, end in opened.values():
                draft.write(end.encode())
        for page in pages:
            os.replace(Path(drafts, page.file), folder / page.file)
    remove_pages(folder, {page.file for page in pages} | {name for _, name in class_pages.ORDERS.values()})
    return folder / class_pages.FIRST


def link_around(page: Path, links: str) -> None:
    """Let a submission's page end with the `links` to what stands around it in its class, if it does not."""
    content, wanted = page.read_bytes(), links.strip().encode()
    start = content.rfind(b"<nav")
    if not content.startswith(wanted, start):
        replace(page, content[:start] + wanted + b"\n</body></html>\n")


def remove_pages(folder: Path, but: Container[str]) -> None:
    """Remove the pages that an earlier run left in `folder`, but for those of this one."""
    for path in folder.glob("*.html"):
        ours = f'content="{report.GENERATOR}"'.encode() in path.read_bytes()[:LONGEST_HEAD]
        if ours and path.name not in but:
            path.unlink()
