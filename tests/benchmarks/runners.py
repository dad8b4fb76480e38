"""`main.py` beside its peers and the floor, on the same notebook: `python -m tests.benchmarks.runners [NOTEBOOK]`.

The floor is one Python process that runs the same code cells and nothing else. Runs are interleaved, one thread each,
and what is reported is the median and its ratio to the floor's. A peer that is not installed is left out:
`pip install papermill nbmake` brings two of them.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from tests.builders import NOTEBOOK, ROOT

ROUNDS = 5
FLOOR = """
import json, sys
scope = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), scope)
"""


def commands(notebook, folder):
    """Return {name: command} for the floor, for us and for the peers that are installed; all write into `folder`."""
    python = sys.executable
    nbconvert = [python, "-m", "jupyter", "nbconvert"]
    found = {
        "floor": [python, "-c", FLOOR, notebook],
        "main.py": [python, ROOT / "main.py", notebook, "--output", folder],
        "papermill": [python, "-m", "papermill", "--cwd", notebook.parent, notebook, folder / "papermill.ipynb"],
        "jupyter nbconvert": [*nbconvert, "--to", "notebook", "--execute", notebook, "--output-dir", folder],
        "jupyter execute": [python, "-m", "jupyter", "execute", notebook, f"--output={folder / 'executed.ipynb'}"],
        "pytest --nbmake": [python, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--nbmake", notebook],
    }
    absent = [name for name in ("papermill", "nbmake") if find_spec(name) is None]
    return {name: command for name, command in found.items() if not any(peer in name for peer in absent)}


def seconds(command, folder):
    start = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(folder)}
    done = subprocess.run([str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - start


def main(notebook):
    with tempfile.TemporaryDirectory() as folder:
        todo = commands(notebook, Path(folder))
        taken = {name: [] for name in todo}
        for _ in range(ROUNDS):
            for name, command in todo.items():
                taken[name].append(seconds(command, notebook.parent))
    floor = statistics.median(taken["floor"])
    ratios = {name: [t / f for t, f in zip(times, taken["floor"], strict=True)] for name, times in taken.items()}
    print(f"| runner | median of {ROUNDS} | times the floor | median of the rounds' ratios |")
    print("| --- | ---: | ---: | ---: |")
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"| {name} | {median:.2f} s | {median / floor:.2f} | {statistics.median(ratios[name]):.2f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else NOTEBOOK)
