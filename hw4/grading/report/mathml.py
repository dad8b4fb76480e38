"""The parts of a formula that math-core cannot draw: an element with a mark becomes what MathML has for it."""

import re
from html import unescape
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from math_core import LatexToMathML

from .dialect import MARK_NAMES, Mark, em
from .macros import FormulaError

CONVERTER = LatexToMathML(fancy_error=False, allow_unreliable_rendering=True)
COLOR = re.compile(r"#[0-9A-F]{6}")
MARK_COLORS = {
    COLOR.findall(CONVERTER.convert_with_local_state(rf"\textcolor{{{name}}}x", displaystyle=False))[0]: number
    for number, name in enumerate(MARK_NAMES)
}
ENTITY = re.compile(r"&(?!lt;|gt;|amp;)\w+;")  # those that HTML knows and XML does not
WITH_LIMITS = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
TEXT_STYLE = {*WITH_LIMITS, *WITH_LIMITS.values(), "mfrac", "mtable"}  # their parts are no display
NOTATION = re.compile(r"(?:(?:up|down)diagonalstrike|(?:horizontal|vertical)strike|box|left|right|top|bottom| )+")
BOLD_DIGITS = {ord("0") + number: chr(ord("𝟎") + number) for number in range(10)}
BOLD_NAMES = {ord("a") + number: chr(ord("𝐚") + number) for number in range(26)}  # of functions, as lim
MOST_EM, MOST_RAISED_EM = 20, 1  # of a rule, of what is above or below its line


def draw_marks(mathml: str, block: bool, marks: list[Mark], tags: list[str]) -> str:
    """Return `mathml` with each of `marks` drawn and `tags` beside their rows.

    Raises `FormulaError` if a mark has a value that cannot be drawn.
    """
    root = ElementTree.fromstring(ENTITY.sub(lambda found: unescape(found[0]), mathml))
    _draw(root, block, 1, marks, tags)
    return ElementTree.tostring(root, encoding="unicode")


def _draw(element: Element, display: bool, size: float, marks: list[Mark], tags: list[str]) -> None:
    """Draw the marks of `element` and what it contains, in a display or not, at `size` times the size of the text."""
    display = element.get("displaystyle", str(display).lower()) == "true"
    style = element.get("style", "")
    if style.startswith("color:"):
        del element.attrib["style"]
        size = _draw_mark(element, *marks[MARK_COLORS[style[6:13]]], size)
    elif element.tag == "mtd" and "width" in style and len(element) and element[0].tag == "mtext":
        element[:] = _tag(tags[int(element[0].text or 0)])
    elif element.tag == "mtable" and tags and "width" in style:
        for row in element:  # a tag stands in its row's last cell, under those of longer rows
            row[-1:-1] = [Element("mtd") for _ in range(max(map(len, element)) - len(row))]
    elif element.tag == "mtable":
        _close(element)
    for child in element:
        _draw(child, display and element.tag not in TEXT_STYLE, size, marks, tags)
    if element.tag in WITH_LIMITS and (limits := element[0].attrib.pop("limits", "")):
        element.tag = WITH_LIMITS[element.tag] if display or limits == "limits" else element.tag


def _close(table: Element) -> None:
    """Draw the line that closes a table, for which math-core adds a row of one cell, at the table's bottom."""
    last = table[-1][0].get("style", "") if len(table) and len(table[-1]) == 1 and not len(table[-1][0]) else ""
    if "border-top" in last:
        table.remove(table[-1])
        table.set("style", table.get("style", "") + last.split(";")[0].replace("top", "bottom") + ";")


def _tag(tag: str) -> Element:
    return ElementTree.fromstring(CONVERTER.convert_with_local_state(tag, displaystyle=False))


def _draw_mark(element: Element, kind: str, value: str, size: float) -> float:
    """Draw one mark; return the size of what `element` contains."""
    match kind:
        case "color":
            element.set("mathcolor", value)
            if len(element) == 1 and element[0].tag == "mo":  # math-core gives it no space, browsers that of its kind
                for side in ("lspace", "rspace"):
                    element[0].attrib.pop(side, None)
        case "background":
            element.tag, element.attrib = "mpadded", {"mathbackground": value}
        case "frame":
            border, background = value.split(",")
            sides = ("left", "right", "top", "bottom")
            element.tag, element.attrib = "mpadded", {"mathbackground": background}
            element.set("style", ";".join(f"border-{side}: 2px solid {border}" for side in sides))
        case "size":
            element.set("mathsize", f"{float(value) / size:.4g}em")
            return float(value)
        case "lap":
            moved = Element("mrow")
            moved[:] = element[:]
            element.tag, element.attrib, element[:] = "mpadded", {"width": "0", "lspace": value}, [moved]
        case "smash":
            element.tag = "mpadded"
            element.attrib = {
                name: "0" for name in ("height", "depth") if value in ("", name[0], {"height": "t", "depth": "b"}[name])
            }
        case "raise":
            height = em(value, -MOST_RAISED_EM, MOST_RAISED_EM)
            element.tag, element.attrib = "mpadded", {"voffset": f"{height}em"}
            element.set("style", f"padding-{'top' if height > 0 else 'bottom'}: {abs(height)}em")
        case "rule":
            width, height = (em(length, 0, MOST_EM) for length in value.split(","))
            element.clear()
            element.tag = "mspace"
            element.attrib = {"width": f"{width}em", "height": f"{height}em", "mathbackground": "currentcolor"}
        case "enclose" if NOTATION.fullmatch(value):
            element.tag, element.attrib = "menclose", {"notation": value}
        case "text":
            element.clear()
            element.tag = "mtext"
            SubElement(element, "code").text = value
        case "bold":
            for letters in element.iter():
                text = (letters.text or "").translate(BOLD_DIGITS)
                letters.text = text.translate(BOLD_NAMES) if letters.tag == "mi" and len(text) > 1 else text
        case "limits" | "operator":
            element.set("limits", kind)
        case _:
            raise FormulaError(f"it has an unknown notation ({value or kind})")
    return size
