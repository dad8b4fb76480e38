"""Marks that a class keeps, whatever becomes of its table: `python -m tests.benchmarks.marks [--students N]`.

The class is graded again after each damage, with every mark entered anew before it; in each round one hands in late,
one hands in again, and one folder disappears. A mark is lost where it, its comment or its sum is not in its row.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import nbformat

from tests.builders import made
from tests.marks.test_class import NAMES, Graded, enter, expected
from tests.marks.test_table import FORMS, as_numbers, cut_zeros, misread, question_marks

EDITS = {"zeros cut": cut_zeros, "UTF-8 misread": misread, "ids as numbers": as_numbers, "letters as ?": question_marks}


def damaged(number, edit):
    """Return an edit that enters the marks of a round and then damages the names, in another order of the rows."""

    def both(rows):
        if edit:
            edit(rows)
        enter(number, 1)(names := [row | {"submission": row["key"]} for row in rows])
        marks = [{column: row[column] for column in ("mark q-1", "comment q-1")} for row in names]
        return [row | mark for row, mark in zip(rows, marks, strict=True)][::-1]

    return both


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=40)
    students = parser.parse_args().students
    with tempfile.TemporaryDirectory() as folder:

        def notebook(cells, name):
            nbformat.write(made(cells), Path(folder, name))

        course = Graded(Path(folder), notebook)
        names = [*NAMES, *(f"student {number:02}" for number in range(len(NAMES), students))]
        for name in names:
            course.hand_in(name)
        course.grade()
        print("| round | damage | rows | marks | lost | named as changed |\n| --- | --- | ---: | ---: | ---: | ---: |")
        rounds = [(name, {}, edit) for name, edit in EDITS.items()]
        rounds = [*((name, form, None) for name, form in FORMS.items()), *rounds]
        for number, (damage, form, edit) in enumerate(rounds, 1):
            known = {row["key"]: name for name, row in course.rows().items()}
            course.mark(damaged(number, edit), **form)
            course.hand_in(f"late {number}")
            course.hand_in(names[number], f"another answer, {number}")
            shutil.rmtree(course.root / "class" / names[-number], ignore_errors=True)
            code, out, err = course.grade()
            assert code == 0, err
            rows = course.marks()
            wanted = {name: expected(number, key)[:3] for key, name in known.items()}
            lost = [name for name, pair in wanted.items() if rows.get(name, ())[:3] != pair]
            changed = out.count("changed since it was marked")
            print(
                f"| {number} | {damage} | {len(rows)} | {len(wanted)} | {', '.join(lost) or 0} | {changed} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
