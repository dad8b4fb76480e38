"""The pages of a class: the submissions in two orders, and a page per question, and per part, with all the answers.

They are written from what the drawing of each submission left (`submission_page.fragments`): nothing is drawn again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from ..notebook.questions import Question
from .layout import FOLDER, page_name, render

FIRST = "index.html"
ORDERS = {"name": ("by name", FIRST), "failures": ("failures first", "failures.html")}
GAP = "<!---->"  # between the head and the end of a question's page; no cleaned HTML has a comment


@dataclass(frozen=True)
class Graded:
    """What the pages of a class say of a submission: its name, the name of its folder, and its questions by their ids.

    `answers` holds the word for what each answer is, and `faults` what failed.
    """

    name: str
    folder: str
    answers: Mapping[str, str]
    faults: Mapping[str, str]

    @property
    def lacking(self) -> list[list[str]]:
        """Return the questions with failures, those without an answer or part, and those with perhaps one."""
        missing = [name for name, word in self.answers.items() if "missing" in word or word == "deleted"]
        return [list(self.faults), missing, [name for name, word in self.answers.items() if "perhaps" in word]]

    def state(self, question: str) -> tuple[str, str]:
        """Return the kind and the words for a question."""
        answer, fault = self.answers.get(question, "deleted"), self.faults.get(question, "")
        if answer == "answered":
            return ("bad", fault) if fault else ("ok", answer)
        return "bad" if fault or answer == "deleted" else "warn", ", ".join(filter(None, [answer, fault]))


Around = tuple[Graded | None, Graded, Graded | None]  # a submission between the one before it and the one after it


@dataclass(frozen=True)
class Page:
    """The page of a question, or of one of its parts."""

    question: str
    part: str = ""

    @property
    def file(self) -> str:
        """Return the name of its file."""
        return page_name(self.question, self.part)

    @property
    def title(self) -> str:
        """Return its heading."""
        return f"{self.question}, part {self.part}" if self.part else self.question


def pages_of(questions: Iterable[Question]) -> list[Page]:
    """Return the pages of `questions`: one each, then one for each part where there are several."""
    return [Page(each.id, part) for each in questions for part in dict.fromkeys(["", *each.parts])]


def index(
    graded: Iterable[Graded],
    pages: Iterable[Page],
    unusable: Sequence[tuple[str, str]],
    order: str,
    earlier: Sequence[str],
) -> str:
    """Return the page of a class in one of the `ORDERS`: a row per submission, a column per question.

    `unusable` holds the (name, reason) of what could not be graded, `earlier` the folders that earlier runs left.
    """
    row = sorted(graded, key=lambda each: each.name)
    if order == "failures":
        row.sort(key=lambda each: [-len(questions) for questions in each.lacking])
    fine = [(page, sum(each.state(page.question)[0] == "ok" for each in row)) for page in pages if not page.part]
    return render(
        "index.html",
        graded=row,
        questions=fine,
        unusable=unusable,
        earlier=earlier,
        order=ORDERS[order],
        other=ORDERS["failures" if order == "name" else "name"],
    )


def question_page(page: Page, pages: Sequence[Page], asked: str, answer: str, count: int) -> tuple[str, str]:
    """Return what stands before and behind the `count` answers on the page of a question.

    `asked` and `answer` are the HTML of the question and of the reference's answer to it. The next page is that of the
    next question, or of what is marked next where `page` is that of a part.
    """
    parted = {each.question for each in pages if each.part}
    row = [each for each in pages if (bool(each.part) == (each.question in parted) if page.part else not each.part)]
    answer = answer.replace(FOLDER, "")
    html = render("question.html", page=page, pages=pages, row=row, asked=asked, answer=answer, count=count, gap=GAP)
    head, _, end = html.partition(GAP)
    return head, end


def neighbours(graded: Sequence[Graded]) -> Iterator[Around]:
    """Yield each submission between its neighbours, by name."""
    row = sorted(graded, key=lambda each: each.name)
    return zip([None, *row], row, [*row[1:], None], strict=False)


def answers(around: Around, pages: Sequence[Page], fragments: Mapping[str, str]) -> Iterator[tuple[Page, str]]:
    """Yield each of the `pages` with a submission's answer as it stands there; its drawing left the `fragments`."""
    before, each, after = around
    heads = render("student.html", pages=pages, before=before, each=each, after=after, gap=GAP).split(GAP)
    for page, head in zip(pages, heads, strict=False):
        html = fragments.get(page.file, "").replace(FOLDER, quote(each.folder, safe=""))
        yield page, f"{head}{html}</section>\n"


def links_around(around: Around, pages: Iterable[Page]) -> str:
    """Return the links that lead from a submission's page to the pages next to it."""
    before, each, after = around
    return render("around.html", before=before, each=each, after=after, pages=pages)
