r"""What MathJax's TeX has and math-core's has not: `dialect.tex`, and the commands that no macro can express.

math-core knows no overlap, rule, size, raised box or colour by number. Each becomes a `Mark`: math-core gets `\textcolor`
with a name that stands for the mark, and `mathml` turns the element of that colour into the right one.
"""

import functools
import re
from pathlib import Path
from typing import NamedTuple

from .macros import COMMENT, TOKEN, FormulaError, Macro, Macros, TokenReader

# Names of LaTeX's package color (dvipsnames) that math-core knows: a formula may have as many marks.
MARK_NAMES = (
    "Apricot Aquamarine Bittersweet Blue BlueGreen BlueViolet BrickRed Brown BurntOrange CadetBlue CarnationPink Cerulean "
    "CornflowerBlue Cyan Dandelion DarkOrchid Emerald ForestGreen Fuchsia Goldenrod Gray Green GreenYellow JungleGreen "
    "Lavender LimeGreen Magenta Mahogany Maroon Melon MidnightBlue Mulberry NavyBlue OliveGreen Orange OrangeRed Orchid "
    "Peach Periwinkle PineGreen Plum ProcessBlue Purple RawSienna Red RedOrange RedViolet Rhodamine RoyalBlue RoyalPurple"
).split()
FONTS = {rf"\text{font}": rf"\text{font}" for font in ("", "bf", "it", "tt", "sf", "rm", "sc")} | dict.fromkeys(
    (r"\textup", r"\textnormal", r"\textmd", r"\mbox", r"\hbox"), r"\text"
)
FONT_SWITCHES = {rf"\{font}": rf"\text{font}" for font in ("bf", "it", "tt", "sf", "rm")}
TEXT_WRAPPERS = {r"\underline", r"\overline", r"\cancel", r"\boxed", r"\phantom"}
TEXT_ESCAPES = {"_": r"\_", "&": r"\&", "#": r"\#", "^": r"\textasciicircum", r"\\": " "}
LIGATURES = {"``": "“", "''": "”"}
# Letters that LaTeX's fonts for the alphabets of \mathbf and the like have not
ALPHABETS = {rf"\math{name}" for name in ("bf", "rm", "sf", "tt", "bb", "cal", "frak", "scr")}
SMALL_GREEK = re.compile(
    r"\\(?:var)?(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi"
    r"|chi|psi|omega)"
)
ACCENT = re.compile(r"\\(?:['`^\"~=.]|[Hrcuvdkbt])")
ROW_ENDS = {r"\\", r"\cr", r"\newline", r"\end", "}"}
OPERATOR_NAME = re.compile(r"(?:[A-Za-z0-9 -]|\\[,;! ])*")
COLUMN = re.compile(r"[@!<>]\{[^{}]*\}|\s|\|(?=\|)|(?P<paragraph>[pmb]\{[^{}]*\})|\*\{(?P<count>\d\d?)\}\{(?P<columns>[lcr|:]*)\}")
EM = {"em": 1, "ex": 0.43, "pt": 0.1, "px": 0.0625, "mu": 1 / 18, "pc": 1.2, "cm": 2.84, "mm": 0.284, "in": 7.2}
LENGTH = re.compile(rf"([-+]*)(\d*\.?\d*) *({'|'.join(EM)})")
OWN_TOKEN = re.compile(TOKEN.pattern.replace("A-Za-z", "A-Za-z@"), re.DOTALL)  # `@` keeps our commands out of formulas
ROWS = re.compile(r"\\\\|\$\$|\\(?:begin|end)\{")
TAG = re.compile(r"\\tag(\*?)\s*\{([^{}]*)\}")
LABEL = re.compile(r"\\label\s*\{([^{}]*)\}")


class Mark(NamedTuple):
    """What becomes of a part of a formula; `mathml` draws each kind."""

    kind: str
    value: str


class Dialect(Macros):
    """The macros of one notebook on top of those of `dialect.tex`, with its labels and colours, and a formula's marks."""

    def __init__(self) -> None:
        super().__init__()
        self.macros |= _built_in()
        self.marks: list[Mark] = []
        self.tags: list[str] = []  # what stands beside rows of the formula, in TeX
        self.tagged = False  # the formula as a whole is such a row
        self._labels: dict[str, str] = {}
        self._colors: dict[str, str] = {}
        self.commands |= {
            r"\mark@": self._mark,
            r"\markrest@": self._mark,
            r"\verbatim": self._verbatim,
            r"\blank@": self._blank,
            r"\columns@": self._columns,
            r"\mathop": self._operator,
            r"\operatorname": self._operator_name,
            r"\boldsymbol": self._bold,
            r"\bm": self._bold,
            r"\tag": self._tag,
            r"\label": self._label,
            r"\ref": self._reference,
            r"\eqref": self._reference,
            r"\definecolor": self._define_color,
            **dict.fromkeys(ALPHABETS, self._alphabet),
            **dict.fromkeys(FONTS, self._text),
        }

    def expand(self, tex: str) -> str:
        """Return `tex` in what math-core knows; `marks` and `tags` are then this formula's. Raises `FormulaError`."""
        self.marks, self.tags, self.tagged = [], [], False
        self.learn_labels(tex)
        return super().expand(tex)

    def learn_labels(self, tex: str) -> None:
        """Store what a reference to each label of `tex`, a formula or a text with formulas, shows."""
        for row in ROWS.split(tex) if r"\label" in tex else []:
            tag, label = TAG.search(row), LABEL.search(row)
            if tag and label:
                self._labels[label[1]] = tag[2] if tag[1] else f"({tag[2]})"

    def _mark(self, command: str, reader: TokenReader) -> list[str]:
        r"""Return the body of `\mark@{kind}{value}{body}` with a mark, or the one of `\markrest` for what follows."""
        mark = self._new_mark(reader.word(), reader.word())
        if command == r"\markrest@":
            return [r"\color", *mark]
        return [r"\textcolor", *mark, "{", *self.expand_tokens(reader.argument()), "}"]

    def _new_mark(self, kind: str, value: str) -> list[str]:
        mark = Mark(kind, ",".join(map(self._color, value.split("/"))) if kind in ("color", "background", "frame") else value)
        if mark not in self.marks:
            self.marks.append(mark)
        if len(self.marks) > len(MARK_NAMES):
            raise FormulaError("it has too many colours, sizes and boxes")
        return ["{", MARK_NAMES[self.marks.index(mark)], "}"]

    def _color(self, value: str) -> str:
        """Return `model:value` as HTML writes colours; without a model it is a name or already so."""
        model, _, value = value.rpartition(":")
        if value in self._colors:
            return self._colors[value]
        if model in ("rgb", "RGB", "gray"):
            scale = 1 if model == "RGB" else 255
            parts = [min(255, int(float(part) * scale)) for part in re.findall(r"\d*\.?\d+", value)]
            parts = parts * 3 if len(parts) == 1 else parts
            value = "#" + "".join(f"{part:02x}" for part in parts)
        value = f"#{value}" if model == "HTML" else value
        if not re.fullmatch(r"#(?:[0-9A-Fa-f]{3}){1,2}|[A-Za-z]+", value):
            raise FormulaError(f"it has an unknown colour ({value})")
        return value

    def _define_color(self, command: str, reader: TokenReader) -> None:
        name, model, value = reader.word(), reader.word(), reader.word()
        self._colors[name] = self._color(f"{model}:{value}")

    def _verbatim(self, command: str, reader: TokenReader) -> list[str]:
        r"""Return what stood in `\verb`, which comes in hexadecimal digits so that nothing in it is read as TeX."""
        return [r"\textcolor", *self._new_mark("text", bytes.fromhex(reader.word()).decode()), "{", "}"]

    def _blank(self, command: str, reader: TokenReader) -> list[str]:
        return [rf"\hspace{{{em(reader.word(), least=-1, most=20)}em}}"]

    def _columns(self, command: str, reader: TokenReader) -> list[str]:
        """Return the columns of an array without what math-core does not know."""

        def known(found: re.Match[str]) -> str:
            return "l" if found["paragraph"] else (found["columns"] or "") * int(found["count"] or 0)

        return [COLUMN.sub(known, "".join(reader.argument()))]

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
        kind = "limits" if reader.skip(r"\limits") else "operator"
        if reader.peek() not in ("_", "^") or not (movable or kind == "limits"):
            return operator
        return [r"\textcolor", *self._new_mark(kind, ""), "{", *operator, "}"]

    def _alphabet(self, command: str, reader: TokenReader) -> list[str]:
        body = self.expand_tokens(reader.argument())
        letters = [rf"{{\mathit{{{token}}}}}" if SMALL_GREEK.fullmatch(token) else token for token in body]
        return [command, "{", *letters, "}"]

    def _bold(self, command: str, reader: TokenReader) -> list[str]:
        """Return bold letters; math-core leaves digits, and the names of functions beside them, as they are."""
        body = [command, "{", *self.expand_tokens(reader.argument()), "}"]
        if not any(token.isdigit() for token in body):
            return body
        return [r"\textcolor", *self._new_mark("bold", ""), "{", *body, "}"]

    def _tag(self, command: str, reader: TokenReader) -> None:
        """Let the tag stand at the end of its row, where math-core wants it."""
        shown = "{}" if reader.skip("*") else "({})"
        label = TOKEN.findall(shown.format("".join(reader.argument())))
        row, depth = [], 0
        while reader and (depth or reader.peek() not in ROW_ENDS):
            token = reader.next()
            depth += {"{": 1, r"\begin": 1, "}": -1, r"\end": -1}.get(token, 0)
            row.append(token)
        if command in row:
            raise FormulaError("one row has two tags")
        self.tagged |= not reader
        self.tags.append("".join(self._pieces(r"\text", label)))
        reader.insert([*row, rf"\tag*{{{len(self.tags) - 1}}}"])

    def _label(self, command: str, reader: TokenReader) -> None:
        reader.argument()

    def _reference(self, command: str, reader: TokenReader) -> list[str]:
        shown = self._labels.get(reader.word(), "(???)")
        return self._pieces(r"\text", TOKEN.findall(shown.strip("()") if command == r"\ref" else shown))

    def _text(self, command: str, reader: TokenReader) -> list[str]:
        return ["{", *self._pieces(FONTS[command], reader.argument()), "}"]

    def _pieces(self, font: str, tokens: list[str]) -> list[str]:
        """Return text as pieces of one font each, with the formulas between them."""
        reader, pieces, last = TokenReader(tokens), [], ""
        while reader:
            token = reader.next()
            if token in self.macros:
                self.replace(token, reader)
            elif token in FONT_SWITCHES:
                font = FONT_SWITCHES[token]
            elif piece := self._piece(font, token, reader):
                pieces, last = pieces + piece, ""
            else:
                letter = [TEXT_ESCAPES.get(token, token)]
                if ACCENT.fullmatch(token):
                    letter += ["{", *reader.argument(), "}"]
                elif letter[0][0] == "\\":  # math-core would swallow a space after it
                    letter += ["{}"]
                pieces[-1:] = [*letter, "}"] if font == last else [*pieces[-1:], font, "{", *letter, "}"]
                if ligature := LIGATURES.get("".join(pieces[-3:-1])):
                    pieces[-3:-1] = [ligature]
                last = font
        return pieces

    def _piece(self, font: str, token: str, reader: TokenReader) -> list[str]:
        """Return what is no letter in a text: formulas, groups, other fonts, boxes; an empty list for a letter."""
        if token in ("$", r"\("):
            return ["{", *self.expand_tokens(reader.until("$" if token == "$" else r"\)")), "}"]
        if token == "{":
            return ["{", *self._pieces(font, reader.until("}")), "}"]
        if token in FONTS:
            return ["{", *self._pieces(FONTS[token], reader.argument()), "}"]
        if token in TEXT_WRAPPERS:
            return [token, "{", *self._pieces(font, reader.argument()), "}"]
        if token in (r"\mark@", r"\markrest@"):
            mark = self._new_mark(reader.word(), reader.word())
            body = reader.argument() if token == r"\mark@" else reader.rest()
            return [r"\textcolor", *mark, "{", *self._pieces(font, body), "}"]
        return self._reference(token, reader) if token in (r"\ref", r"\eqref") else []


def em(length: str, least: float, most: float) -> float:
    """Return a length of TeX in em, between `least` and `most`; raise `FormulaError` if it is none."""
    found = LENGTH.fullmatch(length.strip())
    if not found or not found[2].strip("."):
        raise FormulaError(f"it has an unknown length ({length})")
    sign = -1 if found[1].count("-") % 2 else 1
    return round(min(max(sign * float(found[2]) * EM[found[3]], least), most), 4)


@functools.cache
def _built_in() -> dict[str, Macro]:
    definitions = Macros()
    source = (Path(__file__).parent / "dialect.tex").read_text(encoding="utf-8")
    definitions.expand_tokens(OWN_TOKEN.findall(COMMENT.sub("", source)))
    return definitions.macros
