"""Gradescope's and nbgrader's folders, JUnit's file, and the lists of packages."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from xml.etree import ElementTree

import jsonschema
import nbformat
import pytest

from hw4.grading.course.given import BLANK, NAME
from tests.builders import PARTS, ROOT
from tests.course.leaks import leaks

RIGHT = (ROOT / "hw4" / "answers.py").read_text(encoding="utf-8")
WRONG = "def part4_affine_backward(ctx, grad_output):\n    return None, 0 * ctx.saved_tensors[1], grad_output.sum(0)\n"
FORMATS = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
NUMBER, TEXT = {"type": "number"}, {"type": "string"}
TEST = {
    "score": NUMBER,
    "max_score": NUMBER,
    "status": {"enum": ["passed", "failed"]},
    "name": TEXT,
    "name_format": FORMATS,
    "number": TEXT,
    "output": TEXT,
    "output_format": FORMATS,
    "tags": {"type": "array", "items": TEXT},
    "visibility": VISIBILITY,
    "extra_data": {"type": "object"},
}
# Gradescope's documentation, "Autograder Specifications", output format.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["tests"],
    "anyOf": [
        {"required": ["score"]},
        {"properties": {"tests": {"contains": {"required": ["score"]}}}},
    ],
    "properties": {
        "score": NUMBER,
        "execution_time": NUMBER,
        "output": TEXT,
        **{f"{name}format": FORMATS for name in ("output_", "test_output_", "test_name_")},
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {"type": "object", "additionalProperties": False, "properties": TEST},
        },
    },
}


def command(name, folder):
    done = subprocess.run([sys.executable, str(ROOT / "main.py"), name, str(folder)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def autograder(tmp_path_factory):
    """Return a folder laid out as Gradescope's /autograder, with the zip unpacked in source."""
    root = tmp_path_factory.mktemp("autograder")
    command("gradescope", root / "made")
    with zipfile.ZipFile(root / "made" / "autograder.zip") as made:
        made.extractall(root / "source")
        modes = {entry.filename: entry.external_attr >> 16 for entry in made.infolist()}
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    return root


@pytest.fixture
def graded(autograder):
    """Return a function that uploads files {path: content}, runs the autograder, and returns results.json."""

    def grade(files):
        for name in ("submission", "results"):
            shutil.rmtree(autograder / name, ignore_errors=True)
            (autograder / name).mkdir()
        for name, content in files.items():
            path = autograder / "submission" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"AUTOGRADER": str(autograder), "PATH": path}
        run = ["bash", str(autograder / "source" / "run_autograder")]
        done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        found = json.loads((autograder / "results" / "results.json").read_text())
        jsonschema.validate(found, SCHEMA)
        return found

    return grade


def scores(found):
    """Return the scores of what has points; a check of a question that a person marks has none."""
    return [test["score"] for test in found["tests"] if test.get("max_score")]


def packed(tmp_path, files):
    """Return the content of a zip file with the files."""
    with zipfile.ZipFile(tmp_path / "work.zip", "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return (tmp_path / "work.zip").read_bytes()


LAYOUTS = ["as handed out", "loose", "zip", "subfolder", "other name"]
LAYOUTS += ["function alone", "function alone in a zip", "function alone, downloaded twice"]


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_right_function_has_its_point_however_it_is_handed_in(graded, tmp_path, layout):
    blank = BLANK.read_text(encoding="utf-8")
    files = {
        "as handed out": {NAME: blank, "hw4/answers.py": RIGHT},
        "loose": {NAME: blank, "answers.py": RIGHT},
        "function alone": {"answers.py": RIGHT},
        "function alone in a zip": {"hw4.zip": packed(tmp_path, {"hw4/answers.py": RIGHT, "hw4/__init__.py": ""})},
        "function alone, downloaded twice": {"answers (1).py": RIGHT, "notes.txt": "see the function"},
        "zip": {"work.zip": packed(tmp_path, {f"ann/{NAME}": blank, "ann/hw4/answers.py": RIGHT})},
        "subfolder": {f"homework/mine/{NAME}": blank, "homework/mine/answers.py": RIGHT},
        "other name": {"ann_final.ipynb": blank, "answers.py": RIGHT},
    }[layout]
    found = graded(files)
    assert scores(found) == [1]
    assert sum("score" not in test for test in found["tests"]) == PARTS - 1


@pytest.mark.slow
def test_a_wrong_function_has_no_point_and_a_failed_cell_is_not_passed(graded):
    notebook = nbformat.read(BLANK, as_version=4)
    place = next(place for place, cell in enumerate(notebook.cells) if cell.id == "cnn-1-answer")
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell("1 / 0", id="mine"))
    found = graded({NAME: nbformat.writes(notebook), "answers.py": WRONG})
    assert scores(found) == [0]
    row = next(test for test in found["tests"] if "ZeroDivisionError" in test.get("output", ""))
    assert row["status"] == "failed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({NAME: "{", "answers.py": RIGHT}, "not JSON"),
        ({"work.zip": b"PK no zip"}, "a damaged archive"),
        ({"notes.txt": "none"}, "no notebook"),
    ],
)
def test_what_cannot_be_graded_has_a_result_that_says_why(graded, files, said):
    found = graded(files)
    assert said in found["output"] and found["score"] == 0


def test_the_zip_says_nothing_of_the_answers(autograder, tmp_path):
    shutil.unpack_archive(autograder / "made" / "autograder.zip", tmp_path)
    assert leaks(tmp_path) == []
    assert "Edit Outline" in (tmp_path / "README.md").read_text()


def test_nbgraders_source_folder_has_the_blank_notebook_and_says_nothing_of_the_answers(tmp_path):
    command("nbgrader", tmp_path / "course")
    source = tmp_path / "course" / "source" / "hw4"
    assert {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()} == {
        NAME,
        "hw4/__init__.py",
        "hw4/answers.py",
        "hw4/figures.py",
    }
    assert leaks(source) == []
    assert "exclude_overwriting" in (tmp_path / "course" / "nbgrader_config.py").read_text()
    points = [cell.metadata.get("nbgrader", {}).get("points", 0) for cell in nbformat.read(BLANK, as_version=4).cells]
    assert sum(points) == PARTS


@pytest.mark.slow
def test_the_junit_file_has_a_case_per_row_and_the_failed_ones_fail(notebook, grade, tmp_path):
    path = notebook({"q-1-question": "Why?", "q-1-answer": "Because.", "q-2-question": "And?", "q-2-check": "assert 0"})
    assert grade(path, "--junit", "unit.xml").returncode == 1
    root = ElementTree.parse(tmp_path / "unit.xml").getroot()
    (suite,) = root
    names = {case.get("name"): case.find("failure") is not None for case in suite}
    assert (root.tag, suite.get("name"), suite.get("tests")) == ("testsuites", "hw.ipynb", str(len(names)))
    assert any(names.values()) and not all(names.values())
    assert int(suite.get("failures")) == sum(names.values())


@pytest.mark.slow
def test_the_junit_file_of_a_class_has_a_suite_per_submission_and_one_failure_for_what_cannot_be_read(
    notebook, grade, tmp_path
):
    reference = notebook({"q-1-question": "Why?"})
    (tmp_path / "class").mkdir()
    notebook({"q-1-question": "Why?", "q-1-answer": "Because."}, name="class/ann.ipynb")
    (tmp_path / "class" / "bob\x1b.ipynb").write_text("{")
    grade("class", "--junit", "unit.xml", reference=reference)
    suites = {suite.get("name"): suite for suite in ElementTree.parse(tmp_path / "unit.xml").getroot()}
    assert suites.keys() == {"ann.ipynb", "bob\\x1b.ipynb"}
    (case,) = suites["bob\\x1b.ipynb"]
    assert "not JSON" in case.find("failure").get("message")


# The lists of packages.
LISTS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "requirements").glob("*.txt")}
MODULES = {"scikit-learn": "sklearn", "pillow": "PIL", "math-core": "math_core"}
MODULES |= {"markdown-it-py": "markdown_it", "pyyaml": "yaml"}


def named(stem):
    """Return the packages that a list names, with those of the lists that it includes."""
    names = re.findall(r"^([a-z][\w-]*)", LISTS[stem], re.MULTILINE)
    included = re.findall(r"^-r (\w+)\.txt", LISTS[stem], re.MULTILINE)
    return {*names, *(name for each in included for name in named(each))}


def test_each_list_has_what_its_reader_needs_and_no_more():
    running, student = named("running"), named("student")
    assert running < student and "distributed" in named("grading") - student
    assert not {"pytest", "hypothesis", "ruff", "pyright", "distributed"} & student
    assert named("developing") > student | named("grading")


def test_each_package_has_one_version_and_it_is_the_one_that_runs_here():
    lines = [line.split(" ")[0] for line in LISTS["constraints"].splitlines() if line[:1].isalpha()]
    versions = dict(line.split("==") for line in lines)
    assert len(versions) == len(lines)
    assert named("developing") <= versions.keys()
    assert not any("==" in text for stem, text in LISTS.items() if stem != "constraints")
    for name in named("developing"):
        assert metadata.version(name).partition("+")[0] == versions[name], name  # "+cpu" is a build of it


def test_what_the_code_imports_is_named_among_what_running_needs():
    files = [ROOT / "main.py", *(ROOT / "hw4").rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    found = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    found |= {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    own = {path.stem for path in files}  # scripts import from beside themselves
    theirs = found - set(sys.stdlib_module_names) - own - {"hw4"}
    known = {MODULES.get(name, name) for name in named("grading")}
    assert theirs - known <= {"IPython", "cycler", "markupsafe", "tornado", "traitlets", "zmq"}  # which those bring
