"""Notebooks as students hand them in, made from our own by composing the ways in which answers are written.

`python -m tests.notebook.forms [COUNT [SEED]]` compares COUNT of them with what is true of them by construction.
"""

import random
import re
import sys
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from hw4.grading.notebook.comparison import Comparison, compare
from hw4.grading.notebook.format import read_notebook
from hw4.grading.notebook.labelling import read_reference
from hw4.grading.notebook.questions import GIVEN, Question, question_of, role
from hw4.grading.notebook.reference import Reference
from tests.builders import NOTEBOOK

WORDS = (
    "gradient weights vanish because layer depth sum average noise small larger batch converge filter kernel stride "
    "token state hidden mean variance image sample loss curve slope model learns faster slower always never therefore"
).split()
NOTHING = [
    *("TODO", "...", "---", "<!-- nothing yet -->", "**Answer:**", "**My answer:**", "#### Answer", "_Write here_"),
    *("**Answer:** TODO", "*Your answer here*", "- \n- ", "A.", "[your answer]", "&nbsp;", "___"),
    *("Double-click to write your answer here", "Antwort:", "Schreiben Sie hier Ihre Antwort", "**Réponse :**"),
    *("Écrivez votre réponse ici", "Respuesta:", "Escribe aquí tu respuesta", "La tua risposta qui"),
    *("Escreva sua resposta aqui", "Ваш ответ:", "Напишите ответ здесь", "**תשובה:**", "כתבו כאן את תשובתכם"),
    *("الجواب:", "اكتب إجابتك هنا", "答案：", "在此处填写答案", "ここに答えを書いてください", "여기에 답을 작성하세요"),
    "Cevabınızı buraya yazın",
]
NOTHING_IN_CODE = ["# your code here", "pass", "# TODO", "...", "raise NotImplementedError()", "# Answer:"]
MARKS = {
    "A.": "{0}. {1}",
    "A)": "{0}) {1}",
    "(a)": "({2}) {1}",
    "a)": "{2}) {1}",
    "B -": "{0} - {1}",
    "**C**": "**{0}** {3}, {1}",
    "C True": "{0} {3}, {1}",
    "Part D:": "Part {0}: {1}",
    "**Part D**": "**Part {0}**\n\n{1}",
    "i.": "{4}. {1}",
    "1.": "{5}. {1}",
    "1)": "{5}) {1}",
    "- A:": "- {0}: {1}",
    "### B": "#### {0}.\n\n{1}",
    "4B": "{6}.{0}: {1}",
}
ROMAN = ["i", "ii", "iii", "iv", "v", "vi"]


@dataclass
class Form:
    """A notebook with what is true of it: for each question and part, a word of its answer, or "" for none."""

    notebook: NotebookNode
    truth: dict[tuple[str, str], str] = field(default_factory=dict)
    ways: dict[str, str] = field(default_factory=dict)  # by question, how it was answered, for a reader of failures
    deleted: set[str] = field(default_factory=set)

    def for_all(self, question: Question) -> bool:
        """Return whether one text answers all parts of a question."""
        return len({self.truth[question.id, part] for part in question.parts}) == 1


class Writer:
    """A student who writes answers to the questions of `reference`, drawn from `seed`."""

    def __init__(self, reference: Reference, seed: int) -> None:
        self.reference, self.draw, self.count = reference, random.Random(seed), 0
        self.form = Form(nbformat.v4.new_notebook())
        self.ids = self.draw.choice(["kept", "kept", "lost", "fresh"])
        self.given: dict[str, list[NotebookNode]] = {}
        self.sections: dict[str, list[str]] = {}
        section = ""
        for cell in reference.notebook.cells:
            if role(cell) == "section":
                section = cell.id
                self.sections[section] = []
            elif role(cell) == "question":
                self.sections[section].append(question_of(cell) or "")
            if role(cell) in GIVEN or role(cell) is None:
                self.given.setdefault(question_of(cell) or cell.id, []).append(self.kept(cell))

    def kept(self, cell: NotebookNode) -> NotebookNode:
        """Return a copy of a given cell, as an editor may leave it."""
        copy = nbformat.from_dict({**cell, "metadata": {}})
        if cell.cell_type == "markdown" and self.draw.random() < 0.4:
            copy.source = self.noise(copy.source)
        return copy

    def noise(self, source: str) -> str:
        """Return `source` with what is no change of its words."""
        changes = [
            lambda text: text.replace('"', "”").replace("'", "’"),
            lambda text: text.replace(" the ", "  the "),
            lambda text: text.replace("**", ""),
            lambda text: text.replace("**", "__"),
            lambda text: re.sub(r"\n\n(?=\*\*[A-F]\.)", "<br>\n\n", text),
            lambda text: text.replace("=", r"\,=\;"),
            lambda text: text + "  \n",
            lambda text: text.replace("explain", "explian", 1),
            lambda text: "\n".join(f"{line} " for line in text.splitlines()),
        ]
        return self.draw.choice(changes)(source)

    def text(self, question: str, part: str, verdict: str = "") -> str:
        """Return an answer's text, and note the word by which it is known."""
        self.count += 1
        word = f"zq{self.count}x"
        self.form.truth[question, part] = word
        words = self.draw.choices(WORDS, k=self.draw.randint(1, 14))
        words.insert(self.draw.randint(0, len(words)), word)
        return f"{verdict}{', ' * bool(verdict)}{' '.join(words)}."

    def write(self) -> Form:
        """Return the notebook, section by section."""
        cells = [cell for name, group in self.given.items() if name not in self.named() for cell in group]
        cells = [cell for cell in cells if role(cell) != "section"]
        if self.draw.random() < 0.3:
            cells.insert(1, new_markdown_cell("Name: Ada L., 12345"))
        sections = list(self.sections.items())
        if self.draw.random() < 0.15:
            self.draw.shuffle(sections)
        for section, questions in sections:
            cells += self.given[section]
            whole = [self.at_the_end, self.above, self.in_the_next] if len(questions) > 1 else []
            if whole and self.draw.random() < 0.2:
                cells += self.draw.choice(whole)(questions)
                continue
            for question in questions:
                cells += self.another() if self.draw.random() < 0.04 else []
                cells += self.gone(question) if self.draw.random() < 0.04 else self.block(question)
        if self.draw.random() < 0.1:
            cells = self.merged(cells)
        for number, cell in enumerate(cells):
            if self.ids == "fresh" or (self.ids == "kept" and role(cell) is None):
                cell.id = f"{self.draw.getrandbits(32):08x}"
            if self.ids == "lost":
                cell.id = f"cell-{number + 1}"
        self.form.notebook.cells = cells
        self.form.ways = {name: f"{way}, ids {self.ids}" for name, way in self.form.ways.items()}
        return self.form

    def named(self) -> set[str]:
        return {question for questions in self.sections.values() for question in questions}

    def parts(self, question: str) -> list[str]:
        return self.reference.questions[question].parts

    def block(self, question: str) -> list[NotebookNode]:
        """Return a question's cells with its answer, or with what says nothing."""
        parts, given = self.parts(question), self.given[question]
        self.form.truth |= {(question, part): "" for part in parts}
        if self.draw.random() < 0.2:
            self.form.ways[question] = "nothing"
            return [*given, *self.nothing(question)]
        ways = [self.own_cell, self.under_a_heading, self.in_the_question, self.in_code, self.in_html, self.raw]
        ways += [self.on_the_last_line, self.with_its_own_numbers] if parts == [""] else []
        ways += (
            [self.marked, self.marked, self.marked, self.cells_with_marks, self.table, self.in_order]
            if parts != [""]
            else []
        )
        ways += [self.beside_statements, self.quoted, self.split, self.own_cells] if parts != [""] else []
        way = self.draw.choice(ways)
        self.form.ways[question] = way.__name__
        return way(question, [nbformat.from_dict(cell) for cell in given])

    def another(self) -> list[NotebookNode]:
        """Return a question that the reference does not ask, with its answer."""
        asked = f"### Question {self.draw.randint(7, 12)}\n\n{' '.join(self.draw.choices(WORDS, k=12))}?"
        return [new_markdown_cell(asked), new_markdown_cell("**Answer:** " + " ".join(self.draw.choices(WORDS, k=9)))]

    def gone(self, question: str) -> list[NotebookNode]:
        """Return nothing of a question."""
        self.form.truth |= {(question, part): "" for part in self.parts(question)}
        self.form.ways[question] = "gone"
        self.form.deleted.add(question)
        return []

    def merged(self, cells: list[NotebookNode]) -> list[NotebookNode]:
        """Return `cells` with some pairs of cells of text made one."""
        found = cells[:1]
        for cell in cells[1:]:
            both = cell.cell_type == found[-1].cell_type == "markdown" and not re.match(r"\W*[A-F]\.", cell.source)
            if both and self.draw.random() < 0.3:
                found[-1] = new_markdown_cell(f"{found[-1].source}\n\n{cell.source}", id=found[-1].id)
            else:
                found.append(cell)
        return found

    def nothing(self, question: str) -> list[NotebookNode]:
        """Return cells that say nothing."""
        kind = self.draw.randrange(5)
        if kind == 0:
            return []
        if kind == 1:
            return [new_code_cell(self.draw.choice(NOTHING_IN_CODE))]
        if kind == 2:
            asked = next(cell for cell in self.given[question] if role(cell) == "question")
            return [new_markdown_cell("> " + re.split(r"\n\s*\n", asked.source, maxsplit=1)[1])]
        cell = new_markdown_cell(self.draw.choice(NOTHING))
        if kind == 3:
            cell.id = f"{question}-answer" + "-a" * (self.parts(question) != [""])
        return [cell]

    def opened(self) -> str:
        return self.draw.choice(["**Answer:** ", "", "Answer: ", "**Answer:**\n\n", "My answer - ", "**תשובה:** "])

    def all_parts(self, question: str) -> str:
        """Return a text that answers all parts of a question without a mark."""
        text = self.text(question, self.parts(question)[0])
        for part in self.parts(question):
            self.form.truth[question, part] = self.form.truth[question, self.parts(question)[0]]
        return text

    def own_cell(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        cell = new_markdown_cell(self.opened() + self.all_parts(question))
        if self.parts(question) == [""] and self.draw.random() < 0.5:
            cell.id = f"{question}-answer"
        return [*given, cell]

    def under_a_heading(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        heading = new_markdown_cell(self.draw.choice(["### Answer", "## My solution", "#### Thoughts", "**Solution**"]))
        return [*given, heading, new_markdown_cell(self.all_parts(question))]

    def in_the_question(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        given[0].source = f"{given[0].source.rstrip()}\n\n**Answer:** {self.all_parts(question)}"
        return given

    def on_the_last_line(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        lead = self.draw.choice([" **Answer:** ", " - ", " *Answer*: "])
        given[0].source = given[0].source.rstrip() + lead + self.all_parts(question)
        return given

    def with_its_own_numbers(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        texts = [self.text(question, "") for _ in range(3)]
        first = (self.reference.questions[question].number or 0) + 1
        cells = (
            ["\n".join(f"{first + n}. {text}" for n, text in enumerate(texts))] if self.draw.random() < 0.5 else texts
        )
        return [*given, *(new_markdown_cell(text) for text in cells)]

    def in_code(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        text = self.all_parts(question)
        form = self.draw.choice(["# {}\nprint(1)", 'print("{}")', "x = 3  # {}", '"""{}"""'])
        return [*given, new_code_cell(form.format(text))]

    def in_html(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        form = self.draw.choice(
            ['<div class="alert"><b>Answer:</b><br>{}</div>', "<details>\n\n{}\n\n</details>", "<p>{}</p>"]
        )
        return [*given, new_markdown_cell(form.format(self.all_parts(question)))]

    def raw(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        return [*given, new_raw_cell(self.all_parts(question))]

    def some(self, question: str) -> list[str]:
        """Return the parts that are answered: mostly all of them."""
        parts = self.parts(question)
        return parts if self.draw.random() < 0.7 else sorted(self.draw.sample(parts, self.draw.randint(1, len(parts))))

    def lines(self, question: str, mark: str, parts: list[str]) -> list[str]:
        """Return the answers to the `parts`, each with its mark."""
        number = self.reference.questions[question].number
        found = []
        for part in parts:
            at = self.parts(question).index(part)
            verdict = self.draw.choice(["True", "False"])
            text = self.text(question, part)
            found.append(MARKS[mark].format(part, text, part.lower(), verdict, ROMAN[at], at + 1, number))
        return found

    def marked(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        mark = self.draw.choice(list(MARKS))
        parts = self.parts(question) if mark in ("1.", "1)", "i.") else self.some(question)
        between = self.draw.choice(["\n\n", "\n"])
        self.form.ways[question] += f" {mark}"
        return [
            *given,
            new_markdown_cell(
                self.draw.choice(["", "**Answer:**\n\n"]) + between.join(self.lines(question, mark, parts))
            ),
        ]

    def cells_with_marks(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        mark = self.draw.choice(["A.", "(a)", "Part D:", "- A:", "### B"])
        return [*given, *(new_markdown_cell(line) for line in self.lines(question, mark, self.some(question)))]

    def own_cells(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        """Fill the cells that stand there for each part, where the ids are kept."""
        some = self.some(question) if self.ids == "kept" else self.parts(question)
        cells = []
        for part in self.parts(question):
            text = self.text(question, part) if part in some else ""
            cells.append(new_markdown_cell(f"**Answer:** {text}", id=f"{question}-answer-{part.lower()}"))
        return [*given, *cells]

    def table(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        if self.draw.random() < 0.5:
            rows = [f"| {part} | {self.text(question, part)} |" for part in self.some(question)]
            return [*given, new_markdown_cell("\n".join(["| part | answer |", "| --- | --- |", *rows]))]
        rows = [f"<tr><td>{part}</td><td>{self.text(question, part)}</td></tr>" for part in self.some(question)]
        return [*given, new_markdown_cell(f"<table>{''.join(rows)}</table>")]

    def in_order(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        lines = [
            f"**{self.draw.choice(['True', 'False'])}** {self.text(question, part)}" for part in self.parts(question)
        ]
        return [*given, new_markdown_cell("\n\n".join(lines))]

    def statements(self, question: str, source: str) -> list[str]:
        return re.split(r"(?:\s*\n)+(?=(?:\*\*|__)?[A-F]\.)", source)

    def beside_statements(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        first, *statements = self.statements(question, given[0].source)
        between = self.draw.choice([" ", "\n\n", "\n", " - ", "<br>", " **Answer:** "])
        some = [*self.some(question), "A"]  # a paragraph below the last statement alone could answer all of them
        texts = []
        for part, statement in zip(self.parts(question), statements, strict=True):
            verdict = self.draw.choice(["False", "**True**"])
            texts.append(statement.rstrip() + (between + self.text(question, part, verdict) if part in some else ""))
        given[0].source = "\n\n".join([first, *texts])
        return given

    def quoted(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        _, *statements = self.statements(question, given[0].source)
        pairs = zip(self.parts(question), statements, strict=True)
        return [
            *given,
            new_markdown_cell("\n\n".join(f"> {text}\n\n{self.text(question, part)}" for part, text in pairs)),
        ]

    def split(self, question: str, given: list[NotebookNode]) -> list[NotebookNode]:
        first, *statements = self.statements(question, given[0].source)
        some = self.some(question)
        cells = [new_markdown_cell(first, id=given[0].id)]
        for part, statement in zip(self.parts(question), statements, strict=True):
            cells.append(new_markdown_cell(statement))
            cells += [new_markdown_cell(self.opened() + self.text(question, part))] if part in some else []
        return [*cells, *given[1:]]

    def at_the_end(self, questions: list[str]) -> list[NotebookNode]:
        """Answer the questions of a section in one cell at its end."""
        form = self.draw.choice(["{}. {}", "{}) {}", "**Question {}:** {}", "Answer {}: {}"])
        texts = []
        for question in questions:
            self.form.ways[question] = f"at the end {form}"
            texts.append(form.format(self.reference.questions[question].number, self.all_parts(question)))
        head = "**Answers**\n\n" if len(questions) < 4 or self.draw.random() < 0.5 else ""
        return [
            *(cell for each in questions for cell in self.given[each]),
            new_markdown_cell(head + "\n\n".join(texts)),
        ]

    def above(self, questions: list[str]) -> list[NotebookNode]:
        """Answer each question of a section above it."""
        cells = []
        for question in questions:
            self.form.ways[question] = "above"
            own = sorted(word for word in self.reference.questions[question].words if len(word) > 4)
            text = f"**Answer:** {self.all_parts(question)} So much of {' '.join(self.draw.choices(own, k=6))}."
            cells += [new_markdown_cell(text), *self.given[question]]
        return cells

    def in_the_next(self, questions: list[str]) -> list[NotebookNode]:
        """Answer each question but the last at the top of the next one's cell."""
        cells: list[NotebookNode] = []
        text = ""
        for question in questions:
            self.form.ways[question] = "in the next"
            first, *rest = [nbformat.from_dict(cell) for cell in self.given[question]]
            first.source = text + first.source
            text = f"**Answer:** {self.all_parts(question)}\n\n"
            cells += [first, *rest]
        return [*cells, new_markdown_cell(text)]


@dataclass
class Figures:
    """How many of the parts came out wrong, and how."""

    parts: int = 0
    answered: int = 0
    false_missing: int = 0
    false_answered: int = 0
    perhaps: int = 0
    not_shown: int = 0
    wrong_part: int = 0
    deleted_wrong: int = 0  # questions

    def wrong(self) -> int:
        return self.false_missing + self.false_answered + self.not_shown + self.wrong_part + self.deleted_wrong


def judge(form: Form, found: Comparison, figures: Figures) -> list[str]:
    """Add to `figures` how `found` differs from the truth of `form`; return a line for each difference."""
    faults = []
    for question in found.questions:
        if question.deleted != (question.id in form.deleted):
            figures.deleted_wrong += 1
            faults.append(f"{question.id}: deleted is {question.deleted} ({form.ways[question.id]})")
        shown, whole = dict.fromkeys(question.parts, ""), ""
        for answer in question.answers:
            text = form.notebook.cells[answer.cell].source[answer.start : answer.end]
            whole += text
            for part in question.parts if answer.part not in shown else [answer.part]:
                shown[part] += text * (answer.part == part or form.for_all(question))
        words = {form.truth[question.id, part] for part in question.parts} - {""}
        for part in question.parts:
            word = form.truth[question.id, part]
            figures.parts += 1
            figures.answered += bool(word)
            kinds = {
                "false_missing": bool(word) and part in question.missing,
                "false_answered": not word and part not in question.missing + question.perhaps and not question.judged,
                "perhaps": part in question.perhaps,
                "not_shown": bool(word) and word not in whole,
                "wrong_part": word in whole and {each for each in words if each in shown[part]} != {word} - {""},
            }
            for kind, wrong in kinds.items():
                setattr(figures, kind, getattr(figures, kind) + wrong)
                if wrong:
                    faults.append(f"{question.id} {part}: {kind} ({form.ways[question.id]})")
    return faults


def run(count: int, seed: int) -> tuple[Figures, list[str]]:
    """Return the figures of `count` forms from `seed` on, and the differences."""
    figures, faults = Figures(), []
    reference = read_reference(NOTEBOOK.read_bytes(), NOTEBOOK.name)
    for each in range(seed, seed + count):
        form = Writer(reference, each).write()
        notebook = read_notebook(nbformat.writes(form.notebook).encode(), "form")
        faults += [f"seed {each}: {fault}" for fault in judge(form, compare(notebook, reference), figures)]
    return figures, faults


if __name__ == "__main__":
    made = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    start = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**9)
    totals, differences = run(made, start)
    print(*differences[:40], f"{made} forms from seed {start}: {totals}", sep="\n")
    sys.exit(totals.wrong() > 0)
