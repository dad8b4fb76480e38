"""The reference's own checks, with the given code that each needs, so that they run apart from any submission."""

import ast
import builtins
import re

from nbformat import NotebookNode

from .machinery import tree
from .questions import GIVEN, role

STUB = re.compile(r"NotImplementedError|#.*\b(?:your|todo|write|implement|fill)\b|^\s*(?:pass|\.\.\.)\s*$", re.I | re.M)


def given_checks(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Return the (id, source) of the checks of a reference and of the earlier given code that they need, in order.

    Given code that belongs to no question comes with every check.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and role(cell) in (None, *GIVEN)]
    kept: set[str] = set()
    for at, cell in enumerate(code):
        if role(cell) == "check":
            kept |= {cell.id, *(each.id for each in needed(cell, code[:at])[0])}
    return [(cell.id, cell.source) for cell in code if cell.id in kept or (kept and role(cell) is None)]


def needed(cell: NotebookNode, earlier: list[NotebookNode]) -> tuple[list[NotebookNode], set[str]]:
    """Return the cells among `earlier` that bind a name which `cell` or one of them uses, and what is left unbound."""
    bound, wanted = _names(cell.source)
    wanted -= bound | set(dir(builtins))
    found = []
    for each in reversed(earlier):
        bound, used = _names(each.source)
        if bound & wanted:
            found.append(each)
            wanted = (wanted | used) - bound - set(dir(builtins))
    return found, wanted


def is_complete(cell: NotebookNode, earlier: list[NotebookNode]) -> bool:
    """Return whether `cell` runs with no other code than what `earlier` gives, none of it left to the student."""
    found, unbound = needed(cell, earlier)
    return not unbound and not any(STUB.search(each.source) for each in [cell, *found])


def _names(source: str) -> tuple[set[str], set[str]]:
    """Return the names that the code `source` binds, and those that it uses."""
    bound, used = set[str](), set[str]()
    for node in ast.walk(tree(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.alias():
                bound.add((node.asname or node.name).split(".")[0])
    return bound, used
