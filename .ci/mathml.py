"""Compares the page's formulas with MathJax's: the same signs in the same structure, whatever elements carry them.

python .ci/mathml.py FOLDER_WITH_MATHJAX [CASES.json LEAST]... draws each formula of CASES both ways (a list of `{name,
tex, display, macros}`, or lists of TeX by kind), and those of the installed packages' docstrings. The exit code is 1 if
one is drawn with other signs or another structure, or if fewer than LEAST of CASES are drawn.
"""

import html
import json
import re
import subprocess
import sys
import sysconfig
import textwrap
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from hw4.grading.report.formulas import Formulas  # noqa: E402  # the project is not installed

# Formulas that are drawn otherwise on purpose, each with its reason.
LABELS = "MathJax converts each formula alone here; in a page its second pass finds the label, as ours"
ON_PURPOSE = {
    r"f=\cases{1 & x>0 \cr 0 & y}": "plain TeX's second column is text, where a formula without `$` is spaced as words",
    r"x = y \tag{1}\label{e} \quad \eqref{e}": LABELS,
    r"\label{a} x \tag{7} \ref{a}": LABELS,
}
# KaTeX's own commands in its test formulas, which MathJax does not know, as `dialect.tex` defines them.
KATEX = {rf"\{name}": rf"\textcolor{{{name}}}" for name in ("red", "green", "blue")} | {
    r"\KaTeX": r"\text{KaTeX}",
    r"\TeX": r"\text{TeX}",
    r"\LaTeX": r"\text{LaTeX}",
    r"\pounds": r"\text{£}",
    r"\footnotesize": r"\small",
    r"\nobreak": "",
    r"\allowbreak": "",
}
# Signs that look alike, and what stands for them on both sides: `dialect` and MathJax choose between them.
ALIKE = [
    *(
        "-−",
        "*∗",
        "∣|",
        "∥‖",
        "∶:",
        "⋅·",
        "∕/",
        "⧸/",
        "ˆ^",
        "\u0302^",
        "˜~",
        "∼~",
        "\u0303~",
        "¯‾",
        "―‾",
        "_‾",
        "\u0332‾",
        "\u0305‾",
    ),
    *(
        "´ˊ",
        "`ˋ",
        "⟶→",
        "⟵←",
        "⟹⇒",
        "⇋⇌",
        "◻□",
        "◼■",
        "∎■",
        "〈⟨",
        "〉⟩",
        "∘◦",
        "ϕφ",
        "ϵε",
        "˙.",
        "⟂⊥",
        "\\∖",
        "⃗→",
        "⃖←",
        "ϑθ",
        "ϖπ",
        "ϱρ",
        "ςσ",
    ),
]
SAME_SIGN = {pair[0]: pair[1] for pair in ALIKE} | {"≔": ":=", "…": "...", "⋯": "···", "”": '"'}
SAME_SIGN |= {"≕": "=:"}
SAME_SIGN |= dict.fromkeys("\u2061\u2062\u2063\u2064\u200b\ufe00\ufe01", "")  # invisible
SHAPES = ["bold", "italic", "double-struck", "script", "fraktur", "sans-serif", "monospace"]
HTML_SHAPES = {"b": "bold", "i": "italic", "em": "italic", "code": "monospace"}
MOVABLE = set("∑∏∐⋀⋁⋂⋃⨀⨁⨂⨄⨆")
SLOTS = {"msub": "_", "msup": "^", "msubsup": "_^", "munder": "_", "mover": "^", "munderover": "_^"}
FLAT = {"math", "mrow", "mstyle", "mpadded", "mtd", "root"}
COLORS = {"red": "#ff0000", "green": "#008000", "blue": "#0000ff", "teal": "#008080", "magenta": "#ff00ff"}


class Tree:
    """The normal form of MathML: nested lists of signs, each with its shape, colour and size."""

    def __init__(self, mathml, sizes_multiply):
        """Read `mathml`, whose sizes within each other are factors of each other or not."""
        text = html.unescape(re.sub(r"&(lt|gt|amp|quot|#38|#60);", r"&amp;\1;", mathml))
        self.sizes_multiply = sizes_multiply
        state = {"display": False, "color": None, "size": 1.0, "variant": ""}
        self.form = self.children(ElementTree.fromstring(f"<root>{text}</root>"), state)

    def children(self, element, state):
        return [part for child in element for part in self.node(child, state)]

    def node(self, element, state):
        tag, attributes = name(element), element.attrib
        state = self.inherited(tag, attributes, state)
        if tag in ("mi", "mn", "mo", "mtext", "ms"):
            return self.signs(element, tag, state)
        if tag == "mspace":
            return [("rule",)] if "mathbackground" in attributes else []
        if tag in FLAT:
            return self.row(element, attributes, state)
        inner = state | {"display": False}
        if tag == "mfrac":
            bare = bool(re.match(r"0(\D|$)", attributes.get("linethickness", "1")))
            return [("fraction", bare, *[self.node(child, inner) for child in element])]
        if tag in SLOTS:
            return self.scripts(element, tag, state, inner)
        if tag == "menclose":
            return self.enclosed(attributes, self.children(element, state))
        if tag == "mtable":
            return self.table(element, attributes, state | {"display": attributes.get("displaystyle") == "true"})
        if tag == "mphantom":
            return [("phantom",)]
        if tag == "msqrt":
            return [(tag, self.children(element, state))]
        return [(tag, *[self.node(child, inner) for child in element])]

    def inherited(self, tag, attributes, state):
        state = dict(state)
        if tag == "math":
            state["display"] = attributes.get("display") == "block"
        if "displaystyle" in attributes:
            state["display"] = attributes["displaystyle"] == "true"
        if "mathcolor" in attributes and "CLOSE" not in attributes.get("data-mjx-texclass", ""):  # a slip of MathJax's
            state["color"] = color(attributes["mathcolor"])
        if "mathsize" in attributes:
            size = float(attributes["mathsize"].removesuffix("em"))
            state["size"] = size * state["size"] if self.sizes_multiply else size
        state["variant"] = attributes.get("mathvariant", state["variant"])
        return state

    def row(self, element, attributes, state):
        inner = self.children(element, state)
        style = attributes.get("style", "")
        if "mathbackground" in attributes:
            return [("box", color(attributes["mathbackground"]), *inner)]
        if re.fullmatch(r"0\D*", attributes.get("width", "")):
            return [("lap", *inner)] if inner else []
        if "border-bottom: none" in style or "border-top: none" in style:  # MathJax's brackets
            return self.sign("⎵" if "border-top: none" in style else "⎴", set(), state)
        return inner

    def signs(self, element, tag, state):
        for child in element.iter():  # HTML within <mtext>
            state = state | {"variant": HTML_SHAPES.get(name(child), state["variant"])}
        text, found = re.sub(r"\s", "", "".join(element.itertext())), []
        for sign in text:
            shapes = {shape for shape in SHAPES if shape in state["variant"].replace("calligraphic", "script")}
            named = unicodedata.name(sign, "")
            if unicodedata.normalize("NFKD", sign) != sign or sign == "ℎ":
                words = named.replace("BLACK-LETTER", "FRAKTUR").replace("PLANCK CONSTANT", "ITALIC").split()
                shapes = {shape for shape in SHAPES if shape.upper() in words} or shapes
            elif len(text) == 1 and tag == "mi" and not state["variant"] and not named.startswith("GREEK CAPITAL"):
                shapes = {"italic"}
            found += self.sign(sign, shapes, state)
        return found

    def sign(self, sign, shapes, state):
        found, plain = [], unicodedata.normalize("NFKD", sign)
        for part in "‾" if plain == " \u0305" else plain.strip() or plain:
            for each in SAME_SIGN.get(part, part):
                found.append((each, shape_of(each, shapes), state["color"], round(state["size"], 2)))
        return found

    def scripts(self, element, tag, state, inner):
        base, *rest = self.node(element[0], state), *[self.node(child, inner) for child in list(element)[1:]]
        scripts = sorted((slot, script) for slot, script in zip(SLOTS[tag], rest, strict=True) if script)
        limits = tag.startswith(("munder", "mover")) and (state["display"] or not movable(element[0]))
        below = base[:-1] if [part[0] for part in base[:-1]] == ["lap"] else []  # of a bold letter that is drawn twice
        return [*below, ("limits" if limits else "scripts", base[len(below) :], scripts)] if scripts else base

    def enclosed(self, attributes, inner):
        notation = set(attributes.get("notation", "longdiv").split())
        if notation <= {"left", "right", "top", "bottom"} and len(inner) == 1 and inner[0][0] == "table":
            return [("table", inner[0][1], sorted({*inner[0][2], *notation}))]  # MathJax's lines around an array
        return [("enclose", sorted(notation), *inner)]

    def table(self, element, attributes, state):
        style, elements, rows = attributes.get("style", ""), list(element), []
        lines = {side for side in ("left", "top", "bottom") if f"border-{side}" in style}
        lines |= {"left", "right", "top", "bottom"} if attributes.get("frame") in ("solid", "dashed") else set()
        width = max([len(row) for row in elements] or [0])
        columns = attributes.get("columnalign", "center").split()
        for number, row in enumerate(elements):
            cells, label = list(row), None
            if name(row) == "mlabeledtr":
                label, cells = self.node(cells[0], state), cells[1:]
            elif cells and re.search(r"width: (50|7.5)%", cells[0].get("style", "")) and not len(cells[0]):
                label, cells = self.node(cells[-1], state) or None, cells[1:-1]
            drawn = []
            for column, cell in enumerate(cells):
                css, contents = cell.get("style", ""), self.node(cell, state)
                align = re.search(r"text-align:\s*(\w+)", css)
                align = align[1] if align else cell.get("columnalign", columns[min(column, len(columns) - 1)])
                drawn.append((align if contents else "", contents))
                lines |= {"right" if column == width - 1 else f"column {column}"} if "border-right" in css else set()
                lines |= {f"row {number}"} if "border-top" in css else set()
            while drawn and not drawn[-1][1]:
                drawn.pop()
            rows += [(drawn, label)] if drawn or label else []
        for side, count in (("column", width), ("row", len(elements))):
            kinds = attributes.get(f"{side}lines", "none").split()
            first = 0 if side == "column" else 1
            lines |= {f"{side} {i + first}" for i in range(count - 1) if kinds[min(i, len(kinds) - 1)] != "none"}
        return [("table", rows, sorted(lines))]


def name(element):
    return element.tag.split("}")[-1]


def movable(element):
    """Return whether the limits of a base stand beside it outside of a display."""
    drawn = [child for child in element if name(child) != "mspace"]
    if name(element) in FLAT and len(drawn) == 1:
        return movable(drawn[0])
    if name(element) in SLOTS:
        return movable(element[0])
    return element.get("movablelimits", "true" if "".join(element.itertext()).strip() in MOVABLE else "") == "true"


def shape_of(sign, shapes):
    """Return the shapes of a letter or digit that Unicode has: where it has none, both draw the usual one."""
    named = unicodedata.name(sign, "")
    if sign.isdigit():
        shapes = shapes - {"italic"}
        exists = shapes <= {"bold", "sans-serif"} or shapes in ({"double-struck"}, {"monospace"})
    elif named.startswith("GREEK"):
        exists = shapes <= {"bold", "italic"} or shapes >= {"bold", "sans-serif"}
    else:
        exists = named.startswith("LATIN") and sign not in "ıȷ"
    return " ".join(sorted(shapes if exists else shapes & {"italic"} if named.startswith("GREEK") else ()))


def color(value):
    """Return a colour as six digits, black as None."""
    value = COLORS.get(value.strip().lower(), value.strip().lower())
    value = "#" + "".join(2 * digit for digit in value[1:]) if re.fullmatch("#[0-9a-f]{3}", value) else value
    return None if value in ("#000000", "black") else value


def documented():
    """Yield the formulas of the installed packages' docstrings, which people wrote for Sphinx."""
    for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for found in re.finditer(r":math:`([^`]+)`", text):
            yield " ".join(found[1].split()), False
        for found in re.finditer(r"^( *)\.\. math::\n((?: *\n|\1 +.*\n)+)", text, re.MULTILINE):
            for part in re.split(r"\n\s*\n", textwrap.dedent(found[2]).strip()):
                yield part, True


def cases_of(file):
    cases = json.loads(Path(file).read_text(encoding="utf-8"))
    if isinstance(cases, dict):
        return [
            {"name": kind, "tex": tex, "display": display}
            for kind, formulas in cases.items()
            for tex in formulas
            for display in (False, True)
        ]
    return cases


def compare(title, cases, least, folder):
    """Print what became of `cases`; return whether all that were drawn are right, and at least `least` were drawn."""
    for case in cases:
        case["macros"] = {key: body for key, body in KATEX.items() if key in case["tex"]} | case.get("macros", {})
    command = ["node", str(ROOT / ".ci/mathjax.mjs"), folder]
    answer = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=True).stdout
    counts, refused = dict.fromkeys(("drawn", "same", "on purpose", "wrong", "MathJax refuses it"), 0), []
    for case, theirs in zip(cases, json.loads(answer), strict=True):
        formulas = Formulas()
        for key, body in case["macros"].items():
            formulas.draw(rf"\def{key}{{{body}}}")
        drawn = formulas.draw(case["tex"], case["display"])
        if formulas.failures:
            refused += [f"{case['name']}: {formulas.failures[0]}"] if "error" not in theirs else []
            continue
        counts["drawn"] += 1
        if "error" in theirs:
            counts["MathJax refuses it"] += 1
        elif (ours := Tree(drawn, True).form) == (right := Tree(theirs["mathml"], False).form):
            counts["same"] += 1
        elif case["tex"] in ON_PURPOSE:
            counts["on purpose"] += 1
        else:
            counts["wrong"] += 1
            print(f"wrong: {case['name']}: {case['tex']}\n  ours  {ours}\n  right {right}")
    print(f"{title}: {len(cases)} formulas, " + ", ".join(f"{key} {count}" for key, count in counts.items()))
    print("".join(f"  refused, which MathJax draws: {line}\n" for line in refused), end="")
    return not counts["wrong"] and counts["drawn"] >= least


if __name__ == "__main__":
    folder, *files = sys.argv[1:]
    lists = [(Path(file).name, cases_of(file), int(least)) for file, least in zip(files[::2], files[1::2], strict=True)]
    written = [{"name": "docstring", "tex": tex, "display": block} for tex, block in sorted(set(documented()))]
    lists.append(("docstrings", written, 0))
    right = [compare(*each, folder) for each in lists]
    sys.exit(0 if all(right) else 1)
