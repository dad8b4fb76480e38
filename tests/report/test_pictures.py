"""Pictures: from wherever they come, at most as large as the page, and named where they cannot be shown."""

import io
import re
from base64 import b64decode, b64encode
from zlib import crc32

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from PIL import Image, PngImagePlugin

from hw4.grading.report import pictures
from hw4.grading.report.cells import Cells
from hw4.grading.report.submission_page import submission_page
from tests.report.builders import result

SVG = b'<svg width="9" height="9"><script>alert(1)</script><text x="1">a</text></svg>'


def encoded(kind="PNG", size=(8, 4), color="navy", **options):
    written = io.BytesIO()
    Image.new("RGB", size, color).save(written, kind, **options)
    return written.getvalue()


def noise(kind="PNG", size=(1500, 1200)):
    """Return a picture that no format makes small."""
    written = io.BytesIO()
    Image.effect_noise(size, 100).convert("RGB").save(written, kind)
    return written.getvalue()


def address(data, kind="png"):
    return f"data:image/{kind};base64,{b64encode(data).decode()}"


def cells(source, attachments=None, files=None):
    one = result(new_markdown_cell(source, attachments=attachments or {}))
    one.files = files or {}
    return Cells(one)


def drawn(source, attachments=None, files=None):
    return cells(source, attachments, files).html[0]


def shown(html):
    """Return the pictures on a page as bytes."""
    return [b64decode(data) for data in re.findall(r'<img src="data:image/[^;]*;base64,([^"]*)"', html)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize(
    "source", ["![a]({})", "![a][p]\n\n[p]: {}", "<img alt=\"\" src='{}'>", "![a]({} 'title')", "[![a]({})](#x)"]
)
def test_a_pasted_picture_is_shown_whatever_its_format(kind, source):
    data = encoded(kind)
    assert shown(drawn(source.format(address(data, kind.lower())))) == [data]
    assert "not shown" not in drawn(source.format(address(data)))


@pytest.mark.parametrize("source", ["![a]({})", "![a][p]\n\n[p]: {}", "<img src='{}'>"])
def test_a_large_pasted_picture_is_shown_and_its_cell_laid_out(source):
    html = drawn("**b**\n\n" + source.format(address(noise())))
    assert len(shown(html)) == 1 and "<strong>b</strong>" in html


def test_an_address_in_lines_or_percent_signs_is_read():
    data = encoded()
    lines = "\n".join(re.findall(".{1,60}", address(data)))
    assert shown(drawn(f'<img src="{lines}">')) == [data]
    assert shown(drawn(f"![a]({address(data).replace('+', '%2B').replace('=', '%3D')})")) == [data]
    assert b"<text" in shown(drawn("<img src='data:image/svg+xml;utf8,<svg><text>a</text></svg>'>"))[0]


@pytest.mark.parametrize(
    "source", ['<img src="attachment:my%20p.png" width="40">', "<img width=40px src='attachment:my p.png' alt=x>"]
)
def test_an_attachment_in_html_is_shown_at_its_width(source):
    html = drawn(source, {"my p.png": {"image/png": b64encode(encoded()).decode()}})
    assert shown(html) == [encoded()] and 'width="40"' in html


@pytest.mark.parametrize(
    "source", ["<img src='{}'</img>", '<center>\n<img src="{}"</img>\n</center>', "<img src='{}'</div>"]
)
def test_a_pictures_tag_that_the_next_one_ends_is_a_picture(source):
    html = drawn(f"<div>{source.format(address(encoded()))}b</div>")
    assert shown(html) == [encoded()] and "&lt;" not in html


@pytest.mark.parametrize("path", ["scan.png", "./scan.png", "scan.png?raw=1", "pictures/../scan.png", "sc%61n.png"])
def test_a_picture_beside_the_notebook_is_shown(path):
    assert shown(drawn(f"![a]({path})", files={"scan.png": encoded()})) == [encoded()]


@pytest.mark.parametrize(
    "path", ["none.png", "../scan.png", "/etc/passwd", "file:///etc/passwd", "//evil.example/a.png"]
)
def test_what_was_not_handed_in_is_named(path):
    html = drawn(f"![my picture]({path})", files={"scan.png": encoded()})
    assert re.search(r"\[Picture .*not shown: my picture\]", html) and "<img" not in html


@pytest.mark.parametrize("cut", [20, 60])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_damaged_picture_is_named(cut, kind):
    data = noise(kind, (50, 50))
    assert "damaged: " in drawn(f"![a]({address(data[: len(data) * cut // 100])})")


@pytest.mark.parametrize("content", ["AAAA", "!", "", b64encode(b"<html>").decode(), b64encode(b"BM1234").decode()])
def test_what_is_no_picture_is_named(content):
    assert "not shown" in drawn(f"<img src='data:image/png;base64,{content}'>")


def test_a_photo_of_a_phone_which_holds_two_pictures_is_shown_as_a_jpeg():
    written = io.BytesIO()
    first, second = (Image.new("RGB", (40, 30), color) for color in ("navy", "red"))
    first.save(written, "MPO", save_all=True, append_images=[second])
    page = submission_page(result(new_markdown_cell(f"![a]({address(written.getvalue(), 'jpeg')})")))
    assert page.count('src="data:image/jpeg;base64,') == 1


def test_a_picture_larger_than_the_page_is_drawn_smaller_with_its_original_one_click_away():
    data = noise()
    one = cells("![a](scan.png)", files={"scan.png": data})
    (smaller,) = shown(one.html[0])
    assert len(smaller) <= pictures.TARGET and max(Image.open(io.BytesIO(smaller)).size) <= 1600
    ((path, original),) = one.originals.items()
    assert original == data and f'<a href="{path}"' in one.html[0] and path.endswith(".png")


def test_a_picture_drawn_smaller_stands_upright_and_on_white():
    exif = Image.Exif()
    exif[0x0112] = 6  # Exif's orientation: to be turned by 90 degrees
    photo = encoded("JPEG", (4000, 1000), exif=exif)
    (smaller,) = shown(drawn(f"![a]({address(photo)})"))
    size = Image.open(io.BytesIO(smaller)).size
    assert size[0] < size[1]
    clear = io.BytesIO()
    Image.new("RGBA", (3000, 30), (0, 0, 0, 0)).save(clear, "PNG")
    (smaller,) = shown(drawn(f"![a]({address(clear.getvalue())})"))
    assert Image.open(io.BytesIO(smaller)).getpixel((5, 5)) == (255, 255, 255)


def test_forty_students_with_three_scans_each_fit_into_a_page():
    html = drawn("![a](scan.png)", files={"scan.png": noise()})
    assert 120 * len(html) < 20_000_000


def test_a_picture_of_too_many_pixels_is_never_decoded(monkeypatch):
    def refuse(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", refuse)
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    data = b"\x89PNG\r\n\x1a\n\0\0\0\r" + header + crc32(header).to_bytes(4, "big") + b"\0\0\0\0IDAT"
    assert "too large" in drawn(f"![a]({address(data + bytes(300_000))})")


def test_the_pixels_of_a_notebook_are_limited(monkeypatch):
    monkeypatch.setattr(pictures, "ALL_PIXELS", 80)
    assert drawn(f"![a]({address(encoded())})\n" * 4).count("too large") == 2


def test_an_animation_keeps_moving_or_says_that_it_does_not():
    frames = [Image.effect_noise((60, 60), 50 * number).convert("P") for number in range(1, 4)]
    moving = io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    assert shown(drawn(f"![a]({address(moving.getvalue())})")) == [moving.getvalue()]
    large = [frame.resize((2000, 1500)) for frame in frames]
    large[0].save(moving := io.BytesIO(), "GIF", save_all=True, append_images=large[1:])
    assert "Only the first frame" in drawn(f"![a]({address(moving.getvalue())})")


def test_half_a_character_in_an_svg_stops_no_page():
    drawn_anew = new_output("display_data", data={"image/svg+xml": "<svg><text>\ud800</text></svg>"})
    assert len(shown(Cells(result(new_code_cell("x", outputs=[drawn_anew]))).html[0])) == 1


def test_inline_svg_is_a_picture_and_runs_nothing():
    html = drawn(SVG.decode() + " **after**")
    assert b'xmlns="http://www.w3.org/2000/svg"' in shown(html)[0] and "<svg" not in html and "<strong>after" in html


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"])
def test_a_picture_of_an_output_is_shown(kind):
    data = SVG.decode() if kind == "image/svg+xml" else b64encode(encoded(kind[6:].upper())).decode()
    output = new_output("display_data", data={kind: data, "text/plain": "<Figure>"})
    html = Cells(result(new_code_cell("x", outputs=[output]))).html[0]
    assert len(shown(html)) == 1 and "damaged" not in html and "Figure&gt;" not in html


def test_a_picture_beside_a_notebook_is_on_its_pages_with_its_file_beside_them(grade, notebook, tmp_path):
    scan = noise()
    reference = notebook({"q-1-question": "### Question 1\n\nDraw a cat."}, name="reference.ipynb")
    for name, data in [("ann", scan), ("bob", encoded())]:
        (tmp_path / "class" / name / "scans").mkdir(parents=True)
        (tmp_path / "class" / name / "scans" / "my cat.png").write_bytes(data)
        (tmp_path / "class" / name / "scans" / "other.png").write_bytes(data)
        asked = {"q-1-question": "### Question 1\n\nDraw a cat.", "text": "**Answer:** ![a cat](scans/my%20cat.png)"}
        notebook(asked, name=f"class/{name}/hw.ipynb")
    for _ in range(2):  # the second time from what the first left
        assert grade("class", reference=reference).returncode == 0
        ann, bob = ((tmp_path / "graded" / name / "report.html").read_text() for name in ("ann", "bob"))
        assert len(shown(ann)) == 1 and shown(bob) == [encoded()]
        page = (tmp_path / "graded" / "q-1.html").read_text()
        assert len(shown(page)) == 2
        (link,) = re.findall(r'href="(ann/pictures/[^"]*)"', page)
        assert (tmp_path / "graded" / link).read_bytes() == scan
