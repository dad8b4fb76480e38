"""The file of a table as spreadsheets save it: its encoding, what separates its columns, who has it open, backups.

`csv.Sniffer` was weighed, which guesses from the frequency of characters, and charset-normalizer, which needs more
text than a short table has: the names that are known to stand in it tell more than either.
"""

import csv
import io
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from .. import output
from ..errors import Unusable
from ..text import clean_text

LONGEST_COMMENT = 10_000_000  # characters of a cell
# Of Excel and LibreOffice, in several countries. UTF-8 comes first, since hardly any other text is also valid UTF-8.
ENCODINGS = "utf-8-sig utf-16 utf-16-be cp1252 mac-roman cp1250 cp1251 gb18030 cp932 latin-1"
WRITTEN = "utf-8-sig"  # without a mark of byte order, Excel takes UTF-8 for something else
DELIMITER_LINE = re.compile(r"sep=.\r?\n")  # Excel's own, before the header; it makes Excel ignore the encoding
SECOND = "\0"  # tells two columns of one name apart
# What makes a spreadsheet take a text for a formula (OWASP, "CSV Injection"): also after what another one separates
# columns with, and in full width. A quote as the first character is doubled, so that no two texts become one.
FORMULA = re.compile(r"(?:\A|(?<=[;|]))(?=\s*['=+\-@＝＋－＠])")
QUOTED_FORMULA = re.compile(r"(?:\A|(?<=[;|]))'(?=\s*['=+\-@＝＋－＠])")
NUMBER = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)")  # which is no formula, whatever its sign
LOCKS = (".~lock.{}#", "~${}", ".#{}", ".{}.swp")  # of LibreOffice, Excel, Emacs and Vim, beside what they have open


@dataclass(frozen=True)
class Sheet:
    """What stands in a file: its bytes (None without a file), what separates its columns, header, and rows."""

    body: bytes | None = None
    delimiter: str = ","
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    ended: bool = True  # whether its last line is complete


def read(path: Path, required: Collection[str], known: Collection[str]) -> Sheet:
    """Return what stands in the file at `path`, whose header has one of the columns `required`.

    Of several encodings that are possible, it has the one in which most of the `known` texts stand in the file.
    Raises `Unusable` where it is no such table.
    """
    try:
        body = path.read_bytes()
    except FileNotFoundError:
        return Sheet()
    except OSError as problem:
        raise Unusable(f"{path}: {problem.strerror}") from None
    csv.field_size_limit(LONGEST_COMMENT)
    readings = list(_readings(body, required))
    if not readings:
        raise Unusable(f"{path}: no table with a column {' or '.join(required)}: save it as CSV, or move it away")
    text, delimiter = max(readings, key=lambda reading: sum(name in reading[0] for name in known))
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as problem:
        raise Unusable(f"{path}: damaged, or only half written ({problem}): its backups stand beside it") from None
    rows = [[unquoted(cell) for cell in row] for row in rows if any(row) and row != header]
    names: list[str] = []
    for name in map(unquoted, map(str.strip, header)):
        names.append(name + SECOND * names.count(name))
    return Sheet(body, ";" if delimiter == ";" else ",", names, rows, text.endswith(("\n", "\r")))


def _readings(body: bytes, required: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each (text, delimiter) by which `body` has a header with one of the columns `required`."""
    for encoding in ENCODINGS.split():
        with suppress(UnicodeError):
            text = DELIMITER_LINE.sub("", body.decode(encoding), count=1)
            for delimiter in ",;\t|":
                header = text.partition("\n")[0].partition("\r")[0].replace('"', "").split(delimiter)
                if SECOND not in text and {name.strip() for name in header} & set(required):
                    yield text, delimiter


def write(path: Path, sheet: Sheet, rows: Iterable[Iterable[str]]) -> None:
    """Put `rows` into the file at `path`, from which `sheet` was read; the former file becomes a numbered backup.

    Raises `Unusable`, and leaves the file as it is, where a program has it open or has changed it.
    """
    body = encoded(rows, sheet.delimiter)
    if body == sheet.body:
        return
    if any(os.path.lexists(path.with_name(lock.format(path.name))) for lock in LOCKS):
        raise Unusable(f"{path} is open in another program, and stays as it is: close it there and run this again")
    if sheet.body is not None:
        if path.read_bytes() != sheet.body:
            raise Unusable(f"{path} was changed in the meantime, and stays as it is: run this again")
        numbers = [each.stem.rpartition(".")[2] for each in path.parent.glob(f"{path.stem}.*{path.suffix}")]
        number = max((int(each) for each in numbers if each.isdecimal()), default=0) + 1
        output.replace(path.with_name(f"{path.stem}.{number}{path.suffix}"), sheet.body)
    output.replace(path, body)


def encoded(rows: Iterable[Iterable[str]], delimiter: str = ",") -> bytes:
    """Return `rows` as a file, in which no spreadsheet finds a formula."""
    text = io.StringIO()
    lines = ([quoted(cell.replace(SECOND, "")) for cell in row] for row in rows)
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(lines)
    return clean_text(text.getvalue()).encode(WRITTEN)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep every other run from writing to the output `folder`; raise `Unusable` where one does.

    The operating system drops the lock with the process that holds it.
    """
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise Unusable(f"{folder}: another run is writing there: wait for its end, or name another --output") from None


def quoted(text: str) -> str:
    """Return `text` so that no spreadsheet computes it; a number stays a number."""
    return text if NUMBER.fullmatch(text) else FORMULA.sub("'", text)


def unquoted(text: str) -> str:
    """Return the text of which `quoted` made `text`."""
    return QUOTED_FORMULA.sub("", text)
