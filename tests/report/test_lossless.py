"""No text is lost: every word of a source outside of tags, links' addresses and formulas is on the page, in order."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

from hw4.grading.report.cells import Cells
from hw4.grading.report.formulas import Formulas
from tests.report.builders import Parsed, result

SLOW = [HealthCheck.too_slow]  # on a busy machine, which says nothing of what is tested

# Each % is a word. What is opened here and not closed must not swallow what follows.
MARKDOWN = [
    *(
        "% %",
        "**% %** %",
        "*%* _%_",
        "~%~ ~~%~~",
        "`% %` %",
        "``% ` %``",
        "# % %",
        "### %\n",
        "%\n===",
        "---\n%",
        "> % %\n%",
    ),
    *("- %\n- %\n  - %", "1. %\n2. %", "- [ ] %\n- [x] %", "    %", "```\n% %\n```\n", "~~~ py %\n%\n~~~\n", "```\n%"),
    *(
        "|%|%|\n|-|-|\n|%|%|%|\n|%|",
        "% | %\n- | -\n% | %",
        "> |%|%|\n> |-|-|\n> |%|%|%|",
        "- % | %\n  --|--\n  % | % | %",
    ),
    *(
        "[%](http://a.b) %",
        "![%](http://a.b/c.png) %",
        "<http://a.b> %",
        "$x$ % $$y$$ %",
        "5$ %",
        "\\$ % $$ %",
        "\\(% %\\)",
    ),
    *(
        "%  \n%",
        "%\\\n%",
        "&lt;%&gt; &amp; %",
        "% < % > %",
        "%<% and %>%",
        "\\* % \\_",
        "* % *",
        "** %",
        "[ % ]",
        "[%",
        "![%",
    ),
]
HTML = [
    *("<mask> %", "<%> %", "<path>\n\n%", "<min>%</min>", "<set x='1'/>%", "<text>% %</text>", "</foo> %", "<a.b> %"),
    *("<div>% %</div>", "<div>\n\n%\n\n</div>", "<div>\n%", "</div></main> %", "<table>%", "<b>% <i>%"),
    *("<table><tr><td>%<td>%</table>", "<p>%<p>%", "<ul><li>%<li>%</ul>", "<details><summary>%</summary>%</details>"),
    *(
        "<script>1</script>%",
        "<style>x</style>%",
        "<iframe src='x'></iframe>%",
        "<svg><path/></svg>%",
        "<video></video> %",
    ),
    *("<textarea>% %", "<title>%</title> %", "<xmp>% <b>%", "<plaintext>%"),
    *("<noscript>%</noscript>", "<template>%</template>", "<select><option>%<option>%</select>%", "<button>%</button>"),
    *("<form>% <input> %</form>", "<!-- x --> %", "<!--> %", "<?x> %", "<![CDATA[%]]>", "<!x> %", "<embed src=x> %"),
    *(
        "<section>%</section><section>%</section>",
        "<header>%",
        "<font color=red>%</font>",
        "<body>%</body>",
        "<math>%</math>",
    ),
    *(
        "<img src=x alt=y> %",
        "<input type=checkbox> %",
        "<p hidden>%</p>",
        "<p style='display:none'>%</p>",
        "<a name=x>%</a>",
    ),
]
MARKDOWN += [
    *(
        "- [ ]\t%",
        "1. [x] %\n   %",
        "~~%~%~~",
        "~%~~%~~",
        "+ %\n\n      %",
        "%\n: %",
        "%[^1]\n\n[^1]: % %",
        "[%][x] %",
        "*%\n%*",
    ),
    *(
        "|%|\n|-|\n|%|%|",
        "- > % | %\n  > -|-\n  > % | % | %",
        "% | %\n-|-\n`%|%` | % | %",
        "> %\n%",
        "# % #\n## %",
        "|%|%|\n%",
    ),
    *(
        "${% %}$ %",
        "$}$ % $%$",
        "$$%\n%$$ %",
        "\\begin{a}% %",
        "\\begin{a}%\\end{a} %",
        "$%\n\n%$",
        "$% <b>%</b>$",
        "\\\\[%\n%",
        "$`%`$",
    ),
    *(
        "\n```{r, %}\n%\n```\n",
        "\n``` a %\n%",
        "````\n```\n%\n````\n%",
        "`%\n\n%`",
        "\n~~~\n%\n```\n%\n~~~\n",
        "<!-- a\n\nb --> %",
        "&lt %",
        "&#x; %",
    ),
]
HTML += [
    *(
        "<!DOCTYPE html> %",
        "<?xml version='1.0'?>%",
        "<b>% <p>%</b> %</p>",
        "<i>%<b>%</i>%</b>",
        "<p>%<div>%</p>%</div>",
    ),
    *(
        "<center><table><tr><td>%</center>%",
        "<table>%<tr><td>%</table>%",
        "<table><tr>%<td></tr></table>%",
        "<tr><td>%",
    ),
    *(
        "<dl><dt>%<dd>%</dl>",
        "<a href=x>%<a>%</a>",
        "<picture><source><img src=x></picture> %",
        "<template>%",
        "<xmp>%</xmp> %",
    ),
    *(
        "<ruby>%<rt>%</ruby>",
        "<label>%</label>",
        "<frameset>%",
        "<head>%</head>%",
        "<html><body>%",
        "%<br>%<br/>%",
        "$%<br>%$",
    ),
    *("<p title='>'>%", "<p title=\">\" class='a'>%", "<p =x>%", "<p/>%", "<p <b>%", "<>%", "< b>%", "<b\n>%"),
    *(
        "<b/>%",
        "<div/>%",
        "<br/ >%",
        "</ b>%",
        "<1>%",
        "<_x>%",
        "<a:b>%</a:b>",
        "<h1>%<h2>%",
        "<col>%",
        "<caption>%",
        "<option>%",
        "<param>%",
    ),
    *(
        "<svg/>%",
        "<svg><b></svg>%",
        "<script/>%",
        "<style/>%",
        "<iframe/>%",
        "<audio src=x>%",
        "<canvas>%",
        "<object>%",
    ),
]
JOINTS = ["", " ", "\n", "\n\n", "\n\n> ", "\n\n- "]


def written(pieces):
    """Return the source of (joint, fragment) pairs, and its words in order."""
    words = [f"w{number}w" for number in range("".join(fragment for _, fragment in pieces).count("%"))]
    source = "".join(joint + fragment for joint, fragment in pieces)
    return re.sub("%", lambda _: next(left), source) if (left := iter(words)) else "", words


def pieces(fragments):
    return st.lists(st.tuples(st.sampled_from(JOINTS), st.sampled_from(fragments)), min_size=1, max_size=6)


def lost(cell, words):
    """Return the words that the page of `cell` does not show after those before them."""
    text, missing = Parsed(Cells(result(cell)).html[0]).text, []
    for word in words:
        before, found, rest = text.partition(word)
        text = rest if found else before
        missing += [] if found else [word]
    return missing


OPENED = [
    "<div",
    "<div %",
    "<p title='%",
    '<p title="%',
    "<a href=%",
    "<script>%",
    "<style>%",
    "<iframe>%",
    "<svg>% <b>%",
]
OPENED += [
    "<!doctype %",
    "<?xml %",
    "<br %",
    "<!-- %",
    "<!--",
    "<?php %",
    "<![CDATA[ %",
    "<video src=x>%",
    "<object>%",
    "</td>",
    "<audio>",
    "</",
    "</p",
]


@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize("rest", ["\n\n% **%**", "\n\n- %\n- %", "\n\n<b>%</b> %"])
def test_what_is_opened_and_never_ends_swallows_nothing(opened, rest):
    source, words = written([("", opened), ("", rest)])
    assert lost(new_markdown_cell(source), words) == []
    assert lost(new_code_cell("", outputs=[new_output("display_data", data={"text/html": source})]), words) == []


@pytest.fixture(autouse=True)
def formulas_as_sources(monkeypatch):
    """Let formulas show their source, so that words within them can be read."""
    monkeypatch.setattr(Formulas, "draw", lambda self, tex, block=False: f"<code>{nbformat_escape(tex)}</code>")


def nbformat_escape(tex):
    return tex.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@given(pieces(MARKDOWN + HTML))
@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=SLOW)
def test_no_word_of_markdown_is_lost(parts):
    source, words = written(parts)
    assert lost(new_markdown_cell(source), words) == []


@given(pieces(HTML))
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=SLOW)
def test_no_word_of_an_html_output_is_lost(parts):
    source, words = written(parts)
    output = new_output("display_data", data={"text/html": source})
    cell = new_code_cell("", outputs=[output])
    assert lost(cell, words) == [] or ("<script" in source and "[Not shown here: " in Cells(result(cell)).html[0])


STREAM = [
    *(
        "%",
        "% %\n",
        "\x1b[31m%\x1b[0m",
        "\x1b[1;38;5;9m%",
        "\x1b]0;t\x07%",
        "\x1b]8;;http://x\x1b\\%\x1b]8;;\x1b\\",
        "\x1b] %\n",
        "\x1b[?25h%",
    ),
    *(
        "\x1b]0; %\n",
        "\x1b %",
        "\x9b %",
        "<b>%",
        "&lt;%",
        "%\r\n",
        "\t%",
        "\0%",
        "\a%",
        "\f%",
        "\x1b(B%",
        "\x1b[2K%",
        "\x1b[1A%",
        "$%$ **%**",
    ),
]


@given(pieces(STREAM), st.sampled_from(["stream", "error", "text/plain", "text/latex", "raw"]))
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=SLOW)
def test_no_word_of_plain_text_is_lost(parts, kind):
    source, words = written(parts)
    output = new_output("stream", text=source)
    if kind == "error":
        output = new_output("error", ename="E", evalue="v", traceback=source.split("\n"))
    elif "/" in kind:
        output = new_output("display_data", data={kind: source})
    assert lost(new_raw_cell(source) if kind == "raw" else new_code_cell("", outputs=[output]), words) == []


TEXTS = [
    *("%", "<mask> %", "<a.b c='>'>%", "$% < x$", "$$% <y$$", "$\\text{if $%$}$ %", "&lt;%&gt; &#37;", "`% <x> $y$`"),
    *("<span title='a>b'>%</span>", "<i>% <b>%</b></i>", "<!-- c > d --> %", "<![CDATA[ % ]]>", "**%**", "~~%~~"),
    *("[%](http://a.b)", "<a href='#x>'>%</a>", "% < %", "%<%>%", "<%", "<img alt='a>b' src='x'> %", "<br>%", "5$ %"),
    *("<input value='>'> %", "\\$% %", "\\(%\\)", "<int, float> %", "x<% && y>%", "</span> %", "<?php % ?>", "<u>%"),
]
AROUND = [  # each + is what stands within
    *("<details><summary>%</summary>+</details>", "<details open>\n<summary>%</summary>\n\n+\n\n</details>"),
    *("<table><tr><td>+</td><td>%<tr><td>+</table>", "<table><thead><tr><th>+<th>%<tbody><tr><td>+</table>"),
    *("<ul><li>+<li>+</ul>", "<ol>\n<li>\n\n+\n\n</li>\n</ol>", "<dl><dt>+<dd>+</dl>", "<blockquote>+</blockquote>"),
    *("<div align='center'>\n\n+\n\n</div>", "<div class='a>b'>+</div>", "<center>+</center>", "<p>+</p>", "# +"),
    *("<section><header>%</header>+</section>", "<form><fieldset><legend>%</legend>+</fieldset></form>", "```\n+\n```"),
]
LINES = {"> +": "> ", "- +": "  ", "1. +": "   "}  # and how the lines of what stands within begin


def around(within):
    html = st.tuples(st.sampled_from(AROUND), within).map(lambda pair: pair[0].replace("+", pair[1]))
    lines = st.tuples(st.sampled_from(sorted(LINES)), within).map(
        lambda pair: pair[0].replace("+", pair[1].replace("\n", "\n" + LINES[pair[0]]))
    )
    return html | lines | st.lists(within, min_size=2, max_size=3).map("\n\n".join)


@given(st.recursive(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(" ".join), around, max_leaves=8))
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=SLOW)
def test_no_word_is_lost_within_blocks_of_html_and_markdown_within_each_other(source):
    source, words = written([("", source)])
    assert lost(new_markdown_cell(source), words) == []
    assert lost(new_code_cell("", outputs=[new_output("display_data", data={"text/html": source})]), words) == []
