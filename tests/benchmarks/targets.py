"""The speed of each kind of work beside its peers: `python -m tests.benchmarks.targets [ROW ...]`, all by default.

Rounds are interleaved; what is printed is the least, the median and the most. A peer that is not installed is left out:
`pip install papermill nbmake pytest-xdist`. The questions of `--only` are timed by `tests.benchmarks.alone`.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import psutil

from hw4.grading.marks import table
from tests.benchmarks.group import at_a_time, write_class
from tests.benchmarks.runners import FLOOR
from tests.builders import NOTEBOOK, ROOT

ROUNDS, SMALL, LARGE, MEMORY = 3, 24, 96, 200
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
OURS = [sys.executable, str(ROOT / "main.py")]

Times = dict[str, list[float]]


def seconds(command: Sequence[object] | str, folder: Path) -> float:
    """Return how long the command takes in `folder`; a text is a shell's."""
    start = time.perf_counter()
    shell = isinstance(command, str)
    words = command if shell else [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=ONE_THREAD, capture_output=True, text=True, shell=shell)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - start


def grade(folder: Path, count: int, *options: object) -> float:
    """Return how long it takes to grade the class of `count`."""
    return seconds([*OURS, f"class{count}", "--output", f"graded{count}", *options], folder)


def lines(command: Sequence[object], folder: Path) -> list[float]:
    """Return when each line of a command's standard error was printed, in seconds from its start."""
    start, found = time.perf_counter(), []
    words = [str(word) for word in command]
    with subprocess.Popen(words, cwd=folder, env=ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        assert run.stderr
        for line in run.stderr:
            if line.startswith((b"[", b"starting")):
                found.append(time.perf_counter() - start)
    return found


def rounds(work: dict[str, Callable[[], float]], count: int = ROUNDS) -> Times:
    """Return the times of each piece of work, one round after the other."""
    times: Times = {name: [] for name in work}
    for _ in range(count):
        for name, call in work.items():
            times[name].append(call())
    return times


def show(times: Times, unit: str = "s") -> None:
    for name, found in times.items():
        print(f"| {name} | {min(found):.2f} | {statistics.median(found):.2f} | {max(found):.2f} | {unit} |", flush=True)


def ratio(name: str, above: Sequence[float], below: Sequence[float]) -> None:
    show({name: [one / other for one, other in zip(above, below, strict=True)]}, "times")


def classes(folder: Path) -> None:
    """A class of 24 and of 96 beside the peers on 24, two at a time; what is unchanged, marked, or changed."""
    for count in (SMALL, LARGE):
        write_class(folder / f"class{count}", count, answers=True)
    work: dict[str, Callable[[], float]] = {
        f"{count} submissions, --jobs 2": lambda count=count: grade(folder, count, "--jobs", 2, "--fresh")
        for count in (SMALL, LARGE)
    }
    peers = at_a_time(2, NOTEBOOK.name)
    if find_spec("nbmake") and find_spec("xdist"):
        peers["nbmake under xdist"] = f"{sys.executable} -m pytest -q -n 2 -p no:cacheprovider --nbmake class{SMALL}"
    for peer, command in peers.items():
        here = command.replace("class/", f"class{SMALL}/")
        work[f"{SMALL} submissions, {peer}"] = lambda here=here: seconds(here, folder)
    times = rounds(work)
    show(times)
    small, large, *others = times.values()
    each = [(one - other) / (LARGE - SMALL) for one, other in zip(large, small, strict=True)]
    show({f"(T{LARGE} - T{SMALL}) / {LARGE - SMALL}": each, f"T{SMALL} / {SMALL}": [one / SMALL for one in small]})
    for (name, _), other in zip(list(work.items())[2:], others, strict=True):
        ratio(f"{name}, by ours of {LARGE} per submission", [one / SMALL for one in other], [t / LARGE for t in large])

    def marked() -> float:
        path = folder / f"graded{LARGE}" / table.FILE
        head, first, rest = path.read_text(encoding="utf-8-sig").split("\n", 2)
        path.write_text("\n".join([head, first.replace(",,", f",{time.time() % 9:.1f},", 1), rest]), encoding="utf-8")
        return grade(folder, LARGE)

    def changed() -> float:
        path = folder / f"class{LARGE}" / "student-007" / NOTEBOOK.name
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata.changed = time.time()
        nbformat.write(notebook, path)
        return grade(folder, LARGE)

    again = {"unchanged": lambda: grade(folder, LARGE), "one mark entered": marked, "one submission changed": changed}
    show(rounds({f"{LARGE} submissions again, {name}": call for name, call in again.items()}))


def memory(folder: Path) -> None:
    """The grader's own memory over a class, and the seconds of its pages."""
    write_class(folder / f"class{MEMORY}", MEMORY, answers=True)
    command = [*OURS, f"class{MEMORY}", "--output", f"graded{MEMORY}", "--jobs", "2"]
    found, last = [], 0.0
    with subprocess.Popen(
        command, cwd=folder, env=ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as run:
        process = psutil.Process(run.pid)
        assert run.stderr
        for line in run.stderr:
            if line.startswith(b"["):
                found.append(process.memory_info().rss / 2**20)
                last = time.perf_counter()
    pages = time.perf_counter() - last
    show({"memory of the grader's process, from the 10th on": found[9:]}, "MiB")
    show({f"the pages of {MEMORY} submissions, to the end": [pages]})


def single(folder: Path) -> None:
    """The four snippets, and our notebook, beside a bare process."""
    write_class(folder / "single", 1)
    snippets = next((folder / "single").glob("*/*.ipynb"))
    for name, notebook, count in (("the four snippets", snippets, 5), ("our notebook", NOTEBOOK, ROUNDS)):
        place = notebook.parent
        work: dict[str, Callable[[], float]] = {
            f"{name}, bare": lambda at=notebook, place=place: seconds([sys.executable, "-c", FLOOR, at], place),
            f"{name}, main.py": lambda at=notebook: seconds([*OURS, at, "--output", folder / "one"], folder),
        }
        times = rounds(work, count)
        show(times)
        ratio(f"{name}, main.py by bare", times[f"{name}, main.py"], times[f"{name}, bare"])
    first = [lines([*OURS, snippets, "--output", folder / "one"], folder)[0] for _ in range(5)]
    show({"the first line of progress": first})


def drawing(folder: Path) -> None:
    """A page of our notebook, its cells changed so that nothing is cached, beside nbconvert's Markdown step alone."""
    from nbconvert.filters.markdown import markdown2html

    from hw4.grading.report.submission_page import submission_page
    from hw4.grading.result import Result

    def fresh() -> nbformat.NotebookNode:
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        stamp = f"{time.perf_counter_ns()}"
        for cell in notebook.cells:
            cell.source += f"\n\n<!-- {stamp} -->" if cell.cell_type == "markdown" else ""
        return notebook

    def seconds_of(draw: Callable[[Any], object], drawn: Any) -> float:
        start = time.process_time()
        draw(drawn)
        return time.process_time() - start

    def markdown_step(notebook: nbformat.NotebookNode) -> None:
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                markdown2html(cell.source)

    work: dict[str, Callable[[], float]] = {
        "nbconvert's Markdown step": lambda: seconds_of(markdown_step, fresh()),
        "our page": lambda: seconds_of(submission_page, Result(fresh(), title="x")),
    }
    rounds(work, 1)
    times = rounds(work, 10)
    show(times)
    ratio("our page by nbconvert's Markdown step", *reversed(list(times.values())))


def workers(folder: Path) -> None:
    """Two jobs beside one, and three workers of a Dask cluster beside three jobs, from the third submission on."""
    write_class(folder / f"class{SMALL}", SMALL, answers=True)
    times = rounds({f"--jobs {n}": lambda n=n: grade(folder, SMALL, "--jobs", n, "--fresh") for n in (1, 2)})
    show(times)
    ratio("--jobs 1 by --jobs 2", *times.values())
    if not find_spec("distributed"):
        return
    from distributed import LocalCluster

    def rate(*options: object) -> float:
        found = lines([*OURS, f"class{SMALL}", "--output", "graded", "--fresh", *options], folder)
        return (found[-1] - found[2]) / (len(found) - 3)

    # Dask's own workers, as processes of their own; what they listen on is this machine alone.
    with LocalCluster(3, threads_per_worker=1, processes=True) as cluster:
        times = rounds(
            {"--jobs 3": lambda: rate("--jobs", 3), "--dask": lambda: rate("--dask", cluster.scheduler_address)}
        )
    show(times, "s per submission")
    ratio("--dask by --jobs 3", *reversed(list(times.values())))


ROWS = {call.__name__: call for call in (classes, memory, single, drawing, workers)}


def main(names: Sequence[str]) -> None:
    """Print a table with the rows that are named."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n| work | least | median | most | |")
    print("| --- | ---: | ---: | ---: | --- |")
    for name in names or ROWS:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "hw4", Path(folder, "hw4"), ignore=shutil.ignore_patterns("grading", "__pycache__"))
            ROWS[name](Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
