"""What holds whatever a submission did to its notebook: the reference's own checks, and the battery on its function.

Two processes work on it while the cells run: the function worker, sandboxed with the submission, and the judge's, which
draws the inputs and compares the numbers that come back. nbgrader and otter-grader judge in the kernel that the
submission controls.
"""

import json
import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

from ..sandbox.launcher import Launcher
from ..sandbox.program import Program
from ..sandbox.scratch import Scratch
from .checks import CHECKS, JudgedFunction

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
        self._checks, self._function, self._scratch = list(checks), function, scratch
        self._findings: SimpleQueue[list[Any] | None] = SimpleQueue()
        listen = not launcher.forks  # not every system can hand a socket down as standard input
        request = json.dumps({"cells": list(cells), "function": function is not None, "listen": listen})
        ours, theirs = socket.socketpair()
        source, output = os.pipe()
        with ours, theirs, open(os.devnull, "r+b") as nothing:
            null = nothing.fileno()
            stdin = null if listen else ours.fileno()
            battery = [str(HERE / "battery.py"), request]
            self._processes = [launcher.start(Program(battery, str(HERE), stdin, output, null))]
            os.close(output)
            Thread(target=self._receive, args=(source,), daemon=True).start()
            port = (self._findings.get() or ["port", "0", None])[1] if listen else "0"
            worker = [str(HERE / "function_worker.py"), port]
            worker += [function.module, function.name] if function else []
            stdin = null if listen else theirs.fileno()
            self._processes.append(scratch.start(launcher, worker, stdin, null, null))

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()

    def _receive(self, source: int) -> None:
        """Queue each finding that the judge's process prints, and None at its end."""
        with open(source, encoding="utf-8") as lines:
            for line in lines:
                self._findings.put(json.loads(line))
        self._findings.put(None)

    def verdict(self, seconds: float = PATIENCE) -> Verdict:
        """Return the verdict, waited for as long as the limits allow; what is not found by then is a fault."""
        patience = min(PATIENCE, max(seconds, LEAST))
        deadline, findings = monotonic() + patience, []
        silent = "could not be judged"
        try:
            while finding := self._findings.get(timeout=max(0, deadline - monotonic())):
                findings.append(finding)
        except Empty:
            silent = f"did not end within {patience:.0f} s"
        return self._verdict(findings, silent)

    def _verdict(self, findings: Iterable[list[Any]], silent: str) -> Verdict:
        """Return the verdict that the findings make; what they do not mention is `silent`."""
        verdict = Verdict(dict.fromkeys(self._checks, silent))
        verdict.problem = silent if self._function else None
        for kind, name, found in findings:
            if kind == "cell" and name in verdict.given:
                verdict.given[name] = found
            elif kind == "import" and self._function:
                verdict.problem = found and f"{self._function.name} cannot be imported: {found}"
                if found is None:
                    verdict.asked = {check.name: silent for check in CHECKS if check.asked}
                    verdict.beyond = {check.name: silent for check in CHECKS if not check.asked}
            elif kind == "check":
                (verdict.asked if name in verdict.asked else verdict.beyond)[name] = found
            elif kind == "broken":
                limit = self._scratch.why_killed(self._processes[-1])
                found = f"the process that ran it was stopped: {limit}" if limit else found
                for group in (verdict.given, verdict.asked, verdict.beyond):
                    group.update({name: found for name, wrong in group.items() if wrong == silent})
                verdict.problem = found if verdict.problem == silent else verdict.problem
        return verdict
