"""HTML of a student made safe without losing its text: what a browser may see of it, and what stands for the rest.

nh3 cleans by HTML5's own rules but drops what it refuses without a word; so tags that HTML does not have become text
before, and frames, scripts and the like become notes.
"""

import functools
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from html import escape

import nh3
from lxml import etree

from .extraction import CODE_DOLLAR, KEPT_MARK, TOKEN, Kept

DEEPEST = 250  # nested elements that libxml2 parses


class Unreadable(ValueError):
    """HTML is nested too deeply to be laid out."""


def words(text: str) -> set[str]:
    return set(text.split())


TAGS = words(
    "a abbr b blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure h1 "
    "h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub summary sup table tbody "
    "td tfoot th thead tr tt u ul var"
)
MATH_TAGS = words(
    "math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow mspace msqrt mstyle msub "
    "msubsup msup mtable mtd mtext mtr munder munderover"
)
MATH_ATTRIBUTES = words(
    "accent accentunder columnalign columnlines columnspacing depth display displaystyle form frame height "
    "largeop linethickness lspace mathbackground mathcolor mathsize mathvariant maxsize minsize movablelimits "
    "notation rowalign rowlines rowspacing rspace scriptlevel stretchy style symmetric voffset width"
)
ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "details": {"open"},
}
EVERYWHERE = {"lang", "dir", "align", "style"}
OWN_ATTRIBUTES = {"class", "id", "tabindex", "aria-label", "aria-labelledby", "aria-hidden"}  # of the page alone
STYLES = words(
    "background-color border-bottom border-left border-right border-top color font-style font-weight justify-items "
    "padding-bottom padding-left padding-right padding-top text-align text-decoration width"
)
# What an HTML document may hold besides: parsed as these, or as nothing where it would change how the rest is parsed.
BLOCKS = words(
    "address article aside dialog dir fieldset footer form header hgroup legend main menu nav optgroup option section "
    "title"
)
INLINES = words("acronym bdi bdo big blink button data font label meter nobr output progress rp rt ruby time")
IGNORED = words(
    "area base basefont body frameset head html keygen link listing map marquee meta noembed noframes noscript param "
    "picture plaintext select source template textarea track wbr xmp"
)
NOTED = {"embed": "an embedded object", "frame": "a frame", "input": "a form's field"}
OPAQUE = {  # whose content is no text of the page: what a note calls it, None for what nobody sees anywhere
    "applet": "an applet", "audio": "a sound", "canvas": "a drawing by a script", "iframe": "a frame",
    "math": "MathML", "object": "an embedded object", "script": "a script", "style": None, "svg": "a drawing",
    "video": "a video",
}  # fmt: skip
CONTROLS = {"form": "a form", "select": "a list to choose from", "button": "a button"}  # nothing without its script
ATTRIBUTE = r"""[\s/]+[^\s"'<>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>][^\s<>]*))?"""
TAG = re.compile(rf"</?([A-Za-z][^\s/<>]*)(?:{ATTRIBUTE})*+\s*/?>|<!doctype[^<>]*>|<(?=[A-Za-z/!?])", re.IGNORECASE)
TAG_OR_COMMENT = re.compile(rf"<!--.*?-->|{TAG.pattern}", re.IGNORECASE | re.DOTALL)
PICTURE = re.compile(r"data:image/(?:svg\+xml|png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*")
LINK = re.compile(r"https?://|mailto:|#|pictures/[\w.-]+$|[\w.~%-]+(?:/report)?\.html(?:#|$)", re.IGNORECASE)
UNSAFE_STYLE = re.compile(r"url|expression|[\\@]", re.IGNORECASE)
# Characters that no file, no XML and no page holds, and those that stand for pieces of a source while it is parsed.
UNPRINTABLE = {*range(32), *range(0xFFFE, 0x10000), ord(KEPT_MARK), ord(CODE_DOLLAR)} - {9, 10, 13}
REPLACED = dict.fromkeys(UNPRINTABLE, "\ufffd") | {12: " "}


def printable(source: str) -> str:
    """Return `source` with a replacement character for what no page can hold, such as halves of characters."""
    return source.encode("utf-8", "replace").decode().translate(REPLACED)


def text(value: object) -> str:
    """Return `value` as text of a page."""
    return escape(printable(str(value)))


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Keep pictures that are part of the page, and links that a reader follows on purpose."""
    if name == "src":
        return value if PICTURE.fullmatch(value) else None
    if name == "href":
        return value if LINK.match(value) else None
    if name in ("width", "height") and tag == "img":
        return value if re.fullmatch(r"[0-9]{1,5}%?", value) else None
    return None if name == "style" and UNSAFE_STYLE.search(value) else value


def cleaner(tags: set[str]) -> nh3.Cleaner:
    """Return a cleaner that keeps `tags`, and of their attributes what neither runs nor requests anything."""
    return nh3.Cleaner(
        tags=tags,
        attributes=ATTRIBUTES | dict.fromkeys(MATH_TAGS, MATH_ATTRIBUTES) | {"*": EVERYWHERE | OWN_ATTRIBUTES},
        attribute_filter=_attribute,
        filter_style_properties=STYLES,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


FRAGMENT = cleaner(TAGS | MATH_TAGS)


def complete_tags(html: str) -> str:
    """Return `html` with each `<` as text that starts no tag or comment which also ends in it."""
    commented, end, rest = html.rpartition("-->")  # so that no comment is looked for where none ends
    return TAG_OR_COMMENT.sub(_complete, commented + end) + TAG.sub(_complete, rest)


def _complete(tag: re.Match[str]) -> str:
    return tag[0] if len(tag[0]) > 1 else "&lt;"


def parse(html: str, kept: Kept) -> etree._Element:
    """Return the `body` of `html`; raise `Unreadable` where the parser would leave out some of it.

    What HTML does not have is in it as text, what the page does not show as an `embed` with `data-what`.
    """
    parser = etree.HTMLParser(remove_comments=True, remove_pis=True)
    root = etree.fromstring(f"<html><body>{TAG.sub(_known, without_opaque(html, kept))}</body></html>", parser)
    if any(entry.level >= etree.ErrorLevels.FATAL for entry in parser.error_log):
        raise Unreadable(f"more than {DEEPEST} elements within each other")
    return root[0]


def _known(tag: re.Match[str]) -> str:
    name = (tag[1] or "").lower()
    closing = "/" if tag[0].startswith("</") else ""
    if name in TAGS or name in NOTED:
        return tag[0]
    if name in BLOCKS:
        return f"<{closing}div>"
    if name == "font" and not closing:
        color = re.search(r"""color\s*=\s*["']?([#\w]+)""", tag[0], re.IGNORECASE)
        return f'<span style="color: {color[1]}">' if color else "<span>"
    if name in INLINES:
        return f"<{closing}span>"
    return " " if name in IGNORED or tag[0].startswith("<!d") else escape(tag[0], quote=False)


def without_opaque(html: str, kept: Kept, opaque: Mapping[str, str | None] = OPAQUE) -> str:
    """Return `html` with pictures for inline SVG, an `embed` for what else is `opaque`, and without comments."""
    parts, done, unclosed = [], 0, set()
    for opening in _opening("|".join(opaque)).finditer(html):
        name = (opening[1] or "").lower()
        if opening.start() < done or name in unclosed:
            continue
        end = re.compile(rf"</{name}\s*>" if name else "-->", re.IGNORECASE).search(html, opening.end())
        if end is None:
            unclosed.add(name)  # so that nothing is looked for to the end again and again
            continue
        source = html[opening.start() : end.end()]
        parts += [html[done : opening.start()], _stand_in(opaque.get(name), opening[2] or "", source, kept)]
        done = end.end()
    return "".join([*parts, html[done:]])


@functools.cache
def _opening(names: str) -> re.Pattern[str]:
    return re.compile(rf"<!--|<({names})((?:{ATTRIBUTE})*+)\s*/?>", re.IGNORECASE)


def _stand_in(what: str | None, attributes: str, source: str, kept: Kept) -> str:
    """Return the HTML that stands for an element that a note calls `what`; for a script also its first picture."""
    if what == OPAQUE["svg"]:
        address = "data:image/svg+xml;base64," + b64encode(source.encode()).decode()
        return f'<img src="{kept.put(address)}" alt="">'
    pictures = TOKEN.findall(source) if what == OPAQUE["script"] else []
    shown = f'<img src="@{KEPT_MARK}{pictures[0]}@" alt="The first of {len(pictures)} pictures">' if pictures else ""
    return f'{shown}<embed data-what="{what}, {len(source):,} characters"{attributes}>' if what else ""


def note(content: str) -> etree._Element:
    """Return the note that says what is not shown in its place."""
    return element("span", f"[{content}]", {"class": "note"})


def element(tag: str, content: str = "", attributes: dict[str, str] | None = None) -> etree._Element:
    made = etree.Element(tag, attributes or {})
    made.text = printable(content)
    return made


def replace(old: etree._Element, *new: etree._Element) -> etree._Element:
    """Let the elements `new` stand where `old` stands, which has no tail; return the last of them."""
    for each in reversed(new):
        old.addnext(each)
    parent = old.getparent()
    assert parent is not None
    parent.remove(old)
    return new[-1]


def serialized(body: etree._Element, clean: Callable[[str], str] = FRAGMENT.clean) -> str:
    """Return what `body` holds, cleaned."""
    html = etree.tostring(body, encoding="unicode", method="html")
    return clean(html.removeprefix("<body>").removesuffix("</body>"))
