"""Markdown to HTML as JupyterLab makes it: formulas and pictures stand aside, the rest is parsed as marked does.

markdown-it-py parses: mistune, which nbconvert uses, takes many a table for text, and `#1` for a heading. To find
formulas while it parses, as mdit-py-plugins' `dollarmath` does, lets a dash or a bar within a formula end it.
"""

import re
from functools import lru_cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block import table as parse_table
from markdown_it.rules_block.table import escapedSplit
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.strikethrough import postProcess, tokenize
from markdown_it.token import Token

from .markup import CODE_DOLLAR, complete_tags, put_aside

DEEPEST = 1000  # blocks within each other: Python's limit on recursion comes first, with an error instead of a loss
PICTURE_DATA = re.compile(  # base64, also in lines or in percent signs
    r"data:image/[\w.+-]+;base64,(?:[A-Za-z0-9+/=]|%2[bBfF]|%3[dD]|\\?\r?\n(?=[A-Za-z0-9+/=]{20})){100,}"
)


# Formulas by the rules of JupyterLab and MathJax: from one delimiter to the next outside of braces, no blank line in
# between. Each repetition is possessive and has a limit, so that what nothing closes is read through but once.
def _formulas(escape: str, dollar: str, *delimiters: tuple[str, str]) -> list[str]:
    """Return the expressions for formulas, in which `escape` hides a brace or a dollar, and `dollar` ends a `$`."""
    group = r"\{\}"
    for _ in range(8):
        group = rf"\{{(?:[^\\{{}}\n]++|{escape}|\n(?!\s*\n)|{group})*+\}}"
    inner = rf"(?:[^\\{{}}\n$]++|{escape}|\$\$?|\n(?!\s*\n)|{group})"
    environment = (r"\\begin\{(?P<name>[A-Za-z]*\*?)\}", r"\\end\{(?P=name)\}")
    pairs = [(r"\$\$", r"\$\$"), (r"\$(?!\$)", dollar), environment, *delimiters]
    return [rf"{start}(?:(?!{end})(?:{inner}|\}})){{0,1000}}+{end}" for start, end in pairs] + [r"\$\$"]


FENCE = r"^[ \t>]*+(?:(?:[-*+]|\d+[.)])[ \t>]*+)?(?P<fence>`{3,}|~{3,})[^`\n]*\n(?:[^\n]*\n){0,300}?[ \t>]*+(?P=fence)"
TASK = re.compile(r"\[([ xX])\]\s+(?=\S)")
TILDE, TILDES = 1, ord("~")  # what marks a delimiter of one tilde, and one of two, so that neither closes the other
SPAN = r"(?:^|[^\\`])(?P<ticks>`++)[^\n]*?(?<!`)(?P=ticks)(?!`)"
IN_SOURCE = [*_formulas(r"\\[{}$]?", r"\$(?!\$)", (r"\\\\\(", r"\\\\\)"), (r"\\\\\[", r"\\\\\]")), r"\\[{}$]"]
IN_TEXT = [*_formulas(r"\\.", r"\$", (r"\\\(", r"\\\)"), (r"\\\[", r"\\\]")), r"\\(?:eq)?ref\{[^{}]*\}", r"\\[\\$]"]
SOURCE, TEXT, CODE = (
    re.compile("|".join(parts), re.DOTALL | re.MULTILINE) for parts in (IN_SOURCE, IN_TEXT, [FENCE, SPAN])
)


def stand_aside(pattern: re.Pattern[str], source: str, kept: list[str]) -> str:
    """Return `source` with a token in place of each formula or picture that `pattern` finds; `kept` takes them."""

    def token(found: re.Match[str]) -> str:
        piece = found[0].replace(CODE_DOLLAR, "$")
        if len(piece) == 2:  # dollars that nothing closes, or that are escaped
            return piece
        return put_aside(piece[1:-3] + piece[-2:] if piece.startswith("\\\\") else piece, kept)  # MathJax gets `\(`

    return pattern.sub(token, source)


def table(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Parse a table as markdown-it does, also above `- | -`, of which it takes the first dash for a list's."""
    source = state.src
    if startLine + 1 < endLine:
        dash = state.bMarks[startLine + 1] + state.tShift[startLine + 1]
        state.src = f"{source[:dash]}--{source[dash + 2 :]}" if source.startswith("- ", dash) else source
    found = parse_table(state, startLine, endLine, silent)
    state.src = source
    return found


def tildes(state: StateInline, silent: bool) -> bool:
    """Read tildes as markdown-it does, which would let one tilde between two pairs keep these from a match."""
    found = tokenize(state, silent)
    if found and state.tokens[-1].content == "~":
        state.delimiters[-1].marker = TILDE
    return found


def strike(state: StateInline) -> None:
    """Strike out what stands between the delimiters that match."""
    for delimiters in [state.delimiters, *(meta["delimiters"] for meta in state.tokens_meta if meta)]:
        for delimiter in delimiters:
            delimiter.marker = TILDES if delimiter.marker == TILDE else delimiter.marker
    postProcess(state)


def keep_all(state: StateCore) -> None:
    """Add to the blocks what would be left out of them.

    That are the cells of a table's row that its head has not, what stands behind a fence's language, and what a tag
    that does not end would swallow.
    """
    lines, tokens, row, cells = state.src.split("\n"), [], "", 0
    for token in state.tokens:
        if token.type == "html_block":
            token.content = complete_tags(token.content)
        elif token.type == "inline" and [each.type for each in tokens[-2:]] == ["list_item_open", "paragraph_open"]:
            token.content = TASK.sub(lambda box: "☐ " if box[1] == " " else "☑ ", token.content, count=1)
        elif token.type == "fence" and " " in token.info.strip():
            token.info, _, about = token.info.strip().partition(" ")
            tokens.append(Token("html_block", "", 0, content=f"<p><small>{escape(about)}</small></p>"))
        elif token.type == "tr_open" and token.map:
            row, cells = lines[token.map[0]].strip("> \t"), 0
        elif token.type == "td_open":
            cells += 1
        elif token.type == "tr_close" and cells:
            for cell in escapedSplit(row.removeprefix("|"))[cells:]:
                inline = Token("inline", "", 0, content=cell.strip(), children=[])
                tokens += [Token("td_open", "td", 1), inline, Token("td_close", "td", -1)] if cell.strip() else []
        tokens.append(token)
    state.tokens = tokens


PARSER = MarkdownIt("commonmark", {"maxNesting": DEEPEST, "strikethrough_single_tilde": True})
# What may be linked or shown is left to the cleaning of the HTML.
PARSER.validateLink = lambda url: True
PARSER.normalizeLink = lambda url: url
PARSER.normalizeLinkText = lambda link: link
PARSER.enable("strikethrough")
PARSER.inline.ruler.at("strikethrough", tildes)
PARSER.inline.ruler2.at("strikethrough", strike)
PARSER.block.ruler.before("lheading", "table below", table, {"alt": ["paragraph", "reference"]})  # so that lists win
PARSER.core.ruler.after("block", "keep_all", keep_all)
RENDERED = lru_cache(maxsize=500)(PARSER.render)  # of cells: what was given stands in every submission of a class


def to_html(source: str, kept: list[str]) -> str:
    """Return Markdown as HTML, with tokens for its formulas, which `kept` takes."""
    source = CODE.sub(lambda code: code[0].replace("$", CODE_DOLLAR), source)  # which starts no formula
    return RENDERED(stand_aside(SOURCE, source, kept).replace(CODE_DOLLAR, "$"))
