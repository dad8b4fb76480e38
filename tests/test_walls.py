"""Whatever one submission of a class is, it ends with one line of its own and costs no other anything."""

import csv
import gc
import json
import re
import time
import unicodedata

import nbformat
import pytest

import main
from hw4.grading import bounded
from hw4.grading.errors import Unusable
from hw4.grading.intake.students import find
from hw4.grading.marks.spreadsheet import quoted
from hw4.grading.names import folder_names, shown
from hw4.grading.notebook.format import language_of
from hw4.grading.submission import collect, files_to_run
from tests.builders import JUDGED, ROOT, made, submission

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
ASKED = {"q-1-question": "Why?", "q-1-check": "assert 1", "q-1-answer": "**Answer:**"}
ANSWERED = ASKED | {"q-1-answer": "**Answer:** Because.", "own": "print(6 * 7)"}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that grades the folder `class` here; it returns the exit code, the lines and the rows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bounded, "SECONDS", 20.0)
    nbformat.write(made(ASKED), tmp_path / "reference.ipynb")
    hand_in(tmp_path, "zoe")  # a folder with only one notebook would be no class

    def graded(*options, folder="class"):
        code = main.main([folder, "--reference", "reference.ipynb", "--jobs", "2", *options])
        err = capsys.readouterr().err.rpartition("\n\n")[2]  # after the lists of what was found
        with open(tmp_path / "graded" / "results.csv", newline="", encoding="utf-8") as file:
            rows = {row["submission"]: row for row in csv.DictReader(file) if row["submission"] != "zoe"}
        return code, err, rows

    yield graded
    gc.collect()  # jupyter_client leaves an event loop open in each thread that talks with a kernel


def hand_in(tmp_path, name, cells=None, metadata=None, text=None):
    path = tmp_path / "class" / name / "hw.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(made(cells or ANSWERED, metadata)) if text is None else text)
    return path.parent


def left(tmp_path, name="ann"):
    """Return what a run leaves of a submission, but for the seconds."""
    folder = tmp_path / "graded" / name
    results = json.loads((folder / "results.json").read_text())
    page = (folder / "report.html").read_text().partition("<footer>")[0]
    return (folder / "hw.ipynb").read_bytes(), page, results["tests"], results["extra_data"]["answers"]


HALVES = r"\ud800 \udfff"
HOSTILE = {  # by name: the text of the notebook's file, or its cells
    "deep": '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ' + "[" * 200_000,
    "deeper": '{"nbformat": 4, "metadata": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + ', "cells": []}',
    "many": json.dumps({"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "markdown", "source": "a"}] * 30_000}),
    "numbers": '{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": ' + "9" * 5000 + "}]}",
    "halves": ANSWERED | {"own": f"import sys\nprint('{HALVES}')\nclass A(Exception): pass\nraise A('{HALVES}')"},
    "half-ids": json.dumps(
        {"nbformat": 4, "metadata": {"x": "\ud800"}, "cells": [{"id": "\udfff", "source": "\ud800"}]}
    ),
    "spaces": ANSWERED | {"q-1-answer": "**Answer:** # a" + " " * 20_000 + "b", "note": ("#" + " " * 9000) * 9},
    "stars": ANSWERED | {"q-1-answer": "**a " * 6000, "note": "*_" * 9000},
    "brackets": ANSWERED | {"q-1-answer": "[" * 20_000, "note": "![](" * 6000 + "<a " * 6000},
    "fences": ANSWERED | {"q-1-answer": "`" * 9999 + "a" + "``" * 5000, "note": "<b>" * 9000 + "<!--" * 3000},
    "returns": ANSWERED | {"own": "import sys\nsys.stdout.write('\\r' * 1_000_000 + 'x')"},
    "nested": ANSWERED | {"own": "import os\nfor n in range(900): os.mkdir('d'); os.chdir('d')\nos.chmod('.', 0)"},
    "slow": ANSWERED | {"own": "import sys, time\nopen('a.py', 'w').write('import time; time.sleep(60)')\nimport a"},
    "daemons": ANSWERED
    | {"own": "import os, time\nfor n in range(20):\n    if not os.fork(): os.setsid(); os.fork(); time.sleep(60)"},
    "report.html": ANSWERED,
    "Jos\u00e9": ANSWERED,
    "Jose\u0301": ANSWERED,
    "wire": ANSWERED
    | {"own": "import os\nfor fd in range(3, 60):\n    try: os.write(fd, b'\\xff' * 999)\n    except OSError: pass"},
}


@pytest.mark.slow
def test_no_submission_ends_the_class_or_changes_a_byte_of_another(run, tmp_path):
    hand_in(tmp_path, "ann")
    assert run("--timeout", "5")[0] == 0
    alone = left(tmp_path)
    for name, what in HOSTILE.items():
        hand_in(tmp_path, name, **{"text" if isinstance(what, str) else "cells": what})
    code, err, rows = run("--fresh", "--timeout", "5")
    assert code in (2, 3) and left(tmp_path) == alone
    assert len([line for line in err.splitlines() if line.startswith("[")]) == len(HOSTILE) + 2
    assert set(rows) == {"ann", *HOSTILE} and len({row["folder"] for row in rows.values()}) == len(rows)
    assert rows["ann"]["status"] == "clean"
    assert {rows[name]["status"] for name in ("deep", "deeper")} <= {"not graded", "clean", "failed"}


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["planned", "outcome_of"])
def test_a_submission_that_cannot_be_read_or_drawn_in_time_is_one_line(run, tmp_path, monkeypatch, stage):
    hand_in(tmp_path, "ann")
    run()
    alone = left(tmp_path)
    hand_in(tmp_path, "bob", ANSWERED | {"own": "'bob'"})
    call = bounded.call

    def slow(function, *arguments, **options):
        stuck = function.__name__ == stage and any(b"bob" in bounded.pickle.dumps(each) for each in arguments)
        return call(time.sleep, 60, seconds=1.0) if stuck else call(function, *arguments, **options)

    monkeypatch.setattr(bounded, "call", slow)
    code, err, rows = run("--fresh")
    assert left(tmp_path) == alone
    (line,) = [line for line in err.splitlines() if "bob" in line]
    assert code == 3 and "more than 1 s" in line and rows["bob"]["status"] == "our fault"


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_costs_no_other(run, tmp_path):
    for name in ("ann", "bob"):
        hand_in(tmp_path, name)
    (tmp_path / "graded").mkdir()
    (tmp_path / "graded" / "bob").write_text("a file in the way")
    code, err, rows = run("--junit", "junit.xml")
    assert code == 3 and rows["ann"]["status"] == "clean" and rows["bob"]["status"] == "our fault"
    assert "nothing of it could be written" in (tmp_path / "junit.xml").read_text()


# Names

NAMES = ["Ann", "ann", "ann.", "ann ", " ann", "-ann", "CON", "con.txt", "nul", "index.html", "results.csv", "env"]
NAMES += [".grading-output", "results.json", "report.html", "found.txt", "failures.html", "pyvenv.cfg"]
NAMES += [".bob", "graded", "=1+1", "＝1+1", "a\nb", "x" * 255, "日" * 85, "Jose\u0301", "Jos\u00e9", "..x", "\udcff"]
NAMES += [
    "ß",
    "ss",
    "\u202eab",
    "a\\nb",
    "ann-0123456789",
    "LPT¹",
    "x;=1+1",
    "feedback",
    "'x",
    "x'",
    "COM1.",
    "\t",
    "K",
    "\u212a",
]


def test_every_name_becomes_a_folder_that_no_file_system_takes_for_another(tmp_path):
    made_of = folder_names(NAMES)
    assert len({unicodedata.normalize("NFKC", name).casefold().rstrip(". ") for name in made_of}) == len(NAMES)
    assert not set(made_of) & {"found.txt", "results.json", "results.csv", "index.html", "failures.html", "feedback"}
    for name in made_of:
        assert len(name.encode()) <= 150 and name.strip(". ") == name and name[0] not in "=+-@"
        assert name.isprintable() and not set(name) & set('/\\:*?"<>|')
        assert name.split(".")[0].strip().upper() not in {"CON", "NUL", "COM1", "LPT¹", "INDEX"} or "-" in name


def test_a_name_keeps_its_folder_whoever_joins_the_class():
    for joins in ("ANN", "ann.", "bob"):
        folders = dict(zip(["ann", joins], folder_names(["ann", joins]), strict=True))
        assert folders["ann"] == "ann"


def test_names_are_shown_on_one_line_and_stay_apart():
    assert len(set(map(shown, NAMES))) == len(NAMES)
    assert all(shown(name).isprintable() and shown(name).strip() == shown(name) for name in NAMES)


def test_every_folder_of_a_class_is_a_submission_whatever_it_is_called(tmp_path):
    names = [name for name in NAMES if name not in ("con.txt", "\t")]
    for name in names:
        hand_in(tmp_path, name)
    (tmp_path / "class" / "conda-meta").touch()  # somebody's, loose
    for passed_over in (".git", ".ipynb_checkpoints", "venv"):
        hand_in(tmp_path, passed_over)
    (tmp_path / "class" / "venv" / "pyvenv.cfg").touch()
    found = find([tmp_path / "class"], tmp_path / "reference.ipynb", tmp_path)
    assert {each.name for each in found.submissions} == set(map(shown, names))


@pytest.mark.slow
def test_marks_stay_with_the_exact_name(run, tmp_path):
    for name in ("ann", "bob"):
        hand_in(tmp_path, name)
    run()
    path = tmp_path / "graded" / "results.csv"
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join([lines[0], *(f"{line.removesuffix(',')},good {line.split(',')[1]}" for line in lines[1:])]) + "\n"
    )
    for name in ("Ann", "ann ", "\udcffann"):
        hand_in(tmp_path, name)
    code, _, rows = run()
    assert code == 0
    comments = {name: row["comment q-1"] for name, row in rows.items()}
    assert comments == {"ann": "good ann", "bob": "good bob", "Ann": "", "ann\\x20": "", "\\udcffann": ""}


@pytest.mark.parametrize(
    "text", ["=1", "＝1", "＋1", "－1", "＠x", "a;=1", "a; =1", "a|+1", "'=1", " =1", "\u200b=1", "\ufeff=1"]
)
def test_no_cell_of_the_table_is_a_formula_for_any_spreadsheet(text):
    cells = re.split("[;|]", quoted(text))
    assert not any(cell.strip()[:1] in set("=+-@＝＋－＠") for cell in cells if cell.strip())


# Links and files in the place of folders


@pytest.mark.parametrize("where", ["hw.ipynb", "", "hw4"])
def test_a_link_in_a_class_leads_nowhere(tmp_path, where):
    secret = tmp_path / "secret"
    (secret / "hw4").mkdir(parents=True)
    (secret / "hw4" / "answers.py").write_text("secret")
    (secret / "hw.ipynb").write_text(nbformat.writes(made(ANSWERED)))
    folder = hand_in(tmp_path, "bob")
    for name in ("ann", "cem"):
        hand_in(tmp_path, name)
    if where == "":
        (folder / "hw.ipynb").unlink()
        folder.rmdir()
    place = folder / where
    place.unlink(missing_ok=True)
    place.symlink_to(secret / where)
    reference = tmp_path / "reference.ipynb"
    (found,) = [each for each in find([tmp_path / "class"], reference, tmp_path).submissions if each.name == "bob"]
    if where == "hw4":
        (alone,) = find([folder / "hw.ipynb"], reference, tmp_path).submissions
        assert list(collect(found).files) == list(collect(alone).files) == ["hw.ipynb"]
    else:
        with pytest.raises(Unusable, match="a link"):
            collect(found)


@pytest.mark.parametrize("path", ["hw4", "hw4/evidence"])
def test_a_file_in_the_place_of_a_given_folder_gives_way(path):
    given = submission(ASKED, {"hw4/__init__.py": "", "hw4/evidence/figures.py": "given"})
    files = files_to_run(submission(ANSWERED, {path: "a file"}), given)
    assert path not in files and files["hw4/evidence/figures.py"] == b"given"


# Languages


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}, "r"),
        ({"kernelspec": {"name": "ir", "display_name": "R"}, "language_info": {"name": "R"}}, "ir"),
        ({"kernelspec": {"name": "julia-1.10", "display_name": "Julia"}}, "julia"),
        ({"kernelspec": {"language": "Rust"}}, "rust"),
        ({"language_info": {"name": "javascript"}}, "javascript"),
        ({"kernelspec": {"name": ".net-csharp", "display_name": ".NET (C#)", "language": "C#"}}, "c#"),
        ({"kernelspec": {"name": "xcpp17", "display_name": "C++17"}}, "xcpp"),
        ({"kernelspec": {"name": "bash", "display_name": "Bash"}, "language_info": {"name": "python"}}, "bash"),
        ({}, "python"),
        ({"kernelspec": {"name": "xr", "display_name": "R 4.3 (xr)"}}, "xr"),
        ({"kernelspec": {"name": "ir43"}, "language_info": {"name": "R"}}, "ir43"),
        ({"kernelspec": {"name": "sparkrkernel", "display_name": "SparkR"}}, "sparkrkernel"),
        ({"kernelspec": {"name": "hw4", "display_name": "My environment"}}, "python"),
        ({"kernelspec": {"name": "hw4", "language": "Python 3"}}, "python"),
        ({"kernelspec": {"name": "hw4", "language": "python3.11"}}, "python"),
        ({"kernelspec": {"name": "rocket", "display_name": "Rocket"}}, "python"),
        ({"kernelspec": {"name": "python3", "language": "python"}, "language_info": {"name": "ipython"}}, "python"),
        ({"kernelspec": {"name": "irene", "display_name": "Irene's"}}, "python"),
        ({"kernelspec": {"name": "rl-course", "display_name": "RL"}}, "python"),
        ({"kernelspec": {"name": "go-game", "display_name": "Go"}}, "python"),
        ({"kernelspec": [1], "language_info": 7}, "python"),
        ({"language_info": {"name": ["a"]}}, "python"),
        ({"kernelspec": {"name": ["ir"], "language": None}}, "python"),
        ([], "python"),
    ],
)
def test_the_language_of_a_notebook_is_read_from_its_metadata(metadata, language):
    assert language_of(json.dumps({"metadata": metadata, "cells": []}).encode()) == language


@pytest.mark.slow
def test_a_notebook_in_another_language_is_one_line_and_the_class_goes_on(run, tmp_path):
    hand_in(tmp_path, "ann")
    ran = ANSWERED | {"own": "open('ran', 'w')"}
    hand_in(tmp_path, "bob", ran, {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}})
    hand_in(tmp_path, "cem", ran, {"language_info": {"name": "julia"}})
    code, err, rows = run()
    assert code == 2 and rows["ann"]["status"] == "clean"
    assert "bob: not graded: bob: a notebook in r, not in Python" in err
    assert "cem: not graded: cem: a notebook in julia, not in Python" in err
    assert main.main(["class/bob/hw.ipynb", "--reference", "reference.ipynb", "--output", "alone"]) == 2


# Scores


ANSWERS = (ROOT / "hw4" / "answers.py").read_text()
WRONG = "def part4_affine_backward(ctx, G): return None, None, None"
CHECK = "from hw4.answers import part4_affine_backward\nimport hw4.help\nassert hw4.help.given == 1"


def judged(result, answers, files=None, cells=None):
    """Return the result of a submission with these answers (None: without) and cells, against a reference with all."""
    asked = {"q-1-question": "", "q-1-check": CHECK}
    given = {"hw4/__init__.py": "", "hw4/help.py": "given = 1"}
    reference = submission(made(asked, JUDGED), given | {"hw4/answers.py": ANSWERS})
    own = ({"hw4/answers.py": answers} if answers else {}) | (files or {})
    return result(asked | (cells or {}), own, reference=reference)


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "open('hw4/help.py', 'w').write('given = 2')",
        "import shutil\nshutil.rmtree('hw4')",
        f"open('hw4/answers.py', 'w').write({WRONG!r})",
        "import os\nos.remove('hw4/answers.py')\nos.symlink('/etc/passwd', 'hw4/answers.py')",
        "open('torch.py', 'w').write('1/0')\nopen('json.py', 'w').write('1/0')",
    ],
)
def test_what_a_cell_does_to_given_files_changes_no_verdict(result, source):
    found = judged(result, ANSWERS, cells={"a": source, "b": "import time\ntime.sleep(1)"})
    assert not found.finding.verdict.faults()


@pytest.mark.slow
def test_an_answer_that_only_a_cell_wrote_is_judged_and_that_is_said(result):
    found = judged(result, None, cells={"a": f"open('hw4/answers.py', 'w').write({ANSWERS!r})"})
    assert not found.finding.verdict.faults()
    assert "was not handed in" in found.finding.machinery[-1].text
    loose = judged(result, None, cells={"a": f"%%writefile answers.py\n{ANSWERS}"})
    assert not loose.finding.verdict.faults() and "answers.py, which a cell wrote" in loose.finding.machinery[-1].text
    wrong = judged(result, None, cells={"a": f"%%writefile hw4/answers.py\n{WRONG}"})
    assert wrong.finding.verdict.faults() and "was not handed in" in wrong.finding.machinery[-1].text


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.symlink('/etc/passwd', 'hw4/answers.py')",
        "import os\nos.mkfifo('hw4/answers.py')",
        "import os\nos.symlink('/dev/zero', 'hw4/answers.py')",
    ],
)
def test_an_answer_that_is_no_file_of_the_submission_s_is_no_answer(result, source):
    assert judged(result, None, cells={"a": source}).finding.verdict.problem


FORGED = {  # what a module does beside a wrong function, or within it
    "replies written beforehand": f"{WRONG}\nimport os\nfor fd in range(3, 20):\n"
    "    try: os.write(fd, b'null\\n' * 9)\n    except OSError: pass",
    "replies written, and the end": f"{WRONG}\nimport os\nfor fd in range(3, 20):\n"
    "    try: os.write(fd, b'null\\n')\n    except OSError: pass\nos._exit(0)",
    "findings written": f"{WRONG}\nimport os\nfor fd in range(20):\n"
    '    try: os.write(fd, b\'["check", "shapes", null]\\n\')\n    except OSError: pass',
    "json patched": f"{WRONG}\nimport json\ndumps = json.dumps\n"
    "json.dumps = lambda each, **more: dumps(None if isinstance(each, str) else each, **more)",
    "the worker's frames": f"{WRONG}\nimport sys\nframe = sys._getframe()\nwhile frame:\n"
    "    frame.f_globals['describe'] = lambda problem: None\n    frame = frame.f_back",
    "inputs set to zero": "def part4_affine_backward(ctx, G):\n"
    "    for each in (*ctx.saved_tensors, G): each.data.zero_()\n"
    "    return tuple(each * 0 for each in ctx.saved_tensors)",
    "no numbers": "def part4_affine_backward(ctx, G):\n"
    "    return tuple(each * float('nan') for each in ctx.saved_tensors)",
    "a class of its own": "import torch\nclass Mine(torch.Tensor):\n    def tolist(self): return []\n"
    "def part4_affine_backward(ctx, G): return tuple(each.as_subclass(Mine) for each in ctx.saved_tensors)",
    "the battery imported": f"{WRONG}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
    "try:\n    import hw4.grading.affine.battery as battery\n    battery.fault = lambda *each: None\n"
    "except ImportError: pass",
    "nested too deeply": f"{WRONG}\nimport os\nfor fd in range(3, 20):\n"
    "    try: os.write(fd, b'[' * 100_000 + b'\\n')\n    except OSError: pass",
}


@pytest.mark.slow
@pytest.mark.parametrize("answers", FORGED.values(), ids=FORGED)
def test_no_module_forges_what_the_battery_finds(result, answers):
    verdict = judged(result, answers).finding.verdict
    assert verdict.problem or all(verdict.asked.values())


@pytest.mark.slow
def test_a_given_check_is_the_process_s_word_and_what_the_battery_finds_is_not(result):
    check = "import torch\nimport hw4.answers\nassert torch.allclose(torch.ones(1), torch.zeros(1))"
    asked = {"q-1-question": "", "q-1-check": check}
    reference = submission(made(asked, JUDGED), {"hw4/__init__.py": "", "hw4/answers.py": ANSWERS})
    forges = f"{WRONG}\nimport torch\ntorch.allclose = lambda *_: True"
    verdict = result(asked, {"hw4/answers.py": forges}, reference=reference).finding.verdict
    assert verdict.given == {"q-1-check": None} and all(verdict.asked.values())


BESIDE = {f"{name}.py": "raise SystemExit(0)" for name in ("torch", "json", "socket", "sitecustomize", "usercustomize")}
BESIDE |= {
    f"{name}.py": "raise SystemExit(0)" for name in ("conftest", "ipython_config", "ipython_kernel_config", "limits")
}
BESIDE |= {"x.pth": "import os; os._exit(0)", "torch/__init__.py": "1/0", "hw4/grading/__init__.py": "1/0"}
BESIDE |= {"hw4/grading/affine/battery.py": "1/0", "hw4/grading/sandbox/linux.py": "1/0", "matplotlibrc": "backend: x"}


@pytest.mark.slow
def test_files_beside_the_notebook_stand_for_nothing_of_the_graders_or_the_systems(result):
    found = judged(
        result, ANSWERS, BESIDE, cells={"own": "import json, torch\nassert json.dumps([torch.ones(1).item()])"}
    )
    assert not found.finding.verdict.faults() and found.exit_code() == 0
    assert judged(result, WRONG, BESIDE).finding.verdict.faults()


@pytest.mark.slow
def test_checks_that_only_nbgrader_s_metadata_mark_run_again_with_the_student_s_own_cells(result):
    marked = {"nbgrader": {"grade": True, "solution": False, "points": 2, "grade_id": "c"}}
    answer = {"nbgrader": {"grade": False, "solution": True, "grade_id": "a"}}

    def notebook(body, check):
        cells = made({"q-1-question": "", "setup": "import math", "double": f"def double(x): {body}", "tested": check})
        cells.cells[2].metadata, cells.cells[3].metadata = map(nbformat.from_dict, (answer, marked))
        return submission(cells)

    given = notebook("raise NotImplementedError", "assert double(math.e) == 2 * math.e")
    right = result(*notebook_of(notebook("return 2 * x", "assert 1")), reference=given)
    wrong = result(*notebook_of(notebook("return x", "assert 1")), reference=given)
    assert right.finding.verdict.given == {"tested": None}
    assert "AssertionError" in wrong.finding.verdict.given["tested"]


@pytest.mark.slow
def test_a_package_without_a_file_of_its_own_is_judged_as_any_other(result):
    reference = submission(made({"q-1-question": "", "q-1-check": "import torch"}, JUDGED), {})
    found = result({"q-1-question": "", "q-1-check": "import torch"}, {"hw4/answers.py": ANSWERS}, reference=reference)
    assert not found.finding.verdict.faults() and files_to_run(submission(ASKED), submission(ASKED)).keys() == {
        "hw.ipynb"
    }


def notebook_of(handed_in):
    """Return the arguments of the fixture `result` for a submission."""
    return (nbformat.reads(handed_in.files["hw.ipynb"].decode(), as_version=4),)
