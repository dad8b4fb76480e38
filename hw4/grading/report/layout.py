"""The frame of every page: self-contained HTML without a script, cleaned as a whole once more.

What comes from a student was cleaned alone (`cells`). nbconvert's pages run scripts and fetch them from the network.
"""

import functools
import re
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path

from .markup import MATH_TAGS, TAGS, cleaner, text

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'"
)
FRAME_TAGS = {"main", "header", "footer", "nav", "section"}
PAGE = cleaner(TAGS | MATH_TAGS | FRAME_TAGS)


def document(title: str, body: str) -> str:
    """Return a page with the HTML `body` in it."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{_style()}</style></head>\n<body>{PAGE.clean(body)}</body></html>\n"
    )


@functools.cache
def _style() -> str:
    """Return the style with the font for formulas in it."""
    folder = Path(__file__).parent
    font = b64encode((folder / "math.woff2").read_bytes()).decode()
    style = (folder / "style.css").read_text(encoding="utf-8")
    return style.replace("url(math.woff2)", f"url(data:font/woff2;base64,{font})")


def table(columns: Iterable[str], rows: Iterable[str]) -> str:
    """Return a table that scrolls by itself where it is wide; `columns` and `rows` are HTML."""
    head = "<tr>" + "".join(f'<th scope="col">{name}</th>' for name in columns) + "</tr>"
    body = "".join(rows)
    return f'<div class="wide" tabindex="0"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def anchor(question: str) -> str:
    """Return the id of the section of a question on a submission's page."""
    return "question-" + re.sub(r"[^A-Za-z0-9_-]", "-", question)
