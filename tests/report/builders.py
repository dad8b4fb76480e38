"""What the tests of the report share: results made from cells, and pages taken apart."""

import re
from html.parser import HTMLParser

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from hw4.grading.report import class_pages
from hw4.grading.report.cells import Cells
from hw4.grading.report.markup import PICTURE
from hw4.grading.report.submission_page import asked, fragments, submission_page
from hw4.grading.result import Result

PNG = "iVBORw0KGgo="


class Parsed(HTMLParser):
    """The elements of a page as (tag, attributes), and its text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def result(*cells, **kwargs):
    return Result(new_notebook(cells=list(cells)), **kwargs)


def body(*cells):
    """Return what stands in the page's `main`."""
    return submission_page(result(*cells)).partition("<main")[2]


def shown(**data):
    return new_code_cell(
        "show()", outputs=[new_output("display_data", data={k.replace("_", "/"): v for k, v in data.items()})]
    )


def question(name="q-1", answer="**Answer:** Because."):
    return [new_markdown_cell("### Why?", id=f"{name}-question"), new_markdown_cell(answer, id=f"{name}-answer")]


def graded(result):
    """Return what the pages of a class say of a result."""
    answers = {name: row.answer() for name, row in result.rows.items()}
    return class_pages.Graded(result.title, result.folder, answers, result.faults())


def question_page(question, reference, results, part=""):
    """Return the page of a question, or of a part, with the answers of `results`."""
    pages = class_pages.pages_of([row.question for row in reference.rows.values()])
    page = next(each for each in pages if (each.question, each.part) == (question, part))
    cells, drawn = Cells(reference), {each.title: fragments(each, Cells(each)) for each in results}
    shown = asked(reference, cells)[question], fragments(reference, cells)[page.file]
    head, end = class_pages.question_page(page, pages, *shown, len(results))
    rows = class_pages.neighbours([graded(each) for each in results])
    shown = [dict(class_pages.answers(row, [page], drawn[row[1].name]))[page] for row in rows]
    return head + "".join(shown) + end


def class_index(results, questions, unusable=(), order="name", earlier=()):
    """Return the page of a class."""
    pages = [class_pages.Page(question) for question in questions]
    return class_pages.index([graded(each) for each in results], pages, unusable, order, earlier)


def harmful(html):
    """Return what on a page could run or request something."""
    found = []
    for tag, attributes in Parsed(html.partition("<body>")[2]).elements:
        found += [tag] * (
            tag
            in [
                "script",
                "style",
                "iframe",
                "object",
                "embed",
                "form",
                "input",
                "base",
                "link",
                "meta",
                "svg",
                "template",
            ]
        )
        for name, value in attributes.items():
            address = re.sub(r"\s", "", value or "").lower()
            inert = name == "alt" or (
                (tag, name) == ("a", "href") and re.match(r"https?:|mailto:|#|[\w-]+/report\.html", address)
            )
            picture = (tag, name) == ("img", "src") and PICTURE.fullmatch(value)
            if name.startswith("on") or (
                re.search(r":|//|url\(", address) and name != "style" and not inert and not picture
            ):
                found.append((tag, name, value))
            if name == "style" and re.search(r"url|position|expression", address):
                found.append((tag, name, value))
    return found
