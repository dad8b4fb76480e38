"""The fixtures that tests share: notebooks in files, and `main.py` as a user runs it."""

import subprocess
import sys

import nbformat
import pytest

from hw4.grading.execution.run import Limits
from hw4.grading.grade import Task
from hw4.grading.grade import run as run_task
from hw4.grading.sandbox.launcher import Launcher, modules_mentioned
from tests.builders import ROOT, made, submission

STARTS_PROCESSES = {"attack", "forking", "grade", "launcher", "result", "run", "start", "cluster", "kernel", "verdict"}


def pytest_collection_modifyitems(items):
    """Mark as slow what starts processes, by the fixtures that it uses."""
    for item in items:
        if STARTS_PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def notebook(tmp_path):
    """Return a function that writes what `made` makes to a path."""

    def write(cells, name="hw.ipynb", metadata=None):
        path = tmp_path / name
        nbformat.write(made(cells, metadata), path)
        return path

    return write


@pytest.fixture(scope="session")
def launcher():
    """Yield a launcher whose processes have PyTorch imported."""
    with Launcher(modules_mentioned(["torch"])) as launcher:
        yield launcher


@pytest.fixture
def result(launcher):
    """Return a function that runs the submission of `cells` and `files` and returns its result.

    What was asked is what it asks itself, unless `reference` says otherwise. The keywords are limits.
    """

    def run(cells, files=None, reference=None, **limits):
        handed_in = submission(cells, files)
        return run_task(Task(handed_in, reference or handed_in, Limits(**{"cell": 20, **limits})), launcher)

    return run


@pytest.fixture
def grade(tmp_path):
    """Return a function that runs `main.py` with the arguments given, as a user does, in an empty folder.

    What was asked is what the first notebook asks, unless `reference` names another one.
    """

    def run(*arguments, reference=None, **kwargs):
        command = [sys.executable, str(ROOT / "main.py")]
        command += [f"--reference={reference or arguments[0]}"] if arguments else []
        command += map(str, arguments)
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, **kwargs)

    return run


@pytest.fixture
def executed(tmp_path):
    """Return a function that reads the executed notebook which a run left, as {id: cell}."""

    def read(name="hw.ipynb"):
        return {cell.id: cell for cell in nbformat.read(tmp_path / "graded" / name, as_version=4).cells}

    return read
