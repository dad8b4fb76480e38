"""`python main.py gradescope DIR`: the autograder's zip; with `--grade ROOT`, what that does with a submission."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ..errors import ExitCode
from ..intake.tree import scan
from ..output import RESULTS, files_without_result, write
from .given import BLANK, NAME, ROOT
from .handout import RUNNER, files_to_give, new_folder

FILES = Path(__file__).parent / "files"
TOP = {"setup.sh": "setup.sh", "run_autograder": "run_autograder", "README.md": "GRADESCOPE.md"}
EXECUTABLE = 0o755 << 16  # the permissions of a file in a zip, where Unix looks for them


def run(arguments: list[str]) -> ExitCode:
    """Write the zip into the folder that the arguments name, or grade where Gradescope put a submission."""
    if arguments[:1] == ["--grade"] and len(arguments) == 2:
        return grade(Path(arguments[1]))
    folder = new_folder("gradescope", "Write the autograder's zip", arguments)
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "autograder.zip", "w", zipfile.ZIP_DEFLATED) as made:
        for name, source in TOP.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = EXECUTABLE
            made.writestr(entry, (FILES / source).read_bytes())
        for path, place in files_to_give(ROOT, RUNNER):
            made.write(path, place.as_posix())
    print(f"{folder / 'autograder.zip'}: upload it as the autograder; its README.md says the rest")
    return ExitCode.CLEAN


def grade(root: Path) -> ExitCode:
    """Grade what a student uploaded, `root`/submission, and leave `root`/results/results.json."""
    results = root / "results"
    results.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder, left = Path(name) / "submission", Path(name) / "graded"
        shutil.copytree(root / "submission", folder, symlinks=True)
        files = list(scan(folder, Path(name)).leaves())
        if not any(file.is_notebook for file in files) and any(file.name.endswith(".py") for file in files):
            shutil.copy(BLANK, folder / NAME)  # the function alone: nothing else is answered
        command = [sys.executable, str(ROOT / "main.py"), str(folder), "--single", "--output", str(left)]
        done = subprocess.run(command, capture_output=True, text=True)
        print(done.stdout, done.stderr, sep="\n")  # which Gradescope shows to the graders
        reason = (done.stderr.strip().splitlines() or ["it could not be graded"])[-1].removeprefix("main.py: ")
        graded = left / RESULTS
        write({RESULTS: graded.read_bytes()} if graded.exists() else files_without_result(reason), results)
    return ExitCode.CLEAN
