"""The outputs of a cell, assembled from what its kernel publishes, whatever that is.

What a message should hold is read as Jupyter's documentation has it ("Messaging in Jupyter", version 5.4). nbclient
assembles outputs too, but takes every message at its word: a missing field ends the run, and nothing bounds them.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from ..text import clean_text, text_on_terminal
from .kernel import Flood
from .widgets import Widgets

TEXT_SHARE = 8  # the limit for outputs divided by this is kept of printed text: nobody reads more
FLOOD = 10  # times the limit for outputs, and the cell is stopped
TRACEBACK_LINES = 100
TRACEBACK_LINE = 2000  # characters
OUTPUT_OVERHEAD = 200  # bytes that an output counts beside its content
DEEPEST = 50  # levels of nested JSON in an output
# Printed text is read a million characters at a time, up to where a line begins: all its lines take 20 times as much.
PIECES = re.compile(r".{1,1000000}(?:[\n\r]|\Z)|.{1,1000000}", re.DOTALL)
OVERWRITABLE = 10_000  # characters at the end of the last line that later text can stand over

Message = Mapping[str, Any]


class Malformed(Exception):
    """A message has not the form that the documentation gives it; the message says what is wrong."""


class OutputCollector:
    """The outputs of one `cell`; `limit` bytes of them are kept.

    `displays` holds the outputs that a later cell may update, by display id.
    """

    def __init__(self, cell: NotebookNode, displays: dict[str, list[NotebookNode]], limit: int) -> None:
        self.cell, self.outputs, self.limit = cell, cell.outputs, limit
        self.error: str | None = None  # the name and last line of the last error that was published
        self._displays, self._widgets = displays, Widgets()
        self._clear_first = False
        self._published = self._kept = self._lines_cut = self._outputs_cut = 0  # the first two in bytes
        self._malformed: list[str] = []

    def take(self, message: Message) -> None:
        """Take one message of the kernel about this cell; raise `Flood` when there is no end of them."""
        try:
            kind, content = message["header"]["msg_type"], message["content"]
            if handler := getattr(self, f"_on_{kind}", None):
                self._count(kind, content)
                handler(content)
        except Flood:
            raise
        except Malformed as problem:
            self._malformed.append(str(problem))
        except Exception as problem:  # a submission can send anything: what that raises is not known
            self._malformed.append(f"a message that cannot be read ({type(problem).__name__})")

    def close(self) -> None:
        """Bring displayed widgets to their last state, and say what was cut or dropped."""
        self._widgets.refresh(self.outputs, self._fits)
        counts = [(self._lines_cut, "lines cut"), (self._outputs_cut, "outputs cut")]
        said = [f"{count} {what}" for count, what in counts if count]
        if self._malformed:
            said.append(f"{len(self._malformed)} outputs dropped: {self._malformed[0][:200]}")
        if said:
            self.outputs.append(new_output("stream", name="stderr", text=f"[{', '.join(said)}]\n"))

    def _count(self, kind: str, content: Any) -> None:
        """Count what is published, whatever becomes of it."""
        if not nests(content):
            raise Malformed(f"more than {DEEPEST} levels of nested data")
        printed = content.get("text") if kind == "stream" else None
        text = printed if isinstance(printed, str) else json.dumps(content, default=str) + " " * OUTPUT_OVERHEAD
        self._published += len(text)
        if self._published > FLOOD * self.limit:
            raise Flood

    def _fits(self, size: int) -> bool:
        """Return whether `size` bytes more can be kept, and count them if so."""
        fits = self._kept + size <= self.limit
        self._kept += size * fits
        self._outputs_cut += not fits
        return fits

    def _on_execute_input(self, content: Message) -> None:
        self.cell.execution_count = _execution_count(content)

    def _on_comm_msg(self, content: Message) -> None:
        self._widgets.update(content)

    _on_comm_open = _on_comm_msg

    def _on_comm_close(self, content: Message) -> None:
        self._widgets.close(content)

    def _on_clear_output(self, content: Message) -> None:
        self._clear_first = bool(content.get("wait", False))
        if not self._clear_first:
            self._clear()

    def _clear(self) -> None:
        """Remove what was put out so far: by the widget that captures outputs just now, or else by the cell."""
        widget, owner = self._widgets.capturing, self._widgets.owner
        self.outputs[:] = [output for output in self.outputs if widget and owner(output) != widget]
        self._kept = sum(map(_size, self.outputs))
        self._clear_first = False

    def _append(self, output: NotebookNode) -> None:
        if self._clear_first:
            self._clear()
        self.outputs.append(output)
        self._widgets.own(output)

    def _on_stream(self, content: Message) -> None:
        name, text = "stderr" if content.get("name") == "stderr" else "stdout", content.get("text")
        if not isinstance(text, str):
            raise Malformed("a stream without text")
        for piece in PIECES.findall(text) or [""]:
            self._print(name, piece)

    def _print(self, name: str, text: str) -> None:
        last = self.outputs[-1] if self.outputs and not self._clear_first else None
        if last is None or last.get("name") != name or self._widgets.owner(last) != self._widgets.capturing:
            last = new_output("stream", name=name, text="")
            self._append(last)
        before = len(last.text)
        start = max(last.text.rfind("\n") + 1, before - OVERWRITABLE)
        text = text_on_terminal(last.text[start:] + clean_text(text))
        kept = text[: max(0, self.limit // TEXT_SHARE - self._kept + before - start)]
        self._lines_cut += text.count("\n") - kept.count("\n")
        last.text = last.text[:start] + kept
        self._kept += len(last.text) - before
        if not last.text:
            self.outputs.pop()

    def _on_error(self, content: Message) -> None:
        name, text = (clean_text(str(content.get(key) or "")) for key in ("ename", "evalue"))
        name, text = name[:TRACEBACK_LINE], text[-TRACEBACK_LINE:]  # its last line is what is reported
        lines = content.get("traceback")
        traceback = [clean_text(str(line)) for line in lines] if isinstance(lines, list) else []
        first, self.error = self.error is None, ": ".join([name or "error", *text.strip().splitlines()[-1:]])
        output = new_output("error", ename=name, evalue=text, traceback=shorten_traceback(traceback))
        if self._fits(_size(output)) or first:  # which is short, and says why the cell failed
            self._append(output)

    def _on_display_data(self, content: Message, kind: str = "display_data", **own: Any) -> None:
        data, metadata, display_id = _bundle(content)
        self._update(display_id, data, metadata)
        output = new_output(kind, data=data, metadata=metadata, **own)
        if self._fits(_size(output) + len(display_id or "")):
            self._append(output)
            if display_id:
                self._displays.setdefault(display_id, []).append(output)

    def _on_execute_result(self, content: Message) -> None:
        self._on_display_data(content, "execute_result", execution_count=_execution_count(content))

    def _on_update_display_data(self, content: Message) -> None:
        data, metadata, display_id = _bundle(content)
        if display_id is None:
            raise Malformed("an update of a display that has no id")
        self._update(display_id, data, metadata)

    def _update(self, display_id: str | None, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Let all outputs with this id show what is new, if that can be kept as often as there are outputs."""
        old = self._displays.get(display_id, []) if display_id else []
        new = [NotebookNode(each | {"data": NotebookNode(data), "metadata": NotebookNode(metadata)}) for each in old]
        if old and self._fits(sum(map(_size, new)) - sum(map(_size, old))):
            for output, changed in zip(old, new, strict=True):
                output.update(changed)


def _bundle(content: Message) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    """Return the data by media type, their metadata and the display id of a message, as the format wants them."""
    data, metadata, transient = content.get("data"), content.get("metadata"), content.get("transient")
    if not isinstance(data, dict):
        raise Malformed("a display without data")
    named = {clean_text(str(kind)): value for kind, value in data.items()}
    made = {kind: media for kind, value in named.items() if (media := _media(kind, value)) is not None}
    if not made and data:
        raise Malformed(f"a display of {', '.join(named)[:100]} without data")
    described = (
        {key: value for key, value in metadata.items() if value is not None} if isinstance(metadata, dict) else {}
    )
    display_id = transient.get("display_id") if isinstance(transient, dict) else None
    return made, _clean(described), display_id if isinstance(display_id, str) else None


def _execution_count(content: Message) -> int | None:
    count = content.get("execution_count")
    return count if type(count) is int and count >= 0 else None  # True is an int, too


def _size(output: NotebookNode) -> int:
    return len(output.text) if output.output_type == "stream" else OUTPUT_OVERHEAD + len(json.dumps(output))


def _media(kind: str, value: Any) -> Any:
    """Return `value` as the notebook format wants data of the media type `kind`; None where nothing is left of it."""
    if value is None or kind == "application/json" or kind.endswith("+json"):
        return _clean(value)
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    return clean_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _clean(value: Any) -> Any:
    """Return JSON without what no file can hold: halves of characters, and numbers that are infinite or none."""
    return json.loads(clean_text(json.dumps(value, ensure_ascii=False)), parse_constant=lambda _: None)


def nests(value: Any, deepest: int = DEEPEST) -> bool:
    """Return whether JSON is nested no deeper than `deepest` levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return deepest > 0 and all(nests(each, deepest - 1) for each in inner)


def shorten_traceback(traceback: list[str]) -> list[str]:
    """Return the lines of a traceback, without those in its middle when they are too many, or too long."""
    lines = [line[:TRACEBACK_LINE] for line in "\n".join(traceback).splitlines()]
    if len(lines) > TRACEBACK_LINES:
        half = TRACEBACK_LINES // 2
        lines[half:-half] = [f"[{len(lines) - TRACEBACK_LINES} lines cut]"]
    return lines
