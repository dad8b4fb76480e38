"""What a notebook asks, gives and answers.

A cell's id says what it is: `<question>-<role>`, then for an answer the letter of its part, for several cells of one
kind a number: `opt-4-question`, `opt-4-answer-b`, `opt-4-evidence-b-1`, `cnn-3-snippet`. A question's block runs from
its question cell to the next one or the next section; what stands in it and was not given is its answer.
"""

import json
import re
import warnings
from dataclasses import dataclass, field

import nbformat

from .. import Unusable

GIVEN = {"section", "question", "snippet", "check"}
CELL_ID = re.compile(rf"(?P<question>.+?)-(?P<role>{'|'.join(GIVEN)}|answer|evidence|note)(?:-(?P<detail>.+))?")
MARKER = re.compile(r"[*_\s]*(?:your )?answer(?: here)?\s*:?[*_\s]*(?:[A-Z]\.)?[*_\s]*", re.IGNORECASE)
LETTER = re.compile(r"^\W*(?:(?:answer|part)\W*)?([A-Z])\W*[.):]", re.MULTILINE | re.IGNORECASE)
ASSERTION = re.compile(r"^\s*assert\b", re.MULTILINE)
CONFLICT = re.compile(r"^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
# What the format types in a cell's metadata. Tags, which excuse failures elsewhere, mean nothing here and are dropped.
TYPED = {"name": (), "tags": (), "collapsed": bool, "scrolled": bool, "format": str, "jupyter": ()}
DEEPEST = 40  # levels of nested metadata; what is deeper is dropped


def read(body, name):
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
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def _metadata(metadata):
    """Return of a notebook's `metadata` what the format and we know of, if it is as it should be."""
    needed = {"kernelspec": {"name", "display_name"}, "language_info": {"name"}, "hw4": set()}
    found = {name: _dict(metadata.get(name)) for name in needed}
    texts = {name: {key: text for key, text in each.items() if isinstance(text, str)} for name, each in found.items()}
    kept = {name: texts[name] for name in ("kernelspec", "language_info") if needed[name] <= set(texts[name])}
    return kept | ({"hw4": found["hw4"]} if found["hw4"] else {})


def _cell(cell, number):
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


def _text(text):
    """Return `text` without the halves of characters that no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _dict(value, deepest=DEEPEST):
    """Return `value` if it is a dictionary nested no deeper than `deepest`, else an empty one."""

    def shallow(value, left):
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return left > 0 and all(shallow(each, left - 1) for each in inner)

    fine = isinstance(value, dict) and shallow(value, deepest)
    return json.loads(_text(json.dumps(value, ensure_ascii=False))) if fine else {}


def role(cell):
    """Return what the id of `cell` says it is, such as "question" or "answer"; None for a cell that somebody added."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    return match["role"] if match else None


def question_of(cell):
    """Return the id of the question that the id of `cell` names; None where it names none."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    return match["question"] if match and match["role"] != "section" else None


def is_check(cell):
    """Return whether `cell` asserts something when it is run."""
    return cell.cell_type == "code" and bool(ASSERTION.search(cell.source))


@dataclass
class Question:
    """A question with its block of cells, by their positions in the notebook."""

    id: str
    parts: list[str] = field(default_factory=lambda: [""])  # their letters, answered one by one; one "" without parts
    cells: list[int] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # the parts without an answer


def questions(notebook, reference):
    """Return the questions of `reference` as `notebook` answers them, and for each cell the id of its question or None.

    `compare.match` has given the cells of `notebook` the reference's ids.
    """
    asked = {cell.id: cell for cell in reference.cells if role(cell) == "question"}
    parts = _parts(reference)
    found = {name: Question(question_of(cell), parts.get(question_of(cell), [""])) for name, cell in asked.items()}
    owners, current = [], None
    for index, cell in enumerate(notebook.cells):
        if role(cell) == "section":
            current = None
        elif cell.id in found:
            current = found[cell.id]
        if current:
            current.cells.append(index)
        owners.append(current and current.id)
    for name, question in found.items():
        block = [notebook.cells[index] for index in question.cells]
        answered = _answered(block, asked[name].source, question.parts)
        question.missing = [part for part in question.parts if part not in answered]
    return list(found.values()), owners


def _parts(reference):
    """Return the letters of the parts of each question that has several."""
    letters = {}
    for cell in reference.cells:
        if role(cell) == "answer":
            letters.setdefault(question_of(cell), []).append(_letter(cell))
    return {question: each for question, each in letters.items() if len(each) > 1}


def _letter(answer):
    return (CELL_ID.fullmatch(answer.id)["detail"] or "").upper()


def _answered(block, asked, parts):
    """Return the parts that somebody answered: in the part's own cell, in cells that were added, or in the question's.

    An added text answers the parts whose letters begin its lines, and all of them when there is no letter.
    """
    answered, free = set(), []
    for cell in block:
        kind, source = role(cell), cell.source
        if kind == "question":
            given = {line.strip() for line in asked.splitlines()}
            lines = [line.strip() for line in source.splitlines()]
            source = "\n".join(line for line in lines if line not in given) if given <= set(lines) else ""
        elif kind == "answer":
            detail = _letter(cell)
            if detail in parts and _says_something(source):
                answered |= {detail, *_letters(source, parts)}
                continue
        elif kind is not None:
            continue
        if _says_something(source):
            free.append((cell.cell_type, source))
    texts = [source for kind, source in free if kind != "code"]
    for source in texts:
        answered |= _letters(source, parts) or set(parts)
    return answered or (set(parts) if free else set())


def _letters(source, parts):
    return {letter.upper() for letter in LETTER.findall(source)} & set(parts)


def _says_something(source):
    return bool(MARKER.sub("", source, count=1).strip())


def written(notebook):
    """Return the text of the file of `notebook`, which `read` has made valid."""
    return nbformat.v4.writes(notebook) + "\n"


def with_points(text):
    """Return the notebook in `text` with its `hw4.points_per_part` in every cell that nbgrader grades for points."""
    notebook = nbformat.from_dict(json.loads(text))
    points = notebook.metadata.get("hw4", {}).get("points_per_part")
    for cell in notebook.cells:
        if points is not None and cell.metadata.get("nbgrader", {}).get("points"):
            cell.metadata.nbgrader.points = points
    return written(notebook)
