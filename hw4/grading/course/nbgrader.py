"""`python main.py nbgrader DIR`: a course's source folder and configuration for nbgrader."""

from pathlib import Path

from ..errors import ExitCode
from .given import ROOT, STUDENT
from .gradescope import FILES
from .handout import copy, files_to_give, new_folder

NEEDED = {".ipynb", ".py"}  # of what a student gets; nbgrader runs it


def run(arguments: list[str]) -> ExitCode:
    """Write what nbgrader wants into the folder that the arguments name, and say what to do with it."""
    folder = new_folder("nbgrader", "Write a course for nbgrader", arguments)
    helpers = [(ROOT / name, Path(name)) for name in ("hw4/__init__.py", "hw4/figures.py")]
    copy([*(each for each in files_to_give(STUDENT) if each[0].suffix in NEEDED), *helpers], folder / "source" / "hw4")
    copy([(FILES / "nbgrader_config.txt", Path("nbgrader_config.py"))], folder)
    print(f"{folder}: in it, nbgrader generate_assignment hw4 makes the release version")
    return ExitCode.CLEAN
