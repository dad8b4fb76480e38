"""A small class of the homework, as the README shows one."""

from pathlib import Path

import nbformat

from hw4.grading.course.given import BLANK, NAME

HALF = "def part4_affine_backward(ctx, grad_output):\n    X, W, b = ctx.saved_tensors\n"
DOUBLED = f"{HALF}    return grad_output @ W, 0.5 * grad_output.T @ X, grad_output.sum(0)\n"
RIGHT = DOUBLED.replace("grad_output @ W", "0.5 * grad_output @ W")
ANSWERS = {
    "cnn-1-answer": "**Answer:** All the pixels on which a unit's output can depend.",
    "dropout-1-answer": "**Answer:** False: it may stand in other places, too.",
}


def hand_in(folder: Path, answers: dict[str, str], function: str) -> Path:
    """Write the blank notebook with `answers` by cell, and the function, into `folder`; return the notebook's path."""
    notebook = nbformat.read(BLANK, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    (folder / "hw4").mkdir(parents=True)
    (folder / "hw4" / "answers.py").write_text(function, encoding="utf-8")
    nbformat.write(notebook, folder / NAME)
    return folder / NAME


def small_class(folder: Path) -> None:
    """Write into `folder` what Ann, Bob and Eve handed in: two right ones of different length, and a broken file."""
    hand_in(folder / "ann", ANSWERS, RIGHT)
    hand_in(folder / "bob", {}, DOUBLED)
    (folder / "eve.ipynb").write_text('{"cells": [', encoding="utf-8")
