"""HTML of a student laid out: formulas and pictures drawn, headings below the page's own, wide parts scrolling."""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from lxml import etree

from .formulas import Formulas
from .markdown import PICTURE_DATA, TEXT
from .markup import ATTRIBUTES, EVERYWHERE, FRAGMENT, KEPT_MARK, element, note, parse, printable, restored
from .pictures import Attachments, Pictures
from .verbatim import COLOURED, highlighted

PARSER = etree.HTMLParser()
SPECIAL = re.compile(rf"[$\\{KEPT_MARK}]|data:image")  # in what text something is drawn, or taken back
CODE = {"code", "pre"}  # in which MathJax looks for no formulas
SIZE = ("width", "height", "style")  # of a picture
SCROLLING = 30  # letters: a formula within text that is longer scrolls by itself
SHRINKING = ((40, 180), (60, 130), (80, 90))  # to percent of its size on paper, from how many letters in a line on
ANCHOR = "cell-link-"  # before the name of what a link within the notebook leads to


class Drawing:
    """Lays out the HTML of one notebook, in its order: macros hold, and names are given, from where they stand."""

    def __init__(self, formulas: Formulas, pictures: Pictures) -> None:
        self.formulas, self.pictures = formulas, pictures
        self.names: set[str] = set()  # that links lead to

    def draw(self, html: str, level: int, kept: list[str], attachments: Attachments | None = None) -> str:
        """Return `html` as it stands on the page below a heading of `level`, cleaned.

        `kept` holds what was taken out of it. Raise `markup.Unreadable` where a part of it could not be parsed.
        """
        self.level = self.top = level
        self.kept, self.attachments, code = kept, attachments or {}, 0
        body = parse(html, kept)
        for event, node in list(etree.iterwalk(body, events=("start", "end"))):
            if event == "start":
                code += node.tag in CODE
                self._set_text(node, node.text, code, behind=False)
            elif node is not body:
                code -= node.tag in CODE
                last = self._drawn(node)
                self._set_text(last, last.tail, code, behind=True)
        html = etree.tostring(body, encoding="unicode", method="html")
        return FRAGMENT.clean(html.removeprefix("<body>").removesuffix("</body>"))

    def _set_text(self, owner: etree._Element, text: str | None, code: int, behind: bool) -> None:
        """Let `text` stand first in `owner`, or behind it, with its formulas drawn unless it is of `code`."""
        if not text or not SPECIAL.search(text):
            return
        text = printable(restored(text, self.kept))
        if "data:image" in text:
            text = PICTURE_DATA.sub(lambda data: f"{data[0][:60]}[... {len(data[0]):,} characters of a picture]", text)
        texts, nodes, done = [""], [], 0
        for found in () if code else TEXT.finditer(text):
            drawn = self._formula(found[0])
            texts[-1] += text[done : found.start()] + (drawn if isinstance(drawn, str) else "")
            done = found.end()
            if not isinstance(drawn, str):
                nodes.append(drawn)
                texts.append("")
        texts[-1] += text[done:]
        for node, words in reversed(list(zip(nodes, texts[1:], strict=True))):
            node.tail = words
            owner.addnext(node) if behind else owner.insert(0, node)
        if behind:
            owner.tail = texts[0]
        else:
            owner.text = texts[0]

    def _formula(self, source: str) -> etree._Element | str:
        """Return the element that shows a formula with its delimiters; the text that shows what is none, or nothing."""
        if source in ("$$", r"\\", r"\$"):
            return source if source == "$$" else source[1:]
        block = source.startswith(("$$", r"\[", r"\begin"))
        width = 2 if source.startswith(("$$", r"\[", r"\(")) else source.startswith("$")
        tex = source[width : len(source) - width]
        if tex.strip() == r"\\":  # which students write for a line break
            return etree.Element("br")
        html = self.formulas.draw(tex, block)
        if not html:
            return ""
        drawn = etree.fromstring(f"<html><body><span>{html}</span></body></html>", PARSER)[0][0]
        if (math := drawn.find("math")) is not None:
            letters = len("".join(math.itertext()))
            if block or letters > SCROLLING:
                longest = max((len("".join(row.itertext())) for row in math.iter("mtr")), default=letters)
                fit = next((f" fit-{percent}" for percent, least in SHRINKING if longest > least), "")
                drawn.attrib.update({"class": f"{'wide' if block else 'long'}{fit}", "tabindex": "0"})
        return drawn

    def _drawn(self, node: etree._Element) -> etree._Element:
        """Let `node` become what the page shows of it; return the last element that does."""
        tag, given = str(node.tag), {name: restored(value, self.kept) for name, value in node.attrib.items()}
        given = {name: printable(value) for name, value in given.items()}
        node.attrib.clear()
        kept = EVERYWHERE | ATTRIBUTES.get(tag, set())
        node.attrib.update({key: value for key, value in given.items() if key in kept})
        if tag == "img":
            size = {key: given[key].removesuffix("px") for key in SIZE if key in given}
            shown = self.pictures.draw(given.get("src", ""), given.get("alt", ""), size, self.attachments)
            return _replaced(node, shown)
        name = given.get("id") or given.get("name", "")
        if tag == "input" or "data-what" in given:
            return _replaced(node, [_note(given)])
        if tag[0] == "h" and tag[1:].isdecimal():
            name = name or "".join(node.itertext())
            self._set_level(node)
        elif tag == "code":
            _colour(node, given.get("class", ""))
        elif tag == "th":
            _name_head(node)
        elif given.get("href", "").startswith("#"):
            node.set("href", "#" + _anchor(unquote(given["href"][1:])))
        if name.strip() and name not in self.names:
            self.names.add(name)
            node.set("id", _anchor(name.strip()))
        if tag == "table":
            wide = _replaced(node, [element("div", attributes={"class": "wide", "tabindex": "0"})])
            wide.append(node)
            return wide
        return node

    def _set_level(self, heading: etree._Element) -> None:
        """Let `heading` follow the one before it without a step left out; without words it is none."""
        if "".join(heading.itertext()).strip() or heading.find(".//img") is not None:
            self.level = min(int(str(heading.tag)[1]) + self.top, self.level + 1, 6)
            heading.tag = f"h{self.level}"
        else:
            heading.tag = "span"


def _replaced(old: etree._Element, new: list[etree._Element]) -> etree._Element:
    """Let the elements `new` stand where `old` stands; return the last of them."""
    tail, old.tail = old.tail, None
    for each in reversed(new):
        old.addnext(each)
    parent = old.getparent()
    assert parent is not None
    parent.remove(old)
    new[-1].tail = tail
    return new[-1]


def _anchor(name: str) -> str:
    return ANCHOR + quote(name.replace(" ", "-")[:200], safe="")


def _colour(code: etree._Element, classes: str) -> None:
    language = re.search(r"(?:^| )language-(\S+)", classes)
    if language and code.text and len(code) == 0 and len(code.text) <= COLOURED:
        coloured = etree.fromstring(highlighted(code.text, language[1]))[0]
        code.text = coloured.text
        code.extend(list(coloured))


def _name_head(head: etree._Element) -> None:
    """Give a table's head that is a formula alone its letters as text, since not every reader takes MathML for one.

    A head without words heads nothing.
    """
    words = (head.text or "") + "".join(child.tail or "" for child in head)
    if len(head) == 1 and head[0].find("math") is not None and not words.strip():
        head[0][0].set("aria-hidden", "true")
        head.insert(0, element("span", "".join(head.itertext()).strip(), {"class": "spoken"}))
    elif len(head) == 0 and not words.strip():
        head.tag = "td"


def _note(given: Mapping[str, str]) -> etree._Element:
    """Return what stands for an element with the attributes `given` that is not shown."""
    if given.get("type", "").lower() == "checkbox":
        return element("span", "☑" if "checked" in given else "☐")
    details = [given.get("data-what", "a form's field"), given.get("value", "")]
    details += [given[name] for name in ("src", "data") if given.get(name, "").startswith("http")]
    return note("Not shown here: " + ", ".join(detail[:300] for detail in details if detail))
