"""The log of a process: the end of what it writes into a pipe, however much that is."""

import os
import threading
from time import sleep

PIECE = 1 << 16  # bytes read at a time
LAST_PIECES = 0.5  # seconds to wait for what a process wrote before it ended


class Log:
    """Keeps the last bytes that are written to `descriptor`, until all who can write have ended or closed it.

    `pause` is how many seconds lie between two pieces: a flood costs the grader little.
    """

    def __init__(self, kept: int = 4096, pause: float = 0.05) -> None:
        self._kept, self._pause = kept, pause
        self._source, self.descriptor = os.pipe()
        self._tail = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with open(self._source, "rb", buffering=0) as source:
            while piece := source.read(PIECE):
                self._tail = (self._tail + piece)[-self._kept :]
                sleep(self._pause)

    def close(self) -> None:
        """Close the grader's own end for writing, once the process has its copy."""
        os.close(self.descriptor)

    def content(self) -> bytes:
        """Return what is kept of a process that has ended."""
        self._thread.join(LAST_PIECES)
        return self._tail

    def last_line(self) -> str:
        """Return the last line of a process that has ended, "" where there is none."""
        lines = self.content().decode(errors="replace").splitlines()
        return lines[-1] if lines else ""
