"""The widgets of a cell: their state, in text, and which of them captures the cell's outputs.

A widget lives in a browser; what is left of it here is what its messages say ("Widget messaging protocol", version 2).
nbclient keeps their state for a browser to draw, which a page without a script never does.
"""

import re
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode

VIEW = "application/vnd.jupyter.widget-view+json"
TAG = re.compile(r"<[^>]*>")
REFERENCE = "IPY_MODEL_"  # what stands before the id of another widget
DEEPEST, MOST = 10, 100  # levels of widgets within widgets, and widgets, of which the text is made


class Widgets:
    """The widgets that a cell has made, by the id of their connection."""

    def __init__(self) -> None:
        self._states: dict[str, dict[str, Any]] = {}
        self._captured: dict[str, list[NotebookNode]] = {}
        self.capturing: str | None = None  # the `Output` widget that takes the outputs just now

    def open(self, content: Mapping[str, Any]) -> None:
        """Take note of a new widget, from the content of its `comm_open` message."""
        data = content.get("data")
        if content.get("target_name") == "jupyter.widget" and isinstance(data, dict):
            self._set(str(content.get("comm_id")), data.get("state"))

    def update(self, content: Mapping[str, Any]) -> None:
        """Take over a change of a widget's state, from the content of its `comm_msg` message."""
        data = content.get("data")
        if isinstance(data, dict) and data.get("method") in ("update", "echo_update"):
            self._set(str(content.get("comm_id")), data.get("state"))

    def _set(self, widget: str, state: Any) -> None:
        if not isinstance(state, dict):
            return
        known = self._states.setdefault(widget, {})
        known.update(state)
        if known.get("_model_name") == "OutputModel" and "msg_id" in state:
            self.capturing = widget if state["msg_id"] else None

    def own(self, output: NotebookNode) -> None:
        """Let the widget that captures outputs, if there is one, own `output`."""
        if self.capturing:
            self._captured.setdefault(self.capturing, []).append(output)

    def owner(self, output: NotebookNode) -> str | None:
        """Return the widget that owns `output`; None for the cell itself."""
        return next((name for name, owned in self._captured.items() if any(each is output for each in owned)), None)

    def captured(self) -> list[NotebookNode]:
        """Return the outputs of the widget that captures outputs just now, and forget them."""
        return self._captured.pop(self.capturing or "", [])

    def refresh(self, output: NotebookNode) -> None:
        """Replace the text of a displayed widget by one of its last state."""
        data = output.get("data", {})
        view = data.get(VIEW)
        if isinstance(view, dict) and (text := self._text(str(view.get("model_id")), DEEPEST, [])):
            data["text/plain"] = text

    def _text(self, widget: str, deepest: int, seen: list[str]) -> str:
        """Return what a reader sees of a widget: its own words, or those of the widgets within it."""
        state = self._states.get(widget, {})
        seen.append(widget)
        if deepest == 0 or len(seen) > MOST:
            return ""
        children = state.get("children")
        if isinstance(children, list):
            inner = [self._text(str(child).removeprefix(REFERENCE), deepest - 1, seen) for child in children]
            return " ".join(filter(None, inner))
        value, most = state.get("value"), state.get("max")
        if isinstance(value, int | float) and isinstance(most, int | float):
            value = f"{value:g}/{most:g}"
        words = [TAG.sub("", each).strip() for each in (state.get("description"), value) if isinstance(each, str)]
        return " ".join(filter(None, words))
