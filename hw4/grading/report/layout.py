"""The frame of every page: self-contained HTML without a script, from templates that escape what they are given.

What comes from a student was cleaned alone (`cells`). nbconvert's pages run scripts and fetch them from the network.
"""

import functools
import re
from base64 import b64encode
from functools import partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from . import GENERATOR
from .markup import FOLDER, PAGE, TABLES, attribute, cleaner, printable

POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'"
)


def _of_class(tag: str, name: str, value: str) -> str | None:
    """Keep what `attribute` does, but for ids, with links from a submission's page as links from a class's page."""
    kept = None if name == "id" else attribute(tag, name, value)
    if name != "href" or not kept or not kept.startswith(("pictures/", "#")):
        return kept
    return f"{FOLDER}/{'report.html' if kept[0] == '#' else ''}{kept}"


FRAGMENT = cleaner(_of_class)


@functools.cache
def _templates() -> Environment:
    folder = Path(__file__).parent
    style = (folder / "style.css").read_text(encoding="utf-8")
    font = b64encode((folder / "math.woff2").read_bytes()).decode()
    environment = Environment(
        loader=FileSystemLoader(folder / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
        finalize=lambda value: value if isinstance(value, Markup) else printable(str(value)),
    )
    environment.globals |= {
        "zip": zip,
        "policy": POLICY,
        "generator": GENERATOR,
        "statuses": TABLES["status"],
        "style": Markup(style.replace("url(math.woff2)", f"url(data:font/woff2;base64,{font})")),
    }
    environment.filters |= {"html": Markup, "anchor": anchor, "quoted": partial(quote, safe="")}
    return environment


def render(template: str, **values: object) -> str:
    """Return what the template makes of the values; of these, only what it calls `html` is not escaped."""
    return _templates().get_template(template).render(values)


def macro(name: str, *values: object) -> str:
    """Return the HTML that a macro of `parts.html` makes of the values."""
    return str(getattr(_templates().get_template("parts.html").module, name)(*values))


def document(title: str, body: str) -> str:
    """Return a page with the HTML `body` in it, cleaned as a whole once more."""
    return render("page.html", title=title, body=PAGE.clean(body))


def anchor(question: str) -> str:
    """Return the id of the section of a question on a submission's page."""
    return "question-" + re.sub(r"[^A-Za-z0-9_-]", "-", question)


def page_name(question: str, part: str = "") -> str:
    """Return the name of the file of the page of a question, or of one of its parts, across a class."""
    return f"{anchor(question).removeprefix('question-')}{'-' * bool(part)}{part.lower()}.html"
