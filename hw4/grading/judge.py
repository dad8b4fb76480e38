"""The battery of checks on a submission's `part4_affine_backward`, which works in another process than the judge.

Run as a script, this is the judge: it asks the pupil over the socket that its standard input is, and prints one line
of JSON per check. Imported, it starts the two (`Trial`) and gathers what the judge found.
"""

import json
import os
import select
import socket
import sys
from pathlib import Path
from time import monotonic

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0  # seconds for the whole battery


class Trial:
    """A trial of the submission in `scratch`, which goes on while the caller does something else."""

    def __init__(self, warm, scratch):
        ours, theirs = socket.socketpair()
        self._output, output = os.pipe()
        with ours, theirs, open(os.devnull, "r+b") as nothing:
            null = nothing.fileno()
            self._pupil = scratch.start(warm, [str(HERE / "pupil.py")], (theirs.fileno(), null, null))
            self._judge = warm.start([str(HERE / "judge.py")], HERE, {}, (ours.fileno(), output, null))
        os.close(output)
        self._end = monotonic() + PATIENCE

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self._pupil, self._judge):
            process.kill()
        os.close(self._output)

    def verdict(self):
        """Return {check: None if it passed, else what is wrong}, waiting for what is still to come."""
        text = b""
        while (left := self._end - monotonic()) > 0 and select.select([self._output], [], [], left)[0]:
            piece = os.read(self._output, 1 << 16)
            if not piece:
                break
            text += piece
        found = dict.fromkeys(
            names(), f"did not end within {PATIENCE:.0f} s" if monotonic() >= self._end else "could not be judged"
        )
        for line in text.decode().splitlines():
            found.update(json.loads(line))
        return found


def names():
    """Return the names of the checks, read from their module without importing it: it needs PyTorch."""
    lines = (HERE / "checks.py").read_text(encoding="utf-8").splitlines()
    return [line[len("def check_") : line.index("(")] for line in lines if line.startswith("def check_")]


def main():
    sys.path.insert(0, str(HERE.parent.parent))
    from hw4.grading.checks import CHECKS, fault
    from hw4.grading.remote import Remote

    backward = Remote(socket.socket(fileno=0))
    for check in CHECKS:
        print(json.dumps({check.__name__.removeprefix("check_"): fault(check, backward)}), flush=True)


if __name__ == "__main__":
    main()
