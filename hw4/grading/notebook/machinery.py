"""What a submission's code changes in the machinery that runs and checks it, read from the syntax tree of its cells.

What is found is a remark and decides no point: whoever hides it is judged by the battery all the same. Linters were
weighed: none looks for assignments to another module's attributes across the cells of a notebook.
"""

import ast
import builtins
import functools
import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

ROOTS = {"torch", "numpy", "builtins", "sys", "IPython", "ipykernel", "get_ipython", "unittest", "pytest", "math"}
SETTINGS = ("torch.backends.", "numpy.random.", "sys.path", "sys.stdout", "sys.stderr")  # which notebooks do change
SETTERS = {"setattr", "delattr", "__setattr__", "__delattr__", "update", "patch", "object", "dict"}
REACHED = frozenset(
    """
ast_transformers input_transformers_post input_transformers_cleanup input_transformer_manager run_cell
run_cell_async run_ast_nodes run_code set_custom_exc showtraceback register_magic_function events get_objects
get_referrers _getframe currentframe settrace setprofile f_globals f_locals f_back tb_frame
""".split()
)
SHELL = "get_ipython"
COMMANDS = {"run_line_magic", "run_cell_magic", "system", "getoutput"}
IMPORTED = {"IPython", "ipykernel", "builtins", "ctypes"}
ENDS = {"exit", "quit", "sys.exit", "os._exit", "os.abort", "SystemExit"}
MADE = {"exec", "eval", "compile", "__import__"}
CAUGHT = {"AssertionError", "Exception", "BaseException", None}
MAGICS = {"matplotlib", "time", "timeit", "config", "load_ext", "autoreload", "pip", "conda", "precision"}
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.GeneratorExp)
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
    trees = [tree(source) for source in sources]
    code = [tree(source) for source in given]
    aliases: dict[str, str] = {}
    for each in code:
        aliases |= imports(each)
    names = {name for each in code for name in _names(each)}
    kept = {name: name for name in names & set(dir(builtins)) | {"AssertionError"}} | aliases
    found = []
    for each in trees:
        said = [*_bindings(each, kept)]
        aliases = imports(each) | aliases  # what is torch for the given code stays so, whatever a cell makes of it
        said += _uses(each, aliases)
        found.append("; ".join(list(dict.fromkeys(said))[:MOST]))
    return found


@functools.lru_cache(maxsize=1000)
def _names(module: ast.Module) -> set[str]:
    """Return the names that occur in a cell."""
    return {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}


@functools.lru_cache(maxsize=1000)
def imports(module: ast.Module) -> dict[str, str]:
    """Return {name: what it stands for} of the names that imports bind, or assignments of what was imported."""
    found: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {each.asname or each.name.partition(".")[0]: each.name for each in node.names if each.asname}
            found |= {name: name for each in node.names if not each.asname for name in [each.name.partition(".")[0]]}
        elif isinstance(node, ast.ImportFrom):
            found |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            path = _path(node.value, found)
            found |= {node.targets[0].id: path} if path.partition(".")[0] in ROOTS else {}
    return found


def _path(node: ast.AST, aliases: dict[str, str]) -> str:
    """Return the dotted name of what an expression reaches, as far as it can be read; "" where it cannot."""
    match node:
        case ast.Name(id=name):
            return aliases.get(name, name)
        case ast.Attribute(value=value, attr="__dict__") | ast.Call(func=ast.Name(id="vars"), args=[value]):
            return _path(value, aliases)
        case (
            ast.Attribute(value=value, attr=name)
            | ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(name)), *_])
        ):
            return f"{_path(value, aliases)}.{name}"
        case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
            base = _path(value, aliases)
            return name if base in ("sys.modules", "globals", "locals") else f"{base}.{name}"
        case ast.Call(args=[ast.Constant(value=str(name)), *_], func=function) if _path(function, aliases).endswith(
            ("import_module", "__import__")
        ):
            return name
        case ast.Call(func=function) if _path(function, aliases).endswith((SHELL, "globals", "locals")):
            return _path(function, aliases).rpartition(".")[2]
    return ""


def _watched(path: str) -> bool:
    root, _, rest = path.replace("__builtins__", "builtins").partition(".")
    return root in ROOTS and bool(rest) and not path.startswith(SETTINGS)


def _bindings(module: ast.Module, kept: dict[str, str]) -> Iterator[str]:
    """Yield what is said of names that the given code relies on and that a cell binds to something else."""
    waiting: list[ast.AST] = [module]
    again = imports(module)
    while waiting:
        node = waiting.pop()
        name = None
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            name = node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.alias):
            name = node.asname or node.name.partition(".")[0]
        if name in kept and again.get(name) != kept[name]:
            yield f"{name}, which the given code relies on, is replaced"
        if not isinstance(node, SCOPES):
            waiting += ast.iter_child_nodes(node)


def _uses(module: ast.Module, aliases: dict[str, str]) -> Iterator[str]:
    """Yield what is said of the expressions and statements of a cell."""
    functions = [node.func for node in ast.walk(module) if isinstance(node, ast.Call) and _is_command(node)]
    commands = {id(function.value) for function in functions if isinstance(function, ast.Attribute)}
    for node in ast.walk(module):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                path = _path(node, aliases)
                if _watched(path) or path in ROOTS:
                    yield f"{path} is replaced"
            case ast.Attribute(attr=name) if name in REACHED:
                yield f"{name} is reached"
            case ast.Call() if id(node) not in commands:
                yield from _call(node, aliases)
            case ast.Import(names=names) if any(each.name.partition(".")[0] in IMPORTED for each in names):
                yield f"{', '.join(each.name for each in names)} is imported"
            case ast.ImportFrom(module=str(name)) if name.partition(".")[0] in IMPORTED and name != "IPython.display":
                yield f"{name} is imported"
            case ast.Raise(exc=ast.expr() as raised) if _path(raised, aliases) in ENDS:
                yield "SystemExit is raised"
            case ast.Constant(value=str(text)) if text.startswith("/proc/"):
                yield f"{text[:40]} is named"
            case ast.Try(body=body, handlers=handlers):
                kinds = {kind for each in handlers for kind in _kinds(each)}
                caught = kinds & CAUGHT if has(body, ast.Assert) else kinds & {"AssertionError"}
                if caught and not has(handlers, ast.Raise):
                    yield "an assertion's failure is caught"
            case ast.With(items=[ast.withitem(context_expr=ast.Call() as call), *_], body=body):
                if _path(call.func, aliases).endswith("suppress") and has(body, ast.Assert):
                    yield "an assertion's failure is caught"


def _is_command(node: ast.Call) -> bool:
    """Return whether a call is what IPython makes of a magic command, or of one for the system's shell."""
    function = node.func
    return isinstance(function, ast.Attribute) and function.attr in COMMANDS and _path(function, {}).startswith(SHELL)


def _call(node: ast.Call, aliases: dict[str, str]) -> Iterator[str]:
    """Yield what is said of a call."""
    path = _path(node.func, aliases)
    name = path.rpartition(".")[2]
    texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if _is_command(node):
        if "magic" not in name:
            yield "a command of the system's shell is run"
        elif texts[:1] and texts[0] not in MAGICS:
            yield f"%{'%' * (name == 'run_cell_magic')}{texts[0]} is used"
    elif path == SHELL:
        yield "get_ipython() is reached"
    elif path in ENDS or path in MADE:
        yield f"{path} is called"
    elif name in SETTERS and (node.args or name == "update"):
        owner = _path(node.func.value, aliases) if isinstance(node.func, ast.Attribute) else ""
        first = _path(node.args[0], aliases) if node.args else ""
        reached = ".".join(filter(None, [first or owner, *texts[:1]]))
        reached = next((each for each in (reached, *texts[:1], f"{owner}.x") if _watched(each)), "")
        if reached:
            yield f"{reached.removesuffix('.x')} is replaced"


def _kinds(handler: ast.ExceptHandler) -> list[str | None]:
    """Return the names of the exceptions that a handler catches, None for all."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [_path(kind, {}) if kind else None for kind in kinds]


def has(nodes: Iterable[ast.AST], kind: type[ast.AST]) -> bool:
    """Return whether a node of that kind stands in one of the trees."""
    return any(isinstance(each, kind) for node in nodes for each in ast.walk(node))
