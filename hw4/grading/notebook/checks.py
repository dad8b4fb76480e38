"""The reference's own checks, with the given code that each needs, so that they run apart from any submission."""

import ast
import builtins
import re
from collections.abc import Collection
from dataclasses import dataclass

from nbformat import NotebookNode

from .machinery import imports, tree
from .questions import GIVEN, JUDGED, question_of, role

STUB = re.compile(r"NotImplementedError|#.*\b(?:your|todo|write|implement|fill)\b|^\s*(?:pass|\.\.\.)\s*$", re.I | re.M)


@dataclass(frozen=True)
class JudgedFunction:
    """The function that the battery judges, and the question that asks for it."""

    question: str
    module: str
    name: str

    @property
    def file(self) -> str:
        """Return the path of its module in a submission."""
        return f"{self.module.replace('.', '/')}.py"


def given_checks(notebook: NotebookNode) -> list[tuple[str, str]]:
    """Return the (id, source) of the checks of a reference and of the earlier given code that they need, in order.

    Given code that belongs to no question comes with every check.
    """
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and role(cell) in (None, *GIVEN)]
    kept = {cell.id for cell in code if is_given_check(cell)}
    everywhere = {name for cell in code if role(cell) is None for name in imports(tree(cell.source)).items()}
    for at, cell in enumerate(code):
        if role(cell) == "check":
            kept |= {each.id for each in needed(cell, code[:at], everywhere)[0]}
    return [(cell.id, cell.source) for cell in code if cell.id in kept or (kept and role(cell) is None)]


def check_cells(reference: NotebookNode, notebook: NotebookNode) -> list[tuple[str, str]]:
    """Return the (id, source) of the reference's own checks and of the code that they need.

    They tell in a process of their own what holds, whatever the submission did to its cells or in its kernel. A cell
    that nbgrader's metadata mark as the student's is taken from the submission's `notebook`.
    """
    theirs = {cell.id: cell.source for cell in notebook.cells}
    solved = {cell.id: theirs.get(cell.id, "") for cell in reference.cells if _nbgrader(cell, "solution")}
    return [(name, solved.get(name, source)) for name, source in given_checks(reference)]


def is_given_check(cell: NotebookNode) -> bool:
    """Return whether a code cell of a reference is a check, by its id, or else by nbgrader's metadata."""
    marked = _nbgrader(cell, "grade") and not _nbgrader(cell, "solution")
    return role(cell) == "check" or (role(cell) is None and marked)


def _nbgrader(cell: NotebookNode, key: str) -> bool:
    marks = cell.metadata.get("nbgrader")
    return isinstance(marks, dict) and marks.get(key) is True


def function_to_judge(reference: NotebookNode) -> JudgedFunction | None:
    """Return the function that the metadata of the `reference` name, or the homework's own if its question is asked."""
    named = reference.metadata.get("hw4", {}).get("judged")
    if isinstance(named, list) and len(named) == 3 and all(isinstance(each, str) for each in named):
        return JudgedFunction(*named)
    asked = {question_of(cell) for cell in reference.cells}
    return JudgedFunction(*JUDGED) if JUDGED[0] in asked else None


def needed(
    cell: NotebookNode, earlier: list[NotebookNode], everywhere: Collection[tuple[str, str]] = ()
) -> tuple[list[NotebookNode], set[str]]:
    """Return the cells among `earlier` that bind a name which `cell` or one of them uses, and what is left unbound.

    To import one of `everywhere`, (name, what it stands for), binds nothing: it is done in any case.
    """
    bound, wanted = _names(cell.source)
    wanted -= bound
    found = []
    for each in reversed(earlier):
        bound, used = _names(each.source)
        bound -= {name for name, what in imports(tree(each.source)).items() if (name, what) in everywhere}
        if bound & wanted:
            found.append(each)
            wanted = (wanted | used) - bound
    return found, wanted


def is_complete(cell: NotebookNode, earlier: list[NotebookNode]) -> bool:
    """Return whether `cell` runs with no other code than what `earlier` gives, none of it left to the student."""
    found, unbound = needed(cell, earlier)
    return not unbound and not any(STUB.search(each.source) for each in [cell, *found])


def is_implemented(source: str, name: str) -> bool:
    """Return whether the module `source` has a function `name` that does more than raise an error or pass."""
    nodes = ast.walk(tree(source))
    bodies = [node.body for node in nodes if isinstance(node, ast.FunctionDef) and node.name == name]
    idle = ast.Pass | ast.Raise | ast.Expr
    return name in source and not any(all(isinstance(each, idle) for each in body) for body in bodies[-1:])


def _names(source: str) -> tuple[set[str], set[str]]:
    """Return the names that the code `source` binds, and those that it uses but for Python's own."""
    bound, used = set[str](), set[str]()
    for node in ast.walk(tree(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.alias():
                bound.add((node.asname or node.name).split(".")[0])
    return bound, used - set(dir(builtins))
