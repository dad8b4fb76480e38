"""`python main.py handout DIR`: what a student gets, in a folder of its own.

nbgrader's `generate_assignment` copies modules as they are, the function with its answer included.
"""

import argparse
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import ExitCode, Unusable
from ..submission import files_below
from .given import ROOT, STUDENT

# What runs a notebook, what the given cells import, and the quick test, which GitHub runs as well.
RUNNER = ["main.py", "hw4/__init__.py", "hw4/figures.py", "hw4/grading", "requirements", "tests/test_answers.py"]
RUNNER += [".github/workflows/homework.yml"]
# The kinds of files that may go out: what an editor or Python left beside them could hold an answer.
KINDS = {"", ".py", ".toml", ".txt", ".md", ".ipynb", ".html", ".css", ".tex", ".woff2", ".sh", ".yml"}

Files = Iterator[tuple[Path, Path]]  # each file, and its place in what is handed out


def run(arguments: list[str]) -> ExitCode:
    """Write the hand-out into the folder that the arguments name, and say so."""
    folder = new_folder("handout", "Write what a student gets", arguments)
    copy([*files_to_give(STUDENT), *files_to_give(ROOT, RUNNER)], folder)
    print(f"{folder}: the blank notebook, hw4/answers.py to be filled, README.md, and what runs them")
    return ExitCode.CLEAN


def new_folder(command: str, what: str, arguments: list[str]) -> Path:
    """Return the folder that the `arguments` of a command name; raise `Unusable` where something stands in it."""
    parser = argparse.ArgumentParser(prog=f"main.py {command}", description=f"{what} into a new or empty folder.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    folder: Path = parser.parse_args(arguments).folder
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise Unusable(f"{folder}: exists and is not empty; name a new folder")
    return folder


def files_to_give(top: Path, names: Iterable[str] = ("",)) -> Files:
    """Yield the files at these `names` below `top`, with their places there; by default all."""
    for place in (top / name for name in names):
        for path in files_below(place) if place.is_dir() else [place]:
            if path.suffix in KINDS and not path.name.startswith("."):
                yield path, path.relative_to(top)


def copy(files: Iterable[tuple[Path, Path]], folder: Path) -> None:
    """Copy each file to its place below `folder`; raise `Unusable` where that cannot be."""
    try:
        for path, place in files:
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / place)
    except OSError as problem:
        raise Unusable(f"{problem.filename}: {problem.strerror}") from None
