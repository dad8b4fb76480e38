"""Processes for strangers' code, forked or launched."""

from hw4.grading.grade import Task, run
from hw4.grading.sandbox import launcher as module
from tests.builders import JUDGED, ROOT, made, submission

CELLS = {"q-1-question": "", "q-1-check": "import hw4.answers\nassert 6 * 7 == 42", "q-1-answer": "**Answer:** Yes."}
HANDED_IN = submission(
    made(CELLS, JUDGED), {"hw4/__init__.py": "", "hw4/answers.py": (ROOT / "hw4" / "answers.py").read_text()}
)


def test_where_the_system_does_not_fork_the_ordinary_launch_serves(monkeypatch):
    monkeypatch.setattr(module, "FORKS", False)
    with module.Launcher() as launcher:
        found = run(Task(HANDED_IN, HANDED_IN), launcher)
    verdict = found.finding.verdict
    assert not found.failed() and found.finding.layers == []
    assert verdict.given == {"q-1-check": None} and verdict.problem is None
    assert verdict.asked and not any((verdict.asked | verdict.beyond).values())


def test_a_warm_process_that_was_killed_is_replaced():
    with module.Launcher() as launcher:
        launcher._nursery.kill()
        launcher._nursery.wait()
        assert run(Task(HANDED_IN, HANDED_IN), launcher).exit_code() == 0


def test_our_own_package_is_not_in_the_memory_of_a_submission(result):
    look = "import sys\nprint([name for name in sys.modules if name.startswith('hw4')], 'grading' in str(sys.path))"
    assert result({"look": look}).notebook.cells[0].outputs[0].text == "[] False\n"
