"""HTML of a student laid out: formulas and pictures drawn, headings below the page's own, wide parts scrolling."""

import functools
import re
from collections.abc import Mapping
from html import unescape
from urllib.parse import quote, unquote

from lxml import etree

from .formulas import Formulas
from .markdown import PICTURE_DATA, TEXT
from .markup import ATTRIBUTES, FRAGMENT, TOKEN, element, note, parse, printable, put_aside, restored
from .pictures import Attachments, Pictures
from .verbatim import COLOURED, highlighted

# In these, MathJax looks for no formulas.
CODE = "(//pre | //code)/descendant-or-self::*"
HEADINGS = "//h1 | //h2 | //h3 | //h4 | //h5 | //h6"
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
        self.kept, self.attachments, self.drawn = kept, attachments or {}, []
        body = parse(html, kept)
        for heading in body.xpath(HEADINGS):
            heading.set("name", heading.get("id") or restored("".join(heading.itertext()), kept))
        self._draw_texts(body)
        for node in list(body.iterdescendants()):
            self._draw_element(node)
        html = etree.tostring(body, encoding="unicode", method="html")
        return restored(FRAGMENT.clean(html.removeprefix("<body>").removesuffix("</body>")), self.drawn)

    def _draw_texts(self, body: etree._Element) -> None:
        """Let a token stand for each formula of the texts in `body`."""
        code = set(body.xpath(CODE))
        for found in body.xpath("//text()"):
            owner, text = found.getparent(), printable(restored(found, self.kept))
            if "data:image" in text:
                text = PICTURE_DATA.sub(
                    lambda data: f"{data[0][:60]}[... {len(data[0]):,} characters of a picture]", text
                )
            if (owner.getparent() if found.is_tail else owner) not in code:
                text = TEXT.sub(self._formula, text)
            setattr(owner, "tail" if found.is_tail else "text", text)

    def _formula(self, found: re.Match[str]) -> str:
        """Return a token for the formula `found` with its delimiters, or the text that shows what is none."""
        source = found[0]
        if source in ("$$", r"\\", r"\$"):
            return source if source == "$$" else source[1:]
        block = source.startswith(("$$", r"\[", r"\begin"))
        width = 2 if source.startswith(("$$", r"\[", r"\(")) else source.startswith("$")
        tex = source[width : len(source) - width]
        if tex.strip() == r"\\":  # which students write for a line break
            return put_aside("<br>", self.drawn)
        html = self.formulas.draw(tex, block)
        return put_aside(_scrolling(html, block), self.drawn) if html else ""

    def _draw_element(self, node: etree._Element) -> None:
        """Let `node` become what the page shows of it."""
        tag, given = str(node.tag), {name: restored(value, self.kept) for name, value in node.attrib.items()}
        given = {name: printable(value) for name, value in given.items()}
        node.attrib.clear()
        kept = ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set())
        node.attrib.update({key: value for key, value in given.items() if key in kept})
        if tag == "img":
            size = {key: given[key].removesuffix("px") for key in SIZE if key in given}
            _replace(node, self.pictures.draw(given.get("src", ""), given.get("alt", ""), size, self.attachments))
            return
        if tag == "input" or "data-what" in given:
            _replace(node, [_note(given)])
            return
        if re.fullmatch("h[1-6]", tag):
            self._set_level(node)
        elif tag == "code":
            _colour(node, given.get("class", ""))
        elif tag == "th":
            self._name_head(node)
        elif given.get("href", "").startswith("#"):
            node.set("href", "#" + _anchor(unquote(given["href"][1:])))
        name = (given.get("id") or given.get("name", "")).strip()
        if name and name not in self.names:
            self.names.add(name)
            node.set("id", _anchor(name))
        if tag == "table":
            wide = element("div", attributes={"class": "wide", "tabindex": "0"})
            _replace(node, [wide])
            wide.append(node)

    def _set_level(self, heading: etree._Element) -> None:
        """Let `heading` follow the one before it without a step left out; without words it is none."""
        if "".join(heading.itertext()).strip() or heading.find(".//img") is not None:
            self.level = min(int(str(heading.tag)[1]) + self.top, self.level + 1, 6)
            heading.tag = f"h{self.level}"
        else:
            heading.tag = "span"

    def _name_head(self, head: etree._Element) -> None:
        """Give a table's head that is a formula alone its letters as text: not every reader takes MathML for one.

        A head without words heads nothing.
        """
        text = (head.text or "").strip()
        if len(head) == 0 and not text:
            head.tag = "td"
        elif len(head) == 0 and (token := TOKEN.fullmatch(text)):
            number = int(token[1])
            head.append(element("span", unescape(_letters(self.drawn[number])), {"class": "spoken"}))
            self.drawn[number] = f'<span aria-hidden="true">{self.drawn[number]}</span>'


def _replace(old: etree._Element, new: list[etree._Element]) -> None:
    """Let the elements `new` stand where `old` stands."""
    new[-1].tail, old.tail = old.tail, None
    parent = old.getparent()
    assert parent is not None
    place = parent.index(old)
    parent[place : place + 1] = new


@functools.lru_cache(maxsize=10_000)
def _scrolling(html: str, block: bool) -> str:
    """Return the HTML of a formula, cleaned, so that one that is long scrolls by itself, and shrinks on paper."""
    html, letters = FRAGMENT.clean(html), len(_letters(html))
    if "<math" not in html or not (block or letters > SCROLLING):
        return html
    longest = max(len(_letters(row)) for row in html.split("<mtr>"))
    fit = next((f" fit-{percent}" for percent, least in SHRINKING if longest > least), "")
    return f'<span class="{"wide" if block else "long"}{fit}" tabindex="0">{html}</span>'


def _letters(html: str) -> str:
    return re.sub("<[^>]*>", "", html)


def _anchor(name: str) -> str:
    return ANCHOR + quote(name.replace(" ", "-")[:200], safe="")


def _colour(code: etree._Element, classes: str) -> None:
    language = re.search(r"(?:^| )language-(\S+)", classes)
    if language and code.text and len(code) == 0 and len(code.text) <= COLOURED:
        coloured = etree.fromstring(highlighted(code.text, language[1]))[0]
        code.text = coloured.text
        code.extend(list(coloured))


def _note(given: Mapping[str, str]) -> etree._Element:
    """Return what stands for an element with the attributes `given` that is not shown."""
    if given.get("type", "").lower() == "checkbox":
        return element("span", "☑" if "checked" in given else "☐")
    details = [given.get("data-what", "a form's field"), given.get("value", "")]
    details += [given[name] for name in ("src", "data") if given.get(name, "").startswith("http")]
    return note("Not shown here: " + ", ".join(detail[:300] for detail in details if detail))
