"""Texts with markup, and the outputs of cells, as HTML: laid out up to a limit, and text beyond it.

Formulas and pictures are drawn, headings stand below the page's own, wide parts scroll. What is drawn stands aside, as
HTML that was cleaned alone, until the rest around it is cleaned.
"""

import functools
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import groupby
from urllib.parse import quote, unquote

import lxml.etree
import lxml.html
import nh3
from lxml.html import HtmlElement
from nbformat import NotebookNode

from .formulas import Formulas
from .markdown import PICTURE_DATA, TEXT, stand_aside, to_html
from .markup import ATTRIBUTES, BREAK, PAGE, TOKEN, parse, printable, put_aside, restored, without_opaque
from .pictures import Attachments, Pictures
from .verbatim import highlighted, printed

# The most characters that are laid out, pictures' data apart: of a cell or an output, of a notebook.
LAID_OUT, LAID_OUT_IN_ALL = 100_000, 500_000
PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")  # in JupyterLab's order
PICTURE_SOURCE = re.compile(r"<img\b|!\[", re.IGNORECASE)
WIDGET = "application/vnd.jupyter.widget-view+json"
# What makes HTML of a text of each type, whose pictures and formulas the list takes
MARKUP: dict[str, Callable[[str, list[str]], str]] = {
    "text/html": lambda html, _: html,
    "text/markdown": to_html,
    "text/latex": lambda latex, _: f"<p>{escape(latex)}</p>",
}
# In these, MathJax looks for no formulas.
CODE = ("pre", "code")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
LANGUAGE = re.compile(r"(?:^| )language-(\S+)")  # in the class of a code
SCROLLING = 30  # letters: a formula within text that is longer scrolls by itself
SHRINKING = ((40, 180), (60, 130), (80, 90))  # to percent of its size on paper, from how many letters in a line on
ANCHOR = "cell-link-"  # before the name of what a link within the notebook leads to


class Outputs:
    """Draws the texts and outputs of one notebook, in its order: macros hold, and names are given, from there on."""

    def __init__(self, formulas: Formulas, pictures: Pictures) -> None:
        self.formulas, self.pictures = formulas, pictures
        self.names: set[str] = set()  # that links lead to
        self.left = LAID_OUT_IN_ALL

    def draw(self, outputs: Sequence[NotebookNode], level: int) -> Iterator[str]:
        """Yield the HTML of each of the `outputs`, below a heading of `level`; what was printed in pieces is one."""
        for name, group in groupby(outputs, lambda output: output.output_type == "stream" and output.name):
            if name:
                what = "Printed" if name == "stdout" else "Printed as a warning or error"
                yield printed("".join(output.text for output in group), what)
            else:
                yield from (self._output(output, level) for output in group)

    def _output(self, output: NotebookNode, level: int) -> str:
        if output.output_type == "error":
            return printed("\n".join(output.traceback) or f"{output.ename}: {output.evalue}", "Traceback")
        data = {kind: str(value) for kind, value in output.data.items()}
        plain = printed(data["text/plain"], "Output") if "text/plain" in data else ""
        if WIDGET in data and plain:  # the run put the widget's last state into it
            return plain
        if kind := next((kind for kind in MARKUP if kind in data), None):
            html = self.laid_out(data[kind], kind, level, {})
            words = nh3.clean(html, tags=set()).strip()
            if kind != "text/html" or "<img" in html or "<math" in html or not re.match(r"\[Not shown here|$", words):
                return html
            return html + plain if plain or words else '<p class="note">[HTML without text or pictures]</p>'
        if kind := next((kind for kind in PICTURES if kind in data), None):
            svg = kind == PICTURES[0]  # which is text
            address = b64encode(data[kind].encode(errors="replace")).decode() if svg else data[kind]
            own = output.metadata.get(kind)
            known = own if own and isinstance(own, dict) else output.metadata
            given = {name: str(value) for name, value in known.items()}
            return self.pictures.draw(given | {"src": f"data:{kind};base64,{address}"}, {})
        other = escape(printable(", ".join(sorted(set(data) - {"text/plain"}))))
        return plain + (f'<p class="note">Not shown here: output of the type {other}.</p>' if other else "")

    def laid_out(self, source: str, kind: str, level: int, attachments: Attachments) -> str:
        """Return the HTML of a `source` of a type of `MARKUP`, laid out, and as text what cannot be."""
        kept: list[str] = []
        self.attachments = attachments
        source = stand_aside(PICTURE_DATA, printable(source), kept)
        if kind == "text/html":
            source = without_opaque(source, kept, "<script" in source.lower())  # which is no text to be limited
        end = len(source) if len(source) <= LAID_OUT else max(source.rfind("\n", 0, LAID_OUT), 0) or LAID_OUT
        if end > self.left:
            return printed(restored(source, kept), "Text that is beyond what is laid out of a notebook")
        self.left -= end
        try:
            html = self._drawn(MARKUP[kind](source[:end], kept), level, kept)
        except Exception:  # such as a recursion without end: nobody foresees what parsers make of somebody's text
            return printed(restored(source, kept), "Text that is too odd to be laid out")
        if end < len(source):
            said = f"Cut here: {end:,} of {len(source):,} characters are laid out"
            pictures = len(PICTURE_SOURCE.findall(source, end))
            html += f'<p class="note">{said}{f", and {pictures} pictures are not shown" * bool(pictures)}.</p>'
            html += printed(restored(source[end:], kept), "The rest, as text")
        return html

    def _drawn(self, html: str, level: int, kept: list[str]) -> str:
        """Return `html`, out of which `kept` was taken, as it stands on the page below a heading of `level`, cleaned.

        Raise `ValueError` where a part of it could not be parsed.
        """
        self.level = self.top = level
        self.kept, self.drawn = kept, list[str]()
        body = parse(html, kept)
        for heading in body.iter(*HEADINGS):
            heading.set("name", heading.get("id") or restored(heading.text_content(), kept))
        self._draw_texts(body)
        for node in list(body.iterdescendants()):
            self._draw_element(node)
        html = lxml.html.tostring(body, encoding="unicode").removeprefix("<body>").removesuffix("</body>")
        return restored(PAGE.clean(html).replace(BREAK, "<br>"), self.drawn)

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
        if given:
            kept = ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set())
            node.attrib.clear()
            node.attrib.update({key: value for key, value in given.items() if key in kept})
        if tag == "img":
            node.text = put_aside(self.pictures.draw(given, self.attachments), self.drawn)
            node.tag = "picture"  # which cleaning takes away; lxml's `drop_tag` copies all the text beside it
            return
        if tag in HEADINGS and (node.text_content().strip() or node.find(".//img") is not None):
            self.level = min(int(tag[1]) + self.top, self.level + 1, 6)  # without a step left out
            node.tag = f"h{self.level}"
        elif tag in HEADINGS:  # without words it is none
            node.tag = "span"
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
    html, letters = PAGE.clean(html), len(_letters(html))
    if "<math" not in html or not (block or letters > SCROLLING):
        return html
    longest = max(len(_letters(row)) for row in html.split("<mtr>"))
    fit = next((f" fit-{percent}" for percent, least in SHRINKING if longest > least), "")
    return f'<span class="{"wide" if block else "long"}{fit}" tabindex="0">{html}</span>'


def _letters(html: str) -> str:
    return re.sub("<[^>]*>", "", html)


def _anchor(name: str) -> str:
    return ANCHOR + quote(name.replace(" ", "-")[:200], safe="")
