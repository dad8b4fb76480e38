"""HTML of a student laid out: formulas and pictures drawn, headings below the page's own, wide parts scrolling.

What is drawn stands aside, as HTML that was cleaned alone, until the rest around it is cleaned.
"""

import functools
import re
from urllib.parse import quote, unquote

import lxml.etree
import lxml.html
from lxml.html import HtmlElement

from .formulas import Formulas
from .markdown import PICTURE_DATA, TEXT
from .markup import ATTRIBUTES, BREAK, FRAGMENT, TOKEN, parse, printable, put_aside, restored
from .pictures import Attachments, Pictures
from .verbatim import highlighted

# In these, MathJax looks for no formulas.
CODE = ("pre", "code")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
LANGUAGE = re.compile(r"(?:^| )language-(\S+)")  # in the class of a code
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

        `kept` holds what was taken out of it. Raise `ValueError` where a part of it could not be parsed.
        """
        self.level = self.top = level
        self.kept, self.attachments = kept, attachments or {}
        self.drawn: list[str] = []
        body = parse(html, kept)
        for heading in body.iter(*HEADINGS):
            heading.set("name", heading.get("id") or restored(heading.text_content(), kept))
        self._draw_texts(body)
        for node in list(body.iterdescendants()):
            self._draw_element(node)
        html = lxml.html.tostring(body, encoding="unicode").removeprefix("<body>").removesuffix("</body>")
        return restored(FRAGMENT.clean(html).replace(BREAK, "<br>"), self.drawn)

    def _draw_texts(self, body: HtmlElement) -> None:
        """Let a token stand for each formula of the texts in `body`."""
        within = 0  # elements of code that are open
        # Not by XPath: libxml2 sorts what that finds, in a time that grows with the square of the siblings.
        for event, node in lxml.etree.iterwalk(body, events=("start", "end")):
            place = "text" if event == "start" else "tail"
            within += (node.tag in CODE) * (1 if event == "start" else -1)
            if found := getattr(node, place):
                text = PICTURE_DATA.sub(_shortened, printable(restored(found, self.kept)))
                setattr(node, place, text if within else TEXT.sub(self._formula, text))

    def _formula(self, found: re.Match[str]) -> str:
        """Return a token for the formula `found` with its delimiters, or the text that shows what is none."""
        source = found[0].replace(BREAK, "\n")
        if source in ("$$", r"\\", r"\$"):
            return source if source == "$$" else source[1:]
        block = source.startswith(("$$", r"\[", r"\begin"))
        width = 2 if source.startswith(("$$", r"\[", r"\(")) else source.startswith("$")
        tex = source[width : len(source) - width]
        if tex.strip() == r"\\":  # which students write for a line break
            return put_aside("<br>", self.drawn)
        html = self.formulas.draw(tex, block)
        return put_aside(_scrolling(html, block), self.drawn) if html else ""

    def _draw_element(self, node: HtmlElement) -> None:
        """Let `node` become what the page shows of it."""
        tag = str(node.tag)
        given = {name: printable(restored(value, self.kept)) for name, value in node.attrib.items()}
        kept = ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set())
        node.attrib.clear()
        node.attrib.update({key: value for key, value in given.items() if key in kept})
        if tag == "img":
            node.text = put_aside(self.pictures.draw(given, self.attachments), self.drawn)
            node.tag = "picture"  # which cleaning takes away; lxml's `drop_tag` copies all the text beside it
            return
        if re.fullmatch("h[1-6]", tag):
            self._set_level(node)
        elif tag == "code" and len(node) == 0 and (language := LANGUAGE.search(given.get("class", ""))):
            node.text = put_aside(highlighted(node.text or "", language[1]), self.drawn)
        elif tag == "th":
            self._name_head(node)
        elif tag == "table":
            wide = lxml.html.Element("div", {"class": "wide", "tabindex": "0"})
            node.addprevious(wide)
            wide.tail, node.tail = node.tail, None
            wide.append(node)
        elif given.get("class") == "note":
            node.set("class", "note")
        elif given.get("href", "").startswith("#"):
            node.set("href", "#" + _anchor(unquote(given["href"][1:])))
        name = (given.get("id") or given.get("name", "")).strip()
        if name and name not in self.names:
            self.names.add(name)
            node.set("id", _anchor(name))

    def _set_level(self, heading: HtmlElement) -> None:
        """Let `heading` follow the one before it without a step left out; without words it is none."""
        if heading.text_content().strip() or heading.find(".//img") is not None:
            self.level = min(int(str(heading.tag)[1]) + self.top, self.level + 1, 6)
            heading.tag = f"h{self.level}"
        else:
            heading.tag = "span"

    def _name_head(self, head: HtmlElement) -> None:
        """Give a table's head that is a formula alone its letters as text: not every reader takes MathML for one.

        A head without words heads nothing.
        """
        text = (head.text or "").strip()
        if len(head) == 0 and not text:
            head.tag = "td"
        elif len(head) == 0 and (token := TOKEN.fullmatch(text)):
            html = self.drawn[int(token[1])]
            spoken = f'<span class="spoken">{_letters(html)}</span><span aria-hidden="true">{html}</span>'
            head.text = put_aside(spoken, self.drawn)


def _shortened(data: re.Match[str]) -> str:
    return f"{data[0][:60]}[... {len(data[0]):,} characters of a picture]"


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
