"""Texts with markup, and the outputs of cells, as HTML: laid out up to a limit, and text beyond it."""

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import groupby
from urllib.parse import quote

import nh3
from nbformat import NotebookNode

from .drawing import Drawing
from .markdown import PICTURE_DATA, stand_aside, to_html
from .markup import printable, restored, text, without_opaque
from .pictures import Attachments
from .verbatim import printed

# The most characters that are laid out, pictures' data apart: of a cell or an output, of a notebook.
LAID_OUT, LAID_OUT_IN_ALL = 100_000, 500_000
PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")  # in JupyterLab's order
PICTURE_SOURCE = re.compile(r"<img\b|!\[", re.IGNORECASE)
WIDGET = "application/vnd.jupyter.widget-view+json"


class Outputs:
    """Draws the texts and outputs of one notebook, in its order, below a heading of a `level`."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.left = LAID_OUT_IN_ALL

    def draw(self, outputs: Sequence[NotebookNode], level: int) -> Iterator[str]:
        """Yield the HTML of each of the `outputs`; what was printed in pieces is one text."""
        for name, group in groupby(outputs, lambda output: output.output_type == "stream" and output.name):
            if name:
                what = "Printed" if name == "stdout" else "Printed as a warning or error"
                yield printed("".join(output.text for output in group), what)
            else:
                yield from (self._output(output, level) for output in group)

    def _output(self, output: NotebookNode, level: int) -> str:
        if output.output_type == "error":
            return printed("\n".join(output.traceback) or f"{output.ename}: {output.evalue}", "Traceback")
        data = {kind: value if isinstance(value, str) else str(value) for kind, value in output.data.items()}
        plain = printed(data["text/plain"], "Output") if "text/plain" in data else ""
        if WIDGET in data and plain:  # the run put the widget's last state into it
            return plain
        if "text/html" in data:
            html = self._laid_out(data["text/html"], level, None)
            words = nh3.clean(html, tags=set()).strip()
            if "<img" in html or "<math" in html or not (words == "" or words.startswith("[Not shown here")):
                return html
            return html + plain if plain or words else '<p class="note">[HTML without text or pictures]</p>'
        if "text/markdown" in data:
            return self.markdown(data["text/markdown"], level)
        if "text/latex" in data:
            return self._laid_out(data["text/latex"], level, lambda latex, _: f"<p>{escape(latex)}</p>")
        if kind := next((kind for kind in PICTURES if kind in data), None):
            address = f"data:{kind},{quote(data[kind])}" if kind == PICTURES[0] else f"data:{kind};base64,{data[kind]}"
            own = output.metadata.get(kind)
            known = {
                name: str(value) for name, value in (own if own and isinstance(own, dict) else output.metadata).items()
            }
            return self.drawing.pictures.draw(known | {"src": address}, {})
        other = ", ".join(sorted(set(data) - {"text/plain"}))
        return plain + (f'<p class="note">Not shown here: output of the type {text(other)}.</p>' if other else "")

    def markdown(self, source: str, level: int, attachments: Attachments | None = None) -> str:
        """Return Markdown as HTML."""
        return self._laid_out(source, level, to_html, attachments)

    def _laid_out(
        self,
        source: str,
        level: int,
        convert: Callable[[str, list[str]], str] | None,
        attachments: Attachments | None = None,
    ) -> str:
        """Return the HTML that `convert` makes of `source`, or it itself, laid out, and as text what cannot be."""
        kept: list[str] = []
        source = stand_aside(PICTURE_DATA, printable(source), kept)
        if convert is None:
            source = without_opaque(source, kept, "<script" in source.lower())  # which is no text to be limited
        end = len(source) if len(source) <= LAID_OUT else max(source.rfind("\n", 0, LAID_OUT), 0) or LAID_OUT
        if end > self.left:
            return printed(restored(source, kept), "Text that is beyond what is laid out of a notebook")
        self.left -= end
        try:
            html = convert(source[:end], kept) if convert else source[:end]
            html = self.drawing.draw(html, level, kept, attachments)
        except Exception:  # such as a recursion without end: nobody foresees what parsers make of somebody's text
            return printed(restored(source, kept), "Text that is too odd to be laid out")
        if end < len(source):
            said = f"Cut here: {end:,} of {len(source):,} characters are laid out"
            pictures = len(PICTURE_SOURCE.findall(source, end))
            html += f'<p class="note">{said}{f", and {pictures} pictures are not shown" * bool(pictures)}.</p>'
            html += printed(restored(source[end:], kept), "The rest, as text")
        return html
