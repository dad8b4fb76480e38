"""The cells of a notebook one after the other, under limits; nothing that a cell does ends the run."""

from dataclasses import dataclass
from time import monotonic

from nbformat.v4 import new_output, output_from_msg

from .kernel import CellTimeout, KernelDeath

OUTPUT = {"stream", "display_data", "execute_result", "error"}


@dataclass(frozen=True)
class Limits:
    """Seconds for one cell and for the whole run."""

    cell: float
    total: float


@dataclass
class Execution:
    """What became of one code cell: `status` is "ok", "failed", "timed out", "died" or "not run"."""

    index: int
    status: str = "not run"
    seconds: float = 0.0
    reason: str = ""  # the last line of the error
    new_kernel: bool = False  # what earlier cells defined was lost before this one ran


def clear(notebook):
    """Drop what an earlier run left in the cells, so that nothing old can pass for new; return the notebook."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def run(notebook, kernel, limits):
    """Execute the code cells of `notebook` in place and yield an `Execution` each, as soon as it is over."""
    end = monotonic() + limits.total
    new_kernel = False
    displays = {}  # the outputs that a later cell may update, by display id
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        start = monotonic()
        execution = Execution(index, new_kernel=new_kernel)
        seconds = min(limits.cell, end - start)
        if seconds <= 0:
            execution.reason = f"the run's {limits.total:g} s were used up"
        else:
            _execute(cell, kernel, seconds, Outputs(cell, displays), execution)
            new_kernel |= _recover(kernel, execution)
        execution.seconds = monotonic() - start
        yield execution


def _execute(cell, kernel, seconds, outputs, execution):
    try:
        reply = kernel.execute(cell.source, seconds, outputs.take)
    except CellTimeout:
        execution.status, execution.reason = "timed out", f"stopped after {seconds:.3g} s"
    except KernelDeath as death:
        execution.status, execution.reason = "died", str(death)
    else:
        cell.execution_count = reply.get("execution_count")
        if reply["status"] == "ok":  # the reply decides, not what the cell displays
            execution.status = "ok"
            return
        execution.status = "failed"
        message = reply.get("evalue", "").strip().splitlines()[-1:]
        execution.reason = ": ".join([reply.get("ename", reply["status"]), *message])
    if not any(output.output_type == "error" for output in cell.outputs):
        name = "".join(word.capitalize() for word in execution.status.split())
        cell.outputs.append(new_output("error", ename=name, evalue=execution.reason, traceback=[execution.reason]))


def _recover(kernel, execution):
    """Make the kernel ready for the next cell; return whether that took a new one."""
    if execution.status == "died" or (execution.status == "timed out" and not kernel.interrupt()):
        kernel.restart()
        return True
    return False


class Outputs:
    """The outputs of one cell, assembled from the messages that its kernel publishes."""

    def __init__(self, cell, displays):
        self.outputs = cell.outputs
        self.displays = displays
        self.clear_first = False

    def take(self, message):
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "clear_output":
            self.clear_first = content.get("wait", False)
            if not self.clear_first:
                self.outputs.clear()
        elif kind == "update_display_data":
            for shown in self.displays.get(content["transient"]["display_id"], []):
                shown.update(data=content["data"], metadata=content["metadata"])
        elif kind in OUTPUT:
            if self.clear_first:
                self.outputs.clear()
                self.clear_first = False
            self._add(output_from_msg(message), content.get("transient", {}).get("display_id"))

    def _add(self, output, display_id):
        last = self.outputs[-1] if self.outputs else None
        if output.output_type == "stream" and last and last.get("name") == output.name:
            last.text += output.text
            return
        self.outputs.append(output)
        if display_id:
            self.displays.setdefault(display_id, []).append(output)
