"""The pictures of a page, from data, attachments and files beside the notebook; Pillow draws large ones smaller."""

import hashlib
import posixpath
import re
import warnings
from base64 import b64decode, b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from lxml import etree
from PIL import Image, ImageOps

from .layout import macro
from .markup import PAGE, note

PAGE_WIDTH = 960  # pixels: the widest that the page draws, see style.css
WIDEST, LARGEST = 2 * PAGE_WIDTH, 300_000  # pixels and bytes of a picture that is embedded as it is
TARGET = 110_000  # bytes of a smaller one: a page with 120 of them stays under 20 MB
TRIES = ((1600, 80), (1280, 65), (PAGE_WIDTH, 60), (PAGE_WIDTH, 40), (640, 40), (400, 40), (200, 30))  # width, quality
PIXELS, ALL_PIXELS = 50_000_000, 500_000_000  # that are decoded, of a picture and of a notebook
UNCHANGED = 2_000_000  # bytes of a picture that cannot be drawn smaller: of SVG, animated, or damaged
KINDS = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WEBP"}  # by their first bytes
DATA = re.compile(r"data:image/[\w.+-]+((?:;[\w=.-]+)*),(.*)", re.DOTALL | re.IGNORECASE)
NAMESPACES = b' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
SIZE = ("width", "height", "style")  # attributes that a student may set
FOLDER = "pictures"  # beside the page, for originals
Attachments = Mapping[str, Mapping[str, Any]]  # name: {MIME type: base64}
# A picture as it stands on the page: the kind of the MIME type image/..., its bytes, the width in pixels if it was
# drawn smaller, and what a reader must know of it
Embedded = tuple[str, bytes, int, str]


class Pictures:
    """Draws the pictures of one notebook.

    `files` holds what was submitted beside the notebook, by its path from there. A picture that is drawn smaller links
    to its original, which is put into `originals` by its path from the page.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files, self.originals = files, dict[str, bytes]()
        self.pixels_left = ALL_PIXELS

    def draw(self, given: Mapping[str, str], attachments: Attachments) -> str:
        """Return as HTML the picture that an `img` with the attributes `given` stands for, or what it lacks."""
        alt = given.get("alt", "").strip()
        try:
            data = self._read(given.get("src", "").strip(), attachments)
            kind, embedded, width, problem = self._embedded(data)
        except ValueError as reason:
            return note(f"{reason}, not shown: {alt}" if alt else f"{reason}, not shown")
        size = {"width": width} | {name: given[name].removesuffix("px") for name in SIZE if name in given}
        path = picture_path(data) if width else ""
        if path:
            self.originals[path] = data
        html = macro("picture", alt, size, path, problem)
        source = f"data:image/{kind};base64,{b64encode(embedded).decode()}"
        return PAGE.clean(html).replace("<img", f'<img src="{source}"', 1)

    def _read(self, address: str, attachments: Attachments) -> bytes:
        """Return the bytes of the picture at `address`; raise `ValueError` where they are not at hand."""
        if found := DATA.fullmatch(address):
            return b64decode(unquote(found[2])) if ";base64" in found[1].lower() else unquote_to_bytes(found[2])
        path = unquote(address)
        if path.startswith("attachment:"):
            for kind, data in attachments.get(path.removeprefix("attachment:"), {}).items():
                if kind.startswith("image/"):
                    return b64decode(data)
            raise ValueError("Picture that is not attached to this cell")
        if not path or re.match(r"[\w+.-]+:|//", path):
            raise ValueError("Picture outside of the notebook")
        body = self.files.get(posixpath.normpath(path.partition("?")[0]))
        if body is None:
            raise ValueError(f"Picture that was not handed in ({path[:100]})")
        return body

    def _embedded(self, data: bytes) -> Embedded:
        """Return `data` as it stands on the page, at most as large as that; raise `ValueError` where it cannot."""
        kind = _kind(data)
        if kind == "SVG":
            return _svg(data)
        try:
            with warnings.catch_warnings(action="error"), Image.open(BytesIO(data), formats=[kind]) as image:
                pixels = image.width * image.height
                if pixels > min(PIXELS, self.pixels_left):
                    raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
                self.pixels_left -= pixels
                animated = getattr(image, "is_animated", False)
                if image.width <= WIDEST and len(data) <= (UNCHANGED if animated else LARGEST):
                    image.verify() if kind == "PNG" else image.load()
                    return kind.lower(), data, 0, ""
                width, smaller = _smaller(image)
                return "jpeg", smaller, width, "Only the first frame of an animation is shown" if animated else ""
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as reason:
            raise ValueError(f"Picture that is too large ({reason})") from None
        except Exception as reason:  # Pillow raises whatever its reading of somebody's bytes comes to
            if len(data) > UNCHANGED:
                raise ValueError(f"Damaged picture of {len(data):,} bytes ({reason})") from None
            return kind.lower(), data, 0, f"This picture is damaged: {reason}"


def _kind(data: bytes) -> str:
    return next((kind for start, kind in KINDS.items() if data.startswith(start)), "SVG")


def _smaller(image: Image.Image) -> tuple[int, bytes]:
    """Return the width in which the page shows `image`, and it as a JPEG of about `TARGET` bytes at most."""
    image.draft("RGB", (TRIES[0][0], TRIES[0][0]))
    image = ImageOps.exif_transpose(image)
    width = min(image.width, PAGE_WIDTH)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    image, written = image.convert("RGB"), BytesIO()
    for widest, quality in TRIES:
        image.thumbnail((widest, 8 * widest), reducing_gap=2)
        written = BytesIO()
        image.save(written, "JPEG", quality=quality)
        if written.tell() <= TARGET:
            break
    return width, written.getvalue()


def _svg(data: bytes) -> Embedded:
    """Return the SVG `data` so that it stands alone; raise `ValueError` where it is none."""
    head, start, rest = data.partition(b"<svg")
    if not start or len(data) > UNCHANGED:
        raise ValueError(f"Picture of {len(data):,} bytes" if start else "Picture of an unknown format")
    if b"http://www.w3.org/2000/svg" not in data:  # as within HTML
        data = head + start + NAMESPACES + rest
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True)
    root = etree.fromstring(data, parser)
    if root is None or etree.QName(root).localname != "svg":
        raise ValueError("Picture of an unknown format")
    problem = f"This picture is damaged: {parser.error_log[0].message}" if parser.error_log else ""
    return "svg+xml", etree.tostring(root), 0, problem


def picture_path(data: bytes) -> str:
    """Return the path, from the page, of the file with an original picture."""
    return f"{FOLDER}/{hashlib.sha256(data).hexdigest()[:16]}.{_kind(data).lower()}"
