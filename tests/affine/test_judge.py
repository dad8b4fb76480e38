"""The battery of checks on a submission's own function, in processes of their own."""

import pytest

from hw4.grading.affine import judge
from hw4.grading.sandbox.scratch import Scratch
from tests.affine.mutants import MUTANTS
from tests.builders import ROOT

RIGHT = (ROOT / "hw4" / "answers.py").read_text()
WRONG = (
    "def part4_affine_backward(ctx, grad_output):\n    return None, 2 * grad_output.T @ ctx.saved_tensors[0], None\n"
)
TAMPER = """
import builtins, torch
torch.allclose = torch.equal = lambda *a, **k: True
torch.testing.assert_close = torch.autograd.gradcheck = torch.autograd.gradgradcheck = lambda *a, **k: True
builtins.AssertionError = builtins.Exception
print('{"shapes": null}')
"""


@pytest.fixture
def verdict(warm):
    """Return a function that judges an `hw4/answers.py`, with the text of more files beside it."""

    def judged(answers, **files):
        texts = {"hw4/__init__.py": "", "hw4/answers.py": answers} | {
            f"{name}.py": text for name, text in files.items()
        }
        files = {path: text.encode() for path, text in texts.items()}
        with Scratch(files, 4 * 2**30) as scratch, judge.Trial(warm, scratch) as trial:
            return trial.verdict()[1]

    return judged


def test_the_right_function_passes_every_check(verdict):
    assert verdict(RIGHT) == dict.fromkeys(judge.names())


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_function_is_rejected_across_the_processes_too(verdict, name):
    path = ROOT / "tests" / "affine" / "mutants.py"
    source = path.read_text().replace("from hw4.grading.affine.battery import", "#")
    answers = f"from mutants import MUTANTS\npart4_affine_backward = MUTANTS[{name!r}]"
    assert any(verdict(answers, mutants=source).values())


def test_each_wrong_gradient_is_named(verdict):
    found = verdict(WRONG)["shapes"]
    assert found.startswith("dL/dX is None, not a tensor; dL/dW is 4 times the right one; dL/db is None")


def test_tampering_with_torch_where_the_function_lives_changes_nothing(verdict):
    assert verdict(TAMPER + WRONG)["shapes"] == verdict(WRONG)["shapes"]


@pytest.mark.parametrize(
    ("answers", "said"),
    {
        "1 / 0": "raises ZeroDivisionError: division by zero",
        "": "raises ImportError: cannot import name 'part4_affine_backward'",
        "part4_affine_backward = 7": "raises TypeError: 'int' object is not callable",
        "import os; os._exit(0)": "the process that ran it broke off",
        "import os; os.write(0, b'{}\\n')" + "\n" + RIGHT: "the process that ran it broke off",
        "def part4_affine_backward(ctx, G): return 'a', 'b', 'c'": "it returns 'a' where a tensor is due",
    }.items(),
)
def test_what_cannot_be_judged_is_said_in_a_line(verdict, answers, said):
    assert verdict(answers)["shapes"].startswith(said)


def test_a_function_that_never_ends_is_stopped(verdict, monkeypatch):
    monkeypatch.setattr(judge, "PATIENCE", 2.0)
    assert set(verdict("def part4_affine_backward(ctx, G):\n    while True: pass").values()) == {
        "did not end within 2 s"
    }


def test_a_submission_without_answers_never_gets_ours(result):
    given = {"hw4/answers.py": RIGHT, "hw4/__init__.py": ""}
    cells = {"q-1-question": "", "q-1-check": "from hw4.answers import part4_affine_backward\nassert 1"}
    from tests.builders import submission

    found = result(cells, reference=submission(cells, given))
    missing = "ModuleNotFoundError: No module named 'hw4.answers'"
    assert missing in found.failures[0] and missing in found.originals["q-1-check"]
    assert all(missing in wrong for wrong in found.gradients.values())
