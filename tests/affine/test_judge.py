"""The battery of checks on a submission's own function, in processes of their own."""

import pytest

from hw4.grading.affine import judge
from hw4.grading.affine.battery import cases
from hw4.grading.affine.checks import CHECKS
from hw4.grading.affine.judge import Judge, Verdict
from hw4.grading.notebook.checks import JudgedFunction
from hw4.grading.notebook.questions import JUDGED as OURS
from hw4.grading.report.console import failure_lines
from hw4.grading.sandbox.limits import ResourceLimits
from hw4.grading.sandbox.scratch import Scratch
from tests.affine.mutants import MUTANTS
from tests.builders import JUDGED, ROOT, made, submission

ASKED = [check.name for check in CHECKS if check.asked]
BEYOND = [check.name for check in CHECKS if not check.asked]

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


# What finds the descriptor on which the function worker replies, as a submission's code can.
REACH = """
import os, sys
frame = sys._getframe()
while "replies" not in frame.f_locals:
    frame = frame.f_back
replies = frame.f_locals["replies"].fileno()
"""


@pytest.fixture
def verdict(launcher):
    """Return a function that judges an `hw4/answers.py`, with the text of more files beside it."""

    def judged(answers, **files):
        texts = {"hw4/__init__.py": "", "hw4/answers.py": answers} | {
            f"{name}.py": text for name, text in files.items()
        }
        files = {path: text.encode() for path, text in texts.items()}
        with (
            Scratch(files, ResourceLimits(4 * 2**30)) as scratch,
            Judge(launcher, scratch, function=JudgedFunction(*OURS)) as judge,
        ):
            return judge.verdict()

    return judged


def test_the_right_function_passes_every_check(verdict):
    found = verdict(RIGHT)
    assert found == Verdict({}, dict.fromkeys(ASKED), dict.fromkeys(BEYOND))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_function_is_rejected_across_the_processes_too(verdict, name):
    path = ROOT / "tests" / "affine" / "mutants.py"
    source = path.read_text().replace("from hw4.grading.affine.battery import", "#")
    answers = f"from mutants import MUTANTS\npart4_affine_backward = MUTANTS[{name!r}]"
    found = verdict(answers, mutants=source)
    assert found.faults() or any(found.beyond.values())


def test_each_wrong_gradient_is_named(verdict):
    found = verdict(WRONG).asked["shapes"]
    assert found.startswith("dL/dX is None, not a tensor; dL/dW is 4 times the right one; dL/db is None")


def test_tampering_with_torch_where_the_function_lives_changes_nothing(verdict):
    assert verdict(TAMPER + WRONG) == verdict(WRONG)


@pytest.mark.parametrize(
    ("answers", "said"),
    {
        "1 / 0": "part4_affine_backward cannot be imported: ZeroDivisionError: division by zero",
        "": "part4_affine_backward cannot be imported: AttributeError: module 'hw4.answers' has no attribute",
        "part4_affine_backward = 7": "part4_affine_backward cannot be imported: part4_affine_backward is 7, not",
        "import sys; sys.exit()": "part4_affine_backward cannot be imported: SystemExit",
        "import os; os._exit(0)": "the process that ran it broke off",
        f"{REACH}os.write(replies, b'{{}}\\n')\n{RIGHT}": "the process that ran it broke off",
    }.items(),
)
def test_a_function_that_cannot_be_judged_is_one_line_of_one_cause(verdict, answers, said):
    found = verdict(answers)
    assert found.problem.startswith(said)
    assert found.faults() == [found.problem] and not found.asked and not found.beyond


def test_a_function_that_returns_no_tensors_is_told_what_came_instead(verdict):
    found = verdict("def part4_affine_backward(ctx, G): return 'a', 'b', 'c'")
    assert found.asked["shapes"].startswith("dL/dX is 'a', not a tensor")


def test_a_function_that_never_ends_is_stopped(verdict, monkeypatch):
    monkeypatch.setattr(judge, "PATIENCE", 2.0)
    found = verdict("def part4_affine_backward(ctx, G):\n    while True: pass")
    assert set(found.asked.values()) == {"did not end within 2 s"}


def test_a_submission_without_answers_never_gets_ours(result):
    given = {"hw4/answers.py": RIGHT, "hw4/__init__.py": ""}
    cells = {"q-1-question": "", "q-1-check": "from hw4.answers import part4_affine_backward\nassert 1"}
    found = result(cells, reference=submission(made(cells, JUDGED), given))
    missing = "ModuleNotFoundError: No module named 'hw4.answers'"
    verdict = found.finding.verdict
    assert missing in failure_lines(found)[0] and missing in verdict.given["q-1-check"]
    assert verdict.problem == f"part4_affine_backward cannot be imported: {missing}"


def test_what_goes_beyond_the_assignment_decides_nothing(verdict):
    found = verdict(
        "def part4_affine_backward(ctx, G):\n    X, W, b = ctx.saved_tensors\n"
        "    return 0.5 * G @ W, 0.5 * G.T @ X, G.sum(0)\n"
    )
    assert found.faults() == []
    assert "leading dimensions" in found.beyond and found.beyond["needs"].startswith("dL/db is given though not needed")


FORGED = (
    REACH
    + """
import json
os.write(replies, b"null\\n")  # to the request for the import, which this code runs in
for line in open(os.dup(0)):
    request, reply = json.loads(line), None
    if "cases" in request:
        reply = []
        for case in request["cases"]:
            zeros = [dict(t, numbers=[0.0] * len(t["numbers"])) for t in case["tensors"]]
            reply.append({"gradients": zeros[:3], "changed": zeros, "tensors": zeros, "products": 0})
    os.write(replies, json.dumps(reply).encode() + b"\\n")
"""
)


def test_a_worker_that_names_other_inputs_or_computes_nothing_is_wrong(verdict):
    found = verdict(FORGED)
    assert all(found.asked.values()) and not any("did not end" in fault for fault in found.faults())


def test_two_verdicts_on_one_function_draw_different_inputs(verdict):
    look = "def part4_affine_backward(ctx, G):\n    raise ValueError(str(G.flatten()[0].item()))\n"
    assert verdict(look).asked["shapes"] != verdict(look).asked["shapes"]


def test_the_battery_and_the_list_of_its_checks_name_the_same():
    for check in CHECKS:
        assert list(cases(check.name, 0)), check.name


REPLIES = {  # what a worker replies to a batch, by itself: nothing of it is a right gradient
    "nothing": "[]",
    "the number of cases and no more": "[{} for _ in cases]",
    "an error that is no text": "[{'error': [[[1]] * 99]} for _ in cases]",
    "gradients that are texts": "[{'gradients': ['x' * 10**6] * 3} for _ in cases]",
    "a huge shape of one number": "[{'gradients': [T([10**9, 10**9], [0, 0], [1.0])] * 3} for _ in cases]",
    "ten thousand dimensions": "[{'gradients': [T([1] * 10000, [1] * 10000, [1.0])] * 3} for _ in cases]",
    "a negative stride": "[{'gradients': [T([5, 4], [-4, 1], [1.0] * 20)] * 3} for _ in cases]",
    "numbers beyond the storage": "[{'gradients': [T([5, 4], [400, 1], [1.0] * 20)] * 3} for _ in cases]",
    "not a number": "[{'gradients': [T([5, 4], [4, 1], [float('nan')] * 20)] * 3} for _ in cases]",
    "without end": "[{'gradients': [T([5, 4], [4, 1], [float('inf')] * 20)] * 3} for _ in cases]",
    "integers of any size": "[{'gradients': [T([5, 4], [4, 1], [10**400] * 20)] * 3} for _ in cases]",
    "numbers in lists": "[{'gradients': [T([5, 4], [4, 1], [[1.0]] * 20)] * 3} for _ in cases]",
    "a type without numbers": "[{'gradients': [T([5, 4], [4, 1], [1.0] * 20, 'device')] * 3} for _ in cases]",
    "a type that is a list": "[{'gradients': [T([5, 4], [4, 1], [1.0] * 20, ['float64'])] * 3} for _ in cases]",
    "what was sent": "[{'gradients': case['tensors'][:3], 'products': 0} for case in cases]",
    "half characters": "[{'error': chr(0xD800) * 9} for _ in cases]",
    "a number of products and no gradients": "[{'gradients': [None] * 3, 'products': -(10**9)} for _ in cases]",
}
FORGE = """
import sys
main = sys.modules['__main__']
def T(shape, strides, numbers, dtype='float64'):
    return {'dtype': dtype, 'shape': shape, 'strides': strides, 'numbers': numbers}
main.run_cases = lambda backward, cases: %s
main.run_cell = lambda *arguments: None
def part4_affine_backward(ctx, G): pass
"""


@pytest.mark.parametrize("name", REPLIES)
def test_a_forged_reply_is_wrong_in_one_short_line_each(verdict, name):
    found = verdict(FORGE % REPLIES[name])
    assert found.faults() and all(found.asked.values())
    assert all(len(line) < 500 and len(line.splitlines()) == 1 for line in found.faults())


@pytest.mark.parametrize(
    "flood",
    [
        "while True: os.write(replies, b'x' * 65536)",  # a line without end
        "os.write(replies, b'[' * 9_000_000 + b'\\n')",
        "os.write(replies, b'9' * 9_000_000 + b'\\n')",
        "os.write(replies, b'null\\n' * 100)",  # replies to what was not sent yet
        "os.write(replies, b'\\xff\\xfe\\n' * 9)",
        "os.close(replies)",
    ],
)
def test_what_floods_or_breaks_the_connection_passes_nothing(verdict, monkeypatch, flood):
    monkeypatch.setattr(judge, "PATIENCE", 15.0)
    found = verdict(f"{REACH}{flood}\n{WRONG}")
    assert found.faults() and (found.problem or all(found.asked.values()))
