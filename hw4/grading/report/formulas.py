"""Formulas as MathML, drawn by math-core; one that cannot be drawn is shown as its source with the reason.

Weighed beside math-core and left: latex2mathml draws what it does not know as text and has no limits; MathJax, in V8 by
mini-racer, takes 1.7 ms a formula instead of 0.09, refuses 38 of KaTeX's 126 test formulas, and adds 82 MB.
"""

import re
from html import escape

from .dialect import Dialect, rewritten
from .macros import LENGTH_LIMIT, FormulaError
from .mathml import SHIFTED, draw

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
        return draw(expanded, block)
