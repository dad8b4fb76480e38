r"""Macros of TeX: a notebook's definitions are stored, and a formula is returned without the macros that it uses.

math-core expands macros as well, but takes 8 of the 12 forms that `test_macros` lists: it refuses optional arguments,
starred definitions and `\DeclareMathOperator`, and a second definition of one name. plasTeX expands all of them, but
takes 3.6 ms a formula (this module and math-core together: 0.03 ms) and returns a document instead of TeX.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import zip_longest

TOKEN = re.compile(r"\\(?:[A-Za-z]+|.|$)|#[1-9]|.", re.DOTALL)
COMMENT = re.compile(r"(?<!\\)%.*")
LENGTH_LIMIT = 5000  # characters of a formula, tokens while it is expanded
EXPANSION_LIMIT = 2000  # macros that are replaced in one formula


class FormulaError(ValueError):
    """A formula cannot be drawn; the message says why."""


@dataclass(frozen=True)
class Macro:
    """What a command stands for: `body` in tokens, where `#1` and so on are replaced by its arguments."""

    body: list[str]
    parameters: int = 0
    default: list[str] | None = None  # of the first argument, which is then optional


class TokenReader:
    """Reads the tokens of a formula one after the other."""

    def __init__(self, tex: str) -> None:
        self._reversed = TOKEN.findall(COMMENT.sub("", tex))[::-1]

    def __len__(self) -> int:
        return len(self._reversed)

    def peek(self) -> str:
        """Return the next token without reading it; an empty string at the end."""
        return self._reversed[-1] if self._reversed else ""

    def next(self) -> str:
        """Return the next token; raise `FormulaError` at the end."""
        if not self._reversed:
            raise FormulaError("it ends where an argument should stand")
        return self._reversed.pop()

    def insert(self, tokens: Iterable[str]) -> None:
        """Let `tokens` be read next."""
        self._reversed += reversed(list(tokens))

    def skip(self, wanted: str) -> bool:
        """Read white space, and then `wanted` if it follows; return whether it did."""
        while self.peek().isspace():
            self.next()
        found = self.peek() == wanted
        if found:
            self.next()
        return found

    def argument(self) -> list[str]:
        """Return the tokens of a group without its braces, or the one token that stands in its place."""
        return self._until("}") if self.skip("{") else [self.next()]

    def optional_argument(self) -> list[str] | None:
        """Return the tokens in square brackets, or None where there are none."""
        return self._until("]") if self.skip("[") else None

    def _until(self, end: str) -> list[str]:
        depth, found = 0, []
        while (token := self.next()) != end or depth:
            depth += {"{": 1, "}": -1}.get(token, 0)
            found.append(token)
        return found


class Macros:
    """The macros of one notebook; each holds from where it is defined."""

    def __init__(self, definitions: str = "") -> None:
        """Read `definitions`, which are TeX."""
        self._macros: dict[str, Macro] = {}
        self._definers: dict[str, Callable[[str, TokenReader], None]] = {
            r"\let": self._let,
            r"\DeclareMathOperator": self._declare_operator,
            **dict.fromkeys((r"\def", r"\gdef", r"\edef", r"\xdef"), self._def),
            **dict.fromkeys((r"\newcommand", r"\renewcommand", r"\providecommand"), self._new_command),
        }
        self.expand(definitions)

    def expand(self, tex: str) -> str:
        """Return `tex` without its macros and definitions, and store what it defines.

        Raises `FormulaError` if a definition or an argument is incomplete, or if the expansion exceeds a limit.
        """
        reader, expanded, expansions = TokenReader(tex), [], 0
        while reader:
            token = reader.next()
            if token in self._definers:
                self._definers[token](token, reader)
            elif token in self._macros:
                expansions += 1
                reader.insert(_replacement(self._macros[token], reader))
                if expansions > EXPANSION_LIMIT or len(reader) > LENGTH_LIMIT:
                    raise FormulaError(f"its macros never end, or make it too long ({token})")
            else:
                expanded.append(token)
        return join(expanded)

    def _let(self, command: str, reader: TokenReader) -> None:
        r"""Store `\let\name=\other`, which keeps the meaning that `\other` has now."""
        name = _name(command, reader)
        reader.skip("=")
        token = reader.next()
        as_it_is = Macro([token + " "])  # with a space it is a token that no macro has as its name
        self._macros[name] = self._macros.get(token, as_it_is)

    def _def(self, command: str, reader: TokenReader) -> None:
        r"""Store `\def\name#1#2{body}`."""
        name, parameters = _name(command, reader), 0
        while _is_parameter(reader.peek()):
            parameters += 1
            reader.next()
        if reader.peek() != "{":
            raise FormulaError(f"{command} with more than plain arguments")
        self._store(name, Macro(reader.argument(), parameters))

    def _new_command(self, command: str, reader: TokenReader) -> None:
        r"""Store `\newcommand{\name}[2][default]{body}`, in whose place a notebook may say it twice."""
        reader.skip("*")
        name = _name(command, reader)
        digits = join(reader.optional_argument() or []).strip()
        default = reader.optional_argument()
        macro = Macro(reader.argument(), int(digits) if re.fullmatch("[0-9]", digits) else 0, default)
        self._store(name, macro, replace=command != r"\providecommand")

    def _declare_operator(self, command: str, reader: TokenReader) -> None:
        r"""Store `\DeclareMathOperator*{\name}{letters}`."""
        star = ["*"] if reader.skip("*") else []
        name = _name(command, reader)
        self._store(name, Macro([r"\operatorname", *star, "{", *reader.argument(), "}"]))

    def _store(self, name: str, macro: Macro, replace: bool = True) -> None:
        if any(_is_parameter(token) and int(token[1]) > macro.parameters for token in macro.body):
            raise FormulaError(f"{name} uses an argument that it does not take")
        if replace or name not in self._macros:
            self._macros[name] = macro


def _name(command: str, reader: TokenReader) -> str:
    """Return the name that `command` defines."""
    name = reader.argument()
    if len(name) != 1:
        raise FormulaError(f"{command} names no macro")
    return name[0]


def _replacement(macro: Macro, reader: TokenReader) -> list[str]:
    """Return the body of `macro` with the arguments that follow it."""
    arguments = []
    if macro.default is not None:
        given = reader.optional_argument()
        arguments = [macro.default if given is None else given]
    while len(arguments) < macro.parameters:
        arguments.append(reader.argument())
    filled = []
    for token in macro.body:
        filled += arguments[int(token[1]) - 1] if _is_parameter(token) else [token]
    return filled


def _is_parameter(token: str) -> bool:
    return len(token) == 2 and token[0] == "#"


def join(tokens: list[str]) -> str:
    """Return `tokens` as TeX, with a space where a command would swallow the letter after it."""
    pairs = zip_longest(tokens, tokens[1:], fillvalue="")
    return "".join(
        token + " " * (token[-1:].isalpha() and token[0] == "\\" and following[:1].isalpha())
        for token, following in pairs
    )
