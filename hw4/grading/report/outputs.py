"""The outputs of a cell as HTML: of what a message offers, what JupyterLab would show; the rest is named."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from itertools import groupby
from typing import Any

import nh3
from nbformat import NotebookNode

from .markup import text
from .rich import Rich
from .verbatim import printed

PICTURES = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp")
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGETS = 100  # that are read for the text of one


class Outputs:
    """Draws the outputs of one notebook, whose widgets have the states `widgets`, as nbclient stores them."""

    def __init__(self, rich: Rich, widgets: Mapping[str, Any]) -> None:
        self.rich = rich
        self.widgets = widgets.get(WIDGET_STATE, {}).get("state", {})

    def draw(self, outputs: Sequence[NotebookNode], level: int) -> Iterator[str]:
        """Yield the HTML of each of the `outputs`; what was printed in pieces is one text."""
        for name, group in groupby(outputs, lambda output: output.output_type == "stream" and output.name):
            if name:
                what = "Printed" if name == "stdout" else "Printed as a warning or error"
                yield printed("".join(output.text for output in group), what)
            else:
                yield from (self._output(output, level) for output in group)

    def _output(self, output: NotebookNode, level: int) -> str:
        if output.output_type == "error":
            return printed("\n".join(output.traceback) or f"{output.ename}: {output.evalue}", "Traceback")
        data = {kind: value if isinstance(value, str) else str(value) for kind, value in output.data.items()}
        plain = printed(data["text/plain"], "Output") if "text/plain" in data else ""
        if WIDGET in data and (state := self._widget_text(output.data[WIDGET])):
            return printed(state, "Widget")
        if "text/html" in data:
            html = self.rich.html(data["text/html"], level)
            return html if _shows(html) else html + (plain or '<p class="note">[HTML without a text or a picture]</p>')
        if "text/markdown" in data:
            return self.rich.markdown(data["text/markdown"], level)
        if "text/latex" in data:
            return self.rich.latex(data["text/latex"], level)
        if kind := next((kind for kind in PICTURES if kind in data), None):
            metadata = output.metadata.get(kind) or output.metadata
            content = data[kind] if kind != PICTURES[0] else b64encode(data[kind].encode("utf-8", "replace")).decode()
            return self.rich.picture(f"data:{kind};base64,{content}", level, metadata)
        other = ", ".join(sorted(set(data) - {"text/plain"}))
        return plain + (f'<p class="note">Not shown here: output of the type {text(other)}.</p>' if other else "")

    def _widget_text(self, view: Mapping[str, Any]) -> str:
        """Return the texts of a widget and of those within it, in order; "" where the notebook has no state of it."""
        texts, waiting = [], [view.get("model_id")]
        for _ in range(WIDGETS):
            if not waiting:
                break
            state = self.widgets.get(str(waiting.pop(0)).removeprefix("IPY_MODEL_"), {}).get("state", {})
            waiting[:0] = state.get("children", [])
            if "Progress" not in state.get("_model_name", ""):
                texts += [str(state[name]) for name in ("description", "value") if state.get(name) not in (None, "")]
        return " ".join(unescape(nh3.clean(each, tags=set())).strip() for each in texts)


def _shows(html: str) -> bool:
    """Return whether `html` shows more than notes on what it does not show."""
    words = nh3.clean(html, tags=set()).strip()
    return "<img" in html or (bool(words) and not words.startswith("[Not shown here"))
