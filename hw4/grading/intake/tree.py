"""The files of a folder or an archive, as a tree: an archive is a folder in it."""

import os
import posixpath
import re
import stat
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from ..errors import Unusable
from ..submission import GRADING, MARKER
from .archives import ENDINGS, Budget, unpack

TABLES = tomllib.loads(Path(__file__).with_name("tables.toml").read_text(encoding="utf-8"))
PARTS, INSTEAD = frozenset(TABLES["parts"]), tuple(TABLES["instead"])
DEEPEST = 50  # folders in each other
NOTEBOOK = re.compile(r"\.ipynb( ?\(\d+\))?(\.json|\.txt)?$", re.IGNORECASE)
LINK = "a link, which could lead to anybody's work"
OUTPUT = "what an earlier run wrote"
# What tells that: the mark that each run leaves, or the pages and tables of a version that left none.
OWN = [{MARKER}, {"results.json", "report.html"}, {"results.csv", "index.html", "failures.html"}]


@dataclass(eq=False)
class Item:
    """A file, or a folder or an archive with `items` in it; why nobody looks at it, or why it cannot be read."""

    name: str
    at: str  # its path from the folder given
    path: Path  # where its content lies
    time: float = 0.0
    items: list["Item"] | None = None  # None: a file
    ignored: str = ""
    problem: str = ""

    @property
    def is_notebook(self) -> bool:
        """Return whether it is a notebook by its name."""
        return self.items is None and not self.problem and bool(NOTEBOOK.search(self.name))

    def inner(self) -> list["Item"]:
        """Return what lies in it and is looked at."""
        seen = [item for item in self.items or () if item.problem or not item.name.startswith(".")]
        return [item for item in seen if not item.ignored]

    def leaves(self) -> Iterator["Item"]:
        """Yield the files in it that are looked at, and what cannot be read."""
        if self.items is None or self.problem:
            yield self
        for item in self.inner():
            yield from item.leaves()

    def notebooks(self) -> list["Item"]:
        """Return the notebooks in it."""
        return [leaf for leaf in self.leaves() if leaf.is_notebook]

    def is_part(self) -> bool:
        """Return whether it is called like a part of a submission, and not like a student."""
        return Path(self.name).stem.casefold() in PARTS


def scan(path: Path, scratch: Path, at: str = "", nested: int = 2, budget: Budget | None = None) -> Item:
    """Return what lies at `path` as a tree; archives are unpacked into `scratch`, in each other as often as `nested`.

    Links are not followed. What cannot be read has its `problem` in the tree.
    """
    item = Item(path.name, at, path)
    try:
        status = path.lstat()
        item.time = status.st_mtime
        names = sorted(os.listdir(path)) if stat.S_ISDIR(status.st_mode) else None
        item.ignored = "the grading code" if f"/{at}/".endswith(f"/{GRADING}") else _why_ignored(path, names, at)
        if names is None and not stat.S_ISREG(status.st_mode):
            item.problem = LINK if path.is_symlink() else "not a file"
        elif names is not None and not item.ignored:
            deeper = names if at.count("/") < DEEPEST else ()
            item.items = [scan(path / name, scratch, posixpath.join(at, name), nested, budget) for name in deeper]
        elif path.name.lower().endswith(ENDINGS):
            _open(item, scratch, nested, budget or Budget())
    except OSError as problem:
        item.problem = problem.strerror or "it cannot be read"
    except Unusable as problem:
        item.problem = str(problem)
    return item


def _why_ignored(path: Path, inside: Sequence[str] | None, at: str) -> str:
    """Return why nobody looks at a file, or at a folder with the names `inside`; "" where it is looked at.

    What bears the name of a mark of ours and is a folder is a student's, who may be called so. At the top (`at` is
    empty), where anybody's files may lie, no environment is told by one of them.
    """
    name = path.name
    if name in TABLES["left"]:
        return TABLES["left"][name]
    if inside is None:
        return "hidden" if name.startswith((".", "~$")) or name.endswith("~") else ""
    if any(own.issubset(inside) and all((path / each).is_file() for each in own) for own in OWN):
        return OUTPUT
    return next((reason for mark, reason in TABLES["marked"].items() if at and mark in inside), "")


def _open(item: Item, scratch: Path, nested: int, budget: Budget) -> None:
    """Give an item that is an archive what lies in it, or in the only folder in it."""
    if not nested:
        raise Unusable("an archive in an archive in an archive")
    folder = Path(mkdtemp(dir=scratch))
    left_out = unpack(item.path, folder, budget)
    found = scan(folder, scratch, item.at, nested - 1, budget)
    while len(found.inner()) == 1 and (only := found.inner()[0]).items and only.path.is_dir():
        item.items = [each for each in found.items or () if each is not only]
        found = only
    item.ignored, item.items = found.ignored, [*(item.items or ()), *(found.items or ())]
    item.items += [Item(path, f"{item.at}/{path}", item.path, problem=reason) for path, reason in left_out.items()]
