"""Formulas as MathML, drawn by math-core; one that cannot be drawn is shown as its source with the reason.

Weighed beside math-core and left: latex2mathml draws what it does not know as text and has no limits; MathJax, in V8 by
mini-racer, takes 1.7 ms a formula instead of 0.04, refuses 38 of KaTeX's 126 test formulas, and adds 82 MB.
"""

import re
from html import escape
from typing import NamedTuple
from unicodedata import category

from math_core import LatexError

from .dialect import LENGTH, Dialect
from .macros import LENGTH_LIMIT, TOKEN, FormulaError
from .mathml import CONVERTER, draw_marks

DEPTH_LIMIT = 100  # groups and commands within each other
OPEN_BRACKET_LIMIT = 14  # brackets of which math-core may look for the closing one
OPENING = re.compile(r"\\(?:\{|u?ll?(?:[vV]ert|floor|ceil|group|moustache|bracket|corner|paren|[bB]rac|[aA]?ng|Ang).*)")
SIZES = {rf"\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "m", "r")} | {r"\left"}
BLANKS = [round(number / 18, 4) for number in (1, 2, 3, 4, 5, 6, 9, 18)]  # em: the negative ones that style.css knows

# What is no matter of commands and their arguments, in the source of a formula
REWRITES = [
    (re.compile(r"\\verb\*?([^A-Za-z\s*])(.*?)\1"), lambda found: rf"\verb{{{found[2].encode().hex()}}}"),
    (re.compile(rf"\\(raise|lower)\s*({LENGTH.pattern})\s*\\[hm]box"), r"\\\1box{\2}"),
    (re.compile(rf"\\(kern|mkern|hskip|mskip|mspace|raise|lower|above)\s*({LENGTH.pattern})"), r"\\\1{\2}"),
    (re.compile(rf"\\\\\*?(?:\s*\[\s*{LENGTH.pattern}\s*\])?"), r"\\\\"),
    (re.compile(r"\\([hv]space)\*"), r"\\\1"),
    (re.compile(r"\\DeclareMathOperator\s*\*"), r"\\DeclareMathOperatorstar "),
    (re.compile(r"\\sqrt\s*\[([^\[\]]*)\]"), r"\\sqrt[{\1}]"),
    (re.compile(r"\\[bB]igg?[lmr]?\s*\."), ""),
    (re.compile(r"\\[\n\t]"), r"\\ "),
    (re.compile(r"\\root\s*(.*?)\s*\\of(?![A-Za-z])"), r"\\sqrt[\1]"),
    (re.compile(r"\\(left|middle|right)\s*<"), r"\\\1\\langle "),
    (re.compile(r"\\(left|middle|right)\s*>"), r"\\\1\\rangle "),
    (re.compile(r"(?:\\h(?:dash)?line\s*)+(\\h(?:dash)?line)"), r"\1"),
]
# Environments that math-core draws with room for tags at their sides
EQUATION = re.compile(r"\\(begin|end)\{equation\*\}")
NUMBERED = re.compile(r"\\(begin|end)\{(align|gather)\*\}")
CLOSING_LINE = "></mtd></mtr></mtable>"  # perhaps: an empty cell that ends a table
# What math-core writes otherwise than browsers draw it, or the page lets through
MENDED = [
    (re.compile(r'linethickness="[1-9][\d.]*rem"'), 'linethickness="1rem"'),
    (re.compile(r'<mo stretchy="true">̲</mo></mover>'), '<mo stretchy="true">‾</mo></mover>'),
    (re.compile(r'<mspace style="margin-left:-([\d.]+)em;"/>'), lambda found: _negative_blank(float(found[1]))),
    (
        re.compile(r'<mtext><span class="math-core-(sans-)?serif-font">(.*?)</span></mtext>'),
        r'<mtext mathvariant="\1serif">\2</mtext>',
    ),
]


class Failure(NamedTuple):
    """A formula that could not be drawn."""

    tex: str
    reason: str


class Formulas:
    """Draws the formulas of one notebook in their order: a macro holds from where it is defined."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self._dialect = Dialect()

    def draw(self, tex: str, block: bool = False) -> str:
        """Return `tex` as MathML, on lines of its own if `block`, or as code with the reason why it is not drawn."""
        try:
            return self._mathml(tex, block)
        except (ValueError, LatexError) as error:
            reason = re.sub(r"^\d+: ", "", str(error))
        except RecursionError:
            reason = "it is nested too deeply"
        except BaseException as panic:  # which an error within the converter raises
            if type(panic).__name__ != "PanicException":
                raise
            reason = "the converter gave up"
        self.failures.append(Failure(tex, reason))
        return f"<code>{escape(tex[:LENGTH_LIMIT])}</code> <mark>Formula not drawn: {escape(reason)}</mark>"

    def read_labels(self, text: str) -> None:
        r"""Store the labels of all formulas of `text`, so that `\eqref` shows the number of one that follows it."""
        self._dialect.read_labels(text)

    def _mathml(self, tex: str, block: bool) -> str:
        if len(tex) > LENGTH_LIMIT:
            raise FormulaError(f"it has more than {LENGTH_LIMIT} characters")
        for pattern, replacement in REWRITES:
            tex = pattern.sub(replacement, tex)
        expanded = self._dialect.expand(tex)
        if not expanded.strip():
            return ""
        if not self._dialect.tags:
            expanded = NUMBERED.sub(
                r"\\\1{\2ed}", EQUATION.sub(lambda found: "{" if found[1] == "begin" else "}", expanded)
            )
        if self._dialect.tagged:
            expanded = (
                rf"\begin{{gather*}}{expanded}\end{{gather*}}" if block else re.sub(r"\\tag\*\{\d+\}", "", expanded)
            )
        mathml = CONVERTER.convert_with_local_state(bounded(expanded), displaystyle=block)
        for pattern, replacement in MENDED:
            mathml = pattern.sub(replacement, mathml)
        if self._dialect.marks or self._dialect.tags or CLOSING_LINE in mathml:
            mathml = draw_marks(mathml, block, self._dialect.marks, list(map(bounded, self._dialect.tags)))
        return mathml


def _negative_blank(width: float) -> str:
    """Return a space that moves what follows to the left by about `width` em."""
    return f'<mspace width="-{min(BLANKS, key=lambda blank: abs(blank - width))}em"/>'


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
