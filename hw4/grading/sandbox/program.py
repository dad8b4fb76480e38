"""What a launcher starts and what it returns: records without a dependency, which the forkserver imports too."""

from dataclasses import dataclass, field
from typing import Protocol

OWN_ROOT = "other files out of sight"  # the sandbox layer of that name
PLACE = "/submission"  # where a submission's processes have their folder then: a path that is the same for everybody


@dataclass(frozen=True)
class Layer:
    """A sandbox layer: what it keeps a process from, whether it is active, and if not, why.

    For a limit, `bound` says whether it is "exact", "polled", or "absent".
    """

    name: str
    active: bool = True
    reason: str = ""
    bound: str = ""


@dataclass(frozen=True)
class ResourceLimits:
    """What a submission's processes may use together, from the first one's start to the last one's end.

    Memory, in bytes, includes files in memory; None stands for any number. Disk, in bytes, and files count what they
    write, also what is deleted but still open. Seconds are those of the clock.
    """

    memory: int | None = None
    disk: int = 1 << 30
    files: int = 100_000
    processes: int = 200
    threads: int = 512
    seconds: float = 1200.0

    def layers(self, in_group: bool, in_memory: bool, own_user: bool) -> list[Layer]:
        """Return a layer per limit; processes may be in a control group, files in memory, and the user their own."""
        memory, disk = "exact" if in_group else "polled", "exact" if in_memory else "polled"
        threads = "exact" if in_group or own_user else "absent"
        found = [
            Layer(f"disk {self.disk / 2**30:.3g} GiB", bound=disk),
            Layer(f"{self.files} files", bound=disk),
            Layer(f"{self.processes} processes", bound="polled"),
            Layer(f"{self.threads} threads", threads == "exact", bound=threads),
            Layer(f"{self.seconds:g} s in all", bound="polled"),
        ]
        return found if self.memory is None else [Layer(f"memory {self.memory / 2**30:.3g} GiB", bound=memory), *found]


def phrases(layers: list[Layer]) -> list[str]:
    """Return what the line `isolation:` says: the active layers, and of each limit how it is kept."""
    return [f"{each.name} ({each.bound})" if each.bound else each.name for each in layers if each.active or each.bound]


@dataclass(frozen=True)
class Isolation:
    """What an isolated process may use: one folder to write, others to read, and the limits.

    `shared` is the folder above the one to write, which all processes of the submission share with their limits, and
    `doors` are the files by which they enter their control group.
    """

    folder: str
    shared: str
    readable: list[str]
    limits: ResourceLimits = ResourceLimits()
    doors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Program:
    """A program to start: a Python script's path or a module's name with its arguments, and where it runs.

    The streams are file descriptors, which stay the caller's, and so are the further `descriptors`, which the program
    finds from 3 on. `environment` is added to the launcher's own. Without an `isolation` the program runs with the
    grader's rights.
    """

    argv: list[str]
    folder: str
    stdin: int
    stdout: int
    stderr: int
    environment: dict[str, str] = field(default_factory=dict)
    isolation: Isolation | None = None
    descriptors: list[int] = field(default_factory=list)

    @property
    def is_script(self) -> bool:
        return self.argv[0].endswith(".py")


class Process(Protocol):
    """A process that a launcher started; its pid is None where it ended before it could tell."""

    @property
    def pid(self) -> int | None: ...

    @property
    def root(self) -> int | None:
        """Return the pid of the process from which it and all that it starts descend."""

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
