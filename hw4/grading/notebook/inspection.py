"""Which cells and modules of a submission change what runs and checks it."""

from collections.abc import Mapping, Sequence

from nbformat import NotebookNode

from .machinery import changes
from .questions import GIVEN, Remark, role


def machinery_remarks(
    notebook: NotebookNode, owners: Sequence[str | None], given: NotebookNode, modules: Mapping[str, str]
) -> list[Remark]:
    """Return a remark for each cell of `notebook`, and each of its `modules`, that changes what runs and checks it.

    `owners` are the questions of its cells; what stands in the notebook `given` as well is no change.
    """
    theirs = [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    codes = {cell.source.strip(): role(cell) for cell in given.cells if cell.cell_type == "code"}
    added = {index: cell.source for index, cell in theirs if cell.source.strip() not in codes}
    relied_on = [code for code, kind in codes.items() if kind in (None, *GIVEN)]
    in_modules = zip(modules, changes(modules.values()), strict=True)
    in_cells = zip(added, changes(added.values(), relied_on), strict=True)
    return [
        *(Remark(text=f"{path}: {said}") for path, said in in_modules if said),
        *(Remark(owners[at], at, f"cell {at + 1}: {said}") for at, said in in_cells if said),
    ]
