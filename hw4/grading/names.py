"""Names that students chose, made fit for a line, and for folders and files that no system takes for another's."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

LONGEST_NAME = 100  # bytes of a file's name
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\W.*)?", re.IGNORECASE)  # Windows's, with any ending
HASHED = re.compile(r"-[0-9a-f]{10}$")  # at the end of a folder's name that is not its submission's alone


def shown(name: str) -> str:
    """Return `name` on one line that can be printed: no two names become one, as what does not print is escaped."""
    escaped = [each if each.isprintable() and each != "\\" else each.encode("unicode_escape").decode() for each in name]
    for end in (0, -1) if name else ():
        escaped[end] = "\\x20" if escaped[end] == " " else escaped[end]  # which nobody would see
    return "".join(escaped)


def safe_name(name: str) -> str:
    """Return `name` as one part of a path that every system takes, and that a terminal shows as it is."""
    kept = re.sub(r"[^\w .,@()=+-]", "_", unicodedata.normalize("NFC", name)).lstrip("=+-@. ")
    stem, end = (kept[:-6], kept[-6:]) if kept.endswith(".ipynb") else (kept, "")
    kept = (stem.encode()[: LONGEST_NAME - len(end)].decode(errors="ignore") + end).rstrip(". ")
    return f"_{kept}" if RESERVED.fullmatch(kept) else kept or "submission"


def folder_names(names: Sequence[str]) -> list[str]:
    """Return a folder's name for each submission: one part of a path, unlike every other on any file system.

    A name gets a hash of itself where a file system may take it for another's, or for that of a file of the class.
    """
    kept = [safe_name(name) for name in names]
    keys = [unicodedata.normalize("NFKC", each).casefold() for each in kept]
    found, total, earlier = [], Counter(keys), Counter[str]()
    for name, safe, key in zip(names, kept, keys, strict=True):
        alone = total[key] == 1 or (name == key and not earlier[name])
        if not alone or key == "feedback" or key.endswith((".html", ".csv", ".txt", ".json")) or HASHED.search(safe):
            exact = f"{name}{earlier[name] or ''}".encode(errors="surrogateescape")
            safe = f"{safe}-{hashlib.sha256(exact).hexdigest()[:10]}"
        earlier[name] += 1
        found.append(safe)
    return found
