"""The battery: draws the cases of each check, and compares the gradients that come back with autograd's own.

Run as a script, it is the judge's process: `battery.py JSON`, with {"cells": [[id, source], ...], "function": bool}.
Its standard output leads to the function worker, whose replies are its standard input; it writes a line of JSON per
finding to standard error. No library tells which gradient is wrong and how: `torch.autograd.gradcheck` says only that
one differs.
"""

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import torch

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from hw4.grading.affine.checks import CHECKS, GRADIENTS, INPUTS
from hw4.grading.affine.function_worker import Case, Packed, Reply, affine, derivatives, pack, unpack

ALL = [True, True, True]
# The relative and absolute tolerances of `torch.testing.assert_close`, as its documentation lists them; calling it
# imports `torch.distributed.tensor`, which takes 0.5 s.
TOLERANCES = {
    "float64": (1e-7, 1e-7),
    "float32": (1.3e-6, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float16": (1e-3, 1e-5),
}
LARGEST_TENSOR = 100_000  # numbers; no case asks for as many
LARGEST_REPLY = 10_000_000  # characters


class BrokenConnection(Exception):
    """The function worker has ended, or does not keep to the protocol."""


class Example:
    """Random tensors of the shapes that a case wants."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def case(
        self, *leading: int, dtype: torch.dtype = torch.float64, upstream: torch.Tensor | None = None, **how: Any
    ) -> Case:
        """Return a case with random X (*leading, 4), W (3, 4), b (3,) and dL/dY (*leading, 3); `how` it is called.

        The upstream gradient is random too, unless one is given: a gradient of ones, as `sum()` makes it, hides what
        ignores it.
        """
        X, W, b = self.tensors((*leading, 4), (3, 4), (3,), dtype=dtype)
        upstream = self.tensors((*leading, 3), dtype=dtype)[0] if upstream is None else upstream
        case = {"tensors": [pack(tensor) for tensor in (X, W, b, upstream)], "needs": ALL, "mode": "direct", **how}
        if case["mode"] == "second":
            case["cotangents"] = [pack(tensor) for tensor in self.tensors(X.shape, W.shape, b.shape)]
        return case

    def tensors(self, *shapes: tuple[int, ...], dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
        """Return a tensor of standard normal numbers per shape."""
        return [torch.randn(shape, dtype=torch.float64, generator=self._generator).to(dtype) for shape in shapes]


def cases(check: str, seed: int) -> Iterator[tuple[str, Case]]:
    """Yield the cases of a check, each with a phrase that says what is special about it."""
    example = Example(seed)
    if check in ("shapes", "leading dimensions"):
        flat, deep = [(5,), (1,), (4,)], [(0,), (2, 5), (2, 0), (2, 1, 5), ()]  # 4 is d_in: X is square
        for leading in flat if check == "shapes" else deep:
            yield f"called directly, X {(*leading, 4)}", example.case(*leading)
    elif check == "upstream":
        yield "through autograd, random upstream gradient", example.case(5, mode="autograd")
    elif check == "strides":
        (upstream,) = example.tensors((5, 3))
        yield "dL/dY expanded", example.case(5, upstream=upstream[:1].expand(5, 3))
        yield "dL/dY not contiguous", example.case(5, upstream=upstream.T.contiguous().T)
    elif check == "purity":
        yield "called twice with the same tensors", example.case(5, mode="again")
    elif check == "dtypes":
        for dtype in (torch.float32, torch.bfloat16):
            yield f"in {dtype}", example.case(5, dtype=dtype)
    elif check == "needs":
        for needs in product([True, False], repeat=3):
            yield f"{needs=}", example.case(5, needs=list(needs))
    elif check == "second derivative":
        yield "differentiated again", example.case(2, mode="second")


def fault(case: Case, reply: Reply) -> str | None:
    """Return what is wrong with the reply to a case; None when nothing is."""
    if "error" in reply:
        return f"raises {str(reply['error'])[:200]}"
    gradients = reply.get("gradients")
    second = case["mode"] == "second"
    names = [f"the second derivative with respect to {name}" for name in INPUTS] if second else list(GRADIENTS)
    if not isinstance(gradients, list) or len(gradients) != len(names):
        return "it does not return three gradients"
    right = expected(case)
    wanted = right if second else [one if need else None for one, need in zip(right, case["needs"], strict=True)]
    found = map(different, map(received, gradients), wanted)
    differences = [f"{name} {difference}" for name, difference in zip(names, found, strict=True) if difference]
    if differences:
        return differences[0] if second else "; ".join(differences)
    spent, needed = reply.get("products", 0), sum(case["needs"][:2])
    if case["mode"] == "direct" and case["needs"] != ALL and isinstance(spent, int) and spent > needed:
        return f"by the process's own count, {spent} matrix products are spent where {needed} are needed"
    return None


def expected(case: Case) -> list[torch.Tensor]:
    """Return what autograd gives for a case, however the case calls the function."""
    *inputs, upstream = (unpack(packed).requires_grad_() for packed in case["tensors"])
    gradients = derivatives([affine(*inputs)], inputs, [upstream], create_graph=True)
    if case["mode"] != "second":
        return [gradient.detach() for gradient in gradients]
    cotangents = [unpack(packed) for packed in case["cotangents"]]
    derived = derivatives(gradients, [*inputs, upstream], cotangents, materialize_grads=True)
    return list(derived)


def received(packed: Packed | str | None) -> torch.Tensor | str | None:
    """Return a gradient from a reply: a tensor, None, or a text that says what came instead of a tensor."""
    if packed is None:
        return None
    if isinstance(packed, str):
        return f"is {packed[:80]!r}, not a tensor"
    try:
        if packed["dtype"] in TOLERANCES and len(packed["numbers"]) <= LARGEST_TENSOR:
            return unpack(packed)
    except (KeyError, TypeError, ValueError, RuntimeError, OverflowError):
        pass
    return "is a tensor that no check can take"


def different(mine: torch.Tensor | str | None, right: torch.Tensor | None) -> str | None:
    """Return in words how a gradient differs from the right one; None where it does not."""
    if right is None:
        return None if mine is None else "is given though not needed"
    if mine is None:
        # A derivative that is zero everywhere may be left out, as autograd itself does.
        return None if right.numel() and not right.any() else "is None, not a tensor"
    if isinstance(mine, str):
        return mine
    if mine.shape != right.shape:
        return f"has shape {tuple(mine.shape)} instead of {tuple(right.shape)}"
    if mine.dtype != right.dtype:
        return f"is {mine.dtype} instead of {right.dtype}"
    relative, absolute = TOLERANCES[str(right.dtype).removeprefix("torch.")]
    if torch.allclose(mine, right, relative, absolute):
        return None
    square = (right * right).sum().item()
    factor = (mine * right).sum().item() / square if square else 0.0
    if factor and torch.allclose(mine, factor * right):
        return f"is {factor:.3g} times the right one"
    return "is wrong"  # by how much depends on the inputs, which are others each time


def judged(check: str, run: Callable[[list[Case]], Any], seed: int) -> str | None:
    """Return the first fault that a check finds with a function, of which `run` replies to cases; None: it passes.

    Raises `BrokenConnection` where there is not one reply per case.
    """
    phrases, drawn = zip(*cases(check, seed), strict=True)
    replies = run(list(drawn))
    if not isinstance(replies, list) or len(replies) != len(drawn):
        raise BrokenConnection
    for phrase, case, reply in zip(phrases, drawn, replies, strict=True):
        if found := fault(case, reply if isinstance(reply, dict) else {}):
            return f"{found} ({phrase})"
    return None


def ask(what: str, value: object) -> Any:
    """Return the function worker's reply to the request {what: value}; raise `BrokenConnection` where none comes."""
    try:
        print(json.dumps({what: value}), flush=True)
        return json.loads(sys.stdin.readline(LARGEST_REPLY))
    except (OSError, ValueError, RecursionError):
        raise BrokenConnection from None


def main(cells: list[tuple[str, str]], function: bool) -> None:
    """Write [kind, name, fault] for each given cell, for the function's import, and for each check."""

    def say(kind: str, name: str, found: object) -> None:
        if not isinstance(found, str | None):
            raise BrokenConnection
        print(json.dumps([kind, name, found]), file=sys.stderr, flush=True)

    try:
        for name, source in cells:
            say("cell", name, ask("cell", source))
        if function:
            problem = ask("import", True)
            say("import", "", problem)
            for check in CHECKS if problem is None else ():
                # A seed that nobody can know beforehand: what comes back must have been computed.
                seed = secrets.randbits(63)
                say("check", check.name, judged(check.name, lambda drawn: ask("cases", drawn), seed))
    except BrokenConnection:
        say("broken", "", "the process that ran it broke off")


if __name__ == "__main__":
    if sys.platform == "linux":
        from hw4.grading.sandbox import linux

        # Where no namespace hides this process, the submission's could read its seeds in /proc/PID/mem.
        linux.attempt(linux.system, "prctl", linux.PR_SET_DUMPABLE, 0)
    main(**json.loads(sys.argv[1]))
