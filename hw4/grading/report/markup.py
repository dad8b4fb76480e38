"""HTML of a student made safe without losing its text: what a browser may see of it, and what stands for the rest.

nh3 cleans by HTML5's own rules, but drops what it refuses without a word. So tags that HTML does not have become text
before, and frames, scripts and the like become notes.
"""

import re
import tomllib
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

import lxml.html
import nh3
from lxml import etree
from lxml.html import HtmlElement, defs

# In Unicode's private use area, out of which no source may come: marks of what stands aside while it is parsed.
KEPT_MARK, CODE_DOLLAR = "\ue000", "\ue001"
FOLDER = "\ue002"  # the same of what stands for a submission's folder on the pages of a class
BREAK = "\ue003"  # a line break, which ends no formula; in a source it is one, too
TOKEN = re.compile(f"@{KEPT_MARK}([0-9]{{1,9}})@")
# Neither files nor XML can hold these, and no reader can see them.
UNPRINTABLE = re.compile(f"[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff{KEPT_MARK}{CODE_DOLLAR}{FOLDER}]")

TABLES = tomllib.loads(Path(__file__).with_name("tables.toml").read_text(encoding="utf-8"))
TAGS = nh3.ALLOWED_TAGS - set(TABLES["page_tags"]) | {"tfoot"}
PAGE_TAGS = TAGS | set(TABLES["math_tags"]) | {"footer", "header", "main", "nav", "section"}  # the last ones are ours
ATTRIBUTES = {tag: set(names) for tag, names in TABLES["attributes"].items()}
KNOWN = (defs.tags | set(TABLES["dropped"])) - {"math", *TABLES["opaque"]}
RENAMED = dict.fromkeys(TABLES["blocks"], "div") | {"font": "span"}
DEEPEST = 256  # elements within each other: libxml2's limit

ATTRIBUTE = r"""[\s/]*+[^\s"'<>/=&]++(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>][^\s<>]*))?"""
TAG_END = r"""(?:\s*/?>|(?<=["'])(?=</))"""  # also the next tag, right behind a quote
DECLARATION = r"<(?:!doctype|\?xml)\b[^<>&]*>"
TAG = re.compile(rf"<(/?)([A-Za-z][^\s/<>]*)((?:{ATTRIBUTE})*+){TAG_END}|{DECLARATION}|<(?=[\w/!?])", re.IGNORECASE)
COMMENT_OR_TAG = re.compile(rf"<!--(?:-?>|.*?-->)|{TAG.pattern}", re.IGNORECASE | re.DOTALL)
FONT_COLOR = re.compile(r"""color\s*=\s*["']?(#?\w+)""", re.IGNORECASE)
PICTURE = re.compile(r"data:image/(?:svg\+xml|png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*")
LINK = r"(?:https?://|mailto:|#).*|(?:[\w.~%-]+/)?pictures/[\w.-]+|[\w.~%-]+(?:/report)?\.html(?:#.*)?"
SAFE_STYLE = r"(?:(?!url|expression|[\\@]).)*"
RULES = {"src": PICTURE, "href": re.compile(LINK, re.I | re.S), "style": re.compile(SAFE_STYLE, re.I | re.S)}
SIZE = re.compile("[0-9]{1,5}%?")  # of a picture


def printable(source: str) -> str:
    """Return `source` with a replacement character for what no page can hold, such as halves of characters."""
    if source.isprintable():  # which most is, and is found faster
        return source
    return UNPRINTABLE.sub("\ufffd", source.encode("utf-8", "replace").decode())


def put_aside(piece: str, kept: list[str]) -> str:
    """Return the token that stands for `piece` while a source is parsed, as a word; `kept` takes the piece."""
    kept.append(piece)
    return f"@{KEPT_MARK}{len(kept) - 1}@"


def restored(text: str, kept: list[str]) -> str:
    """Return `text` with what stood aside, also what stood aside within that."""
    for _ in range(2 if KEPT_MARK in text else 0):
        text = TOKEN.sub(lambda token: kept[int(token[1])] if int(token[1]) < len(kept) else "", text)
    return text


def attribute(tag: str, name: str, value: str) -> str | None:
    """Keep pictures that are part of the page, and links that a reader follows on purpose."""
    rule = SIZE if tag == "img" and name in ("width", "height") else RULES.get(name)
    return value if rule is None or rule.fullmatch(value) else None


def cleaner(keep: Callable[[str, str, str], str | None]) -> nh3.Cleaner:
    """Return a cleaner that keeps what a page may have, and of attributes what `keep` makes of tag, name and value."""
    math = {tag: set(TABLES["math_attributes"]) for tag in TABLES["math_tags"]}
    return nh3.Cleaner(
        tags=PAGE_TAGS,
        attributes=ATTRIBUTES | math | {"*": ATTRIBUTES["*"] | set(TABLES["own_attributes"])},
        attribute_filter=keep,
        filter_style_properties=set(TABLES["styles"]),
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


PAGE = cleaner(attribute)
WELL_FORMED = nh3.Cleaner(  # what a browser would make of the tags; which of them are safe is looked at later
    tags=TAGS,
    attributes=ATTRIBUTES | {"*": ATTRIBUTES["*"] | set(TABLES["read_attributes"])},
    url_schemes={"attachment", "data", "http", "https", "mailto"},
    link_rel=None,
)


def complete_tags(html: str) -> str:
    """Return `html` with each `<` as text that starts no tag or comment which also ends in it."""
    commented, end, rest = html.rpartition("-->")  # so that no comment is looked for where none ends
    return COMMENT_OR_TAG.sub(_complete, commented + end) + TAG.sub(_complete, rest)


def _complete(tag: re.Match[str]) -> str:
    return tag[0] if len(tag[0]) > 1 else "&lt;"


def parse(html: str, kept: list[str]) -> HtmlElement:
    """Return the `body` of `html`; raise `ValueError` where the parser would leave out some of it.

    Tags that HTML does not have are text in it, and what the page does not show is a note.
    """
    html = WELL_FORMED.clean(TAG.sub(partial(_known, opened=[]), without_opaque(html, kept))).replace("<br>", BREAK)
    parser = lxml.html.HTMLParser()
    body = lxml.html.document_fromstring(f"<html><body>{html}</body></html>", parser)[0]
    if any(entry.level >= etree.ErrorLevels.FATAL for entry in parser.error_log):
        raise ValueError("too many elements within each other")
    return body


def _known(tag: re.Match[str], opened: list[str]) -> str:
    """Return what stands for a tag within the elements that are `opened`, all of which the end of an outer one ends."""
    end, name, given = tag[1], (tag[2] or "").lower(), tag[3] or ""
    if name in TABLES["empty"]:
        return _not_shown(TABLES["empty"][name], given)
    if (shown := RENAMED.get(name, name)) not in TAGS:
        return "" if name in KNOWN or tag[0][1:2] in ("!", "?") else escape(tag[0], quote=False)
    if shown != name:
        color = FONT_COLOR.search(given) if name == "font" else None
        given = f' style="color: {color[1]}"' if color else ""
    ends = ""
    if end and name in opened[-DEEPEST:]:
        while (inner := opened.pop()) != name:
            ends += f"</{RENAMED.get(inner, inner)}>"
    elif not end and name not in defs.empty_tags:
        ended = opened[-1:] == ["p"] and name in defs.block_tags
        opened[-1:] = [name] if ended else [*opened[-1:], name]
        if name in ("td", "th"):  # out of which the end of no block of Markdown leads
            opened[-DEEPEST:] = [each for each in opened[-DEEPEST:] if each not in TABLES["markdown"]]
    return f"{ends}<{end}{shown}{given}>"


def without_opaque(html: str, kept: list[str], controls: bool = False) -> str:
    """Return `html` with pictures for inline SVG, notes for what else is opaque, and without comments.

    `controls` of a form are opaque if that is set.
    """
    opaque = TABLES["opaque"] | (TABLES["controls"] if controls else {})
    names = "|".join(opaque)
    ends = re.finditer(rf"--(>)|</({names})\s*>", html, re.IGNORECASE)
    last = {(end[1] or end[2].lower()): end.start() for end in ends}

    def stand_in(found: re.Match[str]) -> str:
        source, name = found[0], (found["name"] or "").lower()
        if not name:
            return "" if source.startswith("<!--") else source
        if name == "svg":
            address = "data:image/svg+xml;base64," + b64encode(source.encode()).decode()
            return f'<img src="{put_aside(address, kept)}" alt="">'
        pictures = TOKEN.findall(source) if name == "script" else []  # of which the first is shown
        picture = (
            f'<img src="@{KEPT_MARK}{pictures[0]}@" alt="The first of {len(pictures)} pictures">' if pictures else ""
        )
        what = opaque[name] and _not_shown(f"{opaque[name]}, {len(source):,} characters", found["given"])
        return picture + what

    def ended(start: re.Match[str]) -> str:
        return start[0] if start.start() < last.get((start[1] or ">").lower(), -1) else f"&lt;{start[0][1:]}"

    html = re.sub(rf"<(?:!--|({names})\b)", ended, html, flags=re.IGNORECASE)  # so that no end is looked for in vain
    whole = rf"<(?P<name>{names})\b(?P<given>(?:{ATTRIBUTE})*+)\s*>.*?</(?P=name)\s*>"
    return re.sub(rf"{whole}|{COMMENT_OR_TAG.pattern}", stand_in, html, flags=re.IGNORECASE | re.DOTALL)


def _not_shown(what: str, attributes: str) -> str:
    """Return what stands for an element that a note calls `what`: its state, or the note with what is known of it."""
    given = lxml.html.fromstring(f"<i{attributes}></i>").attrib
    if given.get("type", "").lower() == "checkbox":
        return "☑" if "checked" in given else "☐"
    details = [what, given.get("value", "")]
    details += [given[name] for name in ("src", "data") if given.get(name, "").startswith("http")]
    return note("Not shown here: " + ", ".join(detail[:300] for detail in details if detail))


def note(content: str) -> str:
    """Return the note that says what is not shown in its place."""
    return f'<span class="note">[{escape(content)}]</span>'
