"""Formulas: the macros that a notebook defines, and TeX to MathML; a wrong one stays readable TeX with its reason."""

import re
from html import escape
from itertools import zip_longest
from unicodedata import category

from math_core import LatexError, LatexToMathML

TOKEN = re.compile(r"\\(?:[A-Za-z]+|.|$)|#[1-9]|.", re.DOTALL)
NEW = {r"\newcommand", r"\renewcommand", r"\providecommand"}
DEF = {r"\def", r"\gdef", r"\edef", r"\xdef"}
OPENING = re.compile(r"\\(?:\{|u?ll?(?:[vV]ert|floor|ceil|group|moustache|bracket|corner|paren|[bB]rac|[aA]?ng|Ang).*)")
SIZES = {rf"\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "m", "r")} | {r"\left"}
LENGTH, EXPANSIONS, DEPTH, BRACKETS = 5000, 2000, 100, 14
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
    (re.compile(r"(\\text[a-z]*\{)([^{}]*)\}"), lambda found: found[1] + _in_text(found[2]) + "}"),
]


class Wrong(ValueError):
    """A formula cannot be drawn; the message says why."""


class Formulas:
    """Draws the formulas of one notebook in their order: a macro holds from where it is defined."""

    def __init__(self):
        self.wrong = []  # (TeX, reason) of those that were not drawn
        self.macros = {}  # name: (number of arguments, the first one's default or None, body), in tokens
        self.expand(BUILT_IN)

    def draw(self, tex, block=False):
        """Return `tex` as MathML, or as code with the reason why it is not."""
        try:
            return self._mathml(tex, block)
        except (Wrong, LatexError) as problem:
            reason = re.sub(r"^\d+: ", "", str(problem))
        except BaseException as panic:  # which a fault in the converter raises
            if type(panic).__name__ != "PanicException":
                raise
            reason = "the converter gave up"
        self.wrong.append((tex, reason))
        return f"<code>{escape(tex[:LENGTH])}</code> <mark>Formula not drawn: {escape(reason)}</mark>"

    def _mathml(self, tex, block):
        if len(tex) > LENGTH:
            raise Wrong(f"it has more than {LENGTH} characters")
        plain = self.expand(tex)
        for pattern, better in REWRITES:
            plain = pattern.sub(better, plain)
        return CONVERTER.convert_with_local_state(guard(plain), displaystyle=block) if plain.strip() else ""

    def expand(self, tex):
        """Return `tex` without macros, whose definitions are taken note of."""
        source, done, expansions = Source(tex), [], 0
        while source.left:
            token = source.next()
            if token in NEW | DEF | {r"\let", r"\DeclareMathOperator"}:
                self._define(token, source)
            elif token in self.macros:
                expansions += 1
                count, default, body = self.macros[token]
                given = None if default is None else source.optional()
                values = [] if default is None else [default if given is None else given]
                values += [source.argument() for _ in range(count - len(values))]
                source.put([part for word in body for part in (values[int(word[1]) - 1] if _is_slot(word) else [word])])
                if expansions > EXPANSIONS or len(source.left) > LENGTH:
                    raise Wrong(f"its macros never end, or make it too long ({token})")
            else:
                done.append(token)
        return spell(done)

    def _define(self, command, source):
        starred = source.skip("*")
        name = source.argument()
        if len(name) != 1:
            raise Wrong(f"{command} names no macro")
        count, default = 0, None
        if command == r"\let":
            source.skip("=")
            token = source.next()
            self.macros[name[0]] = self.macros.get(token, (0, None, [token + " "]))  # a token that no macro has
            return
        if command in DEF:
            while source.left and _is_slot(source.left[-1]):
                count += 1
                source.next()
            if not source.left or source.left[-1] != "{":
                raise Wrong(f"{command} with more than plain arguments")
        elif command in NEW:
            digits = spell(source.optional() or []).strip() or "0"
            count = int(digits) if digits in "0123456789" else 0
            default = source.optional()
        body = source.argument()
        if command == r"\DeclareMathOperator":
            body = [r"\operatorname", *["*"] * starred, "{", *body, "}"]
        if any(_is_slot(word) and int(word[1]) > count for word in body):
            raise Wrong(f"{name[0]} uses an argument that it does not take")
        if command != r"\providecommand" or name[0] not in self.macros:
            self.macros[name[0]] = count, default, body


class Source:
    """The tokens that are still to be read, the last one first."""

    def __init__(self, tex):
        self.left = TOKEN.findall(re.sub(r"(?<!\\)%.*", "", tex))[::-1]

    def put(self, tokens):
        self.left += reversed(tokens)

    def next(self):
        if not self.left:
            raise Wrong("it ends where an argument should stand")
        return self.left.pop()

    def skip(self, wanted):
        """Leave out white space, and then `wanted` if it stands there; return whether it did."""
        while self.left and self.left[-1].isspace():
            self.left.pop()
        found = bool(self.left) and self.left[-1] == wanted
        if found:
            self.left.pop()
        return found

    def argument(self):
        return self._until("}") if self.skip("{") else [self.next()]

    def optional(self):
        """Return what stands in square brackets, or None where there are none."""
        return self._until("]") if self.skip("[") else None

    def _until(self, end):
        depth, found = 0, []
        while (token := self.next()) != end or depth:
            depth += {"{": 1, "}": -1}.get(token, 0)
            found.append(token)
        return found


def _is_slot(token):
    return len(token) == 2 and token[0] == "#"


def _in_text(text):
    """Let formulas and underscores stand within `\\text{...}`."""
    pieces = text.split("$")
    return "".join(
        f"}}{piece}\\text{{" if number % 2 else re.sub(r"(?<!\\)_", r"\\_", piece)
        for number, piece in enumerate(pieces)
    )


def spell(tokens):
    """Join `tokens`, with a space where a command would swallow the letter after it."""
    pairs = zip_longest(tokens, tokens[1:], fillvalue="")
    return "".join(one + " " * (one[-1:].isalpha() and one[0] == "\\" and other[:1].isalpha()) for one, other in pairs)


def guard(tex):
    """Return `tex` as the converter can take it.

    It overflows its stack where groups or commands are nested deeply: raise `Wrong`. It takes a time of two to the
    number of brackets that nothing closes: where there are many, each becomes a group, of which it expects no closing.
    """
    if len(tex) > LENGTH:
        raise Wrong(f"it has more than {LENGTH} characters")
    tokens, depths, run = TOKEN.findall(tex), [0], 0
    for token in tokens:
        if token in ("{", r"\left", r"\begin"):
            depths.append(depths[-1] + run + 1)
        elif token in ("}", r"\right", r"\end"):
            depths = depths[:-1] or [0]
        run = run + 1 if token[0] in "\\^_" else run if token.isspace() else 0
        if depths[-1] + run > DEPTH:
            raise Wrong("it is nested too deeply")
    if sum(map(opens, tokens)) <= BRACKETS:
        return tex
    pairs = zip(["", *tokens], tokens, strict=False)
    return spell(["{{}" + token + "}" if opens(token) and before not in SIZES else token for before, token in pairs])


def opens(token):
    return (category(token[0]) == "Ps" and token != "{") or bool(OPENING.fullmatch(token))
