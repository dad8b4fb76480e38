"""Formulas as MathML, drawn by math-core; one that cannot be drawn is shown as its source with the reason.

Weighed beside math-core and left: latex2mathml draws what it does not know as text and has no limits; MathJax, in V8 by
mini-racer, takes 1.7 ms a formula instead of 0.09, refuses 38 of KaTeX's 126 test formulas, and adds 82 MB.
"""

import functools
import re
import string
from html import escape, unescape
from unicodedata import category
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from math_core import LatexToMathML

from .dialect import Dialect, rewritten
from .macros import DATA, LENGTH_LIMIT, TOKEN, FormulaError

CONVERTER = LatexToMathML(fancy_error=False, allow_unreliable_rendering=True)
SHIFT = 0xE000  # to private letters, which stand for signs of `\\verb` that TeX would read otherwise
SHIFTED = {ord(sign): chr(SHIFT + ord(sign)) for sign in string.punctuation + " "}
UNSHIFTED = {ord(shifted): sign for sign, shifted in SHIFTED.items()}
ENTITY = re.compile(r"&(?!lt;|gt;|amp;)\w+;")  # those that HTML knows and XML does not
WITH_LIMITS = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
SHAPES = {shape: str.maketrans(*map("".join, zip(*DATA[shape], strict=True))) for shape in ("bold", "italic")}
TEXT_STYLE = {*WITH_LIMITS, *WITH_LIMITS.values(), "mfrac", "mtable"}  # their parts are no display
BLANKS = [round(number / 18, 4) for number in (1, 2, 3, 4, 5, 6, 9, 18)]  # em: the negative ones that style.css knows
DEPTH_LIMIT = 100  # groups and commands within each other
OPEN_BRACKET_LIMIT = 14  # brackets of which math-core may look for the closing one
OPENING = re.compile(r"\\(?:\{|u?ll?(?:[vV]ert|floor|ceil|group|moustache|bracket|corner|paren|[bB]rac|[aA]?ng|Ang).*)")
SIZES = {rf"\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "m", "r")} | {r"\left"}
VERBATIM = re.compile(r"\\[vV]erb\*?([^A-Za-z\s*])(.*?)\1")
# Environments of which each row may have a tag at its side
TAGGED = re.compile(r"\\begin\{(?:equation|align|gather|multline)\*\}")
TAG = re.compile(r"\\tag\*\{\w*\}")
TWO_TAGS = re.compile(rf"{TAG.pattern}(?:(?!\\\\|\\end).)*\\tag\*", re.DOTALL)


class Formulas:
    """Draws the formulas of one notebook in their order: a macro holds from where it is defined."""

    def __init__(self) -> None:
        self.failures: list[str] = []  # why formulas could not be drawn
        self.dialect = Dialect()

    def draw(self, tex: str, block: bool = False) -> str:
        """Return `tex` as MathML, on lines of its own if `block`, or as code with the reason why it is not drawn."""
        try:
            return self._mathml(tex, block)
        except BaseException as error:  # as which an error within the converter comes: a `PanicException`
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            reason = re.sub(r"^\d+: ", "", str(error))
        self.failures.append(reason)
        return f"<code>{escape(tex[:LENGTH_LIMIT])}</code> <mark>Formula not drawn: {escape(reason)}</mark>"

    def _mathml(self, tex: str, block: bool) -> str:
        if len(tex) > LENGTH_LIMIT:
            raise FormulaError(f"it has more than {LENGTH_LIMIT} characters")
        tex = VERBATIM.sub(lambda found: rf"\texttt{{{found[2].translate(SHIFTED)}}}", tex)
        self.dialect.read_labels(tex)
        expanded = self.dialect.expand(rewritten(tex, "rewrites"))
        if not expanded.strip():
            return ""
        if TWO_TAGS.search(expanded):
            raise FormulaError("one row has two tags")
        if not TAG.search(expanded):
            expanded = rewritten(expanded, "untagged")
        elif not TAGGED.search(expanded):  # the formula as a whole is the row of the tag
            expanded = rf"\begin{{gather*}}{expanded}\end{{gather*}}" if block else TAG.sub("", expanded)
        return mathml(expanded, block)


@functools.lru_cache(maxsize=10_000)  # a page has many formulas more than once, and a class has each page's
def mathml(tex: str, block: bool) -> str:
    """Return `tex`, in what math-core knows, as MathML, with each mark as the element that it names.

    Raises `FormulaError` if it is too long or nested too deeply.
    """
    root = _converted(tex, block)
    _draw(root, block, 1)
    return ElementTree.tostring(root, encoding="unicode")


def _converted(tex: str, block: bool) -> Element:
    """Return what math-core makes of `tex`."""
    made = rewritten(CONVERTER.convert_with_local_state(bounded(tex), displaystyle=block), "mended")
    return ElementTree.fromstring(ENTITY.sub(lambda found: unescape(found[0]), made))


def _draw(element: Element, display: bool, size: float) -> None:
    """Draw the marks of `element` and what it contains, in a display or not, at `size` times the size of the text."""
    display = element.get("displaystyle", str(display).lower()) == "true"
    style = element.get("style", "")
    if (link := element.find("mtext/a")) is not None:
        size = _draw_mark(element, bytes.fromhex(link.get("href", "")[1:]).decode(), size)
    elif element.tag == "mtd" and "width" in style and len(element) and element[0].tag == "mtext":
        element[:] = _converted(bytes.fromhex(element[0].text or "").decode(), False)
    elif element.tag == "mtable" and "width" in style:
        for row in element:  # a tag stands in its row's last cell, under those of longer rows
            row[-1:-1] = [Element("mtd") for _ in range(max(map(len, element)) - len(row))]
    elif element.tag == "mtable":
        _close(element)
    elif style.startswith("margin-left:-"):
        width = float(style[len("margin-left:-") : -len("em;")])
        element.attrib = {"width": f"-{min(BLANKS, key=lambda blank: abs(blank - width))}em"}
    element.text = (element.text or "").translate(UNSHIFTED)
    for child in element:
        _draw(child, display and element.tag not in TEXT_STYLE, size)
    if element.tag in WITH_LIMITS and (limits := element[0].attrib.pop("limits", "")):
        element.tag = WITH_LIMITS[element.tag] if display or limits == "limits" else element.tag


def _close(table: Element) -> None:
    """Draw the line that closes a table, for which math-core adds a row of one cell, at the table's bottom."""
    last = table[-1][0].get("style", "") if len(table) and len(table[-1]) == 1 and not len(table[-1][0]) else ""
    if "border-top" in last:
        table.remove(table[-1])
        table.set("style", table.get("style", "") + last.split(";")[0].replace("top", "bottom") + ";")


def _draw_mark(group: Element, mark: str, size: float) -> float:
    """Make of `group` the element that `mark` names; return the size of what it contains."""
    group.tag, *attributes = mark.split(",")
    group.attrib = dict(attribute.split("=", 1) for attribute in attributes)
    group[:] = [] if group.tag == "mspace" else group[1:]
    if shape := group.attrib.pop("shape", ""):
        for letters in [*group.iter("mi"), *group.iter("mn")]:
            letters.text = (letters.text or "").translate(SHAPES[shape])
    if raised := group.get("voffset"):
        side = "bottom" if raised[0] == "-" else "top"
        group.set("style", f"padding-{side}: {raised.strip('-')}")
    if absolute := float(group.get("mathsize", 0)):
        group.set("mathsize", f"{absolute / size:.4g}em")
    return absolute or size


def bounded(tex: str) -> str:
    """Return `tex` as the converter can take it; raise `FormulaError` if it is too long or nested too deeply.

    The converter overflows its stack where groups or commands are nested deeply. It takes a time of two to the number
    of brackets that nothing closes: where there are many, each becomes a group, of which it expects no closing.
    """
    if len(tex) > LENGTH_LIMIT:
        raise FormulaError(f"it has more than {LENGTH_LIMIT} characters")
    depths, run, before, opened, grouped = [0], 0, "", 0, ""
    for token in TOKEN.findall(tex):
        opens = (category(token[0]) == "Ps" and token != "{") or bool(OPENING.fullmatch(token))
        opened += opens
        grouped += "{{}" + token + "}" if opens and before not in SIZES else token
        if token.isspace():
            continue
        before = token
        if token in ("{", r"\left", r"\begin"):
            depths.append(depths[-1] + run + 1)
        elif token in ("}", r"\right", r"\end"):
            depths = depths[:-1] or [0]
        run = run + 1 if token[0] in "\\^_" else 0
        if depths[-1] + run > DEPTH_LIMIT:
            raise FormulaError("it is nested too deeply")
    return grouped if opened > OPEN_BRACKET_LIMIT else tex
