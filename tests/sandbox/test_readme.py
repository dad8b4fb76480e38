"""What the README says of the sandbox in numbers is what the code has."""

import re

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
