"""What the README says of limits, isolation and scores in numbers is what the code has."""

import re

from hw4.grading import bounded
from hw4.grading.affine.checks import CHECKS
from hw4.grading.execution.outputs import FLOOD
from hw4.grading.sandbox.keeper import NICE
from hw4.grading.sandbox.limits import ResourceLimits
from hw4.grading.sandbox.watch import POLL
from tests.builders import ROOT

TEXT = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_the_limits_without_an_option_are_named():
    found = re.search(r"Files, processes and threads have no option: ([\d,]+), (\d+) and (\d+)", TEXT)
    limits = ResourceLimits()
    assert [int(each.replace(",", "")) for each in found.groups()] == [limits.files, limits.processes, limits.threads]
    for name in ("files", "processes", "threads"):
        assert f"{getattr(limits, name)} {name} (" in TEXT  # in the line `isolation:` that was printed


def test_polled_is_five_times_a_second():
    assert '"polled" five times a second' in TEXT and POLL == 1 / 5


def test_what_a_helper_may_use_and_after_how_much_a_cell_is_stopped():
    assert f"for a minute and {bounded.MEMORY // 2**30} GiB at most" in TEXT and bounded.SECONDS == 60
    assert "after ten times as much it is stopped" in TEXT and FLOOD == 10
    assert f"a lower priority then (nice {NICE})" in TEXT


def test_the_battery_has_as_many_checks_of_each_kind():
    asked = sum(check.asked for check in CHECKS)
    assert (len(CHECKS), asked) == (8, 4)
    assert "a battery of eight checks: four decide" in TEXT and "four go beyond it and are only remarked on" in TEXT
