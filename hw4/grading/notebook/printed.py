"""Answers in variables: texts that one cell names, `answer1 = "..."`, and another one shows, `print(answer1)`."""

import ast
from collections.abc import Iterator
from itertools import accumulate

from nbformat import NotebookNode

from .machinery import tree
from .reference import Asked


def printed_texts(cells: list[NotebookNode], heads: list[tuple[int, Asked, int | None]]) -> dict[tuple[int, int], str]:
    """Return the ids of the questions below which texts are shown, by the cell and the start of the line of each text.

    `heads` are the questions and the cells in which they stand.
    """
    code = [(index, tree(cell.source)) for index, cell in enumerate(cells) if cell.cell_type == "code"]
    places: dict[str, tuple[int, int]] = {}
    for index, module in code:
        starts = [0, *accumulate(len(line) for line in cells[index].source.splitlines(keepends=True))]
        places |= {name: (index, starts[line - 1]) for name, line in _named_texts(module) if line <= len(starts)}
    found: dict[tuple[int, int], str] = {}
    for index, module in code:
        above = next((asked for at, asked, _ in reversed(heads) if at <= index), None)
        if above and all(isinstance(node, ast.Expr) for node in module.body):
            shown = {ast.unparse(node) for node in ast.walk(module) if isinstance(node, ast.Name | ast.Subscript)}
            for name in shown & places.keys():
                found.setdefault(places[name], above.id)
    return found


def _named_texts(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each name to which `module` binds a text, also `answers['1']` for a dictionary's, and the text's line."""
    for node in module.body:
        match node:
            case ast.Assign(targets=[target], value=ast.Constant(value=str())):
                yield ast.unparse(target), node.lineno
            case ast.Assign(targets=[target], value=ast.Dict(keys=keys)):
                yield from ((f"{ast.unparse(target)}[{ast.unparse(key)}]", key.lineno) for key in keys if key)
            case _:
                pass
