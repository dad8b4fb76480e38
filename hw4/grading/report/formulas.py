"""Formulas as MathML, drawn by math-core; one that cannot be drawn is shown as its source with the reason."""

import re
from html import escape
from typing import NamedTuple
from unicodedata import category

from math_core import LatexError, LatexToMathML

from .macros import LENGTH_LIMIT, TOKEN, FormulaError, Macros, join

DEPTH_LIMIT = 100  # groups and commands within each other
OPEN_BRACKET_LIMIT = 14  # brackets of which math-core may look for the closing one
OPENING = re.compile(r"\\(?:\{|u?ll?(?:[vV]ert|floor|ceil|group|moustache|bracket|corner|paren|[bB]rac|[aA]?ng|Ang).*)")
SIZES = {rf"\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "m", "r")} | {r"\left"}
CONVERTER = LatexToMathML(fancy_error=False, allow_unreliable_rendering=True)

# What the converter has not, or would number or refuse outside of an environment that is numbered.
BUILT_IN = r"""
\def\substack#1{\begin{matrix}#1\end{matrix}} \def\mbox#1{\text{#1}} \def\mathds#1{\mathbb{#1}}
\def\mathbbm#1{\mathbb{#1}} \def\nicefrac#1#2{#1/#2} \def\centerdot{\cdot} \def\hdots{\dots} \def\LaTeX{\text{LaTeX}}
\def\label#1{} \def\tag#1{\qquad\text{(#1)}} \def\ref#1{\text{#1}} \def\eqref#1{\text{(#1)}} \def\nonumber{}
\def\intertext#1{\text{#1}\\} \def\hfill{\quad} \def\vspace#1{} \def\smash#1{#1} \def\colorbox#1#2{#2} \def\cr{\\}
\def\require#1{} \def\rule#1#2{} \def\tiny{} \def\scriptsize{} \def\footnotesize{} \def\small{} \def\normalsize{}
\def\large{} \def\Large{} \def\huge{}
"""
REWRITES = [
    (re.compile(r"\\(begin|end)\{(align|equation|gather|multline)\*?\}"), r"\\\1{\2*}"),
    (re.compile(r"\\begin\{(?:fl)?alignat\*?\}\s*\{\d+\}|\\begin\{flalign\*?\}"), r"\\begin{align*}"),
    (re.compile(r"\\end\{(?:fl)?align(?:at)?\*?\}"), r"\\end{align*}"),
    (re.compile(r"\\begin\{eqnarray\*?\}"), r"\\begin{array}{rcl}"),
    (re.compile(r"\\end\{eqnarray\*?\}"), r"\\end{array}"),
    (re.compile(r"\\(begin|end)\{split\}"), r"\\\1{aligned}"),
    (re.compile(r"\\(begin|end)\{smallmatrix\}"), r"\\\1{matrix}"),
    (re.compile(r"\\(left|middle|right)\s*<"), r"\\\1\\langle "),
    (re.compile(r"\\(left|middle|right)\s*>"), r"\\\1\\rangle "),
    (re.compile("⊤"), r"\\top "),
    (re.compile(r"\\\\\s*\[[-.\d\s]*(?:pt|em|ex|mm|cm|in)\]"), r"\\\\"),
    (re.compile(r"(\\text[a-z]*\{)([^{}]*)\}"), lambda found: found[1] + _with_formulas(found[2]) + "}"),
]


class Failure(NamedTuple):
    """A formula that could not be drawn."""

    tex: str
    reason: str


class Formulas:
    """Draws the formulas of one notebook in their order: a macro holds from where it is defined."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self._macros = Macros(BUILT_IN)

    def draw(self, tex: str, block: bool = False) -> str:
        """Return `tex` as MathML, on lines of its own if `block`, or as code with the reason why it is not drawn."""
        try:
            return self._mathml(tex, block)
        except (FormulaError, LatexError) as error:
            reason = re.sub(r"^\d+: ", "", str(error))
        except BaseException as panic:  # which an error within the converter raises
            if type(panic).__name__ != "PanicException":
                raise
            reason = "the converter gave up"
        self.failures.append(Failure(tex, reason))
        return f"<code>{escape(tex[:LENGTH_LIMIT])}</code> <mark>Formula not drawn: {escape(reason)}</mark>"

    def _mathml(self, tex: str, block: bool) -> str:
        if len(tex) > LENGTH_LIMIT:
            raise FormulaError(f"it has more than {LENGTH_LIMIT} characters")
        expanded = self._macros.expand(tex)
        for pattern, replacement in REWRITES:
            expanded = pattern.sub(replacement, expanded)
        if not expanded.strip():
            return ""
        return CONVERTER.convert_with_local_state(bounded(expanded), displaystyle=block)


def _with_formulas(text: str) -> str:
    r"""Let formulas and underscores stand within `\text{...}`."""
    pieces = text.split("$")
    return "".join(
        f"}}{piece}\\text{{" if number % 2 else re.sub(r"(?<!\\)_", r"\\_", piece)
        for number, piece in enumerate(pieces)
    )


def bounded(tex: str) -> str:
    """Return `tex` as the converter can take it; raise `FormulaError` if it is too long or nested too deeply.

    The converter overflows its stack where groups or commands are nested deeply. It takes a time of two to the number
    of brackets that nothing closes: where there are many, each becomes a group, of which it expects no closing.
    """
    if len(tex) > LENGTH_LIMIT:
        raise FormulaError(f"it has more than {LENGTH_LIMIT} characters")
    tokens, depths, run = TOKEN.findall(tex), [0], 0
    for token in tokens:
        if token in ("{", r"\left", r"\begin"):
            depths.append(depths[-1] + run + 1)
        elif token in ("}", r"\right", r"\end"):
            depths = depths[:-1] or [0]
        run = run + 1 if token[0] in "\\^_" else run if token.isspace() else 0
        if depths[-1] + run > DEPTH_LIMIT:
            raise FormulaError("it is nested too deeply")
    if sum(map(_opens, tokens)) <= OPEN_BRACKET_LIMIT:
        return tex
    pairs = zip(["", *tokens], tokens, strict=False)
    return join(["{{}" + token + "}" if _opens(token) and before not in SIZES else token for before, token in pairs])


def _opens(token: str) -> bool:
    """Return whether `token` is an opening bracket."""
    return (category(token[0]) == "Ps" and token != "{") or bool(OPENING.fullmatch(token))
