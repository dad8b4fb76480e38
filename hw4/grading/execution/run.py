"""The cells of a notebook one after the other, under limits; nothing that a cell does ends the run."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

from nbformat import NotebookNode
from nbformat.v4 import new_output

from ..sandbox.limits import ResourceLimits
from .kernel import CellTimeout, Flood, Kernel, KernelDeath
from .outputs import FLOOD, TRACEBACK_LINE, OutputCollector

FILES = ResourceLimits.files
NO_SPACE = os.strerror(errno.ENOSPC)


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for one cell and for all, bytes of memory, of one cell's output, of disk."""

    cell: float = 120
    total: float = 900
    memory: int = 4 * 2**30
    output: int = 4 * 2**20
    disk: int = 2**30


@dataclass
class Execution:
    """What became of one code cell: `status` is "ok", "failed", "timed out", "flooded", "died" or "not run"."""

    index: int
    status: str = "not run"
    seconds: float = 0.0
    reason: str = ""  # the last line of the error
    new_kernel: bool = False  # what earlier cells defined was lost before this one ran


def run_cells(notebook: NotebookNode, kernel: Kernel, limits: Limits) -> Iterator[Execution]:
    """Execute the code cells of `notebook` in place and yield an `Execution` each, as soon as it is over."""
    end = monotonic() + limits.total
    new_kernel = False
    displays: dict[str, list[NotebookNode]] = {}  # the outputs that a later cell may update, by display id
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        start = monotonic()
        execution = Execution(index, new_kernel=new_kernel)
        seconds = min(limits.cell, end - start)
        if seconds <= 0:
            execution.reason = f"the run's {limits.total:g} s were used up"
        else:
            collector = OutputCollector(cell, displays, limits.output)
            _execute(kernel, seconds, collector, execution)
            execution.reason = execution.reason[:TRACEBACK_LINE]  # which may be as long as all that a cell puts out
            if NO_SPACE in execution.reason:
                execution.reason += f" (what a submission may write: {limits.disk / 2**30:.3g} GiB, {FILES:,} files)"
            new_kernel |= _recover(kernel, collector, execution)
            _finish(collector, execution)
        execution.seconds = monotonic() - start
        yield execution


def _execute(kernel: Kernel, seconds: float, collector: OutputCollector, execution: Execution) -> None:
    """Run the collector's cell, and put what became of it into `execution`."""
    try:
        reply = kernel.execute(collector.cell.source, seconds, collector.take, FLOOD * collector.limit)
    except CellTimeout:
        execution.status, execution.reason = "timed out", f"stopped after {seconds:.3g} s"
    except KernelDeath as death:
        execution.status, execution.reason = "died", str(death)
    except Flood:
        limit = FLOOD * collector.limit / 2**20
        execution.status, execution.reason = "flooded", f"stopped after {limit:.3g} MiB of output"
    else:
        # The reply decides, not what the cell displays; but an error that was published is never a clean run, such as
        # that of a figure that could not be drawn after its cell had ended.
        error = collector.error
        if reply.get("status") == "ok" and error is None:
            execution.status = "ok"
            return
        execution.status = "failed"
        message = str(reply.get("evalue") or "").strip().splitlines()[-1:]
        name = str(reply.get("ename") or reply.get("status"))
        # IPython replies with NoneType where the text of an object's own error is what failed.
        replied = None if name in ("NoneType", "ok") else ": ".join([name, *message])
        execution.reason = replied or error or ": ".join([name, *message])


def _recover(kernel: Kernel, collector: OutputCollector, execution: Execution) -> bool:
    """Make the kernel ready for the next cell; return whether that took a new one."""
    ended = execution.status == "died"
    if execution.status in ("timed out", "flooded"):
        # What an interrupted cell still says is its traceback, which shows where it was.
        ended = not kernel.interrupt(collector.take if execution.status == "timed out" else None)
    if ended:
        kernel.restart()
    return ended


def _finish(collector: OutputCollector, execution: Execution) -> None:
    """Complete the outputs; where none of them shows the failure, add one that does."""
    collector.close()
    outputs = collector.outputs
    if execution.status != "ok" and not any(output.output_type == "error" for output in outputs):
        name = "".join(word.capitalize() for word in execution.status.split())
        outputs.append(new_output("error", ename=name, evalue=execution.reason, traceback=[execution.reason]))
