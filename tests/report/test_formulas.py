"""Formulas: every one of the assignment is drawn, macros of every form work, and no hostile one hangs or kills."""

import re

import pytest

from hw4.grading.report.formulas import OPEN_BRACKET_LIMIT, Formulas
from hw4.grading.report.macros import LENGTH_LIMIT

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
    assert len(formulas.failures) == 1 and formulas.failures[0].reason


@pytest.mark.parametrize("tex", [r"\text{<img src=x>}", r"\unknown{<img>}", r"\begin{<img>}x\end{<img>}"])
def test_no_formula_writes_markup(formulas, tex):
    assert "<img" not in formulas.draw(tex)


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
    ],
)
def test_nesting_without_end_is_refused(formulas, tex):
    assert "Formula not drawn" in formulas.draw(tex)  # what came back at all did not overflow the stack


@pytest.mark.parametrize("bracket", ["(", r"\{", "[", r"\langle ", r"\lVert ", r"\llbracket ", r"\ulcorner ", "⟨", "⌊"])
@pytest.mark.parametrize("around", ["{}x", r"\sin{}", "{}^)", r"{}\text{{)}}", r"\frac{{}}{{}}){}", r"\mathrm{}"])
def test_brackets_that_nothing_closes_come_to_an_end(formulas, bracket, around):
    formulas.draw(around.format(bracket) * (4 * OPEN_BRACKET_LIMIT))  # which the converter alone would never end


def test_many_brackets_keep_their_formula(formulas):
    drawn = formulas.draw("+".join(["f(-x)"] * 20))
    assert letters_of(drawn).count("(") == letters_of(drawn).count(")") == 20 and formulas.failures == []


def test_a_formula_longer_than_any_is_refused(formulas):
    assert "more than" in formulas.draw("x" * (LENGTH_LIMIT + 1))
