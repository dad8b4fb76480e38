"""A class beside its peers: `python -m tests.benchmarks.group [--copies N] [--full]`.

Copies of the four snippets alone, or with `--full` of the whole notebook, graded two at a time by `main.py`, and by
papermill and `jupyter nbconvert --execute` under `xargs -P 2`, one thread per kernel. Then the memory of one more
kernel, as proportional set size, ours and one that jupyter_client launches, with PyTorch and matplotlib imported.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import nbformat
import psutil

from hw4.grading.execution.kernel import Kernel
from hw4.grading.notebook.questions import GIVEN, role
from hw4.grading.sandbox.launcher import Launcher, modules_mentioned
from hw4.grading.sandbox.scratch import Scratch
from tests.builders import NOTEBOOK, ROOT

IMPORTS = "import torch, matplotlib.figure; torch.ones(3).sum()"


def snippets(notebook, answers=False):
    """Return the notebook without what is neither given nor the setup, nor an answer if those are wanted."""
    roles, ids = {*GIVEN, *(["question", "answer"] if answers else [])}, ("title", "macros", "setup")
    return nbformat.from_dict(
        notebook | {"cells": [cell for cell in notebook.cells if role(cell) in roles or cell.id in ids]}
    )


def write_class(folder, copies, answers=False, full=False):
    """Write a class of `copies` students with the four snippets, with our answers if wanted, or the `full` notebook."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook = notebook if full else snippets(notebook, answers)
    for number in range(copies):
        student = folder / f"student-{number:03}"
        shutil.copytree(ROOT / "hw4", student / "hw4", ignore=shutil.ignore_patterns("grading", "__pycache__"))
        notebook.cells[0].metadata.student = number  # no two are the same
        nbformat.write(notebook, student / NOTEBOOK.name)


def at_a_time(jobs, name):
    """Return {peer: command} that executes the notebooks `name` in the folders of `class/`, `jobs` at a time."""
    begin = f"ls -d class/* | xargs -P {jobs} -I @ sh -c 'cd @ && {sys.executable} -m"
    peers = {
        "papermill": f"{begin} papermill {name} papermill.out'",
        "jupyter nbconvert": f"{begin} jupyter nbconvert --to notebook --execute {name} --output-dir done'",
    }
    return {peer: command for peer, command in peers.items() if peer == "jupyter nbconvert" or find_spec(peer)}


def seconds(command, folder, **environment):
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, shell=True)
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - start


def throughput(copies, full):
    one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_class(folder / "class", copies, full=full)
        taken = {"main.py": seconds(f"{sys.executable} {ROOT / 'main.py'} class --jobs 2 --fresh", folder)}
        for peer, command in at_a_time(2, NOTEBOOK.name).items():
            taken[peer] = seconds(command, folder, **one)
    what = "the whole notebook" if full else "the four snippets"
    print(f"| {copies} copies of {what}, two at a time | seconds | per submission | times main.py's |")
    print("| --- | ---: | ---: | ---: |")
    for name, wall in taken.items():
        print(f"| {name} | {wall:.1f} | {wall / copies:.2f} | {wall / taken['main.py']:.2f} |")


def memory():
    """Print the proportional set size of the second of two kernels."""
    from jupyter_client.manager import start_new_kernel

    with ExitStack() as stack:
        launcher = stack.enter_context(Launcher(modules_mentioned(["torch matplotlib"])))
        scratch = stack.enter_context(Scratch({}))
        kernels = [stack.enter_context(Kernel(launcher, scratch)) for _ in range(2)]
        for kernel in kernels:
            kernel.execute(IMPORTS, 60, lambda message: None)
        ours = pss(kernels[1].process.pid)
    managers = [start_new_kernel() for _ in range(2)]
    for _, client in managers:
        client.execute_interactive(IMPORTS, silent=True)
    theirs = pss(managers[1][0].provisioner.pid)
    for manager, client in managers:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print("\n| one more kernel | MiB of proportional set size |\n| --- | ---: |")
    print(f"| main.py | {ours:.0f} |\n| jupyter_client's | {theirs:.0f} |")


def pss(pid):
    process = psutil.Process(pid)
    return sum(each.memory_full_info().pss for each in [process, *process.children(recursive=True)]) / 2**20


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--copies", type=int, default=24)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    throughput(options.copies, options.full)
    memory()
