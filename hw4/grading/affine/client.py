"""The judge's side of the connection to the function worker: requests out, replies in, each checked for its form."""

import json
import socket
from typing import Any

import torch

from .function_worker import Case, Packed, Reply, unpack

DTYPES = {"float64", "float32", "bfloat16", "float16"}
LARGEST_TENSOR = 100_000  # numbers; no case asks for as many
LARGEST_REPLY = 10_000_000  # characters
BROKEN = "the process that ran it broke off"


class BrokenConnection(Exception):
    """The function worker has ended, or does not keep to the protocol."""


class FunctionWorker:
    """The process at the other end of `connection`; every method raises `BrokenConnection` when it cannot reply."""

    def __init__(self, connection: socket.socket) -> None:
        self._lines = connection.makefile("rw", encoding="utf-8", errors="replace")

    def import_function(self) -> str | None:
        """Have the function imported; return what went wrong, or None."""
        return self._error({"import": True})

    def run_cell(self, source: str) -> str | None:
        """Have a given cell run; return its error in a line, or None."""
        return self._error({"cell": source})

    def run_cases(self, cases: list[Case]) -> list[Reply]:
        """Have the function called once per case; return a reply for each."""
        replies = self._request({"cases": cases})
        if not isinstance(replies, list) or len(replies) != len(cases):
            raise BrokenConnection
        return [reply if isinstance(reply, dict) else {} for reply in replies]

    def _error(self, request: dict[str, Any]) -> str | None:
        reply = self._request(request)
        if reply is not None and not isinstance(reply, str):
            raise BrokenConnection
        return reply

    def _request(self, request: dict[str, Any]) -> Any:
        try:
            self._lines.write(json.dumps(request) + "\n")
            self._lines.flush()
            return json.loads(self._lines.readline(LARGEST_REPLY))
        except (OSError, ValueError, RecursionError):
            raise BrokenConnection from None


def received(packed: Packed | str | None) -> torch.Tensor | str | None:
    """Return a gradient from a reply: a tensor, None, or a text that says what came instead of a tensor."""
    if packed is None:
        return None
    if isinstance(packed, str):
        return f"is {packed[:80]!r}, not a tensor"
    try:
        if packed["dtype"] in DTYPES and len(packed["numbers"]) <= LARGEST_TENSOR:
            return unpack(packed)
    except (KeyError, TypeError, ValueError, RuntimeError, OverflowError):
        pass
    return "is a tensor that no check can take"
