"""Put the notebook through nbgrader as a course would: `python course.py FOLDER`; the folder is made.

nbgrader's exit codes say little (0 with failed checks), so the points in its gradebook are looked at.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "Part4_SummaryQuestions.ipynb"
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "course"
c.CourseDirectory.root = {root!r}
c.Autograde.exclude_overwriting = {{"hw4": ["hw4/answers.py"]}}
c.Execute.timeout = 300
"""
WRONG = "def part4_affine_backward(ctx, grad_output):\n    return None, 0 * ctx.saved_tensors[1], grad_output.sum(0)\n"


def nbgrader(course, *arguments):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def place(folder, answers=None):
    """Lay the homework into `folder`, with `answers` in the place of our own function."""
    shutil.copytree(ROOT / "hw4", folder / "hw4", ignore=shutil.ignore_patterns("__pycache__", "grading"))
    shutil.copy(ROOT / NAME, folder)
    if answers:
        (folder / "hw4" / "answers.py").write_text(answers)


def main(course):
    from nbgrader.api import Gradebook

    place(course / "source" / "hw4")
    (course / "nbgrader_config.py").write_text(CONFIG.format(root=str(course)))
    nbgrader(course, "generate_assignment", "hw4")
    for student, answers in {"right": None, "wrong": WRONG}.items():
        place(course / "submitted" / student / "hw4", answers)
    nbgrader(course, "autograde", "hw4")
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "course") as book:
        assert book.find_assignment("hw4").max_score == 51, book.find_assignment("hw4").max_score
        for student, points in {"right": 1, "wrong": 0}.items():
            grade = book.find_grade("backprop-2-check", NAME.removesuffix(".ipynb"), "hw4", student)
            assert grade.auto_score == points, (student, grade.auto_score)
    print("nbgrader: 51 points; the affine check gives 1 to the right function and 0 to a wrong one")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
