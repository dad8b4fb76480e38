"""The log of a process: the end of what it writes into a pipe, however much that is."""

import os
import threading
from time import sleep

KEPT = 4096  # bytes
PIECE, PAUSE = 1 << 16, 0.05  # bytes read at a time, and seconds between two of them: a flood costs the grader little
LAST_PIECES = 0.5  # seconds to wait for what a process wrote before it ended


class Log:
    """Keeps the last bytes that are written to `descriptor`, until all who can write have ended or closed it."""

    def __init__(self) -> None:
        self._source, self.descriptor = os.pipe()
        self._tail = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with open(self._source, "rb", buffering=0) as source:
            while piece := source.read(PIECE):
                self._tail = (self._tail + piece)[-KEPT:]
                sleep(PAUSE)

    def close(self) -> None:
        """Close the grader's own end for writing, once the process has its copy."""
        os.close(self.descriptor)

    def last_line(self) -> str:
        """Return the last line of a process that has ended, "" where there is none."""
        self._thread.join(LAST_PIECES)
        lines = self._tail.decode(errors="replace").splitlines()
        return lines[-1] if lines else ""
