"""What a notebook asks and answers: the roles of its cells, its questions, and where the answers stand.

A cell's id says what it is: `<question>-<role>`, then for an answer the letter of its part, for several cells of one
kind a number: `opt-4-question`, `opt-4-answer-b`, `opt-4-evidence-b-1`, `cnn-3-snippet`. A question's block runs from
its question cell to the next one or the next section.
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property

from nbformat import NotebookNode

from .machinery import has, tree
from .tokens import Label, says_something

GIVEN = {"section", "question", "snippet", "check"}
CELL_ID = re.compile(rf"(?P<question>.+?)-(?P<role>{'|'.join(GIVEN)}|answer|evidence|note)(?:-(?P<detail>.+))?")
TELLING = ast.Module | ast.Expr | ast.Assign | ast.Dict | ast.Call | ast.expr_context  # nodes of code that names texts
PREPARATION = re.compile(r"^\s*(?:import\b|from\b.*\bimport\b|[%!]).*$", re.MULTILINE)
# The question that a function answers, its module and its name, for references whose metadata name none.
JUDGED = ("backprop-2", "hw4.answers", "part4_affine_backward")


@dataclass(frozen=True)
class Answer:
    """Where an answer stands: the letter of its part ("" without parts), the cell's position, the span of its text."""

    part: str
    cell: int
    start: int
    end: int


@dataclass
class Question:
    """A question of the reference and what a submission has of it; cells are named by their positions."""

    id: str
    parts: list[str] = field(default_factory=lambda: [""])  # their letters, answered one by one; one "" without parts
    cells: list[int] = field(default_factory=list)  # its block, and wherever else an answer to it stands
    missing: list[str] = field(default_factory=list)  # the parts near which nothing was added
    perhaps: list[str] = field(default_factory=list)  # the parts of which it is not clear whether `answers` hold them
    answers: list[Answer] = field(default_factory=list)
    deleted: bool = False  # the question itself is not in the submission
    judged: str = ""  # the function that is its answer, beside which text is optional


@dataclass
class Piece:
    """A stretch of added text with the label that it begins with."""

    cell: int
    start: int
    end: int
    label: Label
    question: str | None
    section: int | None
    code: bool = False
    place: str = ""  # the letter of the part whose statement it follows, or that its cell's id names
    named: str | None = None  # another question, which a label names
    quoted: bool = False  # its place is below a quotation of the statement
    foreign: bool = False  # it belongs to a question that the reference does not ask
    text: str = ""
    mark: str = ""  # the letters of the parts that its label means
    parts: str = ""  # the letters of the parts that it answers, in the end
    markdown: bool = True  # where "# " begins no comment

    @cached_property
    def says(self) -> bool:
        """Whether it says anything; code must do more than to import."""
        return says_something(PREPARATION.sub("", self.text) if self.code else self.text)

    @property
    def heads(self) -> bool:
        """Whether it is a heading alone, which an answer may follow."""
        text = self.text.strip()
        return self.markdown and bool(re.match(r"#{1,6}\s", text)) and "\n" not in text and not self.label.verdict


@dataclass
class CellReading:
    """Which question a cell of the submission belongs to, and which spans of its text were given or added."""

    question: str | None = None
    given: list[tuple[int, int]] = field(default_factory=list)
    added: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Remark:
    """What is remarkable about a given cell: its question, its position in the submission, and how its text differs."""

    question: str | None = None
    cell: int | None = None
    text: str = ""
    diff: str = ""


def role(cell: NotebookNode) -> str | None:
    """Return what the id of `cell` says it is, such as "question" or "answer"; None for a cell that somebody added."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    return match["role"] if match else None


def question_of(cell: NotebookNode) -> str | None:
    """Return the id of the question that the id of `cell` names; None where it names none."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    return match["question"] if match and match["role"] != "section" else None


def part_of(cell: NotebookNode) -> str:
    """Return the letter of the part that the id of `cell` names, in upper case; "" where it names none."""
    match = CELL_ID.fullmatch(cell.get("id", ""))
    detail = re.match(r"([a-z])(?![a-z0-9])", match["detail"] or "") if match else None
    return detail[1].upper() if detail else ""


def is_program(cell: NotebookNode) -> bool:
    """Return whether `cell` holds code that does more than to say, print or name texts."""
    for node in ast.walk(tree(cell.source)) if cell.cell_type == "code" else ():
        match node:
            case ast.Constant(value=str()) | ast.Name(id="print") | ast.Name(ctx=ast.Store()):
                pass
            case _ if not isinstance(node, TELLING):
                return True
    return False


def is_check(cell: NotebookNode) -> bool:
    """Return whether `cell` asserts something when it is run."""
    return cell.cell_type == "code" and has([tree(cell.source)], ast.Assert)
