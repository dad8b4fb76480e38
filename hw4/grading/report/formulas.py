"""Formulas as MathML, drawn by math-core; one that cannot be drawn is shown as its source with the reason.

Weighed beside math-core and left: latex2mathml draws what it does not know as text and has no limits; MathJax, in V8 by
mini-racer, takes 1.7 ms a formula instead of 0.04, refuses 38 of KaTeX's 126 test formulas, and adds 82 MB.
"""

import re
from html import escape
from xml.etree.ElementTree import ParseError

from math_core import LatexError

from .dialect import DATA, LENGTH, Dialect
from .macros import LENGTH_LIMIT, FormulaError
from .mathml import draw

VERBATIM = re.compile(r"\\verb\*?([^A-Za-z\s*])(.*?)\1")
REWRITES = [(re.compile(pattern.replace("LENGTH", LENGTH.pattern)), to) for pattern, to in DATA["rewrites"]]
# Environments that math-core draws with room for tags at their sides
EQUATION = re.compile(r"\\(begin|end)\{equation\*\}")
EQUATIONS = re.compile(r"\\begin\{(?:equation|align|gather|multline)\*\}")
TAG = re.compile(r"\\tag\*\{\w*\}")
NUMBERED = re.compile(r"\\(begin|end)\{(align|gather)\*\}")


class Formulas:
    """Draws the formulas of one notebook in their order: a macro holds from where it is defined."""

    def __init__(self) -> None:
        self.failures: list[str] = []  # why formulas could not be drawn
        self._dialect = Dialect()

    def draw(self, tex: str, block: bool = False) -> str:
        """Return `tex` as MathML, on lines of its own if `block`, or as code with the reason why it is not drawn."""
        try:
            return self._mathml(tex, block)
        except (ValueError, LatexError, ParseError) as error:
            reason = re.sub(r"^\d+: ", "", str(error))
        except RecursionError:
            reason = "it is nested too deeply"
        except BaseException as panic:  # which an error within the converter raises
            if type(panic).__name__ != "PanicException":
                raise
            reason = "the converter gave up"
        self.failures.append(reason)
        return f"<code>{escape(tex[:LENGTH_LIMIT])}</code> <mark>Formula not drawn: {escape(reason)}</mark>"

    def read_labels(self, text: str) -> None:
        r"""Store the labels of all formulas of `text`, so that `\eqref` shows the number of one that follows it."""
        self._dialect.read_labels(text)

    def _mathml(self, tex: str, block: bool) -> str:
        if len(tex) > LENGTH_LIMIT:
            raise FormulaError(f"it has more than {LENGTH_LIMIT} characters")
        tex = VERBATIM.sub(lambda found: rf"\verb{{{found[2].encode().hex()}}}", tex)
        for pattern, replacement in REWRITES:
            tex = pattern.sub(replacement, tex)
        expanded = self._dialect.expand(tex)
        if not expanded.strip():
            return ""
        if r"\tag*" not in expanded:
            expanded = EQUATION.sub(lambda found: "{" if found[1] == "begin" else "}", expanded)
            expanded = NUMBERED.sub(r"\\\1{\2ed}", expanded)
        elif not EQUATIONS.search(expanded):  # the formula as a whole is the row of the tag
            expanded = rf"\begin{{gather*}}{expanded}\end{{gather*}}" if block else TAG.sub("", expanded)
        return draw(expanded, block)
