"""Compares the page's formulas with MathJax's: the same signs in the same structure, whatever elements carry them.

python .ci/mathml.py FOLDER_WITH_MATHJAX CASES.json... draws each formula of CASES (see mathjax.mjs) both ways. Exit code 1
if one is drawn with other signs or another structure, or if fewer than a case file's `at_least` are drawn.
"""

import html
import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
SAME_SIGN = {
    "-": "−", "*": "∗", "∣": "|", "∥": "‖", "∶": ":", "≔": ":=", "…": "...", "⋅": "·", "∕": "/", "ˆ": "^", "˜": "~", "∼": "~",
    "¯": "‾", "―": "‾", "_": "‾", "̲": "‾", "̅": "‾", "´": "ˊ", "`": "ˋ", "⟶": "→", "⟵": "←", "⟹": "⇒", "⇋": "⇌", "◻": "□",
    "〈": "⟨", "〉": "⟩", "∘": "◦", "ϕ": "φ", "ϵ": "ε", "˙": ".", "⃗": "→", "⃖": "←", "\u2061": "", "\u2062": "", "\u2063": "",
    "\u2064": "", "\u200b": "", "ϑ": "θ", "ϖ": "π", "ϱ": "ρ", "ς": "σ", "ϰ": "κ", "Ω": "Ω", "µ": "μ", "∎": "■", "◼": "■", "\u0302": "^", "\u0303": "~", "⋯": "···",
    "\ufe00": "", "\ufe01": "", "ı": "ı", "ȷ": "ȷ",
}  # fmt: skip
VARIANTS = {
    "BOLD": "bold", "ITALIC": "italic", "DOUBLE-STRUCK": "double-struck", "SCRIPT": "script", "BLACK-LETTER": "fraktur",
    "FRAKTUR": "fraktur", "SANS-SERIF": "sans-serif", "MONOSPACE": "monospace", "PLANCK": "italic",
}  # fmt: skip
MOVABLE = set("∑∏∐⋀⋁⋂⋃⨀⨁⨂⨄⨆")
FLAT = {"math", "mrow", "mstyle", "mpadded", "semantics", "root", "span", "mtd"}
COLOURS = {"red": "#ff0000", "green": "#008000", "blue": "#0000ff", "teal": "#008080", "magenta": "#ff00ff", "black": None}


class Tree:
    """The normal form of MathML: nested lists of signs, each with its letter shape, colour and size."""

    def __init__(self, mathml: str, absolute: bool = False) -> None:
        self.absolute = absolute  # sizes within each other are factors of each other
        text = html.unescape(re.sub(r"&(lt|gt|amp|quot|#38|#60);", r"&amp;\1;", mathml))
        self.root = ElementTree.fromstring(f"<root>{text}</root>")
        self.form = self.children(self.root, {"display": False, "colour": None, "size": 1.0, "variant": None})

    def children(self, element, state):
        found = []
        for child in element:
            found += self.node(child, state)
        return found

    def node(self, element, state):
        tag, attributes = element.tag.split("}")[-1], element.attrib
        style = dict(re.findall(r"([\w-]+):\s*([^;]+)", attributes.get("style", "")))
        state = state | {
            "display": {"true": True, "false": False}.get(
                attributes.get("displaystyle"), attributes.get("display") == "block" if tag == "math" else state["display"]
            ),
            "colour": colour(attributes.get("mathcolor") or style.get("color")) if attributes.get("mathcolor") or style.get("color") else state["colour"],
            "size": float(attributes["mathsize"].removesuffix("em")) * (state["size"] if self.absolute else 1) if "mathsize" in attributes else state["size"],
            "variant": attributes.get("mathvariant") or state["variant"],
        }
        if tag in ("mi", "mn", "mo", "mtext", "ms"):
            return self.signs(element, tag, state)
        if tag == "mspace":
            return [("rule",)] if attributes.get("mathbackground") else []
        if tag == "mpadded" or (tag in ("mrow", "mstyle") and "data-was" in attributes):
            return self.padded(element, attributes, style, state)
        if tag in FLAT:
            if attributes.get("mathbackground"):
                return [("box", colour(attributes["mathbackground"]), *self.children(element, state))]
            return self.children(element, state)
        inner = state | {"display": False}
        if tag == "mfrac":
            thickness = attributes.get("linethickness", "1")
            parts = [self.node(child, inner) for child in element]
            return [("frac", bool(re.match(r"0(\D|$)", thickness)), *parts)]
        if tag in ("msub", "msup", "msubsup", "munder", "mover", "munderover"):
            return self.scripts(element, tag, state, inner)
        if tag == "menclose":
            return self.enclosed(element, attributes, state)
        if tag == "mtable":
            return self.table(element, attributes, style, state | {"display": attributes.get("displaystyle") == "true"})
        if tag == "mphantom":
            return [("phantom",)]
        return [(tag, *[self.node(child, state if tag == "msqrt" else inner) for child in element])] if tag != "msqrt" else [
            ("msqrt", self.children(element, state))
        ]

    def signs(self, element, tag, state):
        for child in element:  # HTML within <mtext>
            inner = {"b": "bold", "i": "italic", "em": "italic", "code": "monospace"}.get(child.tag)
            state = state | ({"variant": inner} if inner else {})
            while len(child):
                child = child[0]
                state = state | {"variant": {"b": "bold", "i": "italic", "code": "monospace"}.get(child.tag, state["variant"])}
        text = "".join(element.itertext())
        text = re.sub(r"\s", "", text)
        color = None if "CLOSE" in element.get("data-mjx-texclass", "") and element.get("mathcolor") else state["colour"]
        found = []
        for sign in text:
            plain, variant = unicodedata.normalize("NFKD", sign), state["variant"] or ""
            name = unicodedata.name(sign, "")
            if plain != sign or sign in "ℎ":
                named = {value for key, value in VARIANTS.items() if key in re.split("[ ]", name)}
                shapes = named if named else set()
            else:
                shapes = set()
            if not shapes:
                shapes = {value for value in VARIANTS.values() if value in variant} | ({"script"} if "calligraphic" in variant else set())
                single = len(text) == 1 and tag == "mi" and not variant
                if single and sign.isalpha() and not unicodedata.name(sign, "").startswith("GREEK CAPITAL"):
                    shapes = {"italic"}
            for each in plain.strip() if len(plain) > 1 else plain:
                if each == "\u0305" and len(plain) > 1:
                    each = "‾"
                each = SAME_SIGN.get(each, each)
                if not each:
                    continue
                letter = each.isalpha() and unicodedata.name(each[0], "").startswith(("LATIN", "GREEK")) or each.isdigit()
                if each.isdigit():
                    shapes = shapes - {"italic"}
                if not exists(each, shapes):
                    shapes = set() if each in ("ı", "ȷ") else shapes & {"italic"}
                for one in each:
                    found.append((one, " ".join(sorted(shapes)) if letter else "", color, round(state["size"], 2)))
        return found

    def padded(self, element, attributes, style, state):
        inner = self.children(element, state)
        if attributes.get("mathbackground"):
            return [("box", colour(attributes["mathbackground"]), *inner)]
        if re.fullmatch(r"0(\D*)", attributes.get("width", "1")):
            return [("lap", *inner)] if inner else []
        if style.get("border-bottom") == "none" or style.get("border-top") == "none":
            return self.signs(ElementTree.fromstring(f"<mo>{'⎵' if style.get('border-top') == 'none' else '⎴'}</mo>"), "mo", state)
        return inner

    def scripts(self, element, tag, state, inner):
        base = self.node(element[0], state)
        rest = [self.node(child, inner) for child in list(element)[1:]]
        slots = {"msub": "_", "msup": "^", "msubsup": "_^", "munder": "_", "mover": "^", "munderover": "_^"}[tag]
        scripts = {key: value for key, value in zip(slots, rest, strict=True) if value}
        if not scripts:
            return base
        limits = tag.startswith(("munder", "mover")) and not (self.movable(element[0]) and not state["display"])
        return [("limits" if limits else "scripts", base, sorted(scripts.items()))]

    def movable(self, element):
        while element.tag.split("}")[-1] in FLAT and len([child for child in element if child.tag.split("}")[-1] != "mspace"]) == 1:
            element = next(child for child in element if child.tag.split("}")[-1] != "mspace")
        if element.tag.split("}")[-1] in ("munder", "mover", "munderover", "msub", "msup"):
            return self.movable(element[0])
        given = element.get("movablelimits")
        return given == "true" if given else "".join(element.itertext()).strip() in MOVABLE

    def enclosed(self, element, attributes, state):
        notation = set(attributes.get("notation", "longdiv").split())
        inner = self.children(element, state)
        if notation <= {"left", "right", "top", "bottom"} and len(inner) == 1 and inner[0][0] == "table":
            return [("table", inner[0][1], sorted({*inner[0][2], *notation}), *inner[0][3:])]
        if attributes.get("data-was"):
            notation = {attributes["data-was"]}
        return [("enclose", sorted(notation), *inner)]

    def table(self, element, attributes, style, state):
        rows, rules = [], {side for side in ("top", "bottom") if f"border-{side}" in style}
        aligned = attributes.get("columnalign", "center").split()
        frame = attributes.get("frame")
        if frame in ("solid", "dashed"):
            rules |= {"left", "right", "top", "bottom"}
        lines = attributes.get("columnlines", "none").split()
        bars = attributes.get("rowlines", "none").split()
        elements = list(element)
        for number, row in enumerate(elements):
            cells, label = list(row), None
            if row.tag.split("}")[-1] == "mlabeledtr":
                label, cells = self.node(cells[0], state), cells[1:]
            elif cells and re.search(r"width: (50|7.5)%", cells[0].get("style", "")) and not len(cells[0]):
                label, cells = self.node(cells[-1], state) or None, cells[1:-1]
            drawn = []
            for column, cell in enumerate(cells):
                css = cell.get("style", "")
                align = re.search(r"text-align:\s*(\w+)", css)
                align = align[1] if align else cell.get("columnalign") or aligned[min(column, len(aligned) - 1)]
                if "border-left" in css or "border-left" in style:
                    rules.add("left")
                if "border-right" in css:
                    rules.add("right" if column == len(cells) - 1 and len(cells) == max(map(len, elements)) else f"c{column}")
                if "border-top" in css:
                    rules.add(f"r{number}" if number else "top")
                if "border-bottom" in css:
                    rules.add(f"r{number + 1}" if number < len(elements) - 1 else "bottom")
                contents = self.node(cell, state)
                drawn.append((align if contents else "", contents))
            while drawn and not drawn[-1][1]:
                drawn.pop()
            if drawn or label:
                rows.append((drawn, label))
        width = max([len(row) for row in elements] or [0])
        rules |= {f"c{i}" for i in range(width - 1) if lines[min(i, len(lines) - 1)] != "none"}
        rules |= {f"r{i + 1}" for i in range(len(elements) - 1) if bars[min(i, len(bars) - 1)] != "none"}
        return [("table", rows, sorted(rules))]


def exists(sign, shapes):
    """Return whether Unicode has a letter of these shapes: others are drawn in their usual one."""
    if sign in ("ı", "ȷ"):
        return False
    if sign.isdigit():
        return shapes <= {"bold", "sans-serif"} or shapes in ({"double-struck"}, {"monospace"})
    if len(sign) == 1 and unicodedata.name(sign, "").startswith("GREEK"):
        return shapes <= {"bold", "italic"} or shapes >= {"bold", "sans-serif"}
    return True


def colour(value):
    """Return a colour as six digits, black as None."""
    value = value.strip().lower()
    value = COLOURS.get(value, value)
    if value and re.fullmatch("#[0-9a-f]{3}", value):
        value = "#" + "".join(2 * digit for digit in value[1:])
    return None if value == "#000000" else value


def main(folder, files):
    sys.path.insert(0, str(ROOT))
    from hw4.grading.report.formulas import Formulas

    failed = False
    known = {rf"\{name}": rf"\textcolor{{{name}}}" for name in ("red", "green", "blue")} | {
        r"\KaTeX": r"\text{KaTeX}", r"\bgroup": "", r"\egroup": "", r"\nobreak": "", r"\allowbreak": "", r"\footnotesize": r"\small",
        r"\pounds": r"\text{£}", r"\TeX": r"\text{TeX}", r"\LaTeX": r"\text{LaTeX}",
    }
    for file in files:
        cases = json.loads(Path(file).read_text(encoding="utf-8"))
        for case in cases:
            case["macros"] = {name: text for name, text in known.items() if name in case["tex"]} | case.get("macros", {})
        theirs = json.loads(
            subprocess.run(
                ["node", ROOT / ".ci/mathjax.mjs", folder],
                input=json.dumps(cases),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        drawn, same, alone, both, refused = 0, 0, 0, 0, []
        for case, their in zip(cases, theirs, strict=True):
            formulas = Formulas()
            for name, value in case.get("macros", {}).items():
                formulas.draw(rf"\def{name}{{{value}}}")
            ours = formulas.draw(case["tex"], bool(case["display"]))
            if formulas.failures:
                refused.append(case["name"] + ": " + formulas.failures[0].reason + ("" if "error" not in their else " (MathJax as well)"))
                continue
            drawn += 1
            if "error" in their:
                alone += 1
            elif (mine := Tree(ours, absolute=True).form) == (right := Tree(their["mathml"]).form):
                same += 1
            else:
                failed = True
                print(f"WRONG {case['name']}: {case['tex']}\n  ours  {show(mine)}\n  right {show(right)}")
        print(f"{Path(file).name}: {len(cases)} formulas, {drawn} drawn, {same} the same as MathJax, {alone} refused by MathJax")
        for line in refused:
            print("  refused", line)
    return failed


def show(form):
    """Return a normal form in short."""
    if isinstance(form, str) or form is None:
        return str(form)
    if isinstance(form, tuple) and len(form) == 4 and isinstance(form[0], str) and len(form[0]) == 1:
        return form[0] + "".join(f"[{x}]" for x in (form[1].replace("italic", "") , form[2] or "", str(form[3]) if form[3] != 1.0 else "") if x)
    if isinstance(form, (list, tuple)):
        return ("(" if isinstance(form, tuple) else "{") + " ".join(map(show, form)) + (")" if isinstance(form, tuple) else "}")
    return str(form)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
