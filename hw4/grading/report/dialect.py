r"""What MathJax's TeX has and math-core's has not: `dialect.tex`, and the commands that no macro can express.

math-core knows no overlap, rule, size, raised box or colour by number. Each becomes a mark: a group with an `\eqref`,
whose label names the element that `formulas` makes of the group, and its attributes, in hexadecimal digits.
"""

import functools
import re
from pathlib import Path

from .macros import COMMENT, DATA, TOKEN, FormulaError, Macro, Macros, TokenReader, join

ACCENT = re.compile(r"\\(?:['`^\"~=.]|[Hrcuvdkbt])")
OPERATOR_NAME = re.compile(r"(?:[A-Za-z0-9 -]|\\[,;! ])*")
ROWS = re.compile(r"\\\\|\$\$|\\(?:begin|end)\{")
TAG, LABEL = re.compile(r"\\tag(\*?)\s*\{([^{}]*)\}"), re.compile(r"\\label\s*\{([^{}]*)\}")
COLUMN = re.compile(r"[@!<>]\{[^{}]*\}|\s|\|(?=\|)|([pmb])\{[^{}]*\}|\*\{(\d\d?)\}\{([lcr|:]*)\}")
NOTATION = re.compile(r"(?:\w+strike|box|roundedbox|circle|left|right|top|bottom| )+")
LENGTH = re.compile(rf"([-+]*)(\d+\.?\d*|\.\d+) *({'|'.join(DATA['em'])})")
IN_TEXT = {*DATA["dialect"]["text"], *DATA["dialect"]["reference"]}  # commands that mean the same there
OWN_TOKEN = re.compile(TOKEN.pattern.replace("A-Za-z", "A-Za-z@"), re.DOTALL)  # `@` keeps our commands out of formulas


class Dialect(Macros):
    """The macros of one notebook on top of `dialect.tex`, its labels and its colours."""

    def __init__(self) -> None:
        super().__init__(DATA["macros"] | DATA["dialect"])
        self.macros |= _built_in()
        self._labels: dict[str, str] = {}
        self._colors = dict(DATA["colors"])

    def read_labels(self, tex: str) -> None:
        """Store what a reference to each label of `tex`, a formula or a text with formulas, shows."""
        for row in ROWS.split(tex) if r"\label" in tex else []:
            tag, label = TAG.search(row), LABEL.search(row)
            if tag and label:
                self._labels[label[1]] = tag[2] if tag[1] else f"({tag[2]})"

    def _mark(self, command: str, reader: TokenReader, font: str = "") -> list[str]:
        r"""Return the body of `\mark@` with its mark, or what follows `\markrest@`: text where there is a `font`."""
        mark = "".join(self.expand_tokens(reader.argument()))
        body = reader.argument() if command == r"\mark@" else reader.row()
        return _marked(mark, self._pieces(font, body) if font else self.expand_tokens(body))

    def _em(self, command: str, reader: TokenReader) -> list[str]:
        """Return a length of TeX in em, between the least and the most; raise `FormulaError` if it is none."""
        length, least, most = reader.word(), float(reader.word()), float(reader.word())
        found = LENGTH.fullmatch(length)
        if not found:
            raise FormulaError(f"it has an unknown length ({length})")
        em = float(found[1].replace("+", "").replace("--", "") + found[2]) * DATA["em"][found[3]]
        return [f"{round(min(max(em, least), most), 4)}em"]

    def _notation(self, command: str, reader: TokenReader) -> list[str]:
        notation = reader.word()
        if not NOTATION.fullmatch(notation):
            raise FormulaError(f"it has an unknown notation ({notation})")
        return [notation]

    def _color(self, command: str, reader: TokenReader) -> list[str]:
        """Return `model:value` as HTML writes colours; without a model it is a name or already so."""
        model, _, value = reader.word().rpartition(":")
        if model in ("rgb", "RGB", "gray"):
            scale = 1 if model == "RGB" else 255
            parts = [min(255, int(float(part) * scale)) for part in re.findall(r"\d*\.?\d+", value)]
            value = "#" + "".join(f"{part:02x}" for part in (parts * 3 if model == "gray" else parts))
        elif model == "HTML":
            value = f"#{value}"
        value = self._colors.get(value, value)
        if not re.fullmatch(r"#(?:[0-9A-Fa-f]{3}){1,2}|[A-Za-z]+", value):
            raise FormulaError(f"it has an unknown colour ({value})")
        return [value]

    def _define_color(self, command: str, reader: TokenReader) -> None:
        name = reader.word()
        self._colors[name] = "".join(self.expand_tokens(reader.argument()))

    def _pair(self, command: str, reader: TokenReader) -> list[str]:
        """Return an argument in delimiters: as large as it with a star, or of the size that stands in brackets."""
        left, right, star = reader.argument(), reader.argument(), reader.skip("*")
        sizes = [[r"\left"], [r"\right"]] if star else [reader.optional_argument([]) or []] * 2
        return self.expand_tokens([*sizes[0], *left, *reader.argument(), *sizes[1], *right])

    def _columns(self, command: str, reader: TokenReader) -> list[str]:
        """Return the columns of an array without what math-core does not know."""
        columns = "".join(reader.argument())
        return [COLUMN.sub(lambda found: "l" if found[1] else (found[3] or "") * int(found[2] or 0), columns)]

    def _place(self, command: str, reader: TokenReader) -> list[str]:
        """Return the mark of the table in the next group, if that stands with its first row on the line."""
        return [_link("mrow,align=t")] if reader.word() == "t" else []

    def _operator(self, command: str, reader: TokenReader) -> list[str]:
        return self._with_limits([command, "{", *self.expand_tokens(reader.argument()), "}"], reader, movable=True)

    def _operator_name(self, command: str, reader: TokenReader) -> list[str]:
        r"""Return an operator, which math-core wants to have letters alone: what else there is becomes `\mathop`."""
        star = "*" if reader.skip("*") else ""
        name = self.expand_tokens(reader.argument())
        if OPERATOR_NAME.fullmatch("".join(name)):
            return [command + star, "{", *name, "}"]
        return self._with_limits([r"\mathop", "{", r"\mathrm", "{", *name, "}", "}"], reader, movable=bool(star))

    def _with_limits(self, operator: list[str], reader: TokenReader, movable: bool) -> list[str]:
        r"""Return `operator` with a mark if what follows it stands above and below: always, or in a display."""
        if reader.skip(r"\nolimits"):
            return operator
        kind = "limits" if reader.skip(r"\limits") else "operator" if movable else ""
        return _marked(f"mrow,limits={kind}", operator) if kind and reader.peek() in ("_", "^") else operator

    def _alphabet(self, command: str, reader: TokenReader) -> list[str]:
        """Return letters in an alphabet, which leaves small Greek ones as they are."""
        plain = command in DATA["dialect"]["font"]
        tokens = self.expand_tokens(reader.row() if plain else reader.argument())
        letters = [rf"{{\mathit{{{token}}}}}" if token in DATA["small_greek"] else token for token in tokens]
        return [command, *letters] if plain else [command, "{", *letters, "}"]

    _font = _alphabet

    def _bold(self, command: str, reader: TokenReader) -> list[str]:
        """Return bold letters; math-core leaves digits, names of functions beside them and alphabets as they are."""
        body = [command, "{", *self.expand_tokens(reader.argument()), "}"]
        plain = any(token.isdigit() or token in DATA["dialect"]["alphabet"] for token in body)
        return _marked("mrow,shape=bold", body) if plain else body

    def _tag(self, command: str, reader: TokenReader) -> list[str]:
        tex = join(self._pieces(r"\text", reader.argument()))
        return [rf"\tag*{{{tex.encode().hex()}}}"]

    def _reference(self, command: str, reader: TokenReader) -> list[str]:
        shown = self._labels.get(reader.word(), "(???)")  # as MathJax shows a label that there is not
        return self._pieces(r"\text", TOKEN.findall(shown.strip("()") if command == r"\ref" else shown))

    def _text(self, command: str, reader: TokenReader) -> list[str]:
        return ["{", *self._pieces(command, reader.argument()), "}"]

    def _pieces(self, font: str, tokens: list[str]) -> list[str]:
        """Return text as pieces of one font each, with the formulas between them."""
        pieces, last = [], ""
        for token, reader in self.read(tokens):
            command = token.rstrip()
            if command in DATA["dialect"]["font"]:
                font = rf"\text{command[1:]}"
            elif piece := self._piece(font, command, reader):
                pieces += piece
                last = ""
            else:
                letter = self._letter(token, reader)
                pieces[-1:] = [*letter, "}"] if font == last else [*pieces[-1:], font, "{", *letter, "}"]
                last = font
        return pieces

    def _piece(self, font: str, token: str, reader: TokenReader) -> list[str]:
        """Return what is no letter in a text: formulas, groups, other fonts, boxes; an empty list for a letter."""
        if token in ("$", r"\("):
            return ["{", *self.expand_tokens(reader.until("$" if token == "$" else r"\)")), "}"]
        if token == "{":
            return ["{", *self._pieces(font, reader.until("}")), "}"]
        if token in DATA["wrappers"]:
            return [token, "{", *self._pieces(font, reader.argument()), "}"]
        if token in (r"\mark@", r"\markrest@"):
            return self._mark(token, reader, font)
        return self.commands[token](token, reader) or [] if token in IN_TEXT else []

    def _letter(self, token: str, reader: TokenReader) -> list[str]:
        """Return a letter as math-core's text wants it: what has a meaning in a formula escaped."""
        letter = DATA["escapes"].get(token, token)
        if ACCENT.fullmatch(letter):
            return [letter, "{", *reader.argument(), "}"]
        while letter[0] == "\\" and letter[-1].isalpha() and reader.peek().isspace():
            reader.next()  # as TeX leaves out the space after a command
        return [letter, "{}"] if letter[0] == "\\" else [letter]


def _marked(mark: str, body: list[str]) -> list[str]:
    return ["{", _link(mark), "{", *body, "}", "}"]


def _link(mark: str) -> str:
    return rf"\eqref{{{mark.encode().hex()}}}"


@functools.cache
def _built_in() -> dict[str, Macro]:
    definitions = Macros()
    source = Path(__file__).with_name("dialect.tex").read_text(encoding="utf-8")
    definitions.expand_tokens(OWN_TOKEN.findall(COMMENT.sub("", source)))
    return definitions.macros


@functools.cache
def _patterns(table: str) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern.replace("LENGTH", LENGTH.pattern)), with_what) for pattern, with_what in DATA[table]]


@functools.lru_cache(maxsize=10_000)  # a page has many formulas more than once, and a class has each page's
def rewritten(text: str, table: str) -> str:
    """Return `text` with what each pattern of a table in `dialect.toml` finds replaced."""
    for pattern, replacement in _patterns(table):
        text = pattern.sub(replacement, text)
    return text
