"""Markdown, HTML and LaTeX of a cell or an output as the page shows it, laid out up to a limit and text beyond it."""

from collections.abc import Callable, Mapping
from html import escape

from .drawing import Layout
from .extraction import Kept, take_pictures
from .markdown import to_html
from .markup import CONTROLS, OPAQUE, printable, without_opaque
from .pictures import Attachments
from .verbatim import printed

# The most characters that are laid out, pictures' data apart: of a cell or an output, of a notebook.
OF_ONE, OF_ALL = 100_000, 500_000


class Rich:
    """Draws what one notebook holds of text with markup, in its order."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.left = OF_ALL

    def markdown(self, source: str, level: int, attachments: Attachments | None = None) -> str:
        """Return Markdown as HTML below a heading of `level`."""
        return self._laid_out(source, level, to_html, attachments)

    def html(self, source: str, level: int) -> str:
        """Return HTML, cleaned, below a heading of `level`."""
        return self._laid_out(source, level, lambda html, _: html, prepare=_without_controls)

    def latex(self, source: str, level: int) -> str:
        """Return text with its formulas drawn as HTML."""
        return self._laid_out(source, level, lambda latex, _: f"<p>{escape(latex)}</p>")

    def picture(self, address: str, level: int, metadata: Mapping[str, object]) -> str:
        """Return the picture at `address` as HTML, with the width, height and alternative text of `metadata`."""
        names = [name for name in ("alt", "width", "height") if name in metadata]
        attributes = "".join(f' {name}="{escape(str(metadata[name]))}"' for name in names)
        kept = Kept()
        return self.layout.draw(f'<img src="{kept.put(address)}"{attributes}>', level, kept)

    def _laid_out(
        self,
        source: str,
        level: int,
        convert: Callable[[str, Kept], str],
        attachments: Attachments | None = None,
        prepare: Callable[[str, Kept], str] = lambda source, _: source,
    ) -> str:
        kept = Kept()
        prepared = prepare(take_pictures(printable(source), kept), kept)
        end = len(prepared) if len(prepared) <= OF_ONE else max(prepared.rfind("\n", 0, OF_ONE), 0) or OF_ONE
        if end > self.left:
            return printed(kept.text(prepared), "Text that is beyond what is laid out of a notebook")
        self.left -= end
        try:
            html = self.layout.draw(convert(prepared[:end], kept), level, kept, attachments)
        except Exception:  # what parsers make of somebody's text, such as a recursion without end, nobody foresees
            return printed(kept.text(prepared), "Text that is too odd to be laid out")
        if end < len(prepared):
            html += f'<p class="note">Cut here: {end:,} of {len(prepared):,} characters are laid out.</p>'
            html += printed(kept.text(prepared[end:]), "The rest, as text")
        return html


def _without_controls(html: str, kept: Kept) -> str:
    return without_opaque(html, kept, OPAQUE | CONTROLS)
