"""What holds whatever a submission did to its notebook: the reference's checks, and the battery on its own function.

Run as a script, this is the judge: it asks the pupil, another process, over the socket that its standard input is, and
prints a line of JSON per finding. Imported, it starts the two (`Trial`) and gathers what the judge found.
"""

import json
import os
import select
import socket
import sys
from pathlib import Path
from time import monotonic

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0  # seconds for all of it, once somebody waits
LEAST = 10.0  # seconds for all of it, however short the limits are


class Trial:
    """A trial of the submission in `scratch`, which goes on while the caller does something else.

    `cells` are the (id, source) of given cells to run, in order, and `battery` says whether to try the function.
    """

    def __init__(self, warm, scratch, cells=(), battery=True):
        self._names = names() if battery else []
        self._asked = [name for name, _ in cells]
        ours, theirs = socket.socketpair()
        self._output, output = os.pipe()
        with ours, theirs, open(os.devnull, "r+b") as nothing:
            null = nothing.fileno()
            self._pupil = scratch.start(warm, [str(HERE / "function_worker.py")], (theirs.fileno(), null, null))
            self._judge = warm.start(
                [str(HERE / "judge.py"), json.dumps([cells, battery])], HERE, {}, (ours.fileno(), output, null)
            )
        os.close(output)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self._pupil, self._judge):
            process.kill()
        os.close(self._output)

    def verdict(self, seconds=PATIENCE):
        """Return {check: None if it passed, else what is wrong} of the given cells, and the same of the battery."""
        patience = min(PATIENCE, max(seconds, LEAST))
        end, text = monotonic() + patience, b""
        while (left := end - monotonic()) > 0 and select.select([self._output], [], [], left)[0]:
            piece = os.read(self._output, 1 << 16)
            if not piece:
                break
            text += piece
        silent = f"did not end within {patience:.0f} s" if monotonic() >= end else "could not be judged"
        found = [dict.fromkeys(self._asked, silent), dict.fromkeys(self._names, silent)]
        for line in text.decode().splitlines():
            part, name, fault = json.loads(line)
            found[part][name] = fault
        return found


def names():
    """Return the names of the checks, read from their module without importing it: it needs PyTorch."""
    lines = (HERE / "battery.py").read_text(encoding="utf-8").splitlines()
    return [line[len("def check_") : line.index("(")] for line in lines if line.startswith("def check_")]


def main():
    sys.path.insert(0, str(HERE.parents[2]))
    from hw4.grading.affine.battery import CHECKS, fault
    from hw4.grading.affine.client import Remote

    cells, battery = json.loads(sys.argv[1])
    pupil = Remote(socket.socket(fileno=0))
    for name, source in cells:
        print(json.dumps([0, name, pupil.run(source)]), flush=True)
    for check in CHECKS if battery else ():
        print(json.dumps([1, check.__name__.removeprefix("check_"), fault(check, pupil)]), flush=True)


if __name__ == "__main__":
    main()
