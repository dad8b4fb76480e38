r"""Macros of TeX: definitions of commands and environments are stored, and formulas are returned without them.

math-core expands macros as well, but takes 8 of the 12 forms that `test_macros` lists: it refuses optional arguments,
starred definitions and `\DeclareMathOperator`, and a second definition of one name. plasTeX expands all of them, but
takes 3.6 ms a formula (this module and math-core together: 0.09 ms) and returns a document instead of TeX.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = tomllib.loads(Path(__file__).with_name("dialect.toml").read_text(encoding="utf-8"))
TOKEN = re.compile(r"\\(?:[A-Za-z]+|.|$)|#[1-9]|.", re.DOTALL)
COMMENT = re.compile(r"(?<!\\)%.*")
ROW_ENDS = {"&", "}", r"\\", r"\cr", r"\newline", r"\end", r"\right"}
DEPTHS = {"{": 1, r"\begin": 1, r"\left": 1, "}": -1, r"\end": -1, r"\right": -1}
LENGTH_LIMIT = 5000  # characters of a formula, tokens that wait to be read
EXPANSION_LIMIT = 50_000  # tokens that the macros of one formula are replaced by
NESTING_LIMIT = 40  # texts and other arguments that are expanded within each other


class FormulaError(ValueError):
    """A formula cannot be drawn; the message says why."""


@dataclass(frozen=True)
class Macro:
    """What a command stands for: `body` in tokens, where `#1` and so on are replaced by its arguments."""

    body: list[str]
    parameters: int = 0
    default: list[str] | None = None  # of the first argument, which is then optional


class TokenReader(list[str]):
    """Reads tokens one after the other, of which it is the list in reverse."""

    def __init__(self, tokens: Iterable[str]) -> None:
        super().__init__(list(tokens)[::-1])

    def peek(self) -> str:
        """Return the next token without reading it; an empty string at the end."""
        return self[-1] if self else ""

    def next(self) -> str:
        """Return the next token; raise `FormulaError` at the end."""
        if not self:
            raise FormulaError("it ends where an argument should stand")
        return self.pop()

    def skip(self, wanted: str) -> bool:
        """Read white space, and then `wanted` if it follows; return whether it did."""
        while self.peek().isspace():
            self.next()
        return self.peek() == wanted and self.next() == wanted

    def argument(self) -> list[str]:
        """Return the tokens of a group without its braces, or the one token that stands in its place."""
        return self.until("}") if self.skip("{") else [self.next()]

    def word(self) -> str:
        """Return an argument as text."""
        return "".join(self.argument()).strip()

    def optional_argument(self, default: list[str] | None) -> list[str] | None:
        """Return the tokens in square brackets, or `default` where there are none."""
        return self.until("]") if self.skip("[") else default

    def row(self) -> list[str]:
        """Return the tokens up to the end of the row, of the group or of the environment, which is not read."""
        depth, found = 0, []
        while self and (depth or self.peek() not in ROW_ENDS):
            found.append(self.next())
            depth += DEPTHS.get(found[-1], 0)
        return found

    def until(self, end: str) -> list[str]:
        """Return the tokens before `end`, which is read as well, outside of groups."""
        depth, found = 0, []
        while (token := self.next()) != end or depth:
            depth += {"{": 1, "}": -1}.get(token, 0)
            found.append(token)
        return found


Command = Callable[[str, TokenReader], list[str] | None]


class Macros:
    """The macros of one notebook; each holds from where it is defined.

    A command of `commands` is called with its name and reads its arguments; what it returns is part of the result.
    """

    def __init__(self, methods: dict[str, list[str]] = DATA["macros"]) -> None:
        self.macros: dict[str, Macro] = {}  # by command, and by `\\begin{name}` and `\\end{name}`
        self.commands: dict[str, Command] = {
            command: getattr(self, f"_{name}") for name, commands in methods.items() for command in commands
        }
        self._inserted, self._nesting = 0, 0

    def expand(self, tex: str) -> str:
        """Return `tex` without its macros and definitions, and store what it defines.

        Raises `FormulaError` if a definition or an argument is incomplete, or if the expansion exceeds a limit.
        """
        self._inserted, self._nesting = 0, 0
        return join(self.expand_tokens(TOKEN.findall(COMMENT.sub("", tex))))

    def expand_tokens(self, tokens: Iterable[str]) -> list[str]:
        """Return `tokens`, a part of the formula, without macros."""
        expanded = []
        for token, reader in self.read(tokens):
            command = self.commands.get(token.rstrip())
            expanded += [token] if command is None else command(token.rstrip(), reader) or []
        return expanded

    def read(self, tokens: Iterable[str]) -> Iterator[tuple[str, TokenReader]]:
        """Yield each of the `tokens`, macros replaced, with the reader that has those after it.

        Raises `FormulaError` if too many of these readings are within each other.
        """
        self._nesting += 1
        if self._nesting > NESTING_LIMIT:
            raise FormulaError("it is nested too deeply")
        reader = TokenReader(tokens)
        while reader:
            token = reader.next()
            if token in self.macros:
                self._replace(token, reader)
            else:
                yield token, reader
        self._nesting -= 1

    def _replace(self, name: str, reader: TokenReader) -> None:
        """Let `reader` go on with what the macro `name` stands for."""
        macro = self.macros[name]
        values = {}
        if macro.default is not None:
            values["#1"] = reader.optional_argument(macro.default)
        while len(values) < macro.parameters:
            values[f"#{len(values) + 1}"] = reader.argument()
        body = [part for token in macro.body for part in values.get(token, [token])]
        reader += body[::-1]
        self._inserted += len(body) + 1
        if self._inserted > EXPANSION_LIMIT or len(reader) > LENGTH_LIMIT:
            raise FormulaError(f"its macros never end, or make it too long ({name})")

    def _let(self, command: str, reader: TokenReader) -> None:
        r"""Store `\let\name=\other`, which keeps the meaning that `\other` has now."""
        name = reader.word()
        reader.skip("=")
        token = reader.next()  # with a space it stands for what math-core or a command does, and no macro has its name
        self.macros[name] = self.macros.get(token, Macro([token + " "]))

    def _define(self, command: str, reader: TokenReader) -> None:
        r"""Store `\def\name#1#2{body}`."""
        name, parameters = reader.word(), 0
        while re.fullmatch("#[1-9]", reader.peek()):
            parameters += 1
            reader.next()
        if reader.peek() != "{":
            raise FormulaError(f"{command} with more than plain arguments")
        self.macros[name] = Macro(reader.argument(), parameters)

    def _new_command(self, command: str, reader: TokenReader) -> None:
        r"""Store `\newcommand{\name}[2][default]{body}`; a second one of the same name replaces the first."""
        reader.skip("*")
        name, macro = reader.word(), _signed(reader)
        if command != r"\providecommand" or name not in self.macros:
            self.macros[name] = macro

    def _new_environment(self, command: str, reader: TokenReader) -> None:
        r"""Store `\newenvironment{name}[2][default]{begin}{end}`."""
        name = reader.word()
        self.macros[rf"\begin{{{name}}}"] = _signed(reader)
        self.macros[rf"\end{{{name}}}"] = Macro(reader.argument())

    def _environment(self, command: str, reader: TokenReader) -> list[str]:
        """Replace an environment's begin or end; one whose name ends with an exclamation mark is math-core's own."""
        name = reader.word()
        if (macro := f"{command}{{{name}}}") not in self.macros:
            return [f"{command}{{{name.removesuffix('!')}}}"]
        self._replace(macro, reader)
        return []


def _signed(reader: TokenReader) -> Macro:
    """Return the macro `[2][default]{body}`; without a default it has no optional argument."""
    digits = "".join(reader.optional_argument([]) or []).strip()
    parameters, default = int(digits) if re.fullmatch("[0-9]", digits) else 0, reader.optional_argument(None)
    return Macro(reader.argument(), parameters, default)


def join(tokens: Iterable[str]) -> str:
    """Return `tokens` as TeX, with a space where a command could swallow the letter or star after it."""
    return "".join(token + " " if token[0] == "\\" and token[-1].isalpha() else token for token in tokens)
