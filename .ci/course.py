"""Put the homework through nbgrader as a course would: `python course.py FOLDER`; the folder is made.

nbgrader's exit codes say little (0 with failed checks), so the points in its gradebook are looked at.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "Part4_SummaryQuestions.ipynb"
WRONG = "def part4_affine_backward(ctx, grad_output):\n    return None, 0 * ctx.saved_tensors[1], grad_output.sum(0)\n"
sys.path.insert(0, str(ROOT))


def run(*command, folder):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def main(course):
    from nbgrader.api import Gradebook

    from tests.builders import PARTS
    from tests.course.leaks import leaks

    run("main.py", "nbgrader", str(course), folder=ROOT)
    run("-m", "nbgrader", "generate_assignment", "hw4", folder=course)
    release = course / "release" / "hw4"
    assert leaks(release) == [], leaks(release)
    assert "**Answer:** **F.** *Write your answer here.*" in (release / NAME).read_text(encoding="utf-8")
    right = (ROOT / "hw4" / "answers.py").read_text(encoding="utf-8")
    for student, answers in {"right": right, "wrong": WRONG, "empty": None}.items():
        folder = shutil.copytree(release, course / "submitted" / student / "hw4")
        if answers:
            (folder / "hw4" / "answers.py").write_text(answers, encoding="utf-8")
    run("-m", "nbgrader", "autograde", "hw4", folder=course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "course") as book:
        assert book.find_assignment("hw4").max_score == PARTS, book.find_assignment("hw4").max_score
        for student, points in {"right": 1, "wrong": 0, "empty": 0}.items():
            assert book.find_submission("hw4", student).score == points, student
            grade = book.find_grade("backprop-2-check", NAME.removesuffix(".ipynb"), "hw4", student)
            assert grade.auto_score == points, (student, grade.auto_score)
    print(
        f"nbgrader: {PARTS} points; the check gives 1 to the right function, 0 to a wrong one and to the one handed out"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
