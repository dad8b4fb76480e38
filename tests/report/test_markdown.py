"""Markdown: the kinds of text that came out wrong once, each as JupyterLab shows it."""

import cProfile
import re

import pytest
from nbformat.v4 import new_markdown_cell

from hw4.grading.report.cells import Cells
from hw4.grading.report.formulas import Formulas
from tests.report.builders import Parsed, result


@pytest.fixture
def formulas(monkeypatch):
    """Let each formula show its source in a `var`, and return them all as (TeX, whether on lines of its own)."""
    found = []

    def draw(self, tex, block=False):
        found.append((tex, block))
        return "<var>formula</var>"

    monkeypatch.setattr(Formulas, "draw", draw)
    return found


def drawn(source, **kwargs):
    """Return the HTML of a cell without what the page puts around it."""
    html = Cells(result(new_markdown_cell(source, **kwargs))).html[0]
    return html.partition('<p class="label"></p>')[2].removesuffix("</div>")


def words(html):
    return " ".join(Parsed(html).text.split())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("The token <mask> is predicted, **then** it", "The token <mask> is predicted, then it"),
        ("<path>\n\nSecond", "<path> Second"),
        ("<min>, <mean>, <vector x='1'/> and </line>", "<min>, <mean>, <vector x='1'/> and </line>"),
        ("- <text>a</text>\n- b", "<text>a</text> b"),
        ("<details><mask></details> after", "<mask> after"),
    ],
)
def test_a_tag_that_html_does_not_have_is_text(source, text):
    assert words(drawn(source)) == text


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<div>if $i<n$ then $x$</div>", [("i<n", False), ("x", False)]),
        ("<details><summary>a</summary>$p(x_{<t})$</details>\n\n$y$", [("p(x_{<t})", False), ("y", False)]),
        ("<td>$$a<b$$</td>", [("a<b", True)]),
        (r"$x$ \\ $y$", [("x", False), ("y", False)]),
        ("$x$\\\\\n$y$", [("x", False), ("y", False)]),
        ("$a = b\n- c + d$", [("a = b\n- c + d", False)]),
        ("$$a\n+ b\n# c$$", [("a\n+ b\n# c", True)]),
        (r"$\text{if $x>0$ then}$", [(r"\text{if $x>0$ then}", False)]),
        ("$a$$b$ $$c$$d$", [("a", False), ("b", False), ("c", True)]),
        (r"\\(x\\) \\[y\\] \\$5", [("x", False), ("y", True)]),
        (r"\begin{align*}a\\b\end{align*}", [(r"\begin{align*}a\\b\end{align*}", True)]),
        (r"see \eqref{a}", [(r"\eqref{a}", False)]),
        ("`$a` $b$ ``c`$d``", [("b", False)]),
        ("costs 5$ in `$x`", []),
        ("```\n$a\n```\n\n$b$\n\n    $c$", [("b", False)]),
        ("- x\n  ```\n  $a\n  ```\n- $b$", [("b", False)]),
        ("$a\n\nb$", []),
        ("$}$ $x$", [("}", False), ("x", False)]),
        ("$a}b$ ${c}}$", [("a}b", False), ("{c}}", False)]),
        ("|p|\n|-|\n|$p(x|y)$|", [("p(x|y)", False)]),
        ("[$a$](x) **$b$** ~$c$~ # $d$", [("a", False), ("b", False), ("c", False), ("d", False)]),
    ],
)
def test_formulas_are_found_where_jupyterlab_finds_them(formulas, source, found):
    drawn(source)
    assert formulas == found


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("<i>a<b>b</i>c</b>", "<i>a<b>b</b></i>c"),
        ("<b>a<div>b</b>c</div>", "<div><b>b</b></div>c"),
        ("<div><u>a</div>b", "<div><u>a</u></div>b"),
        ("<section><header>a</section>b", "<div><div>a</div></div>b"),
        ("<p>a<p>b</section>c</p>d", "<p>a</p><p>bc</p>d"),
        ("<nobr>a</nobr><picture><source srcset=x></picture>b", "ab"),
    ],
)
def test_the_end_of_an_element_ends_what_was_opened_in_it(source, html):
    assert html in drawn(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<center><table><tr><td>a</center>b", "a</td></tr></tbody></table></div></center>b"),
        ("<center><table><tr><td>a</td></tr></center>b", "</table></div></center>b"),
        ("<div><table><tr><td><b>a</div>b", "<b>a</b></td></tr></tbody></table></div></div>b"),
    ],
)
def test_a_table_that_does_not_end_takes_nothing_from_behind_its_block(source, text):
    assert text in drawn(source)


def test_a_formula_in_html_lets_nothing_vanish(formulas):
    assert words(drawn("<div>if $i<n$ then $x$</div> end")) == "if formula then formula end"
    assert words(drawn("<details><summary>a</summary>$p(x_{<t})$</details>\n\nafter")) == "aformula after"


def cells_of(html):
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)]


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("|a|b|\n|-|-|\n|1|2", [["a", "b"], ["1", "2"]]),
        ("a | b\n--- | ---\n1 | 2", [["a", "b"], ["1", "2"]]),
        ("a | b\n- | -\n1 | 2", [["a", "b"], ["1", "2"]]),
        ("|a|b|\n|-|-|\n|1|\n|1|2|3|4|", [["a", "b"], ["1", ""], ["1", "2", "3", "4"]]),
        ("- x\n\n  |a|b|\n  |-|-|\n  |1|2|3|", [["a", "b"], ["1", "2", "3"]]),
        ("> |a|b|\n> |-|-|\n> |1|2|3|", [["a", "b"], ["1", "2", "3"]]),
        ("1. a | b\n   --|--\n   1 | 2", [["a", "b"], ["1", "2"]]),
        ("|a|b|\n|-|-|\n|`x\\|y`|\\||", [["a", "b"], ["<code>x|y</code>", "|"]]),
    ],
)
def test_tables_hold_every_cell(source, rows):
    assert cells_of(drawn(source)) == rows


@pytest.mark.parametrize("source", ["- a | b\n- | c", "- x\n- |", "a | b"])
def test_what_is_no_table_stays_a_text(source):
    assert "<table" not in drawn(source)


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("- [ ] a\n- [x] b", "<li>☐ a</li>\n<li>☑ b</li>"),
        ("1. [X] a", "<li>☑ a</li>"),
        ("- [X]\ta", "<li>☑ a</li>"),
        ("* [ ] **a**\n  - [x] b", "<li>☐ <strong>a</strong>\n<ul>\n<li>☑ b</li>"),
        ("- [ ]\n- [x](y)", "<li>[ ]</li>"),
        ("#1 is best", "<p>#1 is best</p>"),
        ("#hash", "<p>#hash</p>"),
        ("```unknown\nx\n```", "<pre><code>x\n</code></pre>"),
        ("```{r, echo=FALSE}\nx\n```", "<p><small>echo=FALSE}</small></p><pre><code>x\n</code></pre>"),
        ("```python\nreturn 1\n```", '<pre><code><span class="k">return</span> 1\n</code></pre>'),
        ("~a~ and ~~b~~", "<s>a</s> and <s>b</s>"),
        ("~~a~b~~", "<s>a~b</s>"),
        ("~a~~b~~", "~a<s>b</s>"),
        (
            "~~a ~b~ c~~ [~d~~e~](#x)",
            '<s>a <s>b</s> c</s> <a href="#cell-link-x" rel="noopener noreferrer"><s>d~~e</s></a>',
        ),
        ('<font color="red">a</font>', '<span style="color:red">a</span>'),
        ("<font color=#00ff00 size=2>a</font>", '<span style="color:#00ff00">a</span>'),
        ("a\\\nb", "a<br>\nb"),
    ],
)
def test_the_rest_of_the_syntax_is_that_of_jupyterlab(source, html):
    assert html in drawn(source) or (html.endswith('url">a</span>') and "url" not in drawn(source))


def test_a_link_within_the_notebook_leads_to_what_has_its_name():
    one = result(
        new_markdown_cell("[a](#Two-words) [b](#mine)"), new_markdown_cell("# Two words\n\n<a id='mine'></a>x")
    )
    html = "".join(Cells(one).html)
    assert re.findall(r'href="#([^"]*)"', html) == re.findall(r' id="(cell-link[^"]*)"', html)


def test_two_targets_of_one_name_have_one_id():
    html = "".join(Cells(result(new_markdown_cell("# A\n\n# A"))).html)
    assert html.count('id="cell-link-A"') == 1


def test_a_long_answer_is_laid_out():
    html = drawn("**start** " + "word " * 8000 + "**end**")
    assert "<strong>end</strong>" in html and "Cut here" not in html


def test_what_is_over_the_limit_is_cut_with_a_notice_where_it_is_cut():
    html = drawn("**a**\n\n" * 20_000)
    files_to_run, notice, rest = html.partition("Cut here: ")
    assert files_to_run.count("<strong>a</strong>") + rest.count("**a**") == 20_000 and notice


def test_a_pictures_data_counts_for_no_limit():
    picture = "data:image/png;base64," + "A" * 300_000
    assert "<strong>b</strong>" in drawn(f"![a]({picture}) **b**")
    assert "<strong>b</strong>" in drawn(f"![a][p] **b**\n\n[p]: {picture}")
    assert "<strong>b</strong>" in drawn(f"<img src='{picture}'> **b**")


def test_a_pictures_data_that_stands_as_text_is_shortened_with_a_notice():
    html = drawn("`data:image/png;base64," + "A" * 300_000 + "`")
    assert "[... 300,022 characters of a picture]" in html and len(html) < 1000


@pytest.mark.parametrize("source", ["> " * 3000 + "deep", "[" * 3000, "<div>" * 3000 + "deep", "- " * 2000 + "deep"])
def test_what_is_nested_too_deeply_is_shown_as_text(source):
    assert source.split()[-1].removeprefix("<div>" * 3000) in words(drawn(source))


PATTERNS = [
    "**a ",
    "[a](",
    "`a``b ",
    "<a b='",
    "<!-- ",
    "${",
    r"\(a",
    "~~~a\n",
    "|a|b|\n|-|-|\n",
    "- a\n",
    "<script>",
    " \t>",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_work_grows_with_the_length_and_not_with_its_square(pattern):
    """Count the calls of functions; what is within one call, a regular expression, has its own limits."""
    counts = []
    for length in (6000, 24_000):
        profile = cProfile.Profile()
        profile.runcall(drawn, pattern * (length // len(pattern)))
        counts.append(sum(entry.callcount for entry in profile.getstats()))
    assert counts[1] < 6 * counts[0]
