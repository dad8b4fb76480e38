"""HTML of a student laid out: formulas and pictures drawn, headings below the page's own, wide parts scrolling."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from lxml import etree

from .extraction import Formula, Kept, split_formulas
from .formulas import Formulas
from .markup import ATTRIBUTES, EVERYWHERE, NOTED, TAGS, element, note, parse, printable, replace, serialized
from .pictures import Attachments, Pictures
from .verbatim import COLOURED, highlighted

HEADING = re.compile("h[1-6]")
CODE = {"code", "pre"}  # in which MathJax looks for no formulas
SIZE = ("width", "height", "style")  # of a picture
SCROLLING = 30  # letters: a formula within text that is longer scrolls by itself
SHRINKING = ((40, 180), (60, 130), (80, 90))  # to percent of its size on paper, from how many letters in a line on
ANCHOR = "cell-link-"  # before the name of what a link within the notebook leads to


@dataclass
class Layout:
    """What the cells of one notebook share: macros, pictures, and the names that links lead to."""

    formulas: Formulas
    pictures: Pictures
    anchors: set[str] = field(default_factory=set)

    def draw(self, html: str, level: int, kept: Kept | None = None, attachments: Attachments | None = None) -> str:
        """Return `html` as it stands on the page below a heading of `level`, cleaned.

        `kept` holds what was taken out of it. Raise `markup.Unreadable` where a part of it could not be parsed.
        """
        kept = kept or Kept()
        body = parse(html, kept)
        _Drawing(self, kept, attachments or {}, level).draw(body)
        return serialized(body)


@dataclass
class _Drawing:
    """One fragment on its way to the page, in the order of the text."""

    layout: Layout
    kept: Kept
    attachments: Attachments
    level: int  # of the last heading
    code: int = 0  # how many elements of code the text stands in
    top: int = 0

    def draw(self, body: etree._Element) -> None:
        self.top = self.level
        for event, node in list(etree.iterwalk(body, events=("start", "end"))):
            if event == "start":
                self.code += node.tag in CODE
                self._set_text(node, node.text, behind=False)
            elif node is not body:
                self.code -= node.tag in CODE
                tail, node.tail = node.tail, None
                self._set_text(self._drawn(node), tail, behind=True)

    def _set_text(self, owner: etree._Element, text: str | None, behind: bool) -> None:
        """Let `text`, with its formulas drawn, stand first in `owner`, or behind it."""
        if not text:
            return
        text = printable(self.kept.text(text))
        pieces = [text] if self.code or not ("$" in text or "\\" in text) else split_formulas(text)
        words, formulas = "", []
        for piece in pieces:
            if isinstance(piece, Formula):
                formulas += self._formula(piece)
            elif formulas:
                formulas[-1].tail = (formulas[-1].tail or "") + piece
            else:
                words += piece
        for formula in reversed(formulas):
            owner.addnext(formula) if behind else owner.insert(0, formula)
        if behind:
            owner.tail = words
        else:
            owner.text = words

    def _formula(self, formula: Formula) -> list[etree._Element]:
        """Return the element that shows `formula`; none where it only defines macros."""
        if formula.tex.strip() == r"\\":  # which students write for a line break
            return [etree.Element("br")]
        html = self.layout.formulas.draw(printable(formula.tex), formula.block)
        if not html:
            return []
        drawn = etree.fromstring(f"<span>{html}</span>")
        for math in drawn.iter("math"):
            letters = len("".join(math.itertext()))
            longest = max((len("".join(row.itertext())) for row in math.iter("mtr")), default=letters)
            if formula.block or letters > SCROLLING:
                fit = next((f" fit-{percent}" for percent, least in SHRINKING if longest > least), "")
                drawn.attrib.update({"class": f"{'wide' if formula.block else 'long'}{fit}", "tabindex": "0"})
        return [drawn]

    def _drawn(self, node: etree._Element) -> etree._Element:
        """Let `node` become what the page shows of it; return the last element that does."""
        given = {name: printable(self.kept.restore(value)) for name, value in node.attrib.items()}
        tag = str(node.tag) if node.tag in TAGS | set(NOTED) else "span"
        kept = EVERYWHERE | ATTRIBUTES.get(tag, set())
        node.tag = tag
        node.attrib.clear()
        node.attrib.update({name: value for name, value in given.items() if name in kept})
        name = given.get("id") or given.get("name", "")
        if HEADING.fullmatch(tag):
            name = name or "".join(node.itertext())
            self._set_level(node)
        elif tag == "code":
            self._colour(node, given.get("class", ""))
        elif tag == "th":
            _name_head(node)
        elif given.get("href", "").startswith("#"):
            node.set("href", "#" + _anchor(unquote(given["href"][1:])))
        if tag == "img":
            size = {key: value.removesuffix("px") for key, value in given.items() if key in SIZE}
            draw = self.layout.pictures.draw
            return replace(node, *draw(given.get("src", ""), given.get("alt", ""), size, self.attachments))
        if tag in NOTED:
            return replace(node, _note(tag, given))
        self._set_name(node, name.strip()[:200])
        return _wrapped(node) if tag == "table" else node

    def _set_level(self, heading: etree._Element) -> None:
        """Let `heading` follow the one before it without a step left out; without words it is none."""
        if "".join(heading.itertext()).strip() or heading.find(".//img") is not None:
            self.level = min(int(str(heading.tag)[1]) + self.top, self.level + 1, 6)
            heading.tag = f"h{self.level}"
        else:
            heading.tag = "span"

    def _set_name(self, node: etree._Element, name: str) -> None:
        """Let links of the notebook lead to `node` by `name`, where nothing before it has that."""
        if name and name not in self.layout.anchors:
            self.layout.anchors.add(name)
            node.set("id", _anchor(name))

    def _colour(self, code: etree._Element, classes: str) -> None:
        language = re.search(r"(?:^| )language-(\S+)", classes)
        if language and code.text and len(code) == 0 and len(code.text) < COLOURED:
            coloured = etree.fromstring(highlighted(code.text, language[1]))[0]
            code.text = coloured.text
            code.extend(list(coloured))


def _anchor(name: str) -> str:
    return ANCHOR + quote(name.replace(" ", "-"), safe="")


def _name_head(head: etree._Element) -> None:
    """Give a table's head that is a formula alone its letters as text, since not every reader takes MathML for one.

    A head without words heads nothing.
    """
    if len(head) == 1 and head[0].find("math") is not None and not ((head.text or "") + (head[0].tail or "")).strip():
        head[0][0].set("aria-hidden", "true")
        head.insert(0, element("span", "".join(head.itertext()).strip(), {"class": "spoken"}))
    elif len(head) == 0 and not (head.text or "").strip():
        head.tag = "td"


def _note(tag: str, given: Mapping[str, str]) -> etree._Element:
    if tag == "input" and given.get("type", "").lower() == "checkbox":
        return element("span", "☑" if "checked" in given else "☐")
    details = [given.get("data-what", NOTED[tag]), given.get("value", "")]
    details += [given[name] for name in ("src", "data") if given.get(name, "").startswith("http")]
    return note("Not shown here: " + ", ".join(detail[:300] for detail in details if detail))


def _wrapped(table: etree._Element) -> etree._Element:
    """Return the element in which `table` now stands, and scrolls by itself."""
    wide = element("div", attributes={"class": "wide", "tabindex": "0"})
    replace(table, wide)
    wide.append(table)
    return wide
