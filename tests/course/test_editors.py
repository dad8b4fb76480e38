"""Notebooks in the habits of editors: however one has written the file, it is graded like the original."""

import json
import random
import uuid

import pytest

from hw4.grading.course.given import BLANK
from hw4.grading.notebook.comparison import compare
from hw4.grading.notebook.format import read_notebook
from hw4.grading.notebook.reference import Reference
from tests.builders import NOTEBOOK
from tests.course.classes import ANSWERS

DEEPNOTE = (
    "<a style='text-decoration:none;line-height:16px;display:flex;color:#5B5B62;padding:10px;justify-content:end;' "
    "href='https://deepnote.com?utm_source=created-in-deepnote-cell&projectId=1' target=\"_blank\">\n"
    "<img alt='Created in deepnote.com' style='display:inline;max-height:16px;margin:0px;' "
    "src='data:image/svg+xml;base64,PD94bWwg'> </img>\nCreated in <span style='font-weight:600;'>Deepnote</span></a>"
)
BADGE = (
    '<a href="https://colab.research.google.com/github/me/hw/blob/main/hw.ipynb" target="_parent">'
    '<img src="https://colab.research.google.com/assets/colab-badge.svg" alt="Open In Colab"/></a>'
)


def cell(kind, source, **metadata):
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "source": source.splitlines(True), "metadata": metadata, **code}


def vscode(content):
    """VS Code gives new cells ids of its own and a language, and drops what it knows of no cell."""
    content["metadata"]["language_info"]["version"] = "3.12.1"
    for each in content["cells"]:
        each["metadata"] = {"vscode": {"languageId": "latex"}} if each["cell_type"] == "raw" else {}
        each["id"] = uuid.UUID(int=random.getrandbits(128)).hex[:8]
    content["cells"].append(cell("code", "", vscode={"languageId": "python"}))


def older_vscode(content):
    """Older versions write format 4.2, which has no ids."""
    content["nbformat_minor"] = 2
    content["metadata"]["orig_nbformat"] = 4
    for each in content["cells"]:
        del each["id"]
        each["metadata"] = {}


def colab(content):
    """Colab writes format 4.0, its own ids into the metadata, a badge above all, and students install and mount."""
    content["nbformat_minor"] = 0
    content["metadata"] = {
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "accelerator": "GPU",
    }
    for each in content["cells"]:
        del each["id"]
        each["metadata"] = {"id": uuid.UUID(int=random.getrandbits(128)).hex[:12]}
        if each["cell_type"] == "code":
            each["metadata"] |= {"colab": {"base_uri": "https://localhost:8080/"}, "outputId": "7f3a"}
    content["cells"].insert(0, cell("markdown", BADGE, id="view-in-github", colab_type="text"))
    content["cells"].insert(1, cell("code", "!pip install torch\n%cd /content", id="x1"))


def deepnote(content):
    """Deepnote adds its metadata to each cell, and a cell at the end that says where it was made."""
    for each in content["cells"]:
        del each["id"]
        each["metadata"] |= {"cell_id": "00000-1", "deepnote_cell_type": each["cell_type"], "tags": []}
        if each["cell_type"] == "code":
            each["metadata"] |= {"source_hash": "b623e53d", "execution_start": 1, "deepnote_to_be_reexecuted": False}
    content["metadata"] |= {"deepnote": {}, "deepnote_execution_queue": [], "orig_nbformat": 2}
    extra = {"created_in_deepnote_cell": True, "deepnote_cell_type": "markdown", "tags": []}
    content["cells"].append(cell("markdown", DEEPNOTE, **extra))


def nbclassic(content):
    """The classic notebook writes 4.4 or 4.5, what is collapsed or scrolled, and what its extensions keep."""
    content["nbformat_minor"] = 4
    content["metadata"] |= {"toc": {"base_numbering": 1}, "varInspector": {"cols": {}}}
    for each in content["cells"]:
        del each["id"]
        if each["cell_type"] == "code":
            each["metadata"] |= {"collapsed": True, "scrolled": False, "trusted": True}
    content["cells"].append(cell("code", ""))


HABITS = [vscode, older_vscode, colab, deepnote, nbclassic]


def found(content):
    reference = Reference(read_notebook(BLANK.read_bytes(), BLANK.name))
    return compare(read_notebook(json.dumps(content).encode(), "hw.ipynb"), reference)


def states(comparison):
    return {question.id: (question.missing, question.perhaps) for question in comparison.questions}


@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("start", ["blank", "two answers", "full"])
def test_an_editors_habits_change_neither_what_is_answered_nor_what_was_given(habit, start):
    random.seed(0)
    content = json.loads((NOTEBOOK if start == "full" else BLANK).read_text(encoding="utf-8"))
    for each in content["cells"] if start == "two answers" else ():
        each["source"] = ANSWERS.get(each["id"], "".join(each["source"])).splitlines(True)
    before = found(content)
    habit(content)
    after = found(content)
    assert states(after) == states(before)
    assert [remark.text for remark in after.remarks if "have lost their ids" not in remark.text] == []
