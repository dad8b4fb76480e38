"""Habits of students that neither the generator of forms nor the filed cases have, each with its truth."""

import pytest
from nbformat.v4 import new_code_cell, new_raw_cell

from tests.notebook.test_answers import GIVEN, asked, cells_of, read, shown

CNN = ["cnn-section", "cnn-1-question", "cnn-2-question", "cnn-3-question", "cnn-3-snippet", "cnn-4-question"]
DROPOUT = ["dropout-section", "dropout-1-question", "dropout-2-question"]
LOSS = ["loss-section", "loss-1-question", "loss-2-question", "loss-2-snippet", "loss-3-question", "loss-4-question"]
FOUR = {"cnn-1": "pixels", "cnn-2": "stride", "cnn-3": "112", "cnn-4": "identity"}
TWO = {"dropout-1": "anywhere", "dropout-2": "E=x"}


def code(source):
    return new_code_cell(source)


def judged(cells, ids=True):
    """Return {question: what is said of it} for those with an answer, certain or not: (state, text)."""
    made = [cell for each in cells for cell in (cells_of(each) if not isinstance(each, dict) else [each])]
    for number, cell in enumerate(made):
        cell.id = cell.id if cell.id in GIVEN else f"mine-{number}"
    found, notebook = read(made, ids)
    said = {}
    for question in found.questions:
        text = "".join(dict.fromkeys(shown(found, notebook, question.id).values()))
        if question.perhaps or text:
            said[question.id] = ("perhaps" if question.perhaps else "missing" if question.missing else "answered", text)
    return said


def check(cells, truth, ids=True):
    """Assert that each question of `truth` is answered with its word and no other's, and no other question."""
    said = judged(cells, ids)
    assert {name: state for name, (state, _) in said.items()} == dict.fromkeys(truth, "answered"), said
    for name, (_, text) in said.items():
        assert [word for word in truth.values() if word in text] == [truth[name]], said


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    "form",
    [
        *(
            "**CNN 1:** {} / **CNN 2:** {} / **CNN 3:** {} / **CNN 4:** {}",
            "CNN_1: {} / cnn2) {} / CNN #3 - {} / CNNs Q4: {}",
        ),
        *(
            "#1 {} / #2 {} / #3 {} / #4 {}",
            "**1** {} / **2** {} / **3** {} / **4** {}",
            "Ans1. {} / Ans2. {} / Ans3. {} / Ans4. {}",
        ),
        *("#### 1 / {} / #### 2 / {} / #### 3 / {} / #### 4 / {}", "A1: {} / A2: {} / A3: {} / A4: {}"),
        *("第1题：{} / 第2题：{} / 第3题：{} / 第4题：{}", "Frage 1: {} / Aufgabe 2: {} / Frage 3) {} / Frage 4 - {}"),
        "First question: {} / Second question: {} / Third question: {} / Fourth question: {}",
        *("zu 1: {} / zu 2: {} / zu 3: {} / zu 4: {}", "ad 1) {} / ad 2) {} / ad 3) {} / ad 4) {}"),
        *("First: {} / Second: {} / Third: {} / Fourth: {}", "one) {} / two) {} / three) {} / four) {}"),
        *("Nr. 1 {} / Nr. 2 {} / Nr. 3 {} / Nr. 4 {}", "n° 1 {} / n° 2: {} / nº 3 {} / N° 4 - {}"),
        *("№ 1: {} / № 2: {} / № 3: {} / № 4: {}", "No.1: {} / No. 2: {} / Number 3: {} / Num. 4: {}"),
        "Question one: {} / Answer two: {} / Question number three: {} / **Question four**\n{}",
        "Erste Frage: {} / Zu Frage 2: {} / Aufgabe drei: {} / Zur Frage Nr. 4: {}",
        "Pregunta 1: {} / Pregunta dos: {} / Tercera pregunta: {} / Pregunta n.º 4: {}",
        *(
            "שאלה 1: {} / שאלה שתיים: {} / שאלה מספר 3: {} / שאלה 4 - {}",
            "第一题：{} / 第二题：{} / 第三题：{} / 第四题：{}",
        ),
        *("Re 1: {} / Regarding question 2: {} / On 3: {} / Re question 4: {}", "Q1 {} / Q.2 {} / Q 3 {} / Ex. 4: {}"),
        "**Answers:** 1) {} 2) {} 3) {} 4) {}",
        "| Question | Answer |\n| --- | --- |\n| 1 | {} |\n| 2 | {} |\n| 3 | {} |\n| 4 | {} |",
        "<table><tr><th>Q</th><th>Answer</th></tr><tr><td>1</td><td>{}</td></tr><tr><td>2</td><td>{}</td></tr>"
        "<tr><td>3</td><td>{}</td></tr><tr><td>4</td><td>{}</td></tr></table>",
        "| cnn-1 | {} |\n| cnn-2 | {} |\n| cnn-3 | {} |\n| cnn-4 | {} |",
    ],
)
@pytest.mark.parametrize("apart", [True, False])
def test_one_cell_at_the_end_answers_a_section_under_numbers_of_any_form(form, apart, ids):
    text = form.format(*FOUR.values())
    check([*CNN, *(text.split(" / ") if apart else ["\n\n".join(text.split(" / "))])], FOUR, ids)


BY_SECTION = {(1, 1): "cnn-1", (1, 2): "cnn-2", (1, 4): "cnn-4", (2, 1): "dropout-1", (2, 2): "dropout-2"}
BY_SECTION |= {(3, 1): "loss-1", (3, 3): "loss-3"}


def by_section(form, some=BY_SECTION):
    """Return the answers to `some` questions, each with its numbers in the words of `form`, and the truth."""
    truth = {name: f"XY{name}ZY" for name in some.values()}
    named = {1: "CNN", 2: "Dropout", 3: "Loss"}
    return [form.format(s=s, q=q, name=named[s], text=truth[name]) for (s, q), name in some.items()], truth


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("way", ["one cell", "cells", "before all", "code", "below the first section"])
@pytest.mark.parametrize(
    "form",
    [
        *("{s}.{q} {text}", "{s}.{q}. {text}", "Q{s}.{q}: {text}", "**{s}.{q}** {text}", "({s}.{q}) {text}"),
        *("Section {s}, question {q}: {text}", "{name}.{q}: {text}", "S{s}Q{q}: {text}", "- {s}-{q}: {text}"),
        *("Kapitel {s}, Frage {q}: {text}", "Answer {s}.{q}: {text}", "### {s}.{q}\n{text}", "Part {s} Q{q} - {text}"),
    ],
)
def test_answers_numbered_by_section_and_question_go_to_their_questions(form, way, ids):
    texts, truth = by_section(form)
    listed = "\n\n".join(texts)
    below = {"one cell": [listed], "cells": texts, "code": [code(f'"""\n{listed}\n"""')]}.get(way, [])
    first, middle = ([listed] if way == each else [] for each in ("before all", "below the first section"))
    check([*first, *CNN, *middle, *DROPOUT, *LOSS, *below], truth, ids)


@pytest.mark.parametrize("form", ["{s}.{q} {text}", "{s}.{q}: {text}", "Question {s}.{q}: {text}"])
def test_a_list_of_one_section_is_told_from_the_steps_of_an_answer(form):
    for number in (1, 2):
        texts, truth = by_section(form, {key: name for key, name in BY_SECTION.items() if key[0] == number})
        check([*CNN, *DROPOUT, "\n".join(texts)], truth)
    texts, _ = by_section(form, {(2, 1): "dropout-1", (2, 2): "dropout-2"})
    check([*DROPOUT[:2], "anywhere", DROPOUT[2], "\n".join(["E=x", *texts])], TWO)
    steps = [text.replace("2.", "1.") for text in texts]
    check([*CNN, DROPOUT[0], DROPOUT[1], "\n".join(["anywhere", *steps])], {"dropout-1": "anywhere"})


def test_decimal_numbers_and_numbered_parts_are_no_sections():
    check([*DROPOUT[:2], "1.1 times as often\n\n1.5 times: anywhere", DROPOUT[2], "E=x"], TWO)
    listed = "4.1 dead\n4.2 constant\n4.3 yes"
    assert judged([*CNN, *LOSS, listed]) == {"loss-4": ("answered", listed)}


@pytest.mark.parametrize(
    "text", ["No. 4 layers are enough: anywhere.", "Two: anywhere", "On 4 layers, anywhere", "First we say: anywhere"]
)
def test_a_number_in_an_answers_first_words_names_no_question(text):
    check([*DROPOUT[:2], text, DROPOUT[2], "E=x"], TWO)


def test_a_chapter_of_answers_whose_sections_are_named_without_a_heading():
    text = "CNN\n1) pixels\n2) stride\n3) 112\n4) identity\n\nDropout:\n1) anywhere\n2) E=x"
    check([*CNN, *DROPOUT, text], FOUR | TWO)


def test_numbers_that_leave_out_one_are_those_of_the_questions():
    check([*CNN, "1. pixels\n\n3. 112"], {"cnn-1": "pixels", "cnn-3": "112"})


@pytest.mark.parametrize(
    "text",
    [
        *("a) pixels\nb) stride\nc) 112\nd) identity", "i) pixels\nii) stride\niii) 112\niv) identity"),
        *("![](all-four.png)", '<img src="scan.jpg">'),
        "#### What is it?\npixels\n#### Three ways\nstride\n#### How large?\n112\n#### And these?\nidentity",
    ],
)
def test_what_may_answer_a_whole_section_makes_nothing_missing(text):
    said = judged([*CNN, *text.split("\n")] if text.startswith("####") else [*CNN, text])
    assert {name: state for name, (state, _) in said.items()} == {**dict.fromkeys(FOUR, "perhaps"), "cnn-4": "answered"}


def test_two_questions_in_one_cell_with_two_answers_below():
    both = "\n\n".join(GIVEN[name] for name in DROPOUT[1:])
    assert [state for state, _ in judged([DROPOUT[0], both, "anywhere", "E=x"], ids=False).values()] == [
        "perhaps",
        "answered",
    ]
    check(["\n\n".join([GIVEN[DROPOUT[1]], "anywhere", GIVEN[DROPOUT[2]], "E=x"])], TWO, ids=False)


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    "source",
    [
        *("# Q1: anywhere\n# Q2: E=x is kept", "# Question 1 - anywhere\n\n# Question 2 - E=x\nprint(1)"),
        *('"""\nAnswers\n1. anywhere\n2. E=x is kept\n"""', 'text = """\nAnswer 1: anywhere\nAnswer 2: E=x\n"""'),
        *("# dropout-1\n# anywhere\n# dropout-2\n# E=x", '{\n "dropout-1": "anywhere",\n "dropout-2": "E=x",\n}'),
        'answers = {\n "dropout-1": "anywhere",\n "dropout-2": "E=x",\n}',
    ],
)
def test_answers_in_the_comments_and_texts_of_code(source, ids):
    check([*DROPOUT, code(source)], TWO, ids)


@pytest.mark.parametrize(
    "said", ["(no, anywhere)", "NO IT CAN BE anywhere", "[wrong: anywhere]", "-> false, anywhere <-"]
)
@pytest.mark.parametrize("at", ["put", "only", "the activation"])
def test_an_answer_typed_inside_the_questions_sentence(said, at):
    changed = DROPOUT[1], GIVEN[DROPOUT[1]].replace(at, f"{at} {said}", 1)
    check([DROPOUT[0], changed, DROPOUT[2]], {"dropout-1": "anywhere"})


CHOICE = "**True or false**"


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    "chosen",
    [
        *(
            "False",
            "**False**",
            "~~True or~~ **False**",
            "**~~True~~ false**",
            "<s>True</s> or false",
            "True or **false**",
        ),
        *(
            "True or FALSE",
            "<del>True or</del> False",
            "True or ==False==",
            "True or <mark>false</mark>",
            "<u>False</u>",
        ),
    ],
)
@pytest.mark.parametrize("name", ["dropout-1", "opt-5"])
def test_one_of_two_given_alternatives_that_was_left_or_marked_is_the_answer(chosen, name, ids):
    question = f"{name}-question", GIVEN[f"{name}-question"].replace(CHOICE, chosen)
    found, notebook = read(cells_of(f"{name[:-2]}-section", question), ids)
    assert (asked(found, name).missing, asked(found, name).perhaps) == ([], [])
    assert "false" in shown(found, notebook, name)[""].lower() and "the" not in shown(found, notebook, name)[""]
    (remark,) = [remark for remark in found.remarks if "is edited" in remark.text]
    assert f"-{CHOICE}" in remark.diff


@pytest.mark.parametrize("changed", ["", "true or false", "True  or false", "Is it true that", "**Wahr oder falsch**"])
def test_alternatives_of_which_none_or_both_are_left_answer_nothing(changed):
    question = DROPOUT[1], GIVEN[DROPOUT[1]].replace(CHOICE, changed)
    assert judged([DROPOUT[0], question, DROPOUT[2]]) == {}


def test_an_alternative_struck_out_for_all_parts_is_perhaps_an_answer_to_them():
    question = LOSS[-1], GIVEN[LOSS[-1]].replace("true or false", "~~true or~~ false")
    assert judged([*LOSS[:-1], question])["loss-4"][0] == "perhaps"


@pytest.mark.parametrize(
    "words",
    [
        *("(Wahr oder falsch)", "/ Vrai ou faux", "[Verdadero o falso?]", "(נכון או לא נכון)", "(верно или неверно)"),
        *("(correct or not correct)", "**(richtig oder falsch)**"),
    ],
)
def test_the_alternatives_in_another_language_are_no_answer(words):
    text = GIVEN[DROPOUT[1]]
    for changed in (text.replace(CHOICE, f"{CHOICE} {words}"), f"{text} {words}", f"{text}\n\n{words}"):
        assert judged([DROPOUT[0], (DROPOUT[1], changed), DROPOUT[2]]) == {}, changed
        check([DROPOUT[0], (DROPOUT[1], f"{changed}\n\nNo, anywhere."), DROPOUT[2]], {"dropout-1": "anywhere"})


@pytest.mark.parametrize(
    "words",
    [
        "Wahr oder falsch: der einzige Ort, an dem Dropout stehen darf, ist nach der Aktivierungsfunktion.",
        "(¿Verdadero o falso? El dropout sólo puede ponerse después de la activación, ¿sí?)",
    ],
)
@pytest.mark.parametrize("between", [" ", "\n\n", "<br>"])
def test_the_question_in_another_language_is_no_answer(words, between):
    text = f"{GIVEN[DROPOUT[1]]}{between}{words}"
    assert judged([DROPOUT[0], (DROPOUT[1], text), DROPOUT[2]]) == {}
    check([DROPOUT[0], (DROPOUT[1], f"{text}\n\nNo, anywhere."), DROPOUT[2]], {"dropout-1": "anywhere"})
    check([*DROPOUT[:2], "Wahr oder falsch? Falsch, anywhere", DROPOUT[2], "E=x"], TWO)


@pytest.mark.parametrize("text", ["~~anywhere~~", "<del>anywhere</del> TODO"])
def test_what_was_struck_out_is_no_answer(text):
    check([*DROPOUT[:2], text, DROPOUT[2], "E=x"], {"dropout-2": "E=x"})


@pytest.mark.parametrize("word", ["really", "possibly ever", "(wirklich)", "(tatsächlich je)"])
def test_a_word_more_in_the_questions_sentence_is_no_answer(word):
    changed = DROPOUT[1], GIVEN[DROPOUT[1]].replace("put", f"put {word}", 1)
    assert judged([DROPOUT[0], changed, DROPOUT[2]]) == {}


def test_a_table_with_a_column_of_verdicts():
    rows = "| part | T/F | why |\n|--|--|--|\n| 4A | F | dead |\n| 4B | F | constant |\n| 4C | T | yes |"
    found, notebook = read(cells_of(*LOSS, rows))
    assert [
        word in text
        for word, text in zip(
            ["dead", "constant", "yes"], list(shown(found, notebook, "loss-4").values())[1:], strict=True
        )
    ] == [True] * 3
    assert asked(found, "loss-4").missing == []


@pytest.mark.parametrize(
    "text",
    [
        *("_Ihre Antwort hier_", "*(Schreiben Sie Ihre Lösung in diese Zelle)*", "Hier die Antwort eintragen ..."),
        *("Votre réponse ici :", "Remplacez ce texte par votre réponse.", "Escriba aquí su respuesta"),
        *(
            "Reemplaza este texto con tu respuesta",
            "כתבו כאן את תשובתכם",
            "תשובה: (למחוק ולכתוב כאן)",
            "在此处填写答案",
        ),
        *("请在这里输入你的答案", "（在这里作答）", "Replace this text with your answer.", "YOUR ANSWER HERE", "✍️"),
        *("Напишите здесь свой ответ", "Sostituisci questo testo con la tua risposta", "👉 **Ans:**"),
    ],
)
def test_placeholders_left_and_placeholders_answered_below(text):
    check([*DROPOUT[:2], text, DROPOUT[2], f"{text}\n\nE=x"], {"dropout-2": "E=x"})


def test_pictures_alone_are_answers():
    check([*DROPOUT[:2], "![](anywhere.png)", DROPOUT[2], '<img src="E=x.jpg">'], TWO)
    letters = "\n\n".join(f"{part}.\n\n![](attachment:4{part}.png)" for part in "ABC")
    check([*LOSS, letters], {"loss-4": "4A"})


def test_questions_that_stand_a_second_time_with_their_answers():
    again = [GIVEN[DROPOUT[1]], "anywhere", GIVEN[DROPOUT[2]], "E=x"]
    check([*DROPOUT, *LOSS, *again], TWO, ids=False)
    check([*DROPOUT[:2], *again[:2], DROPOUT[2], "E=x"], TWO, ids=False)
    check(
        [*CNN[:4], GIVEN["cnn-3-question"], code(GIVEN["cnn-3-snippet"]), "cnn-3-snippet", "112"],
        {"cnn-3": "112"},
        ids=False,
    )


def test_questions_in_another_order_without_ids():
    cells = [DROPOUT[0], DROPOUT[2], "E=x", DROPOUT[1], "anywhere", "cnn-section", "cnn-4-question", "identity"]
    check([*cells, "cnn-1-question", "pixels"], TWO | {"cnn-4": "identity", "cnn-1": "pixels"}, ids=False)


@pytest.mark.parametrize(
    "texts",
    [
        (
            code("#@title Answer\n#@markdown No, anywhere."),
            code('#@title Answer 2\nanswer = "E=x" #@param {type:"string"}'),
        ),
        (code("# %% [markdown]\n# **Answer:** anywhere"), code("# + [markdown]\n# E=x\n# -")),
        (
            "<details><summary>Click for my answer</summary>anywhere</details>",
            "<details>\n<summary>Answer</summary>\n\nE=x\n</details>",
        ),
        ("> anywhere", "> $E=x$"),
        ("👉 anywhere", "💡 **Ans:** E=x"),
        (new_raw_cell("anywhere"), new_raw_cell("E=x")),
    ],
)
@pytest.mark.parametrize("ids", [True, False])
def test_answers_in_the_forms_of_other_editors(texts, ids):
    check([*DROPOUT[:2], texts[0], DROPOUT[2], texts[1]], TWO, ids)


def test_a_heading_alone_is_perhaps_an_answer():
    assert judged([*DROPOUT[:2], "no", DROPOUT[2], "# Appendix"])["dropout-2"] == ("perhaps", "# Appendix")
    assert judged([*DROPOUT[:2], "no", DROPOUT[2], "### My answers"]) == {"dropout-1": ("answered", "no")}


def test_a_list_whose_items_are_all_written_one_answers_the_parts_in_their_order():
    found, notebook = read(cells_of(*LOSS, "1. XYAZY\n\n1. XYBZY\n\n1. XYCZY"))
    texts = shown(found, notebook, "loss-4")
    assert [f"XY{part}ZY" in texts[part] for part in "ABC"] == [True] * 3


def test_a_list_as_long_as_a_question_has_parts_is_none_of_the_section():
    cells = ["gnn-section", "gnn-1-question", "**Answer:**\n\n1) rows\n2) zeros", "gnn-2-question"]
    assert {name: state for name, (state, _) in judged(cells).items()} == {"gnn-1": "answered"}


@pytest.mark.parametrize("ids", [True, False])
def test_as_many_announced_answers_as_parts_are_theirs_in_order_though_cells_were_merged(ids):
    merged = "loss-4-answer-a", "**Answer:** XYAZY\n\n**Answer:** XYBZY"
    found, notebook = read(cells_of(*LOSS, merged, ("loss-4-answer-c", "**Answer:** XYCZY")), ids)
    assert [f"XY{part}ZY" in text for part, text in shown(found, notebook, "loss-4").items()] == [True] * 3


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("head", ["## References", "### Literatur", "# Sources", "## Références:"])
def test_what_stands_below_the_heading_of_the_references_is_no_answer(head, apart):
    below = [head, "[1] Srivastava et al., 2014"] if apart else [f"{head}\n\n[1] Srivastava et al., 2014"]
    check([*DROPOUT[:2], "anywhere", DROPOUT[2], *below], {"dropout-1": "anywhere"})
    check([*DROPOUT[:2], "anywhere", DROPOUT[2], "E=x", *below], TWO)


@pytest.mark.parametrize("text", ["(to be done)", "N/A", "not done yet", "**Answer:** *coming soon*"])
def test_what_says_that_nothing_is_there_is_no_answer(text):
    check([*DROPOUT[:2], text, DROPOUT[2], "E=x"], {"dropout-2": "E=x"})


def test_a_list_in_one_cell_with_an_inserted_question_of_the_next_section_is_divided():
    inserted = "### Question 11\n\nWhy?"
    listed = "\n\n".join([GIVEN[DROPOUT[2]], "1. anywhere\n\n2. E=x", GIVEN["loss-section"], inserted])
    below = ["### Question 12\n\nHow so?", "**Answer:** so"]
    said = judged([*DROPOUT[:2], listed, "loss-1-question", *below])
    assert said["dropout-1"] == judged([*DROPOUT, "1. anywhere\n\n2. E=x"])["dropout-1"] == ("perhaps", "1. anywhere")
    assert said["dropout-2"][0] == "answered" and said.keys() == {"dropout-1", "dropout-2"}
    texts = "1. pixels\n\n2. stride\n\n3. 112\n\n4. identity"
    listed = "\n\n".join([GIVEN[CNN[-1]], texts, GIVEN["dropout-section"], inserted])
    check([*CNN[:-1], listed, DROPOUT[1], *below], FOUR)


STRAY = "**Answer:** XYZZY"


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    ("first", "settled"),
    [
        ("**Answer:** plugh", ""),
        ("**Answer:** by hand", ""),
        ("**Answer:** Not only after the activation function.", "below"),
        ("**Answer 1:** plugh", "below"),
        ("1. plugh", "below"),
        ("**Answer:** Scaling keeps the expectation of each activation.", "above"),
    ],
)
def test_whether_answers_stand_above_their_questions_or_below_is_told_by_words_and_numbers(first, settled, ids):
    said = judged(["cnn-section", "cnn-1-question", "pixels", DROPOUT[0], STRAY, DROPOUT[1], first, DROPOUT[2]], ids)
    assert said["cnn-1"] == ("answered", "pixels")
    states = {name: state for name, (state, _) in said.items() if name != "cnn-1"}
    assert (
        states
        == {
            "": {"dropout-1": "perhaps", "dropout-2": "perhaps"},
            "below": {"dropout-1": "answered"},
            "above": {"dropout-1": "answered", "dropout-2": "answered"},
        }[settled]
    )
    if settled:
        assert said["dropout-2" if settled == "above" else "dropout-1"][1] == first
    else:
        assert STRAY in said["dropout-1"][1] and first in said["dropout-1"][1] and first in said["dropout-2"][1]


def test_the_ids_of_answers_tell_that_they_stand_below_their_questions():
    cells = [DROPOUT[0], STRAY, DROPOUT[1], ("dropout-1-answer", "**Answer:** plugh"), DROPOUT[2]]
    assert judged(["cnn-section", "cnn-1-question", "pixels", *cells])["dropout-1"] == ("answered", "**Answer:** plugh")


def test_four_answers_of_which_nothing_tells_the_place_are_perhaps_those_of_either_neighbour():
    cells = [LOSS[0], STRAY]
    for at, question in enumerate(LOSS[1:]):
        cells += [question, f"**Answer:** XY{at}ZY"] if question.endswith("question") and at < 4 else [question]
    said = judged([*DROPOUT, *cells])
    assert {state for state, _ in said.values()} == {"perhaps"} and said["dropout-2"][1] == STRAY
    assert set(said) == {"dropout-2", "loss-1", "loss-2", "loss-3", "loss-4"}


NAMED = 'answer1 = "anywhere"', 'answer2 = """\nE=x\n"""'
KEPT = 'said = {\n    "one": "anywhere",\n    "two": "E=x",\n}'


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("place", [0, 1, 2, 3, 5])
@pytest.mark.parametrize(
    ("named", "shown_by"),
    [
        (["\n".join(NAMED)], ["print(answer1)", "print(answer2)"]),
        (NAMED, ["answer1", "display(Markdown(answer2))"]),
        ([KEPT], ['print(said["one"])', "said['two']"]),
        (["text, a = 1, 2", 'a = "anywhere"', 'b = "E=x"'], ["print(a)", "print(f'{b}')"]),
    ],
)
def test_a_text_that_is_printed_below_a_question_is_its_answer_wherever_it_is_named(named, shown_by, place, ids):
    cells = [DROPOUT[0], DROPOUT[1], code(shown_by[0]), DROPOUT[2], code(shown_by[1])]
    cells[place:place] = [code(source) for source in named]
    said = judged(cells, ids)
    for name, word in TWO.items():
        assert said[name][0] == "answered" and [each for each in TWO.values() if each in said[name][1]] == [word], said


def test_the_question_quoted_with_a_typing_error_is_no_answer():
    text = GIVEN["unsup-2-question"].split("\n\n", 1)[1]
    assert "explain" in text
    quoted = "> " + text.replace("explain", "explian").replace("\n", "\n> ")
    assert judged(["unsup-section", "unsup-2-question", quoted], ids=False) == {}
