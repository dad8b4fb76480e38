"""Calls in a helper process: each ends, in time and within its memory, and hurts no other."""

import importlib
import json
import os
import time
from pathlib import Path

import pytest

from hw4.grading import bounded
from hw4.grading.bounded import BeyondLimits, call
from hw4.grading.errors import Unusable
from hw4.grading.submission import Found, collect

pytestmark = pytest.mark.slow


def deep(levels):
    """Raise `RecursionError`."""
    return deep(levels - 1) if levels else None


def test_a_call_returns_what_the_function_returns():
    assert call(json.loads, "[1, 2]") == [1, 2]


def test_what_cannot_be_used_is_said_by_the_function_itself():
    with pytest.raises(Unusable, match="no such file"):
        call(collect, Found("ann", "ann", "ann", Path("/none"), problem="no such file"))


@pytest.mark.parametrize(
    ("function", "arguments", "said"),
    [
        (deep, (10**6,), "RecursionError"),
        (json.loads, ("[" * 10**6,), "RecursionError"),
        (bytearray, (8 * 2**30,), "MemoryError"),
        (list, (range(10**9),), "MemoryError"),
        (time.sleep, (60,), "more than 2 s"),
        (pow, (3, 10**9), "more than 2 s"),
        (os._exit, (0,), "broke off"),
        (os.abort, (), "broke off"),
        (importlib.import_module, ("no_such_module",), "ModuleNotFoundError"),
        (os.getcwdb, (1,), "TypeError"),
    ],
)
def test_whatever_ends_a_call_is_one_line_and_the_next_call_is_served(function, arguments, said):
    call(len, "x")  # the helper runs
    with pytest.raises(BeyondLimits, match=said) as problem:
        call(function, *arguments, seconds=2.0)
    assert len(str(problem.value).splitlines()) == 1
    assert call(len, "four") == 4


def test_an_idle_helper_that_was_killed_costs_no_call():
    call(len, "x")
    for helper in bounded.STARTED:
        helper.kill()
        helper.wait()
    for _ in range(4):
        assert call(len, "four") == 4


def test_a_module_in_the_current_folder_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "pickle.py").write_text("raise SystemExit")
    (tmp_path / "nbformat.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bounded, "IDLE", bounded.SimpleQueue())
    bounded.start()
    assert call(len, "x") == 1


def test_a_call_in_the_background_is_made_and_whatever_ends_it_is_not_heard(tmp_path):
    bounded.call_in_background(os.mkdir, tmp_path / "made")
    bounded.call_in_background(os._exit, 0)
    bounded.call_in_background(pow, "no", "number")
    while not (tmp_path / "made").exists():
        time.sleep(0.01)
    assert call(len, "four") == 4
