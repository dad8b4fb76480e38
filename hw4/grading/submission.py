"""What was handed in: found, and read into memory once."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import Unusable
from .names import shown

LARGEST = 200 * 2**20  # bytes of one submission, all files together
SKIPPED = {"__pycache__", "node_modules", "graded", "venv", "env"}  # folders that hold no answer, as hidden ones
NEVER = {".git", ".ipynb_checkpoints", ".Trash", "__pycache__", "node_modules"}  # nobody's name
HELPERS = "hw4"  # the package that lies beside a notebook
ANSWERS = f"{HELPERS}/answers.py"  # the function that a student implements
GRADING = f"{HELPERS}/grading/"  # the grading code, which no submission gets


@dataclass(frozen=True)
class Submission:
    """A notebook, by its name, and the files of its folder, by their path in it."""

    name: str  # unlike that of every other submission
    notebook: str
    files: dict[str, bytes]

    def texts(self) -> list[str]:
        """Return the text of its notebook and its modules."""
        return [body.decode(errors="replace") for path, body in self.files.items() if path.endswith((".ipynb", ".py"))]

    def digest(self) -> str:
        """Return a hash of all that it consists of."""
        total = hashlib.sha256(self.notebook.encode(errors="surrogateescape"))
        for path, body in sorted(self.files.items()):
            total.update(f"\0{path}\0{len(body)}\0".encode(errors="surrogateescape") + body)
        return total.hexdigest()


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below `folder`, in order, none of them in a hidden or skipped folder or behind a link to one."""
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not (name.startswith(".") or name in SKIPPED))
        yield from (Path(top, name) for name in sorted(files))


def notebooks(folder: Path) -> list[Path]:
    """Return the notebooks below `folder`, none of them hidden, a link, or the blank one of the grading code."""
    found = (path for path in files_below(folder) if path.suffix == ".ipynb" and not path.name.startswith("."))
    return [path for path in found if not path.is_symlink() and f"/{GRADING}" not in path.as_posix()]


def find(paths: Iterable[Path], reference: Path) -> list[tuple[str, Path]]:
    """Return the (name, path) of each submission at or below `paths`, each name unlike every other.

    A folder is one submission if it holds one notebook, or one that is called as the reference; else each notebook and
    each folder in it is, or holds, submissions. Raises `Unusable` for a folder that cannot be read.
    """
    try:
        here = [path.resolve() if path.is_dir() and path.is_symlink() else path for path in paths]
        found = list(dict.fromkeys(_find(here, reference)))
    except OSError as problem:
        raise Unusable(f"{problem.filename}: {problem.strerror}") from None
    names = Counter(name for name, _ in found)
    return [(shown(name if names[name] == 1 else path.as_posix()), path) for name, path in found]


def _find(paths: Iterable[Path], reference: Path) -> list[tuple[str, Path]]:
    found: list[tuple[str, Path]] = []
    for path in paths:
        if path.is_symlink() or not path.is_dir():
            found.append((path.name, path))
        elif pick(path, reference) or not notebooks(path):
            found.append((path.resolve().name, path))
        else:
            for each in sorted(path.iterdir()):
                if (each.is_dir() or each.suffix == ".ipynb") and not _is_passed_over(each):
                    inner = _find([each], reference)
                    found += [(name if place is each else f"{each.name}/{name}", place) for name, place in inner]
    return found


def _is_passed_over(path: Path) -> bool:
    """Return whether what lies in a class's folder is no submission: hidden, an environment, or what a run left."""
    if not (path.name.startswith(".") or path.name in SKIPPED):
        return False
    made = [path / name for name in ("pyvenv.cfg", "conda-meta", "results.json", "results.csv")]
    by_tools = path.name in NEVER or not path.is_dir() or any(each.exists() for each in made)
    return by_tools or not notebooks(path)  # but for a student of that name


def pick(folder: Path, reference: Path) -> Path | None:
    """Return the notebook of a `folder`: the only one below it, or the one in it with the name of the reference."""
    found = notebooks(folder)
    for candidates in (found, [path for path in found if path.name == reference.name and path.parent == folder]):
        if len(candidates) == 1:
            return candidates[0]
    return None


def collect(path: Path, reference: Path, name: str | None = None) -> Submission:
    """Read the submission at `path`: a notebook with the `hw4` package beside it, or a folder with all in it."""
    try:
        if path.is_dir():
            notebook = pick(path, reference)
            if notebook is None:
                if links := [each for each in path.glob("*.ipynb") if each.is_symlink()]:
                    raise Unusable(f"{links[0]}: a link, which could lead to anybody's work")
                raise Unusable(f"{path}: {len(notebooks(path)) or 'no'} notebooks in it")
            root, wanted = notebook.parent, notebook.parent
        elif path.exists():
            notebook, root, wanted = path, path.parent, path.parent / HELPERS
        else:
            raise Unusable(f"{path}: no such file")
        if any(each.is_symlink() for each in (path, notebook)) and path != reference:
            raise Unusable(f"{path}: a link, which could lead to anybody's work")
        files = {notebook.name: read(notebook)}
        total = len(files[notebook.name])
        for file in () if wanted.is_symlink() else files_below(wanted):
            if stat.S_ISREG(file.lstat().st_mode) and file != notebook:  # a link could lead anywhere
                files[file.relative_to(root).as_posix()] = body = read(file)
                total += len(body)
                if total > LARGEST:
                    raise Unusable(f"{path}: more than {LARGEST >> 20} MiB")
    except OSError as problem:
        raise Unusable(f"{path}: {problem.strerror}") from None
    return Submission(name or path.name, notebook.name, files)


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
    return {path: body for path, body in files.items() if not path.startswith(GRADING)}
