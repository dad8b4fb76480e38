"""A notebook's file: read whatever its faults, and written as the format has it.

nbformat upgrades what is older than format 4. Its repair of format 4 does not serve: it draws ids by chance, mends
nothing but ids and metadata, and takes 0.5 s for our notebook where a single key is wrong (0.01 s here).
"""

import json
import re
import warnings
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import nbformat
from jsonschema import Draft4Validator
from nbformat import NotebookNode

from ..errors import Unusable
from ..text import last_line
from .lexicon import LISTS

PYTHON = re.compile(r"i?python[\s\d.]*")
OTHER_KERNELS = re.compile("|".join(LISTS["kernels"].split()))
CONFLICT = re.compile(r"^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
INDENTED = re.compile(r"\A\s*\{\s*?\n( +|\t+)\"")
DEEPEST = 40  # levels of nested metadata; what is deeper is dropped
MAJOR, MINOR = 4, 5  # the version of the format in which notebooks are handled, the first whose cells have ids


SCHEMA = json.loads((files(nbformat.v4) / nbformat.v4.nbformat_schema[MAJOR, MINOR]).read_text(encoding="utf-8"))
# What nbformat strips when it reads or writes: it is of a copy in memory.
STRIPPED = {"trusted", "orig_nbformat", "orig_nbformat_minor", "signature"}


def _validator(*objects: dict[str, Any], **more: dict[str, Any]) -> Draft4Validator:
    """Return what validates the metadata of each of the schemas `objects`, and the keys `more` in them."""
    for each in objects:
        more |= each["properties"]["metadata"]["properties"]
    return Draft4Validator({"properties": more, "definitions": SCHEMA["definitions"]})


OF_CELLS = _validator(*(SCHEMA["definitions"][f"{kind}_cell"] for kind in ("code", "markdown", "raw")))
OF_NOTEBOOKS = _validator(SCHEMA, hw4={"type": "object"})


def read_notebook(body: bytes, name: str) -> NotebookNode:
    """Return the notebook whose file has the content `body`, in format 4.5 and without outputs.

    Every fault that leaves the cells readable is mended, whoever made it; else raises `Unusable` about the file `name`.
    A cell without an id that no other has is called by its position.
    """
    try:
        content = _content(body)
        if content["nbformat"] != MAJOR:
            raise Unusable(f"{name}: notebook format {content['nbformat']}, which nothing here reads")
        metadata = _metadata(content.get("metadata"), OF_NOTEBOOKS)
        cells = [_cell(cell, number) for number, cell in enumerate(content["cells"], 1)]
    except Unusable:
        raise
    except UnicodeDecodeError:
        raise Unusable(f"{name}: not UTF-8 text") from None
    except Exception as problem:  # what json and nbformat let through depends on what is wrong with the file
        raise Unusable(f"{name}: {_reason(body, problem)}") from None
    rename(enumerate(cells, 1), set())
    made = {"cells": cells, "metadata": metadata, "nbformat": MAJOR, "nbformat_minor": MINOR}
    return json.loads(_text(json.dumps(made, ensure_ascii=False)), object_hook=NotebookNode)


def rename(cells: Iterable[tuple[int, dict[str, Any]]], taken: set[str]) -> None:
    """Give each of the `cells` an id that is not `taken`: its own, or its position."""
    for number, cell in cells:
        if cell["id"] in taken:
            cell["id"] = f"cell-{number}"
        while cell["id"] in taken:
            cell["id"] += "-x"
        taken.add(cell["id"])


def _content(body: bytes) -> dict[str, Any]:
    """Return the JSON of a file, an older format brought to the present one, without the ids that are drawn for it."""
    text = body.decode("utf-8-sig")
    content = json.loads(text)
    if content["nbformat"] < MAJOR:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = nbformat.reads(text, as_version=MAJOR)
        for cell in content["cells"]:
            cell.pop("id", None)
    return content


def _reason(body: bytes, problem: Exception) -> str:
    """Return why a file is no notebook that can be read."""
    if not body.strip():
        return "empty"
    if CONFLICT.search(body.decode(errors="replace")):
        return "holds the markers of a merge conflict"
    if isinstance(problem, json.JSONDecodeError):
        return f"not JSON: damaged or cut off in line {problem.lineno}"
    return f"not a Jupyter notebook ({type(problem).__name__})"


def _metadata(metadata: Any, validator: Draft4Validator) -> dict[str, Any]:
    """Return `metadata` without what the format forbids."""
    forbidden = STRIPPED | {error.path[0] for error in validator.iter_errors(_dict(metadata))}
    return {key: value for key, value in _dict(metadata).items() if key not in forbidden}


def _texts(value: Any) -> dict[str, str]:
    return {key: text for key, text in _dict(value).items() if isinstance(text, str)}


def _cell(cell: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a cell as the format has it, with what of `cell` can be read."""
    kind, name, source = cell.get("cell_type"), str(cell.get("id")), cell.get("source", "")
    made = {
        "cell_type": kind if kind in ("code", "markdown") else "raw",
        "id": name if cell.get("id") and NAME.fullmatch(name) else f"cell-{number}",
        "metadata": _metadata(cell.get("metadata"), OF_CELLS),
        "source": "".join(map(str, source)) if isinstance(source, list) else str(source),
    }
    if kind == "code":
        return made | {"execution_count": None, "outputs": []}
    attachments = {name: _texts(bundle) for name, bundle in _dict(cell.get("attachments")).items()}
    return made | ({"attachments": attachments} if attachments else {})


def _text(text: str) -> str:
    """Return `text` without the halves of characters that no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _dict(value: Any) -> dict[str, Any]:
    """Return `value` if it is a dictionary nested no deeper than a file may be, else an empty one."""
    return value if isinstance(value, dict) and _is_shallow(value) else {}


def _is_shallow(value: Any, left: int = DEEPEST) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(_is_shallow(each, left - 1) for each in inner)


def write_notebook(notebook: NotebookNode) -> str:
    """Return the text of the file of `notebook`, which `read_notebook` has made valid."""
    return nbformat.v4.writes(notebook) + "\n"


def with_outputs(body: bytes, executed: NotebookNode, stamped: bool = False) -> str:
    """Return the text of the notebook's file `body` with the outputs and the counts of `executed`, all else as it is.

    `executed` is what `read_notebook` made of `body`, after its run. If `stamped`, cells that nbgrader grades for
    points get the notebook's `hw4.points_per_part`. A file of an older format is written in the present one.
    """
    text = body.decode("utf-8-sig")
    content = json.loads(text)
    if content["nbformat"] < MAJOR:
        return write_notebook(executed)
    fresh = json.loads(nbformat.v4.writes(executed))["cells"]
    points = executed.metadata.get("hw4", {}).get("points_per_part") if stamped else None
    for cell, ran in zip(content["cells"], fresh, strict=True):
        if ran["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = ran["outputs"], ran["execution_count"]
        graded = _dict(_dict(cell.get("metadata")).get("nbgrader"))
        if points is not None and graded.get("points"):
            cell["metadata"]["nbgrader"]["points"] = points
    indent = INDENTED.match(text)
    written = json.dumps(content, ensure_ascii=False, indent=indent[1] if indent else None)
    return _text(written) + "\n" * text.endswith("\n")


def language_of(body: bytes) -> str:
    """Return the language of the notebook in the file `body`, in lower case, as its metadata have it; else "python".

    Where they name none, the kernel does.
    """
    metadata = _dict(json.loads(body.decode("utf-8-sig")).get("metadata"))

    def entry(part: str, key: str) -> str:
        value = _dict(metadata.get(part)).get(key)
        return value.strip().lower() if isinstance(value, str) else ""

    kernel = entry("kernelspec", "name")
    other = OTHER_KERNELS.match(kernel) or re.search("python", kernel)
    guessed = other[0].strip(".") if other else entry("language_info", "name")
    language = entry("kernelspec", "language") or guessed or "python"
    return "python" if PYTHON.fullmatch(language) else last_line(language)
