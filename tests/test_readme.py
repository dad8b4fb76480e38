"""The README: every command in it is run, and what it shows is what was printed, but for figures that change."""

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import PARTS, QUESTIONS, ROOT
from tests.course.classes import DOUBLED, hand_in, small_class

README = (ROOT / "README.md").read_text(encoding="utf-8")
RAN_BY = {  # what takes too long here, or never ends, by the file that runs it
    "python -m pip install -r requirements.txt && python main.py": ".ci/run",
    "python -m pip install -r requirements.txt && python -m pytest": ".ci/run",
    "python main.py": "tests/test_homework.py",
    "python main.py --save": "tests/test_main.py",
    "python main.py --watch": "tests/course/test_alone.py",
    "python -m pytest tests/test_homework.py tests/test_readme.py tests/course": ".ci/run",
    "python -m tests.benchmarks.questions": ".ci/run",
}
RUN_HERE = [
    "python main.py --help",
    "python main.py mine --only backprop-2",
    "python main.py submissions",
    "python main.py feedback",
    "python main.py handout ../handout",
    "python main.py gradescope ../gradescope",
    "python main.py nbgrader ../course",
    "python -m pytest tests/test_answers.py",
    "python -m hw4.grading.course.blank",
    "python -m tests.affine.mutants",
]
SHOWN = re.compile(r"^```\n\$ (.+)\n((?:.*\n)+?)```$", re.MULTILINE)


def commands() -> set[str]:
    """Return the commands of the README, in blocks of code and between text."""
    blocks = re.findall(r"^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ").split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    prose = re.findall(r"`(python [^`]+)`", re.sub(r"^```\n.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL))
    return {line for line in [*lines, *prose] if line.startswith("python ")}


def masked(text: str) -> list[str]:
    """Return the lines of `text`, sorted, without the figures that change."""
    text = re.sub(r"isolation: .*", "isolation: ...", text)
    text = re.sub(r"\d+\.\d+ s\b|(?<=  )\d+\.\d\b", "#", text)
    text = re.sub(r"^\[\d+/", "[#/", text, flags=re.MULTILINE)
    return sorted(re.sub(r" +", " ", line) for line in text.splitlines())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a copy of the project with a class, and a homework in which one gradient is wrong."""
    folder = tmp_path_factory.mktemp("readme") / "project"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "graded")
    shutil.copytree(ROOT, folder, ignore=ignored)
    small_class(folder / "submissions")
    hand_in(folder / "mine", {}, DOUBLED)
    shutil.copytree(ROOT / ".github", folder / ".github")
    return folder


def run(command: str, place: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, *command.split()[1:]]
    return subprocess.run(words, cwd=place, capture_output=True, text=True, timeout=600)


def test_every_command_is_run_somewhere():
    assert commands() == RAN_BY.keys() | set(RUN_HERE)
    for file in RAN_BY.values():
        assert (ROOT / file).exists()
    assert re.search(r"grep -E '\^python -m pip install .*python main.py\$' README.md", (ROOT / ".ci/run").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("command", RUN_HERE)
def test_a_command_runs_and_prints_what_is_shown(place, command):
    if command == "python main.py feedback":
        run("python main.py submissions", place)
    done = run(command, place)
    assert done.returncode in (0, 1, 2) and "Traceback" not in done.stderr, done.stderr
    shown = dict(SHOWN.findall(README))
    if command in shown:
        printed = done.stdout + done.stderr
        if "--only" in command:  # some remarks are left out
            assert set(masked(shown[command])) <= set(masked(printed))
        else:
            assert masked(shown[command]) == masked(printed)
    elif command != "python main.py --help":
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_table_of_its_class_says_whose_function_is_wrong(place):
    run("python main.py submissions", place)
    with open(place / "graded" / "results.csv", newline="", encoding="utf-8-sig") as file:
        states = {row["submission"]: row["backprop-2"] for row in csv.DictReader(file)}
    assert states == {"ann": "answered", "bob": "answered, wrong", "eve.ipynb": ""}


def test_it_counts_the_questions_and_parts_and_so_does_the_autograders():
    assert f"{QUESTIONS} questions with {PARTS} graded parts" in README
    autograders = (ROOT / "hw4/grading/course/files/GRADESCOPE.md").read_text(encoding="utf-8")
    for phrase in (
        f"the {PARTS} graded parts",
        f"the other {PARTS - 1}",
        f"({PARTS - 1} questions, {PARTS - 1} points)",
    ):
        assert phrase in autograders


def test_three_readers_find_themselves_in_the_first_screen():
    screen = "\n".join(README.splitlines()[:24])
    for reader in ("a student", "a grader or instructor", "a contributor"):
        assert f"| {reader} |" in screen
    for name in re.findall(r"\(#([\w-]+)\)", README):
        assert re.search(rf"^## {name.replace('-', ' ')}$", README, re.MULTILINE | re.IGNORECASE), name
    for path in re.findall(r"\]\(([^#)]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_option_table_has_every_option_with_its_default():
    import main

    options = {action.option_strings[0]: action for action in main.parser()._actions if action.option_strings}
    rows = dict(re.findall(r"^\| `(--[\w-]+)[^`]*` \| ([^|]+?) \|", README, re.MULTILINE))
    assert rows.keys() == options.keys() - {"-h"}
    for name, default in rows.items():
        if default[:1].isdigit():
            assert float(default) == options[name].default, name


def test_condas_environment_installs_the_lists_of_pip():
    text = (ROOT / "environment.yml").read_text()
    assert re.findall(r"-r (\S+)", text) == ["requirements.txt"]
    listed = [line.strip(" -:") for line in text.splitlines() if line.startswith("  - ")]
    assert listed == ["conda-forge", "python=3.11", "pip", "pip"]
