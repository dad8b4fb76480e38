"""Which module imports which: a room imports only from rooms below it, and nothing goes round."""

import ast
from pathlib import Path

import pytest

from tests.builders import ROOT

GRADING = ROOT / "hw4" / "grading"
# From the lowest layer to the highest; rooms of one layer do not know each other.
LAYERS = [
    {"errors", "names", "text"},
    {"bounded"},
    {"sandbox", "notebook"},
    {"submission"},
    {"execution", "affine"},
    {"result"},
    {"report"},
    {"output"},
    {"marks"},
    {"grade"},
    {"intake"},
    {"cluster"},
    {"classroom"},
    {"course"},
    {"main"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
FILES = [*sorted(GRADING.rglob("*.py")), ROOT / "main.py"]


def module_of(file: Path) -> tuple[str, ...]:
    """Return the parts of a module's name below `hw4.grading`."""
    if file.name == "main.py":
        return ("main",)
    parts = file.relative_to(GRADING).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(file: Path, text: str | None = None) -> set[tuple[str, ...]]:
    """Return the modules below `hw4.grading` that a file imports, wherever in it."""
    package = module_of(file) if file.name == "__init__.py" else module_of(file)[:-1]
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(text or file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "hw4.grading." + ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, [base.rstrip("."), node.module or ""]))
            names = [f"{module}.{alias.name}" for alias in node.names]
        found |= {tuple(name.split(".")[2:]) for name in names if name.startswith("hw4.grading.")}
    return found - {()}


def climbs(file: Path, text: str | None = None) -> list[str]:
    """Return the imports of a file from its own layer or a higher one, but for those from its own room."""
    room = module_of(file)[:1]
    return [
        f"{'.'.join(module_of(file))} imports {'.'.join(other)}"
        for other in sorted(imports(file, text))
        if room and other[:1] != room and LEVEL[other[0]] >= LEVEL[room[0]]
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_room_imports_only_from_rooms_below_it(file):
    assert climbs(file) == []


def test_an_import_that_climbs_is_seen():
    text = "from ..result import Result\nimport hw4.grading.classroom"
    found = climbs(GRADING / "notebook" / "questions.py", text)
    assert found == ["notebook.questions imports classroom", "notebook.questions imports result.Result"]


def test_every_module_stands_in_one_layer():
    assert {module_of(file)[0] for file in FILES if module_of(file)} == set(LEVEL)


def test_no_two_modules_of_a_room_import_each_other():
    graph = {module_of(file): imports(file) for file in FILES}
    for module in graph:
        seen, waiting = set(), known(graph, module)
        while waiting:
            other = waiting.pop()
            assert other != module, f"{'.'.join(module)} imports itself in the end"
            seen.add(other)
            waiting |= known(graph, other) - seen


def known(graph, module):
    """Return the modules that `module` imports, or a name from."""
    return {each[:size] for each in graph[module] for size in (1, 2)} & set(graph)
