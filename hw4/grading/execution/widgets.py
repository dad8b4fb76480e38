"""The widgets of a cell: their state, in text, and which of them captures the cell's outputs.

A widget lives in a browser; what is left of it here is what its messages say ("Widget messaging protocol", version 2).
nbclient keeps their state for a browser to draw, which a page without a script never does.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from html import unescape
from itertools import takewhile
from typing import Any

from nbformat import NotebookNode

VIEW = "application/vnd.jupyter.widget-view+json"
TAG = re.compile(r"<[^<>]*>")
REFERENCE = "IPY_MODEL_"  # what stands before the id of another widget
DEEPEST, MOST = 10, 100  # levels of widgets within widgets, and widgets, of which the text is made
LONGEST = 10_000  # characters of a widget's own words


class Widgets:
    """The widgets that a cell has made, by the id of their connection."""

    def __init__(self) -> None:
        self._states: dict[str, dict[str, Any]] = {}
        self._closed: set[str] = set()
        self._owners: dict[int, str | None] = {}  # by the identity of an output
        self.capturing: str | None = None  # the `Output` widget that takes the outputs just now

    def update(self, content: Mapping[str, Any]) -> None:
        """Take over the state of a widget that is new or changed, from the content of a message about it."""
        widget, data = str(content.get("comm_id")), content.get("data")
        state = data.get("state") if isinstance(data, dict) else None
        if isinstance(state, dict):
            known = self._states.setdefault(widget, {})
            known.update(state)
            if known.get("_model_name") == "OutputModel" and "msg_id" in state:
                self.capturing = widget if state["msg_id"] else None

    def close(self, content: Mapping[str, Any]) -> None:
        """Take note that a widget is gone, as a progress bar that is not left, from the content of `comm_close`."""
        self._closed.add(str(content.get("comm_id")))

    def own(self, output: NotebookNode) -> None:
        """Let the widget that captures outputs, or else the cell, own `output`."""
        self._owners[id(output)] = self.capturing

    def owner(self, output: NotebookNode) -> str | None:
        """Return the widget that owns `output`; None for the cell itself."""
        return self._owners.get(id(output))

    def refresh(self, outputs: list[NotebookNode], fits: Callable[[int], bool]) -> None:
        """Replace the text of each displayed widget by one of its last state; remove those that are closed.

        `fits` says whether so many characters more can be kept.
        """
        for output in list(outputs):
            view = output.get("data", {}).get(VIEW)
            widget = str(view.get("model_id")) if isinstance(view, dict) else ""
            if widget in self._closed:
                outputs[:] = [each for each in outputs if each is not output]
            elif (text := self._text(widget, DEEPEST, [])) and fits(len(text)):
                output.data["text/plain"] = text

    def _text(self, widget: str, deepest: int, seen: list[str]) -> str:
        """Return what a reader sees of a widget: its own words, or those of the widgets within it."""
        state = self._states.get(widget, {})
        seen.append(widget)
        if deepest == 0 or len(seen) > MOST:
            return ""
        children = state.get("children")
        if isinstance(children, list):
            read = takewhile(lambda _: len(seen) <= MOST, children)
            inner = [self._text(str(child).removeprefix(REFERENCE), deepest - 1, seen) for child in read]
            return " ".join(filter(None, inner))
        value, most = state.get("value"), state.get("max")
        if isinstance(value, int | float) and isinstance(most, int | float):
            with suppress(OverflowError):
                value = f"{value:g}/{most:g}"
        words = [
            unescape(TAG.sub("", each[:LONGEST])) for each in (state.get("description"), value) if isinstance(each, str)
        ]
        return " ".join(filter(None, map(str.strip, words)))
