"""What one person handed in: which files, and their content, read into memory once."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .errors import Unusable
from .names import shown

LARGEST = 200 * 2**20  # bytes of one submission, all files together
MARKER = ".grading-output"  # lies in each output folder, so that nobody takes it for what was handed in
NEVER = {".git", ".ipynb_checkpoints", ".Trash", "__pycache__", "node_modules"}  # folders that tools leave
HELPERS = "hw4"  # the package that lies beside a notebook
ANSWERS = f"{HELPERS}/answers.py"  # the function that a student implements
GRADING = f"{HELPERS}/grading/"  # the grading code, which no submission gets


@dataclass(frozen=True, eq=False)
class Found:
    """A submission that was found and not yet read.

    `name` is shown, and unlike that of every other submission; `person` is, too, and stays the same whoever else hands
    in; `original` is the path of what was handed in, from the folder given. `files` holds where the content of each
    file lies, by its path from the notebook's folder, which may begin with "../".
    """

    name: str
    original: str
    person: str
    place: Path  # the folder, the archive, or the notebook
    notebook: str = ""  # its path in `files`
    files: dict[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # what was done to read it so
    problem: str = ""  # why it cannot be graded
    entries: tuple[str, ...] = ()  # what of the class's folder belongs to it


@dataclass(frozen=True)
class Submission:
    """A notebook, by its name, and the files that came with it, by their path from its folder."""

    name: str  # unlike that of every other submission
    notebook: str
    files: dict[str, bytes]
    notes: tuple[str, ...] = ()  # what was done to read it so

    def texts(self) -> list[str]:
        """Return the text of its notebook, and of those modules that this names."""
        notebook = self.files[self.notebook].decode(errors="replace")
        named = [path for path in self.files if path.endswith(".py") and path[:-3].replace("/", ".") in notebook]
        return [notebook, *(self.files[path].decode(errors="replace") for path in named)]

    def digest(self) -> str:
        """Return a hash of all that it consists of."""
        total = hashlib.sha256("\0".join((self.notebook, *self.notes)).encode(errors="surrogateescape"))
        for path, body in sorted(self.files.items()):
            total.update(f"\0{path}\0{len(body)}\0".encode(errors="surrogateescape") + body)
        return total.hexdigest()


def collect(found: Found) -> Submission:
    """Read a submission: its notebook and its function first, then its other files while they fit, the smallest first.

    What does not fit is named in the notes. Raises `Unusable` for what cannot be graded.
    """
    if found.problem:
        raise Unusable(f"{found.name}: {found.problem}")
    files: dict[str, bytes] = {}
    notes = list(found.notes)
    try:
        sizes = {path: file.stat().st_size for path, file in found.files.items()}
        for path in sorted(sizes, key=lambda path: (path != found.notebook, path != ANSWERS, sizes[path], path)):
            if path == found.notebook or sum(map(len, files.values())) + sizes[path] <= LARGEST:
                files[path] = read(found.files[path])
            else:
                notes.append(f"{shown(path)} is left out: with it, there would be more than {LARGEST >> 20} MiB")
    except OSError as problem:
        raise Unusable(f"{problem.filename or found.name}: {problem.strerror}") from None
    return Submission(found.name, found.notebook, files, tuple(notes))


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below `folder`, in order, none in a hidden folder, in one of `NEVER`, or behind a link."""
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not (name.startswith(".") or name in NEVER))
        yield from (Path(top, name) for name in sorted(files))


def read(file: Path) -> bytes:
    """Return the content of a regular file; raise `Unusable` when it is none, or too large."""
    with open(os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Unusable(f"{file}: not a file")
        if status.st_size > LARGEST:
            raise Unusable(f"{file}: more than {LARGEST >> 20} MiB")
        return opened.read(LARGEST)


def files_to_run(submission: Submission, reference: Submission) -> dict[str, bytes]:
    """Return {path: content} of what a submission runs with: the reference's helper package, then its own files.

    Nobody gets the reference's answers, the grading code, or a file in the place of a given folder.
    """
    given = {path: body for path, body in reference.files.items() if path.startswith(f"{HELPERS}/") and path != ANSWERS}
    folders = {str(parent) for path in given for parent in PurePosixPath(path).parents}
    files = given | {path: body for path, body in submission.files.items() if path not in folders}
    if any(path.startswith(f"{HELPERS}/") for path in files):  # PyTorch fails beside a package without a file
        files.setdefault(f"{HELPERS}/__init__.py", b"")
    return {path: body for path, body in files.items() if not path.startswith(GRADING)}
