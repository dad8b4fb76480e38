"""Cells: what a grader finds of their text, pictures and outputs, and what a note says is missing."""

import re
import time
from itertools import pairwise

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from hw4.grading.report.cells import Cells
from hw4.grading.report.submission_page import submission_page
from tests.report.builders import PNG, Parsed, body, result, shown


def test_what_is_wide_scrolls_by_itself_and_shrinks_on_paper():
    html = body(new_markdown_cell(f"|a|\n|-|\n|b|\n\n$x$ ${'x+' * 20}y$\n\n$${'x+' * 100}y$$"))
    boxes = re.findall(r'<(?:div|span) class="([^"]*)" tabindex="0"><(table|math)', html)
    assert boxes == [("wide", "table"), ("long", "math"), ("wide fit-40", "math")]


def test_headings_never_skip_a_level():
    html = submission_page(
        result(
            new_markdown_cell("# A\n\n##### B", id="a-section"),
            new_markdown_cell("###### C\n\n# D\n\n#### E", id="q-1-question"),
        )
    )
    levels = [int(tag[1]) for tag, _ in Parsed(html).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and all(after <= before + 1 for before, after in pairwise(levels))


def test_the_text_for_a_picture_is_kept_and_its_absence_said():
    output = new_output(
        "display_data", data={"image/png": PNG}, metadata={"image/png": {"alt": "A <line>", "width": 40}}
    )
    assert f'<img src="data:image/png;base64,{PNG}" alt="A &lt;line&gt;" width="40">' in body(
        new_code_cell("x", outputs=[output])
    )
    assert body(shown(image_png=PNG)).count("Figure without a description") == 2


def test_a_picture_from_elsewhere_becomes_a_note():
    assert "[Picture outside of the notebook, not shown: a cat]" in body(
        new_markdown_cell("![a cat](http://evil.example/cat.png)")
    )


def test_attached_pictures_are_shown():
    cell = new_markdown_cell("![a](attachment:a.png)", attachments={"a.png": {"image/png": PNG}})
    assert f'src="data:image/png;base64,{PNG}"' in body(cell)


def test_long_output_is_folded_with_its_size():
    html = body(new_code_cell("x", outputs=[new_output("stream", text="line\n" * 99)]))
    assert "<summary>Printed: 100 lines, 495 characters</summary>" in html


def test_endless_output_is_cut():
    html = body(new_code_cell("x", outputs=[new_output("stream", text="x" * 3_000_000)]))
    assert "it has 3,000,000 characters" in html and len(html) < 1_100_000


def test_a_huge_cell_is_shown_as_text():
    assert "&lt;div&gt;&lt;div&gt;" in body(new_markdown_cell("<div>" * 100_000))


def test_a_notebook_of_many_large_cells_is_shown_as_text_in_the_end():
    html = body(*[new_markdown_cell("*x*" + " y" * 12_000) for _ in range(30)])
    assert 15 < html.count("<em>x</em>") < 30 and html.count("*x* y") > 0


def test_what_cannot_be_shown_is_named():
    html = body(shown(**{"application/javascript": "1", "text_plain": "<Widget>"}))
    assert "&lt;Widget&gt;" in html and "output of the type application/javascript" in html


@pytest.mark.parametrize(
    "source",
    [
        "$x$",
        "$$\nx\n$$",
        "- $x$",
        "> $x$",
        "# $x$",
        "|a|\n|-|\n|$x$|",
        "<div>$x$</div>",
        "<b>$x$</b>",
        r"\begin{align}x\end{align}",
        r"\\(x\\)",
    ],
)
def test_formulas_are_drawn_wherever_markdown_has_them(source):
    assert "<mi>x</mi>" in body(new_markdown_cell(source))


def test_a_formula_that_is_a_line_break_spoils_no_other():
    assert re.findall("<mi>.</mi>|<br>", body(new_markdown_cell(r"$x$ $\\$ $y$"))) == [
        "<mi>x</mi>",
        "<br>",
        "<mi>y</mi>",
    ]


@pytest.mark.parametrize("kind", ["text_html", "text_markdown", "text_latex"])
def test_formulas_are_drawn_in_outputs(kind):
    assert "<mi>x</mi>" in body(shown(**{kind: "$x$"}))


def test_macros_of_one_cell_hold_in_later_ones():
    assert "<mi>𝒙</mi>" in body(
        new_markdown_cell(r"$$\newcommand{\vec}[1]{\boldsymbol {#1}}$$"), new_markdown_cell(r"$\vec{x}$")
    )


@pytest.mark.parametrize("joint", [" ", "\n\n", None])
@pytest.mark.parametrize(
    ("use", "shown"), [(r"see \eqref{a}", "(7)"), (r"$\ref{a}$", "7"), (r"$$x \quad \text{by \eqref{a}}$$", "(7)")]
)
@pytest.mark.parametrize(
    "labelled",
    [r"$$y \tag{7}\label{a}$$", r"\begin{align} u &= v \\ \label{a} y &= z \tag{7} \end{align}"],
)
def test_a_reference_finds_a_label_that_follows_it_in_its_cell_or_in_another(use, shown, labelled, joint):
    cells = [f"{use}{joint}{labelled}"] if joint else [use, "Something else.", labelled]
    before = Cells(result(*map(new_markdown_cell, cells))).html[0].partition("<mtable")[0]
    assert shown in re.sub("<[^>]*>", "", before) and "???" not in before


def test_a_wrong_formula_stays_readable_with_its_reason():
    html = submission_page(result(new_markdown_cell(r"$\cdotlog$")))
    assert r"<code>\cdotlog</code>" in html and "Unknown command" in html and "formulas not drawn: 1" in html


def test_a_table_head_that_is_a_formula_has_a_name():
    html = body(new_markdown_cell("| $r_l$ | b |\n| --- | --- |\n| 1 | 2 |"))
    head = re.search("<th[^>]*>(.*?)</th>", html)[1]
    assert '<span class="spoken">rl</span>' in head and "<mi>r</mi><mi>l</mi>" in head


LONG = {
    "fences": "```\n",
    "rules and heads": "# a\n---\n",
    "emphasis": "**a ",
    "brackets": "[a](",
    "tags": "<b a",
    "comments": "<!--",
    "formulas": "$x$ ",
    "environments": r"\begin{a}",
    "quotations": "> ",
    "items": "- a\n",
    "rows": "|1|2|\n",
    "pictures": "![a][b] ",
    "pictures that are drawn": "![a](b)",
    "ends without a beginning": "<b></i>",
    "tildes": "~~a~b ",
    "cells": "<td><b>",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_a_cell_four_times_as_long_takes_about_four_times_as_long_to_draw(name):
    def least(length):
        texts = [LONG[name] * (length // len(LONG[name])) + f"\n\n{turn}" for turn in range(3)]
        return min(duration(result(new_markdown_cell(text))) for text in texts)

    def duration(found):
        start = time.process_time()
        Cells(found)
        return time.process_time() - start

    assert least(80_000) < 10 * least(20_000)  # a ratio: 16 where the time grows with the square
