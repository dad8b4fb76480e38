"""A notebook's file: read whatever its faults, written as the format has it."""

import json
import re
import warnings
from typing import Any

import nbformat
from nbformat import NotebookNode

from ..errors import Unusable

CONFLICT = re.compile(r"^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
# What the format types in a cell's metadata. Tags, which excuse failures elsewhere, mean nothing here and are dropped.
TYPED = {"name": (), "tags": (), "collapsed": bool, "scrolled": bool, "format": str, "jupyter": ()}
DEEPEST = 40  # levels of nested metadata; what is deeper is dropped


def read_notebook(body: bytes, name: str) -> NotebookNode:
    """Return the notebook whose file has the content `body`, in format 4.5 and without outputs.

    Every fault that leaves the cells readable is mended, whoever made it; else raises `Unusable` about the file `name`.
    """
    try:
        text = body.decode("utf-8-sig")
        content = json.loads(text)
        if content["nbformat"] < 4:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                content = nbformat.reads(text, as_version=4)
        if content["nbformat"] != 4:
            raise Unusable(f"{name}: notebook format {content['nbformat']}, which nothing here reads")
        metadata = _metadata(_dict(content.get("metadata")))
        cells = [_cell(cell, number) for number, cell in enumerate(content["cells"], 1)]
    except Unusable:
        raise
    except UnicodeDecodeError:
        raise Unusable(f"{name}: not UTF-8 text") from None
    except Exception as problem:  # what json and nbformat let through depends on what is wrong with the file
        if not body.strip():
            reason = "empty"
        elif CONFLICT.search(body.decode(errors="replace")):
            reason = "holds the markers of a merge conflict"
        elif isinstance(problem, json.JSONDecodeError):
            reason = f"not JSON: damaged or cut off in line {problem.lineno}"
        else:
            reason = f"not a Jupyter notebook ({type(problem).__name__})"
        raise Unusable(f"{name}: {reason}") from None
    made = nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    assert isinstance(made, NotebookNode)
    return made


def _metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return of a notebook's `metadata` what the format and we know of, if it is as it should be."""
    needed = {"kernelspec": {"name", "display_name"}, "language_info": {"name"}, "hw4": set()}
    found = {name: _dict(metadata.get(name)) for name in needed}
    texts = {name: {key: text for key, text in each.items() if isinstance(text, str)} for name, each in found.items()}
    kept = {name: texts[name] for name in ("kernelspec", "language_info") if needed[name] <= set(texts[name])}
    return kept | ({"hw4": found["hw4"]} if found["hw4"] else {})


def _cell(cell: dict[str, Any], number: int) -> dict[str, Any]:
    kind, name = cell.get("cell_type"), str(cell.get("id"))
    source = cell.get("source", "")
    metadata = _dict(cell.get("metadata"))
    made = {
        "cell_type": kind if kind in ("code", "markdown") else "raw",
        "id": name if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) else f"cell-{number}",
        "metadata": {key: value for key, value in metadata.items() if isinstance(value, TYPED.get(key, object))},
        "source": _text("".join(map(str, source)) if isinstance(source, list) else str(source)),
    }
    if kind == "code":
        made |= {"execution_count": None, "outputs": []}
    else:
        bundles = {name: _dict(bundle) for name, bundle in _dict(cell.get("attachments")).items()}
        made["attachments"] = {
            name: {kind: data for kind, data in bundle.items() if isinstance(data, str)}
            for name, bundle in bundles.items()
        }
        if not made["attachments"]:
            del made["attachments"]
    return made


def _text(text: str) -> str:
    """Return `text` without the halves of characters that no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _dict(value: Any, deepest: int = DEEPEST) -> dict[str, Any]:
    """Return `value` if it is a dictionary nested no deeper than `deepest`, else an empty one."""

    def shallow(value: Any, left: int) -> bool:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return left > 0 and all(shallow(each, left - 1) for each in inner)

    fine = isinstance(value, dict) and shallow(value, deepest)
    return json.loads(_text(json.dumps(value, ensure_ascii=False))) if fine else {}


def write_notebook(notebook: NotebookNode) -> str:
    """Return the text of the file of `notebook`, which `read_notebook` has made valid."""
    return nbformat.v4.writes(notebook) + "\n"


def stamp_points(text: str) -> str:
    """Return the notebook in `text` with its `hw4.points_per_part` in every cell that nbgrader grades for points."""
    notebook = nbformat.v4.reads(text)
    points = notebook.metadata.get("hw4", {}).get("points_per_part")
    for cell in notebook.cells:
        if points is not None and cell.metadata.get("nbgrader", {}).get("points"):
            cell.metadata.nbgrader.points = points
    return write_notebook(notebook)
