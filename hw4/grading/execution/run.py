"""The cells of a notebook one after the other, under limits; nothing that a cell does ends the run."""

from dataclasses import dataclass
from time import monotonic

from nbformat.v4 import new_output, output_from_msg

from .kernel import CellTimeout, KernelDeath

OUTPUT = {"stream", "display_data", "execute_result", "error"}


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds for one cell and for all, bytes of memory, and of one cell's output."""

    cell: float = 120
    total: float = 900
    memory: int = 4 * 2**30
    output: int = 4 * 2**20


TEXT = 8  # the part of the limit for outputs that printed text may take: nobody reads more
FLOOD = 10  # times the limit for outputs, and the cell is stopped
SHOWN = 100  # lines of a traceback


class Flood(Exception):
    """The cell puts out without end."""


@dataclass
class Execution:
    """What became of one code cell: `status` is "ok", "failed", "timed out", "flooded", "died" or "not run"."""

    index: int
    status: str = "not run"
    seconds: float = 0.0
    reason: str = ""  # the last line of the error
    new_kernel: bool = False  # what earlier cells defined was lost before this one ran


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
            _execute(cell, kernel, seconds, Outputs(cell, displays, limits.output), execution)
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
    except Flood:
        execution.status, execution.reason = (
            "flooded",
            f"stopped after {FLOOD * outputs.limit / 2**20:.3g} MiB of output",
        )
    else:
        cell.execution_count = reply.get("execution_count")
        if reply["status"] == "ok":  # the reply decides, not what the cell displays
            execution.status = "ok"
            outputs.close()
            return
        execution.status = "failed"
        message = reply.get("evalue", "").strip().splitlines()[-1:]
        execution.reason = ": ".join([reply.get("ename", reply["status"]), *message])
    outputs.close()
    if not any(output.output_type == "error" for output in cell.outputs):
        name = "".join(word.capitalize() for word in execution.status.split())
        cell.outputs.append(new_output("error", ename=name, evalue=execution.reason, traceback=[execution.reason]))


def _recover(kernel, execution):
    """Make the kernel ready for the next cell; return whether that took a new one."""
    stopped = execution.status in ("timed out", "flooded")
    if execution.status == "died" or (stopped and not kernel.interrupt()):
        kernel.restart()
        return True
    return False


class Outputs:
    """The outputs of one cell, assembled from what its kernel publishes; `limit` bytes of them are kept."""

    def __init__(self, cell, displays, limit):
        self.outputs = cell.outputs
        self.displays = displays
        self.limit = limit
        self.clear_first = False
        self.size = self.lines_cut = self.outputs_cut = 0  # its size counts what was cut, too

    def take(self, message):
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "clear_output":
            self.clear_first = content.get("wait", False)
            if not self.clear_first:
                self.outputs.clear()
        elif kind == "update_display_data":
            if self._fits(content):
                for shown in self.displays.get(content["transient"]["display_id"], []):
                    shown.update(data=content["data"], metadata=content["metadata"])
        elif kind in OUTPUT:
            if self.clear_first:
                self.outputs.clear()
                self.clear_first = False
            if kind == "error":
                content["traceback"] = _shorten(content["traceback"])
                content["evalue"] = content["evalue"][-2000:]  # its last line is what is reported
            if kind == "error" or self._fits(content):
                self._add(output_from_msg(message), content.get("transient", {}).get("display_id"))

    def _fits(self, content):
        """Count an output; return whether it is kept, having cut the end off a text that is too long."""
        text = content.get("text")
        left = (self.limit if text is None else self.limit // TEXT) - self.size
        size = 200 + (len(text) if text is not None else sum(len(str(data)) for data in content["data"].values()))
        self.size += size
        if self.size > FLOOD * self.limit:
            raise Flood
        if size <= left:
            return True
        if text is None:
            self.outputs_cut += 1
            return False
        content["text"] = text[: max(0, left)]
        self.lines_cut += text.count("\n") - content["text"].count("\n")
        return bool(content["text"])

    def close(self):
        """Say what was cut."""
        cut = [
            f"{count} {what} cut" for count, what in [(self.lines_cut, "lines"), (self.outputs_cut, "outputs")] if count
        ]
        if cut:
            self.outputs.append(new_output("stream", name="stderr", text=f"[{', '.join(cut)}]\n"))

    def _add(self, output, display_id):
        last = self.outputs[-1] if self.outputs else None
        if output.output_type == "stream" and last and last.get("name") == output.name:
            last.text += output.text
            return
        self.outputs.append(output)
        if display_id:
            self.displays.setdefault(display_id, []).append(output)


def _shorten(traceback):
    """Return the lines of `traceback`, without those in its middle when they are too many or too long."""
    lines = [line[:2000] for line in "\n".join(traceback).splitlines()]
    if len(lines) > SHOWN:
        lines[SHOWN // 2 : -SHOWN // 2] = [f"[{len(lines) - SHOWN} lines cut]"]
    return lines
