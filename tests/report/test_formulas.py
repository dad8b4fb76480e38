"""Formulas: every one of the assignment is drawn, macros of every form work, and no hostile one hangs or kills."""

import json
import re
from pathlib import Path

import pytest

from hw4.grading import report
from hw4.grading.report.formulas import BLANKS, OPEN_BRACKET_LIMIT, Formulas
from hw4.grading.report.macros import LENGTH_LIMIT
from hw4.grading.report.markup import PAGE

KINDS = json.loads((Path(__file__).parent / "formulas.json").read_text(encoding="utf-8"))

GIVEN = r"""
\newcommand{\mat}[1]{\boldsymbol {#1}}
\newcommand{\mattr}[1]{\boldsymbol {#1}^\top}
\newcommand{\matinv}[1]{\boldsymbol {#1}^{-1}}
\newcommand{\vec}[1]{\boldsymbol {#1}}
\newcommand{\vectr}[1]{\boldsymbol {#1}^\top}
\newcommand{\rvar}[1]{\mathrm {#1}}
\newcommand{\rvec}[1]{\boldsymbol{\mathrm{#1}}}
\newcommand{\diag}{\mathop{\mathrm {diag}}}
\newcommand{\set}[1]{\mathbb {#1}}
\newcommand{\cset}[1]{\mathcal{#1}}
\newcommand{\norm}[1]{\left\lVert#1\right\rVert}
\newcommand{\pderiv}[2]{\frac{\partial #1}{\partial #2}}
\newcommand{\bb}[1]{\boldsymbol{#1}}
\newcommand{\E}[2][]{\mathbb{E}_{#1}\left[#2\right]}
\newcommand{\ip}[3]{\left<#1,#2\right>_{#3}}
\newcommand{\given}[]{\,\middle\vert\,}
\newcommand{\DKL}[2]{\cset{D}_{\text{KL}}\left(#1\,\Vert\, #2\right)}
\newcommand{\grad}[]{\nabla}
\newcommand{\norm}[1]{\left\lVert#1\right\rVert}
"""
USES = [
    r"\vec{y}_l=f_l(\vec{x};\vec{\theta}_l)+\vec{x}",
    r"\hat{y}^{(i)} =\mat{W}_2~ \varphi(\mat{W}_1 \vec{x}^{(i)}+ \vec{b}_1) + \vec{b}_2",
    r"L_{\mathcal{S}} = \frac{1}{N}\sum_{i=1}^{N}\ell(y^{(i)},\hat{y}^{(i)})",
    r"\frac{\lambda}{2}\left(\norm{\mat{W}_1}_F^2 + \norm{\mat{W}_2}_F^2 \right)",
    r"\mat{Y}=\varphi\left( \sum_{k=1}^{q} \mat{\Delta}^k \mat{X} \mat{\alpha}_k + \vec{b} \right).",
    r"\mathcal{N}(\vec{0},\vec{I})",
    r"\pderiv{L}{\mattr{W}} \matinv{A} \vectr x \rvar{x} \rvec{x} \diag(\bb{a}) \set{R} \cset{L} \grad f \norm{x}",
    r"\E{x} + \E[x\sim p]{f(x)} + \ip{a}{b}{c} + \DKL{p}{q} + \left(a\given b\right)",
    r"\begin{align} a &= b \label{eq:1} \\[2pt] &= c \tag{2} \end{align}",
    r"\begin{cases} 1 & x > 0 \\ 0 & \text{if $x_1$ or a_b} \end{cases}",
    r"\begin{eqnarray} a &=& b \end{eqnarray} \begin{split} a &= b \end{split}",
    r"\begin{alignat*}{2} a &= b \end{alignat*} \begin{smallmatrix} a \end{smallmatrix}",
    r"\underbrace{\sum_{\substack{i \\ j}} x}_{n} \xrightarrow{a} \boxed{\cancel{x}}",
    r"\mbox{b} \widetilde{x} ⊤ {\rm x} {\bf y}",
    r"\let\old\vec \def\vec#1{\old{#1}} \vec{x} \DeclareMathOperator*{\best}{arg\,best} \best_x",
    r"\left. \frac{\partial L}{\partial x} \right|_{x=0} \in \mathbb{R}^{N \times D} \quad 50\% % a comment",
]


@pytest.fixture
def formulas():
    """Return what draws formulas, with the macros of the assignment as it is handed out."""
    made = Formulas()
    assert made.draw(GIVEN, block=True) == ""
    return made


def letters_of(mathml):
    return re.sub("<.*?>", "", mathml)


@pytest.mark.parametrize("tex", USES)
def test_the_formulas_of_the_homework_are_drawn(formulas, tex):
    assert formulas.draw(tex).startswith("<math>")
    assert formulas.failures == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block", [False, True])
def test_what_jupyterlab_draws_is_drawn(kind, block):
    formulas = Formulas()
    assert all(formulas.draw(tex, block).startswith("<math") for tex in KINDS[kind])  # `.ci/mathml.py` compares them


@pytest.mark.parametrize(
    ("tex", "mathml"),
    [
        (r"\varphi*W", "<mi>φ</mi><mo[^>]*>∗</mo><mi>W</mi>"),
        (r"\text{if $x$ then}", r"<mtext>if\s</mtext><mi>x</mi><mtext>\sthen</mtext>"),
        (r"\text{a \& b}", r"<mtext>a\s&amp;\sb</mtext>"),
        (r"\mathop{a}\limits_x", "<munder>.*<mi>a</mi>.*<mi>x</mi></munder>"),
        (r"\mathop{a}_x", "<msub>.*<mi>a</mi>.*<mi>x</mi></msub>"),
        (r"\operatorname*{\mathbb{E}}\limits_x", "<munder>.*<mi>𝔼</mi>.*</munder>"),
        (r"\color{red}x+y", '<mrow mathcolor="red"><mrow><mi>x</mi><mo>\\+</mo><mi>y</mi></mrow></mrow>'),
        (r"\textcolor[RGB]{255,0,16}{x}", '<mrow mathcolor="#ff0010"><mi>x</mi></mrow>'),
        (r"\definecolor{a}{HTML}{00FF00}\textcolor{a}{x}", '<mrow mathcolor="#00FF00"><mi>x</mi></mrow>'),
        (r"\colorbox{yellow}{$x$}", '<mpadded mathbackground="yellow">.*<mi>x</mi>.*</mpadded>'),
        (r"\cancel{x}", '<menclose notation="updiagonalstrike"><mi>x</mi>'),
        (r"\text{\sout{a}}", '<menclose notation="horizontalstrike"><mtext>a</mtext></menclose>'),
        (r"a\llap{b}", '<mi>a</mi><mpadded width="0" lspace="-1width"><mi>b</mi></mpadded>'),
        (r"\rule{1em}{2pt}", '<mspace width="1.0em" height="0.2em" mathbackground="currentcolor" />'),
        (
            r"{\Huge a{\tiny b}}",
            '<mrow mathsize="2.49em"><mrow><mi>a</mi><mrow mathsize="0.2008em"><mi>b</mi></mrow></mrow>',
        ),
        (r"\verb|a_b\x|", r"<mtext><code>a_b\\x</code></mtext>"),
        (r"\verb|5% $^~{<&|", r"<mtext><code>5% \$\^~\{&lt;&amp;</code></mtext>"),
        (r"\overline{x}", '<mover accent="true"><mi>x</mi><mo stretchy="true">‾</mo></mover>'),
        (r"a\!b", '<mspace width="-0.1667em" />'),
        (r"\boldsymbol{0}", "<mi>𝟎</mi>"),
        (r"\enclose{circle}{x}", '<menclose notation="circle"><mi>x</mi>'),
        (r"\bbox[5px,border:2px solid red]{x}", '<mpadded style="border-left: 2px solid red;.*"><mi>x</mi>'),
        (r"\bbox[yellow]{x} \bbox[3pt, #eee]{y}", 'mathbackground="yellow".*mathbackground="#eee"'),
        (r"\bbox[#eee,5px,border:1px dashed]{x}", "<mpadded .*<mi>x</mi>"),
        (r"\boldsymbol{\mathcal{L}_1}", "<mi>𝓛.?</mi>.*<mi>𝟏</mi>"),
        (r"\mathsfit{A1}", "<mi>𝘈𝟣</mi>"),
        (r"\textcolor{BrickRed}{x}", 'mathcolor="#B6321C"'),
        (r"\bbox[5px]{x} \bbox{y}", "<mi>x</mi><mi>y</mi>"),
        (r"\cancelto{0}{x}", '<menclose notation="northeastarrow updiagonalarrow updiagonalstrike"><mi>x</mi>'),
        (r"x=\begin{aligned}[t] a \\ b \end{aligned}", '<mrow align="t"><mtable'),
        (r"\begin{gathered}[t] a \\ b \end{gathered}", '<mrow align="t"><mtable'),
        (r"\begin{array}[t]{c|c} a & b \end{array}", '<mrow align="t"><mtable'),
        (r"\begin{aligned} a \\ b \end{aligned}", "<math><mtable"),
        (r"\mathbf{\mu x}", "<mi>[μ𝜇]</mi>.*<mi>𝐱</mi>"),
        (
            r"\begin{array}{c} a \\ \hline \end{array}",
            '<mtable[^>]* style="border-bottom: [^"]*"><mtr><mtd><mi>a</mi></mtd></mtr>',
        ),
    ],
)
def test_each_kind_becomes_the_elements_for_it(tex, mathml):
    assert re.search(mathml, Formulas().draw(tex), re.DOTALL)


@pytest.mark.parametrize(
    "tex",
    [
        r"\tag{7} x = y",
        r"x = y \tag{7}",
        r"\begin{equation} x \tag{7} \end{equation}",
        r"\begin{align} \tag{7} x &= y \\ z \end{align}",
        r"\begin{align} u &= v & w &= z \\ x \tag{7} &= y \end{align}",
        r"\begin{gather} \tag*{(7)} \begin{matrix} a & b \\ c \end{matrix} \end{gather}",
    ],
)
def test_a_tag_stands_in_the_last_cell_of_its_row(tex):
    rows = [row for row in Formulas().draw(tex, block=True).split("<mtr>") if "width: 50%" in row]
    tagged = [row for row in rows if "(7)" in row]
    assert len(tagged) == 1 and letters_of(tagged[0]).endswith("(7)")
    assert len({row.count("<mtd") for row in rows if "<mtable" not in row}) <= 1


def test_a_reference_shows_the_tag_of_its_label_wherever_that_stands():
    formulas = Formulas()
    formulas.dialect.read_labels(r"see $\eqref{b}$, then $$x \tag{5}\label{b}$$ and $$\label{c} y \tag*{C}$$")
    assert [letters_of(formulas.draw(tex)) for tex in (r"\eqref{b}", r"\ref{b}", r"\eqref{c}", r"\eqref{d}")] == [
        "(5)",
        "5",
        "C",
        "(???)",
    ]


@pytest.mark.parametrize(
    ("tex", "largest"),
    [
        (r"\rule{99999em}{99999em}", 20),
        (r"\hspace{99999cm}", 20),
        (r"\hspace{-99999em}x", 1),
        (r"\kern-9999pt x", 1),
        (r"\raisebox{999em}{x}", 1),
        (r"\lower999em{x}", 1),
        (r"{\Huge " * 30 + "x" + "}" * 30, 2.49),
        (r"\genfrac(]{9999pt}{0}{a}{b}", 1),
    ],
)
def test_no_length_is_larger_than_its_limit(tex, largest):
    lengths = [float(length) for length in re.findall(r"-?[\d.]+(?=r?em)", Formulas().draw(tex))]
    assert lengths and max(map(abs, lengths)) <= largest


@pytest.mark.parametrize("tex", [r"\tag{1} x \tag{2}", r"\begin{align} x \tag{1} &= y \tag*{2} \\\\ z \end{align}"])
def test_a_row_with_two_tags_is_refused(tex):
    assert "two tags" in Formulas().draw(tex, block=True)


@pytest.mark.parametrize("kind", KINDS)
def test_cleaning_takes_nothing_from_a_formula(kind):
    named = re.compile(r"<[a-z]+|(?<= )[a-z]+(?==)|[a-z-]+(?=:)")
    for tex in KINDS[kind]:
        drawn = Formulas().draw(tex, block=True)
        assert sorted(named.findall(PAGE.clean(drawn))) == sorted(named.findall(drawn))


def test_the_style_draws_every_negative_space():
    style = (Path(report.__file__).parent / "style.css").read_text(encoding="utf-8")
    assert all(f'mspace[width="-{blank}em"] {{ margin-left:' in style for blank in BLANKS)


def test_the_style_draws_a_table_that_stands_with_its_first_row_on_the_line():
    style = (Path(report.__file__).parent / "style.css").read_text(encoding="utf-8")
    assert 'mrow[align="t"] > mtable' in style


@pytest.mark.parametrize(
    ("definition", "use", "letters"),
    [
        (r"\def\a#1#2{#2#1}", r"\a{x}y", "yx"),
        (r"\newcommand\a{x}", r"\a y", "xy"),
        (r"\newcommand*{\a}[2][z]{#1#2}", r"\a x", "zx"),
        (r"\newcommand*{\a}[2][z]{#1#2}", r"\a[y]{x}", "yx"),
        (r"\newcommand*{\a}[2][z]{#1#2}", r"\a[]{x}", "x"),
        (r"\def\a{x}\renewcommand{\a}{y}", r"\a", "y"),
        (r"\def\a{x}\providecommand{\a}{y}", r"\a", "x"),
        (r"\def\a{x}\def\b{\a}\def\a{y}", r"\b", "y"),
        (r"\let\a=\alpha", r"\a", "α"),
        (r"\DeclareMathOperator{\a}{xy}", r"\a", "xy"),
        (r"\def\a{\alpha}", r"\a x", "αx"),
        (r"\def\a#1{\alpha#1}", r"\a x", "αx"),
        (r"\newenvironment{a}[1][z]{#1\begin{matrix}}{y\end{matrix}}", r"\begin{a}[x]a\end{a}", "xay"),
        (r"\renewenvironment{matrix}{x}{y}", r"\begin{matrix}a\end{matrix}", "xay"),
        (r"\let\a\text", r"\a{x$y$}", "xy"),
        (r"\let\a\textbf", r"\text{x\a{y}}", "xy"),
        (r"\let\a\mathbf\def\mathbf#1{\a{#1}y}", r"\mathbf{x}", "𝐱y"),
    ],
)
def test_a_macro_of_every_form_stands_for_what_it_was_defined_as(formulas, definition, use, letters):
    assert formulas.draw(definition) == ""
    assert letters_of(formulas.draw(use)) == letters


def test_bold_letters_are_letters_of_their_own(formulas):
    assert letters_of(formulas.draw(r"\vec{x}")) == "𝒙"  # browsers ignore a `mathvariant` that says bold


def test_equations_are_not_numbered_anew_in_every_formula(formulas):
    assert "(1)" not in letters_of(formulas.draw(r"\begin{equation}x\end{equation}"))


@pytest.mark.parametrize(
    "tex", [r"\cdotlog x", "x_", r"\frac{a", r"\a", r"\def\a", r"\newcommand", r"\def\a(#1){#1}", "}", "\\"]
)
def test_a_wrong_formula_stays_readable_with_the_reason(formulas, tex):
    assert formulas.draw(tex).startswith(f"<code>{tex}</code> <mark>Formula not drawn: ")
    assert len(formulas.failures) == 1 and formulas.failures[0]


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<img src=x>}",
        r"\unknown{<img>}",
        r"\begin{<img>}x\end{<img>}",
        r"\verb|<img>|",
        r"\tag{<img>} x",
        r"\textcolor{<img>}{x}",
        r"\mark@{img}{x}",
        r"\eqref{696d67}",  # `img` as a label, as marks are
        r"\let\a\eqref \a{696d67}",
        r"\let\a\eqref \text{\a{696d67}}",
        r"\let\a\eqref \tag{\a{696d67}} x",
        r"\def\a#1{\text{\eqref#1}}\a{{696d67}}",
        r"\label{696d67}\tag{\eqref{696d67}} x",
    ],
)
def test_no_formula_writes_markup(formulas, tex):
    assert "<img" not in formulas.draw(tex, block=True)


@pytest.mark.parametrize("color", ["red;background:url(x)", "url(x)", '#fff" onclick="', "#12345", r"\x"])
@pytest.mark.parametrize("command", [r"\textcolor", r"\colorbox", r"\fcolorbox{red}"])
def test_a_colour_is_nothing_but_a_colour(command, color):
    assert "Formula not drawn" in Formulas().draw(rf"{command}{{{color}}}{{x}}")


@pytest.mark.parametrize(
    "tex",
    [
        "{" * 20_000,
        "{" * 4000,
        r"\left(" * 800,
        r"\sqrt" * 900,
        r"\sqrt{" * 101 + "}" * 101,
        (r"\hat" * 60 + "{") * 2 + "x}}",
        r"\begin{matrix}" * 200,
        "x^" * 2000,
        r"\def\a{\a\a}\a",
        r"\def\a{x\a}\a",
        r"\def\a#1{\sqrt{#1}\b{#1}}\def\b#1{\a{\a{#1}}}\a x",
        r"\newenvironment{a}{\begin{a}}{\end{a}}\begin{a}",
        r"\newenvironment{a}{}{\end{a}}\end{a}",
        r"\def\a{\text{$\a$}}\a",
        r"\def\a{\textcolor{red}{\a}}\a",
        r"\text{" * 300 + "}" * 300,
        r"\text{" + "{" * 2000 + "}" * 2000 + "}",
        r"\boldsymbol{1" * 200 + "}" * 200,
    ],
)
def test_what_never_ends_is_refused(formulas, tex):
    assert "Formula not drawn" in formulas.draw(tex)  # what came back at all did not overflow the stack


@pytest.mark.parametrize("bracket", ["(", r"\{", "[", r"\langle ", r"\lVert ", r"\llbracket ", r"\ulcorner ", "⟨", "⌊"])
@pytest.mark.parametrize("around", ["{}x", r"\sin{}", "{}^)", r"{}\text{{)}}", r"\frac{{}}{{}}){}", r"\mathrm{}"])
def test_brackets_that_nothing_closes_come_to_an_end(formulas, bracket, around):
    formulas.draw(around.format(bracket) * (4 * OPEN_BRACKET_LIMIT))  # which the converter alone would never end


def test_many_brackets_keep_their_formula(formulas):
    drawn = formulas.draw("+".join(["f(-x)"] * 20))
    assert letters_of(drawn).count("(") == letters_of(drawn).count(")") == 20 and formulas.failures == []


def test_many_colours_keep_their_formula():
    drawn = Formulas().draw("".join(rf"\textcolor[RGB]{{{number},1,1}}{{x}}" for number in range(60)))
    assert len(set(re.findall('mathcolor="(.*?)"', drawn))) == 60


@pytest.mark.parametrize("tex", ["a\x01b", "a\x0b", "\ud800", r"\verb|a\x00|"])
def test_a_sign_that_no_page_can_have_is_refused_or_dropped(tex):
    assert re.match("<math|<code>", Formulas().draw(tex))


def test_a_formula_longer_than_any_is_refused(formulas):
    assert "more than" in formulas.draw("x" * (LENGTH_LIMIT + 1))
