"""The battery: draws the cases of each check, and compares the gradients that come back with autograd's own.

Run as a script, it is the judge's process: `battery.py JSON`, with {"cells": [[id, source], ...], "function": bool}.
Its standard output leads to the function worker, whose replies are its standard input; it writes a line of JSON per
finding to standard error. No library tells which gradient is wrong and how: `torch.autograd.gradcheck` says only that
one differs.
"""

import json
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
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
# imports `torch.distributed.tensor`, which takes 0.5 s. Those of float64 are narrower: by its 1e-7, it depended on the
# inputs whether what computes in float32 passed.
TOLERANCES = {
    "float64": (1e-10, 1e-10),
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

    def case(self, leading: tuple[int, ...] = (5,), dtype: torch.dtype = torch.float64, **how: Any) -> Case:
        """Return a case with random X (*leading, 4), W (3, 4), b (3,) and dL/dY (*leading, 3); `how` it is called.

        The upstream gradient is random too, unless one is given: a gradient of ones, as `sum()` makes it, hides what
        ignores it.
        """
        X, W, b, upstream = self.tensors((*leading, 4), (3, 4), (3,), (*leading, 3), dtype=dtype)
        tensors = [X, W, b, how.pop("upstream", upstream)]
        case = {"tensors": list(map(pack, tensors)), "needs": ALL, "mode": "direct", **how}
        if case["mode"] == "second":
            case["cotangents"] = [pack(tensor) for tensor in self.tensors(X.shape, W.shape, b.shape)]
        return case

    def tensors(self, *shapes: tuple[int, ...], dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
        """Return a tensor of standard normal numbers per shape."""
        return [torch.randn(shape, dtype=torch.float64, generator=self._generator).to(dtype) for shape in shapes]


def cases(check: str, seed: int) -> Iterator[tuple[str, Case]]:
    """Yield the cases of a check, each with a phrase that says what is special about it."""
    example = Example(seed)
    (upstream,) = example.tensors((5, 3))

    def direct(*leadings: tuple[int, ...]) -> dict[str, Any]:
        return {f"called directly, X {(*leading, 4)}": {"leading": leading} for leading in leadings}

    special: dict[str, dict[str, Any]] = {
        "shapes": direct((5,), (1,), (4,)),  # with 4 rows X is square
        "leading dimensions": direct((0,), (2, 5), (2, 0), (2, 1, 5), ()),
        "upstream": {"through autograd, random upstream gradient": {"mode": "autograd"}},
        "strides": {
            "dL/dY expanded": {"upstream": upstream[:1].expand(5, 3)},
            "dL/dY not contiguous": {"upstream": upstream.T.contiguous().T},
        },
        "purity": {"called twice with the same tensors": {"mode": "again"}},
        "dtypes": {f"in {dtype}": {"dtype": dtype} for dtype in (torch.float32, torch.bfloat16)},
        "needs": {f"{needs=}": {"needs": list(needs)} for needs in product([True, False], repeat=3)},
        "second derivative": {"differentiated again": {"leading": (2,), "mode": "second"}},
    }
    for phrase, how in special[check].items():
        yield phrase, example.case(**how)


def fault(case: Case, reply: Reply) -> str | None:
    """Return what is wrong with the reply to a case; None when nothing is."""
    if "error" in reply:
        return f"raises {str(reply['error'])[:200]}"
    gradients = reply.get("gradients")
    second = case["mode"] == "second"
    names = [f"the second derivative with respect to {name}" for name in INPUTS] if second else list(GRADIENTS)
    if not isinstance(gradients, list) or len(gradients) != len(names):
        return "it does not return three gradients"
    found = map(different, map(received, gradients), expected(case))
    differences = [f"{name} {difference}" for name, difference in zip(names, found, strict=True) if difference]
    if differences:
        return differences[0] if second else "; ".join(differences)
    spent, needed = reply.get("products", 0), sum(case["needs"][:2])
    if case["mode"] == "direct" and case["needs"] != ALL and isinstance(spent, int) and spent > needed:
        return f"by the process's own count, {spent} matrix products are spent where {needed} are needed"
    return None


def expected(case: Case) -> Sequence[torch.Tensor | None]:
    """Return what autograd gives for a case, however the case calls the function."""
    *inputs, upstream = (unpack(packed).requires_grad_() for packed in case["tensors"])
    gradients = derivatives([affine(*inputs)], inputs, [upstream], create_graph=True)
    if case["mode"] == "second":
        cotangents = [unpack(packed) for packed in case["cotangents"]]
        return derivatives(gradients, [*inputs, upstream], cotangents, materialize_grads=True)
    return [gradient.detach() if need else None for gradient, need in zip(gradients, case["needs"], strict=True)]


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
    if torch.allclose(mine, right, 1e-5, 1e-5):
        return "is right to a few digits only, as of a less exact type"
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
