"""Outputs: what JupyterLab would show of each message, as a terminal leaves it; what is not shown is named."""

import re

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from hw4.grading.report import layout
from hw4.grading.report.cells import Cells
from hw4.grading.report.verbatim import LONGEST, terminal
from hw4.grading.result import Result
from tests.report.builders import Parsed, result


def drawn(*outputs):
    html = Cells(result(new_code_cell("x", outputs=list(outputs)))).html[0]
    return html.partition('<div class="output">')[2]


def display(**data):
    return new_output(
        "display_data", data={kind.replace("_", "/", 1).replace("__", "+"): v for kind, v in data.items()}
    )


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def words(html):
    return " ".join(Parsed(html).text.split())


@pytest.mark.parametrize(
    ("html", "named"),
    [
        ("<iframe src='https://example.org/v' width=9></iframe>", "a frame, 53 characters, https://example.org/v"),
        ("<IFRAME>a</IFRAME>", "a frame, 18 characters"),
        ("<audio controls><source src='data:audio/wav;base64,AAAA'></audio>", "a sound, 65 characters"),
        ("<video src=x></video>", "a video, 21 characters"),
        ("<div id=plot></div><script>draw('<b>')</script>", "a script, 28 characters"),
        ("<object data='https://a.b/c.pdf'>old</object>", "an embedded object, 45 characters, https://a.b/c.pdf"),
        ("<embed src='http://a.b/c'>", "an embedded object, http://a.b/c"),
        ("<canvas></canvas>", "a drawing by a script, 17 characters"),
        ("<input type=range value=3>", "a form's field, 3"),
    ],
)
def test_what_cleaning_takes_is_named(html, named):
    assert words(drawn(display(text_html=html))) == f"[Not shown here: {named}]"


@pytest.mark.parametrize("control", ["<form><button>Once</button><input></form>", "<button>Once</button>"])
def test_a_control_is_dead_without_its_script_and_text_where_there_is_none(control):
    assert "Once" not in words(drawn(display(text_html=f"{control}<script>run()</script>")))
    assert "Once" in words(drawn(display(text_html=control)))


def test_an_animation_shows_its_first_picture():
    frames = "".join(f'frames[{n}] = "data:image/png;base64,{"A" * 120}\\\n{"A" * 40}"\n' for n in range(3))
    html = drawn(display(text_html=f"<div><img id=i></div><form>Once</form><script>{frames}</script>"))
    assert "The first of 3 pictures" in html and "Once" not in html and "a script, " in html


@pytest.mark.parametrize("html", ["<div></div>", "<style>p {}</style>", "<!-- a -->", " "])
def test_html_that_shows_nothing_gives_way_to_the_text(html):
    assert words(drawn(display(text_html=html, text_plain="<Figure>"))) == "<Figure>"
    assert words(drawn(display(text_html=html))) == "[HTML without text or pictures]"


def test_metadata_of_another_form_are_none_of_a_picture():
    for metadata in ({"image/png": 7}, {"image/png": ["x"]}, {"image/png": {}}, {"image/png": {"width": [1]}}):
        assert "picture" in drawn(new_output("display_data", data={"image/png": "AAAA"}, metadata=metadata)).lower()


@pytest.mark.parametrize("html", ["$x<br>y$", r"\(x<br/>y\)", "$$x<BR>y$$", "$x<br />y$"])
def test_a_line_break_of_an_output_ends_no_formula(html):
    page = drawn(display(text_html=html))
    assert "<mi>x</mi><mi>y</mi>" in page and "<br>" not in page
    assert "a<br>b" in drawn(display(text_html="a<br>b"))


@pytest.mark.parametrize(
    "head", ["<!DOCTYPE html>", "<?xml version='1.0'?>\n", '<!doctype svg PUBLIC "-//W3C" "http://w3">']
)
def test_a_documents_declaration_is_no_text(head):
    assert words(drawn(display(text_html=f"{head}<html><body><p>a</p></body></html>"))) == "a"


def test_a_script_is_named_beside_the_text():
    html = drawn(display(text_html="<script>draw()</script>", text_plain="<Figure>"))
    assert words(html) == "[Not shown here: a script, 23 characters]<Figure>"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"text_html": "<b>html</b>", "text_markdown": "md", "text_plain": "p"}, "html"),
        ({"text_markdown": "**md**", "text_latex": "tex", "text_plain": "p"}, "md"),
        ({"text_latex": "tex *a* < b", "image_png": "AAAA", "text_plain": "p"}, "tex *a* < b"),
        ({"text_plain": "p < q"}, "p < q"),
        ({"application_vnd.jupyter.widget-view+json": {"model_id": "x"}, "text_plain": "100% 40/40"}, "100% 40/40"),
    ],
)
def test_the_richest_form_is_shown_as_jupyterlab_ranks_them(data, text):
    assert words(drawn(display(**data))) == text


def test_text_of_several_lines_or_of_another_type_is_shown():
    output = NotebookNode(output_type="display_data", metadata={}, data={"text/plain": ["a", "b"], "text/html": 3})
    cell = NotebookNode(cell_type="code", source="", outputs=[output], metadata={}, id="x")
    notebook = new_notebook()
    notebook.cells = [cell]  # which would not be valid
    assert "3" in Cells(Result(notebook)).html[0]


@pytest.mark.parametrize(
    ("printed", "left"),
    [
        ("a\rb", "b"),
        ("abc\rX", "Xbc"),
        ("1%\r 50%\r100%\ndone", "100%\ndone"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("50%\r", "50%"),
        ("abcdef\r      \rxy", "xy    "),
        ("a\bb", "b"),
        ("ab\b\b\bc\nd\b", "c\n"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b", "ab"),
        ("\x1b[2Ka\x1b[1A\x1b[?25lb", "ab"),
        ("\x1b[31mred\x1b[0m\r\x1b[32mok\x1b[0m", "\x1b[32mok\x1b[0m"),
    ],
)
def test_printed_text_is_what_a_terminal_is_left_with(printed, left):
    assert terminal(printed) == left


def test_a_progress_line_of_many_updates_is_its_last_state():
    outputs = [stream(f"\r{n:6}/16000", "stderr") for n in range(1, 16_001)]
    assert words(drawn(*outputs)) == "16000/16000"


def test_streams_in_turns_stay_in_their_order():
    assert words(drawn(stream("a"), stream("b", "stderr"), stream("c"), stream("d"))) == "abcd"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("\x1b[31mred\x1b[0m", '<span class="ansi-red-fg">red</span>'),
        ("\x1b[1;32m<b>\x1b[0m", '<span class="ansi-green-intense-fg ansi-bold">&lt;b&gt;</span>'),
        ("\x1b[38;5;196mx\x1b[0m", '<span style="color: rgb(255,0,0)">x</span>'),
    ],
)
def test_the_colours_of_a_terminal_are_kept(text, html):
    assert html in drawn(stream(text))
    error = new_output("error", ename="E", evalue="v", traceback=[text])
    assert html in drawn(error)


def test_the_style_has_every_colour_of_a_terminal():
    style = layout.document("", "")
    for name in ["red", "green", "yellow", "blue", "magenta", "cyan", "white"]:
        assert f".ansi-{name}-fg" in style


def test_endless_colours_and_lines_come_to_an_end():
    assert "x" in drawn(stream("\x1b[31mx" * 50_000))
    assert len(drawn(stream("a\r" * LONGEST))) < 200
    assert len(drawn(stream("a" * LONGEST + "\b" * LONGEST + "end"))) < 200
    assert "Cut here" in drawn(stream("a" * (LONGEST + 1)))


def test_html_over_the_limit_is_cut_with_a_notice():
    html = drawn(display(text_html="<p>word</p>\n" * 20_000))
    assert re.search(r"Cut here: [0-9,]+ of 240,000 characters", html)
    assert html.count("word") == 20_000


@pytest.mark.parametrize("picture", ["<img src=x>", "<svg><path/></svg>", "<IMG alt='a' src=y>"])
def test_pictures_beyond_the_limit_are_counted_in_the_notice(picture):
    html = drawn(display(text_html=f"{picture}<p>word</p>\n" * 10_000))
    shown = len(re.findall(r"not shown[]:]|<img", html.partition("Cut here")[0]))
    assert f"and {10_000 - shown} pictures are not shown." in html


def test_a_large_script_does_not_count():
    html = drawn(display(text_html=f"<script>{'x' * 3_000_000}</script><b>a</b>"))
    assert "<b>a</b>" in html and "a script, 3,000,017 characters" in html and len(html) < 1000
