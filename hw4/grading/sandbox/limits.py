"""What a submission may use, and how the system keeps each limit: records without a dependency."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """A sandbox layer: what it keeps a process from, whether it is active, and if not, why.

    For a limit, `bound` says whether it is "exact" or "polled".
    """

    name: str
    active: bool = True
    reason: str = ""
    bound: str = ""


@dataclass(frozen=True)
class ResourceLimits:
    """What a submission's processes may use together, from the first one's start to the last one's end.

    Memory, in bytes, includes files in memory. Disk, in bytes, and files count what they write, also what is deleted
    but still open. Seconds are those of the clock.
    """

    memory: int = 4 << 30
    disk: int = 1 << 30
    files: int = 100_000
    processes: int = 200
    threads: int = 512
    seconds: float = 1200.0

    def layers(self, in_group: bool, in_memory: bool) -> list[Layer]:
        """Return a layer per limit; processes may be in a control group, and files in memory."""
        memory, disk = "exact" if in_group else "polled", "exact" if in_memory else "polled"
        bounds = {
            f"memory {self.memory / 2**30:.3g} GiB": memory,
            f"disk {self.disk / 2**30:.3g} GiB": disk,
            f"{self.files} files": disk,
            f"{self.processes} processes": "polled",
            f"{self.threads} threads": memory,
            f"{self.seconds:g} s in all": "polled",
        }
        return [Layer(name, bound=bound) for name, bound in bounds.items()]


def phrases(layers: list[Layer]) -> list[str]:
    """Return what the line `isolation:` says: the active layers, and of each limit how it is kept."""
    return [f"{each.name} ({each.bound})" if each.bound else each.name for each in layers if each.active or each.bound]
