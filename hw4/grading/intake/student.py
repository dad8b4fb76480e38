"""What one student handed in: which of the notebooks is graded, which files come with it, and what is said of that."""

import json
import os
import posixpath
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..names import shown
from ..submission import ANSWERS, HELPERS, Found
from .platforms import COPY, Student, numbers, original, stem
from .tree import INSTEAD, NOTEBOOK, TABLES, Item, scan

LARGEST_LOOKED_AT = 50 * 2**20  # bytes of a notebook
# A folder that somebody made for one more version, or that a platform made for one more submission.
VERSION = re.compile(r"(?:attempt|version|v|try)[ _-]?\d+|20\d\d-?[01]\d-?[0-3]\d.*", re.IGNORECASE)
PROBE = re.compile(r"[A-Za-z][A-Za-z0-9 ,.:;?()=-]{11,}")  # which stands in a notebook's file as in its text
ANSWERS_FILE = re.compile(r"answers(-\d+)?\.py", re.IGNORECASE)  # Canvas numbers what is handed in again
IMPERSONAL = re.compile(
    rf"(?=.*[^\W\d_])(?:{'|'.join(TABLES['impersonal'])}|[\W\d_])*", re.IGNORECASE
)  # no number alone
# Why one notebook is graded and no other of the same student, in the order in which that is decided.
WHY = ("which asks the questions", "called as the reference", "of the highest number", "the nearest", "the newest")


class Asked:
    """What the reference at `path` tells about a submission."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, original(path.name).casefold()
        self.probes: list[bytes] = []  # a piece of each question; none where the reference cannot be read
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            cells = [cell for cell in json.loads(_body(path))["cells"] if cell["cell_type"] == "markdown"]
            questions = [cell for cell in cells if str(cell.get("id")).endswith("-question")]
            found = [PROBE.findall("".join(cell["source"])) for cell in questions or cells]
            self.probes = [max(pieces, key=len).encode() for pieces in found if pieces]

    def asking(self, books: Sequence[Item]) -> list[Item]:
        """Return the notebooks that ask at least half of the questions; all of them where none does."""
        bodies = {book: _body(book.path) if len(books) > 1 else b"" for book in books}
        found = [book for book in books if 2 * sum(probe in bodies[book] for probe in self.probes) > len(self.probes)]
        return found or list(books)

    def is_nobodys(self, name: str) -> bool:
        """Return whether the name of a notebook tells nothing of who handed it in."""
        return name.casefold() == self.name or bool(IMPERSONAL.fullmatch(name))

    def is_in(self, item: Item) -> bool:
        """Return whether a file is the reference itself."""
        return item.is_notebook and self.path.exists() and item.path.samefile(self.path)


def _body(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes() if path.is_file() and path.stat().st_size <= LARGEST_LOOKED_AT else b""
    return b""


def submission(
    group: Sequence[Item], named: Mapping[Item, Student], asked: Asked, prefix: str = ""
) -> tuple[Found, dict[Item, str]]:
    """Return the submission of one student, who handed in the entries of `group`; `prefix` is of the section.

    Returns also why entries are ignored: those that another one replaces.
    """
    entry_of = {book: item for item in group for book in item.notebooks()}
    asking = set(asked.asking(list(entry_of)))

    def rank(book: Item) -> tuple[object, ...]:
        student = named.get(entry_of[book], Student(""))
        versions = [part for part in Path(book.at).parent.parts if VERSION.fullmatch(part)]
        is_named = original(student.file or book.name).casefold() == asked.name
        number = (*student.number, *numbers(" ".join(versions)))
        age = int(book.time) // 2, numbers(book.name), -len(book.name), book.at  # a ZIP file keeps every other second
        return book in asking, is_named, number, -book.at.count("/"), age

    ranked = sorted(entry_of, key=rank, reverse=True)
    entry = entry_of[ranked[0]] if ranked else next((item for item in group if item in named), group[0])
    student = named.get(entry)
    name = prefix + (student.name if student else stem(entry.name) if entry.items is not None else entry.name)
    person, bare = name, original(entry.name)
    if student:
        person += f" ({student.id})" * bool(student.id)
    elif entry.is_notebook and not asked.is_nobodys(bare):
        person = f"{prefix}{bare}.ipynb"  # whichever copy of it is graded
    found = Found(shown(name), shown(entry.at), shown(person), entry.path)
    if not ranked:
        return replace(found, problem=_why_not(group), entries=tuple(shown(item.at) for item in group)), {}
    book, notes, replaced = ranked[0], list[str](), dict[Item, str]()
    for other in ranked[1:]:
        differ = [ours != theirs for ours, theirs in zip(rank(book), rank(other), strict=True)]
        why = WHY[differ.index(True)]
        if entry_of[other] is entry:
            notes.append(f"{shown(book.at)} is graded, {why}, not {shown(other.at)}")
        else:
            replaced[entry_of[other]] = f"replaced by {shown(entry.at)}, {why}"
    files: dict[str, Path] = {}
    for item in group:
        for leaf in item.leaves() if item not in replaced else ():
            path = posixpath.relpath(leaf.at, posixpath.dirname(book.at if item is entry else item.at) or ".")
            path = named[item].file or path if item in named and item is leaf else path
            if leaf.problem:
                notes.append(f"{shown(path)} is left out: {leaf.problem}")
            elif leaf is not book:
                files[path] = leaf.path
    notebook = NOTEBOOK.sub(".ipynb", book.name)
    files[notebook] = book.path
    notes += _take_answers(files)
    entries = tuple(shown(item.at) for item in group if item not in replaced)
    return replace(found, notebook=notebook, files=files, notes=tuple(notes), entries=entries), replaced


def _take_answers(files: dict[str, Path]) -> list[str]:
    """Put the `answers.py` that lies nearest where the notebook imports it from; return what is said of that."""
    places = sorted(files, key=lambda path: (path.count("/"), path))
    found = [path for path in places if ANSWERS_FILE.fullmatch(COPY.sub("", posixpath.basename(path)))]
    if ANSWERS in files or not found:
        return []
    files[ANSWERS] = files[found[0]]
    return [f"{ANSWERS} is taken from {shown(found[0])}"]


def _why_not(group: Sequence[Item]) -> str:
    """Return why nothing of a student's entries can be graded."""
    leaves = [leaf for item in group for leaf in item.leaves()]
    if problems := [leaf for leaf in leaves if leaf.problem]:
        return problems[0].problem if problems[0] in group else f"{shown(problems[0].at)}: {problems[0].problem}"
    instead = [leaf.name for leaf in leaves if leaf.name.lower().endswith(INSTEAD)]
    return f"no notebook, but {shown(instead[0])}" if instead else "no notebook in it"


def beside(book: Item, scratch: Path) -> list[Item]:
    """Return what comes with a notebook that is given alone: its function, and what it names in its own folder."""
    folder, body, found = book.path.parent, _body(book.path), list[Item]()
    for name in sorted(os.listdir(folder)) if book.is_notebook else ():
        named = name.encode(errors="surrogateescape") + b"/" * (folder / name).is_dir() in body
        if name in (HELPERS, "answers.py") or (named and not name.endswith((".py", ".ipynb", ".md"))):
            found.append(scan(folder / name, scratch, posixpath.join(posixpath.dirname(book.at), name)))
    return [item for item in found if not (item.problem or item.ignored)]
