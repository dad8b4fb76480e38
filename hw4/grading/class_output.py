"""The pages of a class, written from the fragments that the drawing of each submission left."""

import contextlib
import json
import os
import tempfile
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from . import bounded, output
from .report import GENERATOR
from .result import Result
from .text import clean_text

if TYPE_CHECKING:
    from .report.class_pages import Graded, Page

FRAGMENTS = ".fragments"  # the folder, in a class's, for what each submission's drawing leaves for the class's pages
REFERENCE = ".reference.json"  # in it; no submission's folder has a name with a dot before it
LONGEST_HEAD = 1000  # bytes of a page up to what made it


def draw_reference(result: Result) -> tuple[dict[str, str], dict[str, str]]:
    """Return the questions of a reference by their ids, and the model answers by their pages' names, as HTML."""
    from .report.submission_page import Cells, asked, fragments

    cells = Cells(result)
    return asked(result, cells), fragments(result, cells)


def reference_fragments(folder: Path, answers: Result, key: str) -> list[dict[str, str]]:
    """Return what `draw_reference` does, kept in a class's `folder` from one run to the next of the same `key`."""
    key += output.drawing_digest()
    found_key, *found = kept_reference(folder)
    if found_key == key:
        return found
    found = list(bounded.call(draw_reference, answers))
    output.replace(folder / FRAGMENTS / REFERENCE, json.dumps([key, *found], ensure_ascii=False))
    return found


def kept_reference(folder: Path) -> list[Any]:
    """Return what the last run on the class in `folder` kept: its key, and what `draw_reference` returns."""
    return output.read_json(folder / FRAGMENTS / REFERENCE) or ["", {}, {}]


def fragments_path(folder: Path) -> Path:
    """Return where the fragments of the submission lie of which `folder` holds what is left."""
    return folder.parent / FRAGMENTS / f"{folder.name}.json"


def kept_fragments(folder: Path) -> dict[str, str]:
    """Return the fragments of the submission of which `folder` holds what is left; {} where there are none."""
    return output.read_json(fragments_path(folder)) or {}


def keep_fragments(folder: Path, fragments: Mapping[str, str]) -> None:
    """Keep a submission's fragments for the pages of its class."""
    output.replace(fragments_path(folder), json.dumps(fragments, ensure_ascii=False))


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

    if output.kept(folder):  # a single submission's, in the same folder
        output.write({}, folder)
    present = {each.folder for each in graded} | {name for name, _ in unusable}
    earlier = sorted(path.parent.name for path in folder.glob(f"*/{output.PAGE}") if path.parent.name not in present)
    for order, (_, name) in class_pages.ORDERS.items():
        output.replace(folder / name, class_pages.index(graded, pages, unusable, order, earlier))
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
                link_around(own / output.PAGE, class_pages.links_around(around, pages))
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
        output.replace(page, content[:start] + wanted + b"\n</body></html>\n")


def remove_pages(folder: Path, but: Container[str]) -> None:
    """Remove the pages that an earlier run left in `folder`, but for those of this one."""
    for path in folder.glob("*.html"):
        ours = f'content="{GENERATOR}"'.encode() in path.read_bytes()[:LONGEST_HEAD]
        if ours and path.name not in but:
            path.unlink()
