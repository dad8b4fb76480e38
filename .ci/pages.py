"""Compare the page of a submission with what JupyterLab's own packages make of the same sources.

    python .ci/pages.py FOLDER

FOLDER holds `oracle.mjs` (see .ci/run) and the npm package commonmark-spec. Prints the counts; fails where one differs
that is not in `ON_PURPOSE`.
"""

import json
import subprocess
import sys
from collections import Counter
from html import escape
from pathlib import Path

import nbformat
from lxml import etree
from nbformat.v4 import new_output

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hw4.grading.report.outputs import Outputs  # noqa: E402
from hw4.grading.report.pictures import Pictures  # noqa: E402

STRUCTURE = {
    *("blockquote", "br", "code", "del", "details", "em", "heading", "hr", "img", "li", "ol", "p", "pre", "strong"),
    *("sub", "summary", "sup", "table", "td", "tr", "ul"),
}
SAME = {"th": "td", "s": "del", "strike": "del", "b": "strong", "i": "em"}
SAME |= {f"h{level}": "heading" for level in range(1, 7)}


def numbered(name, *numbers):
    return {f"{name} {number}" for number in numbers}


ON_PURPOSE = {
    "a tag or declaration that HTML does not have, or that does not end, is text and not dropped": {
        *numbered("unknown tag", *range(50)),
        *numbered("unknown tag in an output", *range(9)),
        *numbered("CommonMark", 150, 156, 157, 158, 163, 173, 180, 181, 182, 201, 491),
        *numbered("CommonMark", 613, 614, 615, 617, 623, 627, 628, 629),
    },
    "what is not shown is named, and inline SVG is a picture": {
        *numbered("CommonMark", 170, 178),
        *numbered("opaque", *range(9)),
        *numbered("nothing to read", *range(9)),
    },
    "a less-than sign of an output's formula starts no tag": numbered("less-than in an output", *range(9)),
    "text between a table's rows stands before it, as browsers but not jsdom have it": {
        *numbered("text between rows", *range(9))
    },
    "cells that a table's head has not are shown": numbered("beyond the head", *range(9)),
    "only a paragraph goes on without its quotation's sign: CommonMark's own result": numbered("lazy line", 0),
    "each option stands on a line of its own": numbered("options", 0),
    "no remote pictures, so that none of them is a picture or a link within a link": numbered("CommonMark", 520),
    "links within links, and in tags: CommonMark's own result, from which marked departs": {
        *numbered("CommonMark", 512, 518, 519, 524, 526, 528, 532, 533, 536, 538, 540)
    },
    "white space of code: CommonMark's own result": {*numbered("CommonMark", 2, 6, 133, 148, 318)},
    "a heading without words is none": {*numbered("CommonMark", 79), "empty heading 0"},
    "what stands behind a fence's language is shown": {
        *numbered("CommonMark", 143, 146),
        *numbered("fence with words", *range(9)),
        "strikethrough 3",
    },
    "a dollar in the code of a list item starts no formula": {"fence 4"},
}


class Sources:
    """Draws formulas as their TeX, so that what is compared is where a formula was found."""

    failures = ()

    def draw(self, tex, block=False):
        return f'<math display="{str(block).lower()}"><mtext>{escape(tex)}</mtext></math>'


def ours(kind, source):
    rich = Outputs(Sources(), Pictures({"beside.png": b"\x89PNG\r\n\x1a\n"}))
    if kind == "markdown":
        return rich.laid_out(source, "text/markdown", 0, {})
    return "".join(rich.draw([new_output("display_data", data={"text/html": source})], 0))


def skeleton(html):
    """Return the words and the elements of `html` that make up what a reader sees, in their order."""
    found, words = [], []

    def end_text():
        text = "".join(words)
        if text.strip():
            found.append(text.rstrip("\n") if "pre" in stack else " ".join(text.split()))
        words.clear()

    root = etree.fromstring(f"<html><body>{html}</body></html>", etree.HTMLParser(remove_comments=True))
    stack = []

    def walk(node):
        tag = SAME.get(node.tag, node.tag)
        classes = node.get("class", "")
        if classes == "spoken" or (classes == "note" and not node.text.startswith("[")):
            pass
        elif tag in ("jl-formula", "math"):
            end_text()
            found.append(("formula", "".join(node.itertext()).strip(), node.get("display")))
        elif classes == "note" and "icture" in (node.text or ""):
            end_text()
            found.append("<img>")
        else:
            kept = tag in STRUCTURE and (tag not in ("em", "strong") or "".join(node.itertext()).strip())
            if kept:
                end_text()
                found.append(f"<{tag}>")
                stack.append(tag)
            if node.tag == "input":
                words.append("☑" if "checked" in node.attrib else "☐")
            words.append(node.text or "")
            for child in node:
                walk(child)
            if kept:
                end_text()
                stack.pop()
                if tag not in ("br", "img", "hr"):
                    found.append(f"</{tag}>")
        words.append(node.tail or "")

    walk(root[0])
    end_text()
    return found


def inputs(folder):
    """Return (name, kind, source) of all that is tried."""
    script = "console.log(JSON.stringify(require('commonmark-spec').tests))"
    examples = json.loads(subprocess.run(["node", "-e", script], cwd=folder, capture_output=True, check=True).stdout)
    found = [(f"CommonMark {one['number']}", "markdown", one["markdown"].replace("→", "\t")) for one in examples]
    cells = nbformat.read(ROOT / "Part4_SummaryQuestions.ipynb", as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    found += [(f"notebook {number}", "markdown", source) for number, source in enumerate(texts)]
    kinds = json.loads(Path(__file__).with_name("pages.json").read_text(encoding="utf-8"))
    return found + [(f"{name} {n}", kind, source) for name, kind, each in kinds for n, source in enumerate(each)]


def main(folder):
    tried = inputs(folder)
    asked = json.dumps([{"kind": kind, "source": source} for _, kind, source in tried])
    command = ["node", "--import", "./dom.mjs", "oracle.mjs"]
    theirs = json.loads(
        subprocess.run(command, cwd=folder, input=asked.encode(), capture_output=True, check=True).stdout
    )
    purposes = {name: reason for reason, names in ON_PURPOSE.items() for name in names}
    same, purposely, wrong = 0, Counter(), 0
    for (name, kind, source), their in zip(tried, theirs, strict=True):
        drawn = ours(kind, source)
        if skeleton(drawn) == skeleton(their):
            same += 1
        elif name in purposes:
            purposely[purposes[name]] += 1
        else:
            wrong += 1
            print(f"{name}: {source[:300]!r}\n  JupyterLab {skeleton(their)}\n  the page   {skeleton(drawn)}")
    for reason, count in purposely.items():
        print(f"{count:4} {reason}")
    print(f"{len(tried)} tried, {same} same, {purposely.total()} different on purpose, {wrong} wrong")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
