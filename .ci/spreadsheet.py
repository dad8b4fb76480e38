"""Mark a class in a real LibreOffice, save its table in several forms, and grade again: no mark may be lost.

`python spreadsheet.py FOLDER`; the folder is made. LibreOffice opens the table and makes a workbook of it, into which
the marks are written as a person would; then it saves the workbook as CSV.
"""

import copy
import csv
import io
import subprocess
import sys
from pathlib import Path

import nbformat
from lxml import etree

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hw4.grading.marks.spreadsheet import unquoted  # noqa: E402

NAMES = ["00123", "Jörg", "zoe", "रोजी", "1-2", "3e5", "TRUE", "=1+1"]  # three of which a spreadsheet takes for others
CELLS = {"q-1-question": "### Question 1\n\nWhy?", "q-1-answer": "**Answer:** because"}
# The options of LibreOffice's filter: the codes of the delimiter, the quote, and the character set, and the first line
SAVED = {
    "semicolons, Latin-1": "59,34,12,1",
    "tabs, UTF-16": "9,34,65535,1",
    "semicolons, UTF-8": "59,34,76,1",
    "commas, Windows-1252, all in quotes": "44,34,1,1,,0,true",
}
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
CALCULATE = "csv:Text - txt - csv (StarCalc):"


def convert(source, target, profile, opened=None):
    """Have LibreOffice save `source` in its folder as `target` says; `opened` are the options to open it with."""
    command = ["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", target]
    command += [f"--infilter={opened}"] * bool(opened)
    run = subprocess.run([*command, "--outdir", source.parent, source], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0 and "Error" not in run.stderr, run.stderr


def mark(workbook, marks):
    """Write into the flat workbook the (mark, comment) of each row, by its key; turn the rows round."""
    tree = etree.parse(workbook)
    rows = [row for row in tree.iter(f"{TABLE}table-row") if "".join(row.itertext()).strip()]
    names = [each.findtext(f"{TEXT}p") for each in spread(rows[0])]
    for row in rows[1:]:
        cells = dict(zip(names, spread(row), strict=False))
        value, comment = marks[cells["key"].findtext(f"{TEXT}p")]
        fill(cells["mark q-1"], value, "float")
        fill(cells["comment q-1"], comment, "string")
    parent = rows[0].getparent()
    for row in rows[1:]:
        parent.remove(row)
    for row in rows[1:]:
        parent.insert(parent.index(rows[0]) + 1, row)
    tree.write(workbook, encoding="UTF-8", xml_declaration=True)


def spread(row):
    """Return the cells of a row, each of which then stands there once."""
    for cell in list(row):
        for _ in range(min(int(cell.attrib.pop(f"{TABLE}number-columns-repeated", 1)), 100) - 1):
            cell.addnext(copy.deepcopy(cell))
    return list(row)


def fill(cell, value, kind):
    cell.clear()
    cell.set(f"{{{OFFICE}}}value-type", kind)
    if kind == "float":
        cell.set(f"{{{OFFICE}}}value", value)
    for line in value.splitlines():
        etree.SubElement(cell, f"{TEXT}p").text = line


def grade(folder):
    command = [sys.executable, ROOT / "main.py", "class", "--reference", "reference.ipynb"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def rows_of(path):
    text = path.read_text(encoding="utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    return {row["key"]: row for row in rows}


def main(folder):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_markdown_cell(text, id=name) for name, text in CELLS.items()]
    for name in NAMES:
        (folder / "class" / name).mkdir(parents=True)
        nbformat.write(notebook, folder / "class" / name / "hw.ipynb")
    nbformat.write(notebook, folder / "reference.ipynb")
    grade(folder)
    path = folder / "graded" / "results.csv"
    names = {key: row["submission"] for key, row in rows_of(path).items()}
    assert sorted(map(unquoted, names.values())) == sorted(NAMES)
    for number, (form, options) in enumerate(SAVED.items(), 1):
        delimiter = 59 if path.read_bytes()[3:].startswith(b"key;") else 44
        convert(path, "fods", folder / "profile", f"CSV:{delimiter},34,76,1")
        expected = {key: (f"{number}.5", f"näh; {key}\nsecond line, {form}") for key in names}
        mark(path.with_suffix(".fods"), expected)
        convert(path.with_suffix(".fods"), CALCULATE + options, folder / "profile")
        saved = path.read_bytes()
        path.with_suffix(".fods").unlink()
        grade(folder)
        rows = rows_of(path)
        assert {key: row["submission"] for key, row in rows.items()} == names, rows
        assert {key: (row["mark q-1"], row["comment q-1"]) for key, row in rows.items()} == expected, rows
        assert list(rows) == list(names)[:: -1 if number % 2 else 1], "the order in which the rows were put"
        assert {row["sum"] for row in rows.values()} == {f"{number}.5"} and saved != path.read_bytes()
        print(f"LibreOffice, {form}: {len(rows)} marks and comments are where they were")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
