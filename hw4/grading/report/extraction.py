"""What stands aside while Markdown and HTML are parsed: formulas, by the rules of JupyterLab and MathJax, and pictures.

JupyterLab takes formulas out of Markdown before it parses it, and MathJax then looks for delimiters in the page's text.
No package for Python does either: mdit-py-plugins' `dollarmath` finds formulas while it parses, so that a list's dash
or a table's bar within a formula ends it.
"""

import functools
import re
from typing import NamedTuple

KEPT_MARK, CODE_DOLLAR = "\ue000", "\ue001"  # of Unicode's private use area; `printable` takes them out of sources
TOKEN = re.compile(f"@{KEPT_MARK}([0-9]{{1,9}})@")
FENCE = re.compile(r"^[ \t>]*+(?:(?:[-*+]|[0-9]+[.)])[ \t>]*+)?(`{3,}|~{3,})([^`\n]*)$", re.MULTILINE)
BACKTICKS = re.compile(r"(?<![\\`])`+|\n")
SOURCE_PIECES = re.compile(r"(\$\$?|\\(?:begin|end)\{[A-Za-z]*\*?\}|\\[{}$]|[{}]|\n\s*|\\\\[()\[\]])")
START = re.compile(r"\\begin\{([^{}]*)\}|\$\$?|\\[(\[]|\\[\\$]|\\(?:eq)?ref\{[^{}]*\}")
PICTURE_DATA = re.compile(  # base64, also in lines and in percent signs; long enough not to be read through for nothing
    r"data:image/[\w.+-]+;base64,((?:[A-Za-z0-9+/=]|%2[bBfF]|%3[dD]|\\?\r?\n(?=[A-Za-z0-9+/=]{20})){100,})"
)
SHOWN_DATA = 1000  # characters of a picture's data that stands as text
CLOSING = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]", r"\\(": r"\\)", r"\\[": r"\\]"}
LONGEST = 20_000  # characters of a formula in a text
RETRIES = 20  # in one source or text, after a delimiter that nothing closes: each reads again what follows it


class Formula(NamedTuple):
    """TeX without its delimiters, and whether it stands on a line of its own."""

    tex: str
    block: bool


class Kept:
    """What stands aside while a source is parsed, each piece behind a token that parsers take for a word."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def put(self, piece: str) -> str:
        """Return the token that stands for `piece`."""
        self.pieces.append(piece)
        return f"@{KEPT_MARK}{len(self.pieces) - 1}@"

    def restore(self, text: str) -> str:
        """Return `text` with the pieces in place of their tokens, also of those within a piece."""
        for _ in range(2):
            if KEPT_MARK in text:
                text = TOKEN.sub(self._piece, text)
        return text.replace(KEPT_MARK, "\ufffd")

    def text(self, text: str) -> str:
        """Return `text` as `restore` does, but for the most of a picture's data."""
        text = self.restore(text)
        return PICTURE_DATA.sub(_shortened, text) if len(text) > SHOWN_DATA and "data:image" in text else text

    def _piece(self, token: re.Match[str]) -> str:
        return self.pieces[int(token[1])] if int(token[1]) < len(self.pieces) else ""


def _shortened(data: re.Match[str]) -> str:
    if len(data[0]) <= SHOWN_DATA:
        return data[0]
    return f"{data[0][: SHOWN_DATA // 10]}[... {len(data[0]):,} characters of a picture]"


def take_pictures(source: str, kept: Kept) -> str:
    """Return `source` with a token of `kept` in place of each picture's data."""
    return PICTURE_DATA.sub(lambda data: kept.put(data[0]), source)


def take_formulas(source: str, kept: Kept) -> str:
    """Return the Markdown `source` with a token of `kept` in place of each formula.

    A formula ends at its closing delimiter, outside of braces, or at the last one before a blank line.
    """
    pieces = SOURCE_PIECES.split(_without_dollars_in_code(source))
    number, start, closing, last, depth, retries = 1, None, "", None, 0, 0
    while number < len(pieces):
        piece = pieces[number]
        if start is None:
            closing = rf"\end{piece[6:]}" if piece.startswith(r"\begin") else CLOSING.get(piece)
            start, last, depth = (number if closing else None), None, 0
        elif piece == closing and depth == 0:
            start = _take(pieces, start, number, kept)
        elif piece == closing:
            last = number
        elif piece.count("\n") > 1:
            if last is not None and retries < RETRIES:
                start, number, retries = _take(pieces, start, last, kept), last, retries + 1
            start = None
        else:
            depth = max(0, depth + {"{": 1, "}": -1}.get(piece, 0))
        number += 2
    if start is not None and last is not None:
        _take(pieces, start, last, kept)
    return "".join(pieces).replace(CODE_DOLLAR, "$")


def _take(pieces: list[str], start: int, end: int, kept: Kept) -> None:
    """Replace the pieces from `start` to `end`, which are a formula, by a token."""
    formula = "".join(pieces[start : end + 1]).replace(CODE_DOLLAR, "$")
    if pieces[start].startswith("\\\\"):  # Markdown's escaped backslash of `\\(` and `\\[`
        formula = formula[1:-3] + formula[-2:]
    pieces[start : end + 1] = [kept.put(formula), *[""] * (end - start)]


def _without_dollars_in_code(source: str) -> str:
    """Return `source` with another letter for the dollars in its code."""
    parts, done = [], 0
    for start, end in [*_fences(source), (len(source), len(source))]:
        parts += [_without_dollars_in_spans(source[done:start]), source[start:end].replace("$", CODE_DOLLAR)]
        done = end
    return "".join(parts)


def _fences(source: str) -> list[tuple[int, int]]:
    """Return where the fenced code of `source` starts and ends."""
    found, opening = [], None
    for line in FENCE.finditer(source):
        if opening is None:
            opening = line
        elif line[1].startswith(opening[1]) and not line[2].strip():
            found.append((opening.start(), line.end()))
            opening = None
    return found


def _without_dollars_in_spans(source: str) -> str:
    """Return `source` with another letter for the dollars that stand, within a line, between equal backticks."""
    opened: dict[str, int] = {}  # backticks: where they end, on this line
    parts, done = [], 0
    for run in BACKTICKS.finditer(source):
        if run[0] == "\n":
            opened = {}
        elif opened.get(run[0], -1) >= done:
            start = opened.pop(run[0])
            parts += [source[done:start], source[start : run.start()].replace("$", CODE_DOLLAR)]
            done = run.start()
        else:
            opened[run[0]] = run.end()
    return "".join([*parts, source[done:]])


def split_formulas(text: str) -> list[str | Formula]:
    """Return `text` as its pieces between formulas and the formulas, in their order; `\\$` is a dollar."""
    pieces: list[str | Formula] = []
    done = position = failed = 0
    while failed < RETRIES and (start := START.search(text, position)):
        opening, position = start[0], start.end()
        if opening in (r"\\", r"\$"):
            pieces += [text[done : start.start()], opening[1]]
        elif start[1] is None and opening not in CLOSING:
            pieces += [text[done : start.start()], Formula(opening, block=False)]
        else:
            closing = CLOSING.get(opening) or rf"\end{{{start[1]}}}"
            end = _find_closing(text, position, closing)
            if end is None:
                failed += 1
                continue
            whole = text[start.start() : end] if start[1] is not None else text[position : end - len(closing)]
            pieces += [text[done : start.start()], Formula(whole, opening not in ("$", r"\("))]
            position = end
        done = position
    return [*pieces, text[done:]]


def _find_closing(text: str, position: int, closing: str) -> int | None:
    """Return where the first `closing` outside of braces ends, from `position` on."""
    depth = 0
    for found in _tex_pieces(closing).finditer(text, position, position + LONGEST):
        if found[0] == closing and depth == 0:
            return found.end()
        depth = max(0, depth + {"{": 1, "}": -1}.get(found[0], 0))
    return None


@functools.lru_cache(maxsize=100)
def _tex_pieces(closing: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(closing)}|\\.|[{{}}]")
