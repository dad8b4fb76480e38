"""The seconds from a student's command to the verdict: `python -m tests.benchmarks.alone [QUESTION ...]`.

Each question of our notebook with `--only`, import of PyTorch included, on the clock and as time of the processor; then
`--watch`, from the moment at which an answer is saved to its verdict, as the median of five.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from hw4.grading.notebook.questions import question_of, role
from tests.builders import NOTEBOOK, ROOT

SAVES = 5


def only(question: str, folder: Path) -> tuple[float, float]:
    """Return the seconds of `--only question` on the clock, and of the processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, str(ROOT / "main.py"), f"--only={question}"]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def watched(folder: Path) -> list[float]:
    """Return the seconds from each of a few saves to its verdict."""
    path = Path(shutil.copy(NOTEBOOK, folder))
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == "cnn-1-answer")
    command = [sys.executable, str(ROOT / "main.py"), str(path), "--watch", "--only=cnn-1"]
    found = []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert run.stdout
        for number in range(SAVES + 1):
            start = time.perf_counter()
            while "report.html" not in run.stdout.readline():
                pass
            found.append(time.perf_counter() - start)
            cell.source += f" {number}"
            nbformat.write(notebook, path)
        run.terminate()
    return found[1:]


def main(names: list[str]) -> None:
    """Print a table with a row per question, and a line for `--watch`."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    asked = [question_of(cell) for cell in notebook.cells if role(cell) == "question"]
    with tempfile.TemporaryDirectory() as folder:
        print(f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
        print("| question | seconds | of the processor |\n| --- | ---: | ---: |")
        for question in names or asked:
            seconds, spent = only(str(question), Path(folder))
            print(f"| {question} | {seconds:.1f} | {spent:.1f} |", flush=True)
        print(f"saved to verdict: {statistics.median(watched(Path(folder))):.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
