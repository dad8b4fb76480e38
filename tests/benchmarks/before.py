"""A single run and a class beside those of an older checkout: `python -m tests.benchmarks.before CHECKOUT [PAIRS]`.

`git worktree add ../before 632f389` makes one. Pairs are interleaved; what is printed is the least, the median and the
most of the seconds, and of the ratio of ours to the older one's.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.group import write_class
from tests.benchmarks.targets import SMALL, ratio, rounds, seconds, show
from tests.builders import ROOT

PAIRS = 10


def main(checkout: Path, pairs: int = PAIRS) -> None:
    """Print a table with the rows of both kinds of run."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n| work | least | median | most | |")
    print("| --- | ---: | ---: | ---: | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "hw4", folder / "hw4", ignore=shutil.ignore_patterns("grading", "__pycache__"))
        write_class(folder / "single", 1)
        write_class(folder / "class", SMALL, answers=True)
        notebook = next((folder / "single").glob("*/*.ipynb"))
        kinds = {"the four snippets": [notebook], f"a class of {SMALL}": ["class", "--jobs", 2, "--fresh"]}
        for kind, arguments in kinds.items():

            def run(tree: Path, arguments: list[object] = arguments) -> float:
                return seconds([sys.executable, tree / "main.py", *arguments, "--output", f"of-{tree.name}"], folder)

            times = rounds({f"{kind}, {tree.name}": lambda tree=tree: run(tree) for tree in (ROOT, checkout)}, pairs)
            show(times)
            ratio(f"{kind}, ours by the older", *times.values())


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:]))
