"""What a launcher starts: a program, and how it is isolated."""

from dataclasses import dataclass, field

from .limits import ResourceLimits

OWN_ROOT = "other files out of sight"  # the sandbox layer of that name
PLACE = "/submission"  # where a submission's processes have their folder then: a path that is the same for everybody


@dataclass(frozen=True)
class Isolation:
    """What an isolated process may use: one folder to write, others to read, and the limits.

    `shared` is the folder above the one to write, which all processes of the submission share with their limits, and
    `doors` are the files by which they enter their control group.
    """

    folder: str
    shared: str
    readable: list[str]
    limits: ResourceLimits
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
