"""The seconds of each question run alone, setup and its own cells: `python -m tests.benchmarks.questions`.

Imports are shared: the forkserver has imported PyTorch, and a first run of every question is not counted for its own
module imports. One thread each; the ratio is to all questions together.
"""

import nbformat

from hw4.grading.execution.kernel import Kernel
from hw4.grading.execution.run import Limits, run_cells
from hw4.grading.notebook.questions import question_of, role
from hw4.grading.sandbox.launcher import Launcher, modules_mentioned
from hw4.grading.sandbox.scratch import Scratch
from tests.builders import NOTEBOOK, ROOT

IMPORTS = "import torch.optim, torch._dynamo, matplotlib.figure, matplotlib.backends.backend_agg\n"
IMPORTS += "import torch; torch.ones(1, requires_grad=True).sum().backward()"


def main() -> None:
    """Print a table with a row per question."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    questions = [question_of(cell) for cell in notebook.cells if role(cell) == "question"]
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "hw4").rglob("*.py")}
    files = {path: body for path, body in files.items() if "grading" not in path}
    seconds = {}
    with Launcher(modules_mentioned(["torch.optim matplotlib"])) as launcher:
        for question in questions:
            cells = [nbformat.v4.new_code_cell(IMPORTS)]
            cells += [cell for cell in notebook.cells if cell.id == "setup" or question_of(cell) == question]
            with Scratch(files) as scratch, Kernel(launcher, scratch) as kernel:
                done = list(run_cells(nbformat.v4.new_notebook(cells=cells), kernel, Limits()))
            seconds[question] = sum(execution.seconds for execution in done[1:])
    total = sum(seconds.values())
    print("| question | seconds alone, beside the imports | of all |\n| --- | ---: | ---: |")
    for question, taken in seconds.items():
        print(f"| {question} | {taken:.2f} | {taken / total:.0%} |")
    print(f"| all | {total:.1f} | 100% |")


if __name__ == "__main__":
    main()
