"""What a launcher starts and what it returns: records without a dependency, which the forkserver imports too."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Layer:
    """A sandbox layer: what it keeps a process from, whether it is active, and if not, why."""

    name: str
    active: bool = True
    reason: str = ""


@dataclass(frozen=True)
class Isolation:
    """What an isolated process may use: one folder to write, others to read, and bytes of memory (None: any number)."""

    folder: str
    readable: list[str]
    memory: int | None = None


@dataclass(frozen=True)
class Program:
    """A program to start: a Python script's path or a module's name with its arguments, and where it runs.

    The streams are file descriptors, which stay the caller's. `environment` is added to the launcher's own. Without an
    `isolation` the program runs with the grader's rights.
    """

    argv: list[str]
    folder: str
    stdin: int
    stdout: int
    stderr: int
    environment: dict[str, str] = field(default_factory=dict)
    isolation: Isolation | None = None

    @property
    def is_script(self) -> bool:
        return self.argv[0].endswith(".py")


class Process(Protocol):
    """A process that a launcher started; its pid is None where it ended before it could tell."""

    @property
    def pid(self) -> int | None: ...

    @property
    def layers(self) -> list[Layer]:
        """Return the sandbox layers that were tried."""
        ...

    def poll(self) -> int | None:
        """Return the exit code (negative: the signal that ended the process), or None while the process lives."""

    def send_signal(self, number: int) -> None:
        """Send the signal to the process, if it lives."""

    def kill(self) -> None:
        """Kill the process and its descendants, and wait for its end."""
