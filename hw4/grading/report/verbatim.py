"""Code and printed text as HTML: in colours, folded where it is long, cut where it is endless."""

import functools
import re
from html import escape

from nbconvert.filters import ansi2html, strip_ansi
from pygments import lex
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

from ..text import text_on_terminal
from .markup import TABLES, printable

LONGEST = 1_000_000  # characters that are shown as text
COLOURED = 100_000  # characters of code: a lexer may take the square of them
COLOUR_CHANGES = 2000  # of printed text: nbconvert copies what follows at each
LONG_LINES, LONG = 30, 3600  # lines and characters; what is longer is folded
# How the names begin that pygments gives to the kinds of tokens for which style.css has a colour
IN_COLOUR = ("c", "k", "nc", "nd", "nf", "ow", "s")
# Of a terminal's commands only colours are shown: not titles and links, nor other moves of the cursor.
COMMAND = re.compile(r"\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-ln-~]|\x1b[@-Z\\\]^_=>]|\x07")


@functools.lru_cache(maxsize=1000)  # cells: what was given stands in every submission of a class
def highlighted(code: str, language: str = "python") -> str:
    """Return `code` as HTML, with a class for each token of `language` that has a colour."""
    name = TABLES["languages"].get(language.lower(), "text") if len(code) <= COLOURED else "text"
    lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
    classes = ((STANDARD_TYPES.get(kind, ""), escape(value)) for kind, value in lex(printable(code), lexer))
    spans = (f'<span class="{name}">{value}</span>' if name.startswith(IN_COLOUR) else value for name, value in classes)
    return "".join(spans)


def code_block(code: str) -> str:
    """Return a cell's `code` as HTML, in colours where it is not too long for that."""
    if len(code) > COLOURED:
        return printed(code, "Code")
    return fold(f'<div class="highlight"><pre>{highlighted(code)}</pre></div>', "Code", code)


def printed(source: str, what: str) -> str:
    """Return `source` as a terminal shows it, folded where it is long and cut where it is endless; `what` names it."""
    source = terminal(source)
    head = source[:LONGEST]
    cut = f'<p class="note">Cut here: it has {len(source):,} characters.</p>' if len(source) > LONGEST else ""
    html = ansi2html(head) if head.count("\x1b") <= COLOUR_CHANGES else escape(strip_ansi(head))
    return fold(f"<pre>{printable(html)}</pre>{cut}", what, source)


def fold(html: str, what: str, source: str) -> str:
    """Return `html`, closed behind a line that says what and how long its `source` is, where that is long."""
    lines = source.count("\n") + 1
    if lines <= LONG_LINES and len(source) <= LONG:
        return html
    return f"<details><summary>{what}: {lines:,} lines, {len(source):,} characters</summary>{html}</details>"


def terminal(source: str) -> str:
    """Return what is left of `source` once carriage returns and backspaces moved the cursor over it."""
    return text_on_terminal(COMMAND.sub("", source)).removesuffix("\r")
