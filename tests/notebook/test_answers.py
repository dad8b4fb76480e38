"""Where students write answers: the ten cases that once came out wrong, and forms that the generator does not make."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from hw4.grading.notebook.comparison import Comparison, compare
from hw4.grading.notebook.format import read_notebook
from hw4.grading.notebook.labelling import read_reference
from hw4.grading.notebook.questions import Question, part_of, role
from tests.builders import NOTEBOOK, QUESTIONS, ROOT
from tests.notebook import forms

SHARED = ROOT.parent / "shared" / "cases" / "answers"
REFERENCE = read_reference(NOTEBOOK.read_bytes(), NOTEBOOK.name)
GIVEN = {cell.id: cell.source for cell in REFERENCE.notebook.cells}
LETTERED = re.compile(r"(?<=\S)\n+(?=\*\*[A-F]\.\*\*)")


def cells_of(*wanted):
    """Return cells: given ones by their ids, ("id", text) pairs, or texts of cells that the student added."""
    cells = []
    for each in wanted:
        name, text = each if isinstance(each, tuple) else (each, GIVEN[each]) if each in GIVEN else ("", each)
        code = name in GIVEN and next(c for c in REFERENCE.notebook.cells if c.id == name).cell_type == "code"
        cells.append((new_code_cell if code else new_markdown_cell)(text, id=name or f"mine-{len(cells)}"))
    return cells


def read(cells, ids=True):
    """Return the comparison of a notebook of `cells`, and the notebook; without `ids` as format 4.4 has it."""
    notebook = nbformat.v4.new_notebook(cells=cells)
    if not ids:
        notebook.nbformat_minor = 4
        for cell in cells:
            del cell["id"]
    notebook = read_notebook(nbformat.writes(notebook).encode(), "hw.ipynb")
    return compare(notebook, REFERENCE), notebook


def asked(found: Comparison, name: str) -> Question:
    return next(question for question in found.questions if question.id == name)


def shown(found, notebook, name):
    """Return the text that is taken for the answer, by part."""
    texts: dict[str, str] = {}
    for answer in asked(found, name).answers:
        text = notebook.cells[answer.cell].source[answer.start : answer.end]
        texts[answer.part] = texts.get(answer.part, "") + text
    return texts


def answers(*wanted, question, ids=True):
    """Return what a notebook of the cells `wanted` answers of `question`: (missing, perhaps, texts by part)."""
    found, notebook = read(cells_of(*wanted), ids)
    return asked(found, question).missing, asked(found, question).perhaps, shown(found, notebook, question)


def beside(question, *texts):
    """Return the question's cell with a text beside each statement."""
    first, *statements = LETTERED.split(GIVEN[f"{question}-question"])
    lines = [f"{statement}{text}" for statement, text in zip(statements, texts, strict=True)]
    return f"{question}-question", "\n\n".join([first, *lines])


def test_r01_an_answer_on_the_last_line_of_the_statement_is_one():
    question = "dropout-1-question", f"{GIVEN['dropout-1-question']} **Answer:** False, before it as well."
    missing, perhaps, texts = answers("dropout-section", question, question="dropout-1")
    assert (missing, perhaps) == ([], [])
    assert "before it as well" in texts[""] and "place" not in texts[""]


def test_r01_a_verdict_beside_each_statement_answers_its_part():
    question = beside("loss-4", " - False, dead units.", " - False, it is constant.", " - True.")
    missing, perhaps, texts = answers("loss-section", question, question="loss-4")
    assert (missing, perhaps) == ([], [])
    assert [("dead" in texts["A"]), ("constant" in texts["B"]), ("True" in texts["C"])] == [True] * 3


def test_an_answer_that_ends_with_the_last_word_of_its_statement_is_one():
    question = beside("seq-1", " **Answer:** **True**, never a model.", " **Answer:** the states.")
    missing, perhaps, texts = answers("seq-section", question, question="seq-1")
    assert (missing, perhaps) == ([], []) and "never a model" in texts["A"] and "language" not in texts["A"]


def test_a_cell_below_two_statements_answers_the_one_that_has_no_answer_beside_it():
    first, one, two = LETTERED.split(GIVEN["opt-2-question"])
    cells = [("opt-2-question", first), f"{one}\n\n**Answer:** memory.\n\n{two}", "with endless data"]
    missing, perhaps, texts = answers("opt-section", *cells, question="opt-2")
    assert (missing, perhaps) == ([], []) and texts["B"] == "with endless data"


def test_r02_an_answer_in_the_cell_of_the_question_is_shown_without_the_question():
    question = "dropout-1-question", f"{GIVEN['dropout-1-question']}\n\n**Answer:** False, XYZZY it may."
    found, notebook = read(cells_of("dropout-section", question))
    assert shown(found, notebook, "dropout-1") == {"": "**Answer:** False, XYZZY it may."}
    assert asked(found, "dropout-1").cells == [1]
    assert not any("edited" in remark.text for remark in found.remarks)


def test_r03_one_cell_at_the_end_of_a_section_answers_each_question_by_its_number():
    cells = ("dropout-section", "dropout-1-question", "dropout-2-question", "**Answers**\n\n1. False.\n2. $E = x$.")
    found, notebook = read(cells_of(*cells))
    assert shown(found, notebook, "dropout-1") == {"": "1. False."}
    assert shown(found, notebook, "dropout-2") == {"": "2. $E = x$."}
    assert asked(found, "dropout-1").cells == [1, 3]


def test_a_list_of_two_below_the_second_question_is_perhaps_an_answer_to_the_first():
    cells = ("dropout-section", "dropout-1-question", "dropout-2-question", "1. It may.\n2. It is scaled.")
    found, notebook = read(cells_of(*cells))
    assert asked(found, "dropout-1").perhaps == [""]
    assert shown(found, notebook, "dropout-1") == {"": "1. It may."}
    assert asked(found, "dropout-2").missing == []


@pytest.mark.parametrize("text", [*forms.NOTHING, "**Answer:** TODO", "**My answer:**", "**Solution:**", "1.\n2.\n3."])
def test_r04_what_says_nothing_is_no_answer(text):
    assert answers("cnn-section", "cnn-1-question", text, question="cnn-1") == ([""], [], {})


@pytest.mark.parametrize("source", forms.NOTHING_IN_CODE)
def test_r04_code_that_says_nothing_is_no_answer(source):
    found, _ = read([*cells_of("cnn-section", "cnn-1-question"), new_code_cell(source)])
    assert asked(found, "cnn-1").missing == [""]


@pytest.mark.parametrize("text", ["True", "**Answer:** No.", "I don't know", "✗", "**Answer:** 5", "对", "Answer: B"])
def test_a_word_is_an_answer_and_its_worth_the_graders(text):
    assert answers("cnn-section", "cnn-1-question", text, question="cnn-1")[0] == []


def test_r04_the_question_quoted_again_is_no_answer():
    quoted = "> " + GIVEN["dropout-2-question"].split("\n\n", 1)[1]
    assert answers("dropout-section", "dropout-2-question", quoted, question="dropout-2")[0] == [""]


def test_r05_a_students_own_numbers_do_not_shift_what_follows():
    second = GIVEN["opt-2-question"].replace("practice more", "practice  more")
    cells = ["opt-section", "opt-1-question", "**Answer:** they differ.", "2. XYZZY stands between.", ("x", second)]
    found, notebook = read(cells_of(*cells, "**Answer:** A. Memory. B. Endless data."), ids=False)
    assert shown(found, notebook, "opt-2") == {"A": "**Answer:** A. Memory.", "B": " B. Endless data."}
    assert "XYZZY" in shown(found, notebook, "opt-1")[""]


def test_r07_parts_are_told_by_dots_dashes_verdicts_and_bold_letters():
    cells = ["loss-section", "loss-4-question", "A. False\n\nB False, it is constant\n\n**C** True"]
    assert answers(*cells, question="loss-4")[:2] == ([], [])
    cells = ["opt-section", "opt-2-question", "**Answer:**\n\nA. It is cheaper.\n\nB - when the data do not fit."]
    assert answers(*cells, question="opt-2") == (
        [],
        [],
        {"A": "A. It is cheaper.", "B": "B - when the data do not fit."},
    )


def test_r08_where_a_function_is_the_answer_text_is_optional():
    found, _ = read(cells_of("backprop-section", "backprop-2-question", "backprop-2-check"))
    assert asked(found, "backprop-2").missing == []
    assert asked(found, "backprop-2").judged == "part4_affine_backward"


def test_v1_pictures_tables_and_text_from_right_to_left_are_answers():
    for text in ("![field](field.png)", "![att](attachment:image.png)", '<img src="img/f 2.png" width="120"/>'):
        assert answers("cnn-section", "cnn-1-question", text, question="cnn-1")[0] == []
    for text in ("| way | grows |\n|---|---:|\n| stride | $s$ |", "**תשובה:** לא נכון, אפשר גם לפני."):
        assert answers("cnn-section", "cnn-1-question", text, question="cnn-1")[0] == []


@pytest.mark.skipif(not SHARED.exists(), reason="the cases lie beside the project's clone, where it was written")
def test_the_ten_cases_as_they_were_filed():
    reference = read_reference((SHARED / "reference" / NOTEBOOK.name).read_bytes(), NOTEBOOK.name)
    expected = {
        "r01_same_line": ({"dropout-1", "loss-4"}, set()),
        "r02_in_question_cell": ({"dropout-1"}, set()),
        "r03_section_end": ({"dropout-1", "dropout-2"}, set()),
        "r04b_placeholders": (
            set(),
            {"cnn-1", "cnn-2", "cnn-4", "dropout-1", "dropout-2", "loss-1", "loss-3", "opt-1"},
        ),
        "r05b_auto_number_ours": ({"opt-1", "opt-2"}, set()),
        "r07b_dash": ({"opt-2", "loss-4"}, set()),
        "r08_function_only": ({"backprop-2"}, set()),
        "r18_wrong_but_answered": ({"backprop-2"}, set()),
        "r19_no_function": ({"backprop-2"}, set()),
        "v1_visual": ({"cnn-1", "cnn-2", "dropout-1", "dropout-2", "loss-1", "loss-3", "opt-1"}, set()),
    }
    for case, (answered, missing) in expected.items():
        notebook = read_notebook((SHARED / case / NOTEBOOK.name).read_bytes(), case)
        found = compare(notebook, reference).questions
        assert {each.id for each in found if not each.deleted and not each.missing} == answered, case
        assert {each.id for each in found if not each.deleted and each.missing} == missing, case
        assert not any(each.perhaps for each in found), case


def test_a_table_with_a_column_for_each_part():
    table = "| A | B | C |\n| --- | --- | --- |\n| False, dead | False, constant | True |"
    missing, perhaps, texts = answers("loss-section", "loss-4-question", table, question="loss-4")
    assert (missing, perhaps) == ([], [])
    assert "dead" in texts["A"] and "constant" in texts["B"]


def test_ticks_are_verdicts():
    missing, perhaps, texts = answers("loss-section", "loss-4-question", "A ✗\nB ✗\nC ✓", question="loss-4")
    assert (missing, perhaps, texts["C"]) == ([], [], "C ✓")


def test_hebrew_letters_name_parts():
    text = "א. לא נכון, כי הם מתים\n\nב. לא נכון\n\nג. נכון"
    missing, perhaps, texts = answers("loss-section", "loss-4-question", text, question="loss-4")
    assert (missing, perhaps) == ([], [])
    assert "מתים" in texts["A"]


def test_a_chapter_of_answers_at_the_end_of_the_notebook():
    given = ["cnn-section", "cnn-1-question", "cnn-2-question", "dropout-section", "dropout-1-question"]
    added = [
        "# My answers",
        "## CNNs",
        "### Question 1",
        "A set of pixels.",
        "### Question 2",
        "Kernels.",
        "## Dropout",
    ]
    found, notebook = read(cells_of(*given, *added, "1. False, before it."))
    assert "pixels" in shown(found, notebook, "cnn-1")[""]
    assert "Kernels" in shown(found, notebook, "cnn-2")[""]
    assert "before" in shown(found, notebook, "dropout-1")[""]


def test_the_question_overwritten_with_the_answer():
    found, notebook = read(cells_of("dropout-section", ("dropout-1-question", "False, before it as well.")))
    assert shown(found, notebook, "dropout-1") == {"": "False, before it as well."}
    assert [remark.text for remark in found.remarks if "dropout-1" in remark.text] == [
        "the given cell dropout-1-question is edited"
    ]


def test_a_whole_notebook_in_one_cell():
    names = ["dropout-section", "dropout-1-question", "dropout-2-question", "loss-section", "loss-4-question"]
    texts = [GIVEN[name] for name in names]
    texts[1] += "\n\nFalse, zeros."
    texts[4] += "\n\nA. no\n\nB. no\n\nC. yes"
    found, notebook = read([new_markdown_cell("\n\n".join(texts))])
    assert "zeros" in shown(found, notebook, "dropout-1")[""]
    assert asked(found, "dropout-2").missing == [""]
    assert set(shown(found, notebook, "loss-4")) == {"A", "B", "C"}


def test_a_deleted_question_whose_answer_kept_its_id():
    cells = ["cnn-section", "cnn-1-question", ("cnn-1-answer", "pixels"), ("cnn-2-answer", "kernels"), "cnn-3-question"]
    found, notebook = read(cells_of(*cells))
    assert shown(found, notebook, "cnn-1") == {"": "pixels"}
    assert shown(found, notebook, "cnn-2") == {"": "kernels"}
    assert asked(found, "cnn-2").deleted and not asked(found, "cnn-1").deleted


def test_questions_in_another_order_keep_their_answers():
    cells = ["dropout-section", "dropout-2-question", "the second", "dropout-1-question", "the first"]
    found, notebook = read(cells_of(*cells), ids=False)
    assert shown(found, notebook, "dropout-1") == {"": "the first"}
    assert shown(found, notebook, "dropout-2") == {"": "the second"}


def test_ids_that_say_something_else_than_the_text_do_not_count():
    cells = [("dropout-2-question", GIVEN["dropout-1-question"]), "the first"]
    cells += [("dropout-1-question", GIVEN["dropout-2-question"]), "the second"]
    found, notebook = read(cells_of("dropout-section", *cells))
    assert shown(found, notebook, "dropout-1") == {"": "the first"}
    assert shown(found, notebook, "dropout-2") == {"": "the second"}


def test_the_id_of_an_answer_means_nothing_below_another_sections_heading():
    first, second = "**Answer:** the activation function.", "**Answer:** the expectation of each activation."
    merged = "attn-1-answer-a", f"___\n\n## Dropout\n\n{first}"
    cells = ["attn-section", "attn-1-question", merged, "dropout-1-question", second]
    found, notebook = read(cells_of(*cells, "dropout-2-question"))
    assert asked(found, "attn-1").missing == ["A", "B"]
    assert shown(found, notebook, "dropout-1") == {"": first}
    assert shown(found, notebook, "dropout-2") == {"": second}
    again = [*cells[:2], "dropout-section", "dropout-1-question", "dropout-2-question", merged]
    found, notebook = read(cells_of(*again))
    assert asked(found, "attn-1").missing == ["A", "B"]


def test_a_statement_in_one_column_of_a_table_and_its_verdict_in_the_other():
    _, *statements = LETTERED.split(GIVEN["loss-4-question"])
    rows = "".join(f"<tr><td>{text}</td><td>{word}</td></tr>" for text, word in zip(statements, "uvw", strict=True))
    rows = rows.replace("<td>u<", "<td>False, dead<").replace("<td>v<", "<td>False<").replace("<td>w<", "<td>True<")
    missing, perhaps, texts = answers("loss-section", "loss-4-question", f"<table>{rows}</table>", question="loss-4")
    assert (missing, perhaps) == ([], [])
    assert "dead" in texts["A"] and "True" in texts["C"]


def test_a_deleted_statement_is_named_and_its_part_answered():
    source = GIVEN["opt-2-question"].replace("In which cases can GD not be used at all?", "")
    found, notebook = read(cells_of("opt-section", ("opt-2-question", source), "A. memory\n\nB. endless data"))
    assert shown(found, notebook, "opt-2") == {"A": "A. memory", "B": "B. endless data"}
    (remark,) = [remark for remark in found.remarks if "opt-2-question" in remark.text]
    assert "-**B.** In which cases" in remark.diff


def test_answers_in_raw_cells_and_in_the_comments_of_code():
    cells = cells_of("loss-section", "loss-4-question")
    found, notebook = read([*cells, new_raw_cell("A. no\nB. no\nC. yes")])
    assert set(shown(found, notebook, "loss-4")) == {"A", "B", "C"}
    found, notebook = read([*cells, new_code_cell('# A: no, dead\nprint("B: no")\n# C: yes, it can\nx = 3')])
    assert set(shown(found, notebook, "loss-4")) == {"A", "B", "C"}


def test_a_change_of_given_code_is_a_remark_and_no_answer_but_for_a_comment():
    cells = cells_of("cnn-section", "cnn-3-question", "cnn-3-snippet")
    cells[2].source = cells[2].source.replace("dilation=2", "dilation=3")
    found, _ = read(cells)
    assert asked(found, "cnn-3").missing == [""]
    assert any("cnn-3-snippet is edited" in remark.text for remark in found.remarks)
    cells[2].source += "\n# it is 112 by 112"
    found, notebook = read(cells)
    assert shown(found, notebook, "cnn-3") == {"": "# it is 112 by 112"}


@pytest.mark.parametrize(("word", "other"), [("zero", "one"), ("linear", "quadratic"), ("whether it is", "if it be")])
def test_a_changed_word_of_the_question_is_no_answer(word, other):
    question = "loss-4-question", GIVEN["loss-4-question"].replace(word, other)
    found, _ = read(cells_of("loss-section", question))
    assert asked(found, "loss-4").missing == ["A", "B", "C"]
    assert "the given cell loss-4-question is edited" in [remark.text for remark in found.remarks]


def test_code_that_only_imports_is_no_answer():
    found, _ = read([*cells_of("cnn-section", "cnn-1-question"), new_code_cell("import torch\n%matplotlib inline")])
    assert (asked(found, "cnn-1").missing, asked(found, "cnn-1").perhaps) == ([""], [])


def test_another_edition_is_said_in_one_line():
    cells = cells_of("cnn-section")
    for number in range(1, 6):
        cells += [new_markdown_cell(f"### Question {number}\n\nName the {number} largest rivers of the continent?")]
        cells += [new_markdown_cell("**Answer:** the Danube.")]
    cells += cells_of("dropout-section", "dropout-1-question", "False.", "dropout-2-question", "$x$")
    found, notebook = read(cells, ids=False)
    assert [remark.text for remark in found.remarks] == [
        f"this is another edition: 2 of {QUESTIONS} questions found, {QUESTIONS - 2} not in it"
    ]
    assert shown(found, notebook, "dropout-1") == {"": "False."}
    assert asked(found, "cnn-1").answers == [] and asked(found, "cnn-1").deleted


def test_headings_that_another_edition_words_differently_are_no_remark():
    cells = []
    for cell in REFERENCE.notebook.cells:
        cell = nbformat.from_dict(cell)
        if cell.id.endswith("-question"):
            heading = cell.source.split("\n", 1)[0]
            other = re.sub(r"( \(.*|: .*)?\Z", "", heading) if "(" in heading else f"{heading} (x-1): a title of it"
            cell.source = cell.source.replace(heading, other, 1)
        cells.append(cell)
    found, _ = read(cells)
    assert found.remarks == []
    assert not any(question.missing or question.deleted for question in found.questions)


REWORDED = {  # the same questions as another edition would have them
    "cnn-1": '1. What do people mean by the term "receptive field" of a CNN?',
    "dropout-1": "1. **True or false**: one must put dropout after the activation function only.",
    "dropout-2": "2. The activations are scaled by $1/(1-p)$ after a dropout of drop-probability $p$.\n\nProve that "
    "without this scaling the value of each activation changes in expectation.",
    "loss-4": "4. Are these sentences about the ReLU activation **true or false**? Explain each.\n"
    "    1. There can be no vanishing gradients in a model with ReLU activations only.\n"
    "    1. The gradient of ReLU is linear with its input while that is positive.\n"
    "    1. ReLU causes dead neurons, activations that are constant at zero.",
    "opt-2": "2. Regarding SGD and GD:\n    1. Give at least two reasons to use SGD more often than GD in practice.\n"
    "    2. Are there cases in which GD cannot be used at all?",
}
SECTIONS = {
    "cnn-1": "### CNNs",
    "dropout-1": "### Dropout",
    "loss-4": "### Losses and activation functions",
    "opt-2": "### Optimization",
}


def reworded(change=lambda name, text: [text]):
    """Return the comparison of a notebook of other words, and it; `change` makes the cells of a question's text."""
    texts = []
    for name, text in REWORDED.items():
        texts += [SECTIONS[name]] if name in SECTIONS else []
        texts += change(name, text)
    return read([new_markdown_cell(text) for text in texts], ids=False)


def test_a_question_in_other_words_is_no_answer():
    found, notebook = reworded()
    for name in REWORDED:
        assert (asked(found, name).deleted, asked(found, name).perhaps) == (False, []), name
        assert asked(found, name).missing == asked(found, name).parts, shown(found, notebook, name)
    (remark,) = found.remarks
    found_and_not = f"5 of {QUESTIONS} questions found, {QUESTIONS - 5} not in it"
    assert remark.text == f"this is another edition: {found_and_not}, 5 in other words"


def test_the_cells_over_which_a_reworded_question_is_spread_are_no_answer():
    (code,) = cells_of("cnn-3-snippet")
    before = [
        SECTIONS["cnn-1"],
        REWORDED["cnn-1"],
        "2. Compare three ways to control how fast the receptive field grows.",
    ]
    texts = ["3. Imagine a CNN with three convolutional layers, defined as follows:"]
    asks = 'What is the size (spatial extent) of the receptive field of each "pixel" in the output tensor?'
    rest = [SECTIONS["dropout-1"], REWORDED["dropout-1"], REWORDED["dropout-2"]]
    cells = [
        *map(new_markdown_cell, before + texts),
        new_code_cell(code.source),
        *map(new_markdown_cell, [asks, *rest]),
    ]
    found, notebook = read(cells, ids=False)
    assert [asked(found, f"cnn-{number}").perhaps for number in (1, 2, 3)] == [[], [], []], shown(
        found, notebook, "cnn-3"
    )
    assert [asked(found, f"cnn-{number}").missing for number in (1, 2, 3)] == [[""], [""], [""]]


@pytest.mark.parametrize("apart", [False, True])
def test_an_unmarked_answer_in_the_cell_of_a_reworded_question_or_below_it(apart):
    answer = {"cnn-1": "All pixels that reach one output.", "dropout-1": "No, zeros stay zeros.", "dropout-2": "XYZZY"}
    answer |= {"loss-4": "A) No, dead units.\n\nB) No.\n\nC) It does.", "opt-2": "a. Less memory.\nb. Streams."}
    found, notebook = reworded(
        lambda name, text: [text, answer[name]] if apart else [f"{text}\n    \n\n{answer[name]}"]
    )
    assert not any(asked(found, name).missing for name in answer)
    assert shown(found, notebook, "dropout-1")[""].lstrip(". \n") == "No, zeros stay zeros."
    assert shown(found, notebook, "cnn-1")[""].lstrip("? \n") == "All pixels that reach one output."
    assert "It does" in shown(found, notebook, "loss-4")["C"] and "memory" in shown(found, notebook, "opt-2")["A"]


@pytest.mark.parametrize("between", ["\n\n", "\n    **Answer** ", "\n\n<b>Answer:</b> False.\n"])
def test_answers_between_the_statements_of_a_reworded_question(between):
    def change(name, text):
        first, *statements = text.split("\n    ")
        return ["\n    ".join([first, *(f"{each}{between}XY{at}ZY" for at, each in enumerate(statements))])]

    found, notebook = reworded(change)
    assert asked(found, "loss-4").missing == [] and asked(found, "opt-2").missing == []
    assert ["XY1ZY" in text for text in shown(found, notebook, "loss-4").values()] == [False, True, False]


@pytest.mark.parametrize(
    ("name", "part", "answer"),
    [
        ("opt-6", "A", "They shrink or grow: each gradient is a product, on the mean of factors below one."),
        ("opt-6", "A", "Curvature hides: on the mean a gradient of noise vanishes faster."),
        ("loss-4", "A", "Zero weights kill them, as whether something is constant depends."),
    ],
)
def test_an_answer_with_words_of_the_reworded_question_is_none_of_its_statements(name, part, answer):
    text = REWORDED["loss-4"]
    if name == "opt-6":
        text = "6. You have trained a neural network of arbitrary functions, and cannot train one with more layers.\n"
        text += '    1. Explain the concepts of "vanishing gradients", and "exploding gradients".\n'
        text += (
            "    2. How can each of these be caused by increased depth?\n    3. Provide a numerical example of each.\n"
        )
        text += "    4. How can you tell which of them it is without looking at the gradient tensor(s)?"
    first, *statements = text.split("\n    ")
    texts = [answer if letter == part else "XYZZY." for letter, _ in zip("ABCD", statements, strict=False)]
    source = "\n    ".join([first, *(f"{each}\n\n{said}\n" for each, said in zip(statements, texts, strict=True))])
    missing, perhaps, found = answers(f"{name.split('-')[0]}-section", source, question=name, ids=False)
    assert (missing, perhaps) == ([], []) and answer in found[part], found


def test_a_statement_of_another_edition_quoted_in_the_answer_makes_no_part_missing():
    answer = "**Answer:** yes\n\n* ReLU can cause dead neurons, for ever.\nTrue.\n\n* It is linear?\nFalse.\n\n"
    question = "loss-4-question", GIVEN["loss-4-question"]
    quoted = '> ReLU can cause "dead" neurons: activations that stay at a constant value of zero.\n\nTrue, for ever.'
    missing, perhaps, texts = answers("loss-section", question, answer + quoted, question="loss-4")
    assert missing == [] and perhaps == ["A", "B"] and "for ever" in texts["C"]


def test_a_reworded_question_in_several_cells_with_answers_between():
    def change(name, text):
        first, *statements = text.split("\n    1. ")
        return [first, *(f"4.{at}. {each}\n<b>Answer 4.{at}:</b> XY{at}ZY" for at, each in enumerate(statements, 1))]

    found, notebook = reworded(change)
    assert [f"XY{at}ZY" in text for at, text in enumerate(shown(found, notebook, "loss-4").values(), 1)] == [True] * 3


def test_a_question_that_the_student_reworded_with_an_unmarked_answer_below():
    cells = ["cnn-section", "cnn-1-question", "It is an area."]
    cells += ["dropout-section", ("dropout-1-question", f"{REWORDED['dropout-1']}\n\nNo, zeros stay zeros.")]
    found, notebook = read(cells_of(*cells, "dropout-2-question"))
    assert shown(found, notebook, "dropout-1")[""].strip(". \n") == "No, zeros stay zeros"
    assert asked(found, "dropout-2").missing == [""]
    assert any(remark.text == "the given cell dropout-1-question is edited" for remark in found.remarks)


@pytest.mark.parametrize(
    "text",
    [
        "### Losses and activation functions Answers:\n{}",
        "## My solutions\n\n{}",
        "**Answers**\n\n{}",
    ],
)
def test_a_list_under_a_heading_answers_each_question_by_its_number(text):
    listed = (
        "1. Cross-entropy. $\\\\$\nFor 0.9 it is less.\n2. They vanish:\na. depth\nb. sigmoid\n3. i do not agree.\n"
    )
    listed += "4. i. **false**. dead\nii. **false**. constant\niii. **true**. it can"
    cells = cells_of("loss-section", *(f"loss-{number}-question" for number in range(1, 5)), text.format(listed))
    found, notebook = read(cells)
    assert [asked(found, f"loss-{number}").missing for number in range(1, 5)] == [[], [], [], []]
    assert "vanish" in shown(found, notebook, "loss-2")[""] and "sigmoid" in shown(found, notebook, "loss-2")[""]
    assert "constant" in shown(found, notebook, "loss-4")["B"]


def test_a_list_numbers_the_questions_as_the_submission_does():
    other = "1. Which of the two layers below drops more?"
    second, third = GIVEN["dropout-1-question"].split("\n\n")[1], GIVEN["dropout-2-question"].split("\n\n", 1)[1]
    texts = ["## Dropout", other, f"2. {second}", f"3. {third}", "### Dropout answers\n1. Both.\n2. No.\n3. As $E=x$."]
    found, notebook = read(cells_of(*texts), ids=False)
    assert shown(found, notebook, "dropout-1") == {"": "2. No."}
    assert shown(found, notebook, "dropout-2") == {"": "### Dropout answers3. As $E=x$."}


def numbered(name, number, heading=False):
    """Return a question's text under a number alone or, with `heading`, as the reference has it."""
    text = GIVEN[f"{name}-question"]
    return (f"{name}-question", text) if heading else f"{number}. " + text.split("\n\n", 1)[1]


@pytest.mark.parametrize("heading", [False, True])
def test_a_list_below_questions_of_another_edition_answers_those_of_the_reference(heading):
    title = "### Question {}\n\n" if heading else "{}. "
    other = [f"{title.format(2)}Why is a limit needed?", f"{title.format(3)}Calculate the same with autograd."]
    listed = "### Backpropagation answers:\n1. By the chain rule.\n2. i. **False**. Limits\nii. True.\n3. Done."
    cells = ["backprop-section", numbered("backprop-1", 1, heading), *other, listed]
    missing, perhaps, texts = answers(*cells, question="backprop-1", ids=False)
    assert (missing, perhaps, texts) == ([], [], {"": "1. By the chain rule."})


def test_a_list_answers_the_questions_around_inserted_ones():
    other = ["2. Why is that?", "3. Write the shape of the tensor."]
    cells = ["cnn-section", numbered("cnn-1", 1), *other, numbered("cnn-2", 4), "5. Why?", "6. Draw the filters."]
    listed = "### CNN answers:\n1. pixels\n2. so\n3. (1, 2)\n4. kernels\n5. so\n6. drawn"
    found, notebook = read(cells_of(*cells, listed), ids=False)
    assert shown(found, notebook, "cnn-1") == {"": "1. pixels"}
    assert shown(found, notebook, "cnn-2") == {"": "4. kernels"}
    assert asked(found, "cnn-3").missing == asked(found, "cnn-4").missing == [""]


@pytest.mark.parametrize(
    "below", ["**Answer 2:** 0.28", "**Answer:** 0.28", "2.1. Explain.\n<b>Answer 2.1: no</b> it is less."]
)
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("heading", [True, False])
def test_an_inserted_question_is_not_the_deleted_one_of_its_number(below, apart, heading):
    other = "### Question 2\n\n" if heading else "2. "
    other += "State the rate at which the two layers below drop together."
    cells = ["dropout-section", numbered("dropout-1", 1, heading), "**Answer:** no"]
    cells += [other, below] if apart else [f"{other}\n\n{below}"]
    found, notebook = read(cells_of(*cells), ids=False)
    assert shown(found, notebook, "dropout-1") == {"": "**Answer:** no"}
    assert shown(found, notebook, "dropout-2") == {}
    assert asked(found, "dropout-2").missing == [""] and asked(found, "dropout-2").deleted


def test_an_inserted_question_with_code_is_not_the_deleted_one_of_its_number():
    other = ["2. Calculate the derivatives of the snippet numerically.", "cnn-3-snippet", "**Answer 2:** by hand."]
    cells = ["backprop-section", numbered("backprop-1", 1), "**Answer:** the chain rule.", *other]
    found, notebook = read(cells_of(*cells), ids=False)
    assert shown(found, notebook, "backprop-1") == {"": "**Answer:** the chain rule."}
    assert shown(found, notebook, "backprop-2") == {}


@pytest.mark.parametrize(
    "texts",
    [["**Answer 2:** $E=x$."], ["### Question 2", "**Answer:** $E=x$."], ["### Question 2\n\nLet us see: $E=x$."]],
)
def test_a_deleted_question_is_answered_under_its_number(texts):
    cells = ["dropout-section", "dropout-1-question", "**Answer:** no", *texts]
    missing, perhaps, found = answers(*cells, question="dropout-2", ids=False)
    assert (missing, perhaps) == ([], []) and "E=x" in found[""]


def test_answers_under_ordinal_numbers():
    answers = "1st question answers:\nCross-entropy.\n\n4th question answers:\n1. No.\n2. No.\n3. Yes."
    cells = cells_of("loss-section", *(f"loss-{number}-question" for number in range(1, 5)), answers)
    found, notebook = read(cells)
    assert "entropy" in shown(found, notebook, "loss-1")[""]
    assert asked(found, "loss-4").missing == [] and "Yes" in shown(found, notebook, "loss-4")["C"]
    assert asked(found, "loss-2").missing == [""]


def test_parts_whose_labels_hold_the_questions_number():
    first, *statements = LETTERED.split(GIVEN["loss-4-question"])
    boxes = [f"{text[7:]}\n<div><b>Answer 4.{at}: No.</b> XY{at}ZY</div>" for at, text in enumerate(statements, 1)]
    question = "loss-4-question", "\n\n".join([first, *boxes])
    missing, perhaps, texts = answers("loss-section", question, question="loss-4")
    assert (missing, perhaps) == ([], [])
    assert ["XY1ZY" in texts["A"], "XY2ZY" in texts["B"], "XY3ZY" in texts["C"]] == [True] * 3


def test_letters_without_a_space_and_numbers_that_count_on():
    text = "**Answer**:\nA.two reasons: memory\n1.as one sample is less\n\nB.Where data never end"
    missing, perhaps, texts = answers("opt-section", "opt-2-question", text, question="opt-2")
    assert (missing, perhaps) == ([], []) and "never" in texts["B"] and "as one" in texts["A"]
    cells = "opt-section", "opt-2-question", "3. Less memory.\n4. Endless data."
    assert answers(*cells, question="opt-2")[:2] == ([], [])


def test_what_stands_below_a_section_of_the_submissions_own_is_no_answer():
    cells = ["gnn-section", "gnn-1-question", "1. " + GIVEN["gnn-2-question"].split("\n\n", 1)[1]]
    cells += ["## Segmentation", "1. What is the Dice score?", "2. Which of the two detectors has one stage?"]
    found, notebook = read(cells_of(*cells), ids=False)
    assert asked(found, "gnn-2").missing == [""], shown(found, notebook, "gnn-2")


def test_what_is_given_and_what_is_added_is_told_word_by_word():
    question = GIVEN["dropout-1-question"]
    source = question.replace("**True or false**", "__True  or false__").replace("may be", "may  be") + " I say no."
    found, notebook = read(cells_of("dropout-section", ("dropout-1-question", source)))
    given = "".join(source[start:end] for start, end in found.cells[1].given)
    added = "".join(source[start:end] for start, end in found.cells[1].added)
    assert "activation function" in given and "I say" not in given
    assert added.strip(" .") == "I say no"
    assert not any("dropout-1" in remark.text for remark in found.remarks)


def test_comparing_again_what_was_compared_finds_the_same():
    for seed in range(12):
        form = forms.Writer(REFERENCE, seed).write()
        notebook = read_notebook(nbformat.writes(form.notebook).encode(), "form")
        once, again = compare(notebook, REFERENCE), compare(notebook, REFERENCE)
        assert once.questions == again.questions
        assert once.cells == again.cells


def test_generated_forms_come_out_right():
    figures, faults = forms.run(60, 0)
    assert faults == []
    assert figures.answered > 2000 and figures.perhaps <= 0.02 * figures.answered


SLOT = "**Answer:** **{}.** {}"
BLANK = "*Write your answer here.*"


def filled(name, texts, ids):
    """Return what is missing, perhaps answered, and shown of the question `name`, as `answers` does.

    `texts` are the cells below it, as `cells_of` takes them.
    """
    return answers(f"{name.split('-')[0]}-section", f"{name}-question", *texts, question=name, ids=ids)


def slots(name, *texts):
    """Return the answer cells of the question `name` by their ids, each with its text."""
    return [(f"{name}-answer-{part}", text) for part, text in zip("abc", texts, strict=False)]


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("text", ["XYZZY for streams", "**Answer:** XYZZY for streams"])
@pytest.mark.parametrize("first", [SLOT, "**A.** {1}", "{1}"])
def test_a_text_in_or_below_the_cell_of_a_part_answers_it_without_a_letter(ids, text, first):
    one = first.format("A", "cheaper steps")
    blank = SLOT.format("B", BLANK)
    for cells in [slots("opt-2", one, text), [*slots("opt-2", one, blank), text]]:
        missing, perhaps, texts = filled("opt-2", cells, ids)
        assert (missing, perhaps) == ([], [])
        assert first == "{1}" or ("XYZZY" in texts["B"] and "XYZZY" not in texts["A"])


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("lettered", ["A", "AC", "C", "B", "AB"])
def test_parts_of_three_cells_of_which_some_kept_their_letters(ids, lettered):
    given = [SLOT.format(part, f"XY{part}ZY") if part in lettered else f"XY{part}ZY" for part in "ABC"]
    missing, perhaps, texts = filled("loss-4", slots("loss-4", *given), ids)
    assert (missing, perhaps) == ([], [])
    assert [f"XY{part}ZY" in texts[part] for part in "ABC"] == [True] * 3


@pytest.mark.parametrize("ids", [True, False])
def test_a_new_cell_in_the_place_of_a_parts_cell_answers_it(ids):
    one, _, three = slots("loss-4", SLOT.format("A", "no"), "", SLOT.format("C", "yes"))
    missing, perhaps, texts = filled("loss-4", [one, "XYZZY", three], ids)
    assert (missing, perhaps) == ([], []) and texts["B"] == "XYZZY"


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("text", ["**B.** XYZZY", "**Answer:** **B.** XYZZY", "XYZZY", "**Answer:** XYZZY"])
def test_only_the_second_part_answered_below_its_cell_leaves_the_first_missing(ids, text):
    cells = slots("opt-2", SLOT.format("A", BLANK), SLOT.format("B", BLANK))
    missing, perhaps, texts = filled("opt-2", [*cells, text], ids)
    assert (missing, perhaps, list(texts)) == (["A"], [], ["B"])


def test_a_plain_cell_below_an_empty_one_where_the_next_parts_cell_was_is_perhaps_an_answer_to_either():
    missing, perhaps, texts = filled("opt-2", [SLOT.format("A", BLANK), "XYZZY"], False)
    assert (missing, perhaps, texts) == ([], ["A", "B"], {"A": "XYZZY", "B": "XYZZY"})


def handed_out():
    """Return the cells of the reference with empty answers, for `cells_of`."""
    blank = "**Answer:** " + BLANK
    return [
        (cell.id, SLOT.format(part_of(cell), BLANK) if part_of(cell) else blank) if role(cell) == "answer" else cell.id
        for cell in REFERENCE.notebook.cells
        if role(cell) not in ("note", "evidence")
    ]


@pytest.mark.parametrize(
    "form",
    [
        "### {id}\n\n{text}",
        "**{id}**: {text}",
        "**Answer to {id}:** {text}",
        "{id}: {text}",
        "{id} - {text}",
        "{heading}\n\n{text}",
    ],
)
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("ids", [True, False])
def test_answers_at_the_end_belong_to_the_questions_whose_ids_they_name(form, apart, ids):
    names = ["cnn-2", "loss-1", "cnn-4"]
    texts = [
        form.format(id=name, text=f"XY{name}ZY stride", heading=GIVEN[f"{name}-question"].split("\n")[0])
        for name in names
    ]
    texts = [cut for text in texts for cut in text.split("\n\n")] if apart else ["\n\n".join(texts)]
    given = handed_out()
    found, notebook = read(cells_of(*given, *texts), ids)
    blank, _ = read(cells_of(*given), ids)
    for name in names:
        assert (asked(found, name).missing, asked(found, name).perhaps) == ([], [])
        assert [f"XY{each}ZY" in shown(found, notebook, name)[""] for each in names] == [each == name for each in names]
    unasked = [question for question in blank.questions if question.id not in names]
    assert [each.missing for each in found.questions if each.id not in names] == [each.missing for each in unasked]


@pytest.mark.parametrize("name", ["opt-2 B", "opt-2-b", "**opt-2 (b)**", "### opt-2 B\n\n"])
def test_an_answer_at_the_end_may_name_a_part_beside_the_id(name):
    given = handed_out()
    found, notebook = read(cells_of(*given, f"{name}: XYZZY"))
    assert (asked(found, "opt-2").missing, asked(found, "opt-2").perhaps) == (["A"], [])
    assert "XYZZY" in shown(found, notebook, "opt-2")["B"]


@pytest.mark.parametrize("text", ["### cnn-2", "cnn-2:", "### Question 2 (cnn-2): three ways to control its growth"])
def test_the_id_of_a_question_alone_is_no_answer(text):
    given = handed_out()
    found, _ = read(cells_of(*given, text))
    assert asked(found, "cnn-2").missing == asked(found, "gnn-2").missing == [""]


@pytest.mark.parametrize("ids", [True, False])
def test_an_answer_at_the_end_without_a_letter_answers_all_parts(ids):
    found, _ = read(cells_of(*handed_out(), "opt-2: XYZZY"), ids)
    assert (asked(found, "opt-2").missing, asked(found, "opt-2").perhaps) == ([], [])


def test_a_long_line_of_marks_costs_no_time():
    assert REFERENCE.named("-*" * 100_000 + " cnn-2:")[0] is None


def test_the_statements_of_another_edition_quoted_in_the_answer_are_its_marks():
    def change(name, text):
        first, *statements = text.split("\n    ")
        quoted = [f"* {each[3:]}\nXY{at}ZY, never." for at, each in enumerate(statements, 1)]
        return [text, "<b>Answer:</b>\n\n" + "\n\n".join(quoted or ["XY1ZY"])]

    found, notebook = reworded(change)
    for name in REWORDED:
        texts = shown(found, notebook, name)
        assert (asked(found, name).missing, asked(found, name).perhaps) == ([], []), name
        if asked(found, name).parts != [""]:
            assert [f"XY{at}ZY" in text for at, text in enumerate(texts.values(), 1)] == [True] * len(texts), name
            assert not any("sentences about" in text or "dead neurons" in text for text in texts.values())


def test_answers_to_the_questions_of_another_section_below_its_heading_are_none_of_the_section_before():
    cells = ["gnn-section", "gnn-1-question", "A. rows B. zeros", "gnn-2-question"]
    cells += ["## Segmentation", "### Question 1\n\nWhat is the Dice score?", "**Answer 1:** twice the area"]
    cells += ["### Question 2\n\nWhich of the two detectors has one stage?", "**Answer 2:** the first"]
    found, notebook = read(cells_of(*cells))
    assert asked(found, "gnn-2").missing == [""] and shown(found, notebook, "gnn-2") == {}
    assert "twice" not in "".join(shown(found, notebook, "gnn-1").values())


def states(cells, ids, *names):
    """Return for each of the questions `names` what is said of it: "missing", "perhaps", or its text."""
    found, notebook = read(cells_of(*cells), ids)
    said = []
    for name in names:
        question, text = asked(found, name), "".join(dict.fromkeys(shown(found, notebook, name).values()))
        said.append("missing" if question.missing else f"perhaps {text}" if question.perhaps else text)
    return said


ONE, TWO = "dropout-1-question", "dropout-2-question"
LONE, INSERTED = "2. The scale keeps the mean.", "2. State the rate at which the two layers drop together."


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    ("cells", "first", "second"),
    [
        ([ONE, LONE, TWO], f"perhaps {LONE}", f"perhaps {LONE}"),
        ([ONE, "No.", LONE, TWO], f"No.{LONE}", f"perhaps {LONE}"),
        ([ONE, "1. No.", LONE, TWO], f"1. No.{LONE}", f"perhaps {LONE}"),
        ([ONE, LONE, TWO, "By hand."], LONE, "By hand."),
        ([ONE, INSERTED, "It is 0.28.", TWO, "By hand."], f"perhaps {INSERTED}It is 0.28.", "By hand."),
        ([ONE, "No.", INSERTED, "It is 0.28.", TWO], "No.", "missing"),
        ([ONE, "No.", "2. Which of both drops more?", "It is 0.28.", TWO, "By hand."], "No.", "By hand."),
        (
            [ONE, "1. No.", "2. State and scale are kept.", TWO, "By hand."],
            "1. No.2. State and scale are kept.",
            "By hand.",
        ),
    ],
)
def test_a_bare_number_below_another_question(ids, cells, first, second):
    assert states(["dropout-section", *cells], ids, "dropout-1", "dropout-2") == [first, second]


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("answer", ["The expectation is x.", "**Answer:** The expectation is x."])
def test_an_answer_below_the_next_sections_heading_is_perhaps_one_to_the_question_above_it(ids, answer):
    cells, names = (
        ["dropout-section", ONE, "No.", TWO, "loss-section", answer, "loss-1-question"],
        ("dropout-2", "loss-1"),
    )
    assert states([*cells, "entropy"], ids, *names) == [f"perhaps {answer}", "entropy"]
    assert states(cells, ids, *names) == [f"perhaps {answer}"] * 2
    below = "loss-section", f"{GIVEN['loss-section']}\n\n{answer}"
    assert states([*cells[:4], below, "loss-1-question", "entropy"], ids, *names) == [f"perhaps {answer}", "entropy"]
    assert states([*cells[:4], "loss-section", answer, "opt-section", "opt-1-question"], ids, "dropout-2") == [
        f"perhaps {answer}"
    ]


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    "answer",
    [
        ["**Answer 2:** XYZZY"],
        ["2. XYZZY"],
        ["2) XYZZY"],
        ["### Question 2", "XYZZY"],
        ["dropout-2: XYZZY"],
        [GIVEN[TWO].split("\n")[0], "XYZZY"],
        ["> " + GIVEN[TWO].split("\n\n", 1)[1] + "\n\nXYZZY"],
        [GIVEN[TWO], "XYZZY"],
        [GIVEN[TWO] + "\n\n**Answer:** XYZZY"],
    ],
)
@pytest.mark.parametrize("last", [[], ["sigmoid"]])
def test_an_answer_below_the_next_sections_heading_goes_to_the_question_that_its_mark_names(ids, answer, last):
    cells = ["dropout-section", ONE, "No.", TWO, "loss-section", *answer, "loss-1-question", "entropy"]
    first, second, third = states([*cells, "loss-2-question", *last], ids, "dropout-2", "loss-1", "loss-2")
    assert "XYZZY" in first and "perhaps" not in first
    assert (second, third) == ("entropy", "sigmoid" if last else "missing")


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    "other",
    ["### Question 3\n\nWhich layer drops more?", "3. Which layer drops more?", "**Question 3.** Name a third way."],
)
def test_a_list_without_a_heading_below_an_inserted_question(ids, other):
    listed = "1. No.\n2. By hand.\n3. The first."
    for cells in ([ONE, TWO, other], [ONE, other, TWO]):
        assert states(["dropout-section", *cells, listed], ids, "dropout-1", "dropout-2") == ["1. No.", "2. By hand."]
    found = states(["dropout-section", ONE, "No.", TWO, "By hand.", other, listed], ids, "dropout-1", "dropout-2")
    assert found == ["No.", "By hand."]


def test_a_list_without_a_heading_answers_the_questions_around_inserted_ones():
    other = ["2. Why is that?", "3. Write the shape of the tensor."]
    cells = ["cnn-section", numbered("cnn-1", 1), *other, numbered("cnn-2", 4), "5. Why?", "6. Draw the filters."]
    listed = "1. pixels\n2. so\n3. (1, 2)\n4. kernels\n5. so\n6. drawn"
    assert states([*cells, listed], False, "cnn-1", "cnn-2", "cnn-3") == ["1. pixels", "4. kernels", "missing"]
