"""Processes for strangers' code, forked or launched."""

from hw4.grading.grade import Task, grade
from hw4.grading.sandbox import launcher as module
from tests.builders import ROOT, submission

CELLS = {"q-1-question": "", "q-1-check": "import hw4.answers\nassert 6 * 7 == 42", "q-1-answer": "**Answer:** Yes."}
HANDED_IN = submission(CELLS, {"hw4/__init__.py": "", "hw4/answers.py": (ROOT / "hw4" / "answers.py").read_text()})


def test_where_the_system_does_not_fork_the_ordinary_launch_serves(monkeypatch):
    monkeypatch.setattr(module, "FORKS", False)
    with module.Launcher() as warm:
        found = grade(Task(HANDED_IN, HANDED_IN), warm)
    assert found.failures == [] and found.held == []
    assert found.originals == {"q-1-check": None}
    assert found.gradients and not any(found.gradients.values())


def test_a_warm_process_that_was_killed_is_replaced():
    with module.Launcher() as warm:
        warm._nursery.kill()
        warm._nursery.wait()
        assert grade(Task(HANDED_IN, HANDED_IN), warm).exit_code() == 0


def test_our_own_package_is_not_in_the_memory_of_a_submission(result):
    look = "import sys\nprint([name for name in sys.modules if name.startswith('hw4')], 'grading' in str(sys.path))"
    assert result({"look": look}).notebook.cells[0].outputs[0].text == "[] False\n"
