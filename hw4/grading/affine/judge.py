"""What holds whatever a submission did to its notebook: the reference's own checks, and the battery on its function.

Two processes work on it while the cells run: the function worker, sandboxed with the submission, and the judge's, which
draws the inputs and compares the numbers that come back. nbgrader and otter-grader judge in the kernel that the
submission controls.
"""

import json
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from ..notebook.checks import JudgedFunction
from ..sandbox.launcher import Launcher
from ..sandbox.program import Program
from ..sandbox.scratch import Scratch
from .checks import CHECKS

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0  # seconds for the whole verdict, once the cells have run
LEAST = 10.0  # seconds for the whole verdict, however short the limits are


@dataclass
class Verdict:
    """What the judge found: for each check None where it passed, else what is wrong.

    `given` holds the reference's own checks by their cells' ids, `asked` and `beyond` the battery's by name. `problem`
    says why the function could not be judged at all; then neither of the two holds anything.
    """

    given: dict[str, str | None] = field(default_factory=dict)
    asked: dict[str, str | None] = field(default_factory=dict)
    beyond: dict[str, str | None] = field(default_factory=dict)
    problem: str | None = None

    def faults(self) -> list[str]:
        """Return a line for each fault that decides a point, and one for the function that cannot be judged."""
        given = [f"{name} as given: {wrong}" for name, wrong in self.given.items() if wrong]
        asked = [f"{name}: {wrong}" for name, wrong in self.asked.items() if wrong]
        return [*given, *asked, *([self.problem] if self.problem else [])]


class Judge(AbstractContextManager["Judge"]):
    """Judges the submission in `scratch` while the caller does something else; its processes end with the `with` block.

    `cells` are the (id, source) of given cells to run, in order; `checks` are the ids of those that are checks.
    """

    def __init__(
        self,
        launcher: Launcher,
        scratch: Scratch,
        cells: Sequence[tuple[str, str]] = (),
        checks: Sequence[str] = (),
        function: JudgedFunction | None = None,
    ) -> None:
        self._checks, self._function, self._scratch = checks, function, scratch
        self._found: dict[tuple[str, str], str | None] = {}  # by kind and name, as the battery has them
        battery = [str(HERE / "battery.py"), json.dumps({"cells": list(cells), "function": function is not None})]
        worker = [str(HERE / "function_worker.py"), *([function.module, function.name] if function else [])]
        (requests, to_worker), (replies, to_battery), (findings, to_us) = os.pipe(), os.pipe(), os.pipe()
        null = os.open(os.devnull, os.O_RDWR)
        self._processes = [
            launcher.start(Program(battery, str(HERE), replies, to_worker, to_us)),
            scratch.start(launcher, worker, requests, to_battery, null),
        ]
        for descriptor in (requests, to_worker, replies, to_battery, to_us, null):
            os.close(descriptor)
        self._reader = Thread(target=self._receive, args=(findings,), daemon=True)
        self._reader.start()

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()

    def _receive(self, findings: int) -> None:
        """Take each finding that the judge's process writes, and no warning of a library."""
        with open(findings, encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("["):
                    kind, name, found = json.loads(line)
                    self._found[kind, name] = found

    def verdict(self, seconds: float = PATIENCE) -> Verdict:
        """Return the verdict, waited for as long as the limits allow; what is not found by then is a fault."""
        patience = min(PATIENCE, max(seconds, LEAST))
        self._reader.join(patience)
        silent = f"did not end within {patience:.0f} s" if self._reader.is_alive() else "could not be judged"
        found = dict(self._found)
        if broken := found.get(("broken", "")):
            limit = self._scratch.why_killed(self._processes[-1])
            silent = f"the process that ran it was stopped: {limit}" if limit else broken
        verdict = Verdict({name: found.get(("cell", name), silent) for name in self._checks})
        if self._function and (problem := found.get(("import", ""), silent)):
            known = ("import", "") in found
            verdict.problem = f"{self._function.name} cannot be imported: {problem}" if known else silent
        elif self._function:
            for check in CHECKS:
                group = verdict.asked if check.asked else verdict.beyond
                group[check.name] = found.get(("check", check.name), silent)
        return verdict
