"""Markdown to HTML as marked makes it, which JupyterLab uses; markdown-it-py parses it.

mistune, which nbconvert uses, takes many a table for text (in a list item, with a row that is too short) and `#1` for
a heading.
"""

from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import escapedSplit, getLine
from markdown_it.rules_block.table import table as parse_table
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.tasklists import tasklists_plugin

from .extraction import Kept, take_formulas
from .markup import complete_tags

DEEPEST = 1000  # blocks within each other: where there are too many, Python's limit on recursion ends it with an error


class Renderer(RendererHTML):
    """markdown-it-py's renderer, whose pieces of HTML cannot swallow what follows them."""

    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return complete_tags(tokens[idx].content)

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Return the code, below what stands behind its language."""
        language, _, rest = tokens[idx].info.strip().partition(" ")
        about = f"<p><small>{escape(rest)}</small></p>" if rest.strip() else ""
        name = f' class="language-{escape(language)}"' if language else ""
        return f"{about}<pre><code{name}>{escape(tokens[idx].content)}</code></pre>\n"


class Parser(MarkdownIt):
    """markdown-it-py's parser, which leaves it to the cleaning of HTML which links and pictures may stand."""

    def validateLink(self, url: str) -> bool:
        return True

    def normalizeLink(self, url: str) -> str:
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link


def table(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Parse a table as markdown-it does, also above `- | -`, and with every cell of a row that has too many."""
    source, before = state.src, len(state.tokens)
    if startLine + 1 < endLine:
        line = state.bMarks[startLine + 1] + state.tShift[startLine + 1]
        if source.startswith("- ", line):
            state.src = f"{source[:line]}--{source[line + 2 :]}"
    found = parse_table(state, startLine, endLine, silent)
    state.src = source
    tokens, cells = [], []
    for token in state.tokens[before:]:
        if token.type == "tr_open" and token.map:
            cells = [cell.strip() for cell in escapedSplit(getLine(state, token.map[0]).strip())]
            cells = cells[cells[:1] == [""] : len(cells) - (cells[-1:] == [""])]
        elif token.type in ("th_open", "td_open"):
            cells = cells[1:]
        elif token.type == "tr_close":
            for cell in cells:
                inline = Token("inline", "", 0, content=cell, children=[], level=token.level + 2, block=True)
                tokens += [Token("td_open", "td", 1, level=token.level + 1), inline, Token("td_close", "td", -1)]
        tokens.append(token)
    state.tokens[before:] = tokens
    return found


PARSER = Parser("commonmark", {"maxNesting": DEEPEST, "strikethrough_single_tilde": True}, renderer_cls=Renderer)
PARSER.enable(["table", "strikethrough"]).use(tasklists_plugin)
PARSER.block.ruler.at("table", table, {"alt": ["paragraph", "reference"]})


def to_html(source: str, kept: Kept) -> str:
    """Return `source` as HTML, with tokens of `kept` for its formulas."""
    return PARSER.render(take_formulas(source, kept))
