"""What a submission's code changes in the machinery that runs and checks it, read from the syntax tree of its cells.

What is found is a remark and decides no point: whoever hides it is judged by the battery all the same. Linters were
weighed: none looks for assignments to another module's attributes across the cells of a notebook.
"""

import ast
import builtins
import functools
import re
import tomllib
import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
PATHS = [(re.compile(pattern), new) for pattern, new in TABLES.pop("paths")]
NAMES = {table: frozenset(names.split()) for table, names in TABLES.items()}
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.GeneratorExp)
SHELL = "get_ipython"
IMPORTED = r"(?:IPython(?!\.display\Z)|ipykernel|builtins|ctypes)\b"
MOST = 5  # changes that are named of one cell


@functools.lru_cache(maxsize=1000)  # cells: what was given stands in every submission of a class
def tree(source: str) -> ast.Module:
    """Return the syntax tree of a cell, its magic commands as the calls that IPython makes of them, and their bodies.

    That of a cell that is no Python is empty.
    """
    module = ast.Module([], [])
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python and of IPython, about somebody else's code
        try:
            module = ast.parse(source)
        except SyntaxError:
            from IPython.core.inputtransformer2 import TransformerManager  # which takes a while to import

            module = ast.parse(TransformerManager().transform_cell(source))
        for node in list(ast.walk(module)):
            match node:
                case ast.Call(func=ast.Attribute(attr="run_cell_magic"), args=[*_, ast.Constant(value=str(body))]):
                    module.body += tree(body).body
    return module


def changes(sources: Collection[str], given: Iterable[str] = ()) -> list[str]:
    """Return for each of the `sources` what it changes in the machinery, "" for nothing.

    `given` is the code that the reference gives: what it is named and imports should stay what it is.
    """
    code = ast.Module([node for source in given for node in tree(source).body], [])
    names = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
    aliases = imports(code)
    kept = {name: name for name in names & set(dir(builtins)) | {"AssertionError"}} | aliases
    found = []
    for source in sources:
        again = imports(tree(source))
        aliases = again | aliases  # what is torch for the given code stays so, whatever a cell makes of it
        lost = [name for name in _bound(tree(source)) if name in kept and again.get(name) != kept[name]]
        said = [f"{name}, which the given code relies on, is replaced" for name in lost]
        said += [each for node in ast.walk(tree(source)) for each in _uses(node, aliases)]
        said += [f"{SHELL}() is reached"] * (SHELL in source)
        found.append("; ".join(list(dict.fromkeys(said))[:MOST]))
    return found


@functools.lru_cache(maxsize=1000)
def imports(module: ast.Module) -> dict[str, str]:
    """Return {name: what it stands for} of the names that imports bind, or assignments of what was imported."""
    found: dict[str, str] = {}
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                for each in names:
                    name = each.asname or each.name.partition(".")[0]
                    found[name] = each.name if each.asname else name
            case ast.ImportFrom(names=names):
                found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in names}
            case ast.Assign(targets=targets, value=value):
                if (path := _path(value, found)).partition(".")[0] in NAMES["roots"]:
                    found |= {each.id: path for each in targets if isinstance(each, ast.Name)}
    return found


def _bound(module: ast.Module) -> Iterator[str]:
    """Yield the names that a cell binds, but for those of its functions and classes inside."""
    waiting: list[ast.AST] = [module]
    for node in waiting:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias():
                yield node.asname or node.name.partition(".")[0]
        waiting += () if isinstance(node, SCOPES) else ast.iter_child_nodes(node)


def _path(node: ast.AST, aliases: dict[str, str]) -> str:
    """Return the dotted name of what an expression reaches, as far as it can be read; "" where it cannot."""
    text = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Name) else ""
    for pattern, new in PATHS:
        text = pattern.sub(new, text)
    root, dot, rest = text.partition(".")
    return aliases.get(root, root) + dot + rest if re.fullmatch(r"[\w.]+", text) else ""


def _watched(path: str) -> bool:
    root, _, rest = path.replace("__builtins__", "builtins").partition(".")
    return root in NAMES["roots"] and bool(rest) and not path.startswith(tuple(NAMES["settings"]))


def _uses(node: ast.AST, aliases: dict[str, str]) -> Iterator[str]:
    """Yield what is said of an expression or a statement."""
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
            path = _path(node, aliases)
            if _watched(path) or path in NAMES["roots"]:
                yield f"{path} is replaced"
        case ast.Attribute(attr=name) if name in NAMES["reached"]:
            yield f"{name} is reached"
        case ast.Call():
            yield from _call(node, aliases)
        case ast.Import() | ast.ImportFrom():
            names = [str(node.module)] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            yield from (f"{name} is imported" for name in names if re.match(IMPORTED, name))
        case ast.Raise(exc=ast.expr() as raised) if _path(raised, aliases) in NAMES["ends"]:
            yield "SystemExit is raised"
        case ast.Constant(value=str(text)) if text.startswith("/proc/"):
            yield f"{text[:40]} is named"
        case ast.Try(body=body, handlers=handlers) if not has(handlers, ast.Raise):
            kinds = ["AssertionError", *(["Exception", "BaseException"] if has(body, ast.Assert) else [])]
            caught = " ".join(ast.unparse(each.type) if each.type else "Exception" for each in handlers)
            if not set(kinds).isdisjoint(re.findall(r"\w+", caught)):
                yield "an assertion's failure is caught"
        case ast.With(items=[ast.withitem(context_expr=ast.Call() as call), *_], body=body):
            if _path(call.func, aliases).endswith("suppress") and has(body, ast.Assert):
                yield "an assertion's failure is caught"


def _call(node: ast.Call, aliases: dict[str, str]) -> Iterator[str]:
    """Yield what is said of a call."""
    path = _path(node.func, aliases)
    owner, _, name = path.rpartition(".")
    texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if path.startswith(SHELL) and name in NAMES["commands"]:
        if "magic" not in name:
            yield "a command of the system's shell is run"
        elif texts[:1] and texts[0] not in NAMES["magics"]:
            yield f"%{'%' * (name == 'run_cell_magic')}{texts[0]} is used"
    elif path in NAMES["ends"] | NAMES["made"]:
        yield f"{path} is called"
    elif name in NAMES["setters"]:
        first = _path(node.args[0], aliases) if node.args else ""
        reached = [".".join([first or owner, *texts[:1]]), *texts[:1], *([f"{owner}.x"] if name == "update" else [])]
        yield from [f"{each.removesuffix('.x')} is replaced" for each in reached if _watched(each)][:1]


def has(nodes: Iterable[ast.AST], kind: type[ast.AST]) -> bool:
    """Return whether a node of that kind stands in one of the trees."""
    return any(isinstance(each, kind) for node in nodes for each in ast.walk(node))
