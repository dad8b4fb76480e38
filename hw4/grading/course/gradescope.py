"""`python main.py gradescope DIR`: the autograder's zip; with `--grade ROOT`, what that does with a submission."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ..errors import ExitCode, Unusable
from ..output import RESULTS, files_without_result, write
from ..submission import ANSWERS, LARGEST, files_below
from .given import BLANK, NAME, ROOT
from .handout import new_folder, runner_files

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
        for path, place in runner_files():
            made.write(path, place.as_posix())
    print(f"{folder / 'autograder.zip'}: upload it as the autograder; its README.md says the rest")
    return ExitCode.CLEAN


def grade(root: Path) -> ExitCode:
    """Grade what a student uploaded, `root`/submission, and leave `root`/results/results.json."""
    results = root / "results" / RESULTS
    results.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder, left = Path(name) / "submission", Path(name) / "graded"
        try:
            notebook = lay_out(root / "submission", folder)
            command = [sys.executable, str(ROOT / "main.py"), str(notebook), "--output", str(left)]
            done = subprocess.run(command, capture_output=True, text=True)
            print(done.stdout, done.stderr, sep="\n")  # which Gradescope shows to the graders
            if not (left / RESULTS).exists():
                raise Unusable((done.stderr.strip().splitlines() or ["it could not be graded"])[-1])
            shutil.copy(left / RESULTS, results)
        except (Unusable, OSError, zipfile.BadZipFile) as problem:
            write(files_without_result(str(problem)), results.parent)
    return ExitCode.CLEAN


def lay_out(uploaded: Path, folder: Path) -> Path:
    """Copy what was uploaded into `folder`, as homework is laid out, and return the path of the notebook.

    What is zipped is unpacked, an `answers.py` from anywhere goes into `hw4/`, and the blank notebook stands in for one
    that is missing. Raises `Unusable` where it is not clear which notebook or which function is meant.
    """
    shutil.copytree(uploaded, folder, symlinks=True)
    for archive in [path for path in folder.rglob("*.zip") if path.is_file() and not path.is_symlink()]:
        with zipfile.ZipFile(archive) as opened:
            if sum(entry.file_size for entry in opened.infolist()) > LARGEST:
                raise Unusable(f"{archive.name}: more than {LARGEST >> 20} MiB")
            opened.extractall(archive.parent)
    found = [path for path in files_below(folder) if path.suffix == ".ipynb" and not path.is_symlink()]
    chosen = [path for path in found if path.name == NAME] or found
    if len(chosen) > 1:
        raise Unusable(f"{len(chosen)} notebooks were handed in: hand in one, or call one {NAME}")
    notebook = chosen[0] if chosen else Path(shutil.copy(BLANK, folder / NAME))
    function = notebook.parent / ANSWERS
    loose = [path for path in folder.rglob(function.name) if path.is_file() and "__MACOSX" not in path.parts]
    if loose and not function.exists():
        if len(loose) > 1:
            raise Unusable(f"{len(loose)} files called {function.name} were handed in: hand in one")
        function.parent.mkdir(exist_ok=True)
        shutil.copy(loose[0], function)
    return notebook
