"""The function worker: calls the submission's function, and runs given cells, as the judge's process requests.

Run as a script in a sandboxed process of the submission, `function_worker.py MODULE FUNCTION`. It is one file, since
the sandbox hides the rest of this package. Requests come and replies go as lines of JSON, on standard input and output.
What it replies is the submission's word: the judge compares numbers in another process, which this one cannot reach,
and trusts nothing else.
"""

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch.autograd import Function
from torch.overrides import resolve_name
from torch.utils._python_dispatch import TorchDispatchMode

Backward = Callable[[Any, torch.Tensor], Any]
PRODUCTS = {"mm", "bmm", "addmm", "matmul", "mv"}  # PyTorch's operators that compute a matrix product


# What goes over the socket, as JSON has it.
# A tensor: the name of its "dtype", its "shape", its "strides" in elements, and the "numbers" of its storage.
Packed = dict[str, Any]
# One call: the "tensors" X, W, b and dL/dY, which of the first three the gradient "needs", and its "mode": "direct"
# (called as it is), "again" (called twice, the second result counts), "autograd" (by a `torch.autograd.Function`), or
# "second" (differentiated again, with "cotangents" of the three gradients).
Case = dict[str, Any]
# What came of a case: the "gradients", or None when there are not three, and how many matrix "products" were computed;
# or the "error". A gradient is a text where the function gave something else than a tensor.
Reply = dict[str, Any]


class MatrixProducts(TorchDispatchMode):
    """Counts the matrix products that are computed while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # or torch._dynamo is imported, which takes 0.5 s; nothing is compiled here

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += (resolve_name(func) or "").partition(".")[2].partition(".")[0] in PRODUCTS
        return func(*args, **(kwargs or {}))


def pack(tensor: torch.Tensor) -> Packed:
    """Return `tensor` as JSON can carry it, with its strides."""
    tensor = tensor.detach()
    whole = tensor.as_strided((tensor.untyped_storage().nbytes() // tensor.element_size(),), (1,), 0)
    dtype = str(tensor.dtype).removeprefix("torch.")
    return {"dtype": dtype, "shape": list(tensor.shape), "strides": list(tensor.stride()), "numbers": whole.tolist()}


def unpack(packed: Packed) -> torch.Tensor:
    """Return the tensor that `pack` made `packed` from."""
    numbers = torch.tensor(packed["numbers"], dtype=getattr(torch, packed["dtype"]))
    return numbers.as_strided(packed["shape"], packed["strides"])


def pack_result(value: object) -> Packed | str | None:
    """Return what a function gave for one gradient: a tensor packed, None as it is, the rest as text."""
    return pack(value) if isinstance(value, torch.Tensor) else None if value is None else str(value)[:80]


def affine(X: torch.Tensor, W: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return Y = 0.5 X Wᵀ + b of shape (..., d_out), for X (..., d_in), b (d_out,) and W (d_out, d_in)."""
    return 0.5 * X @ W.T + b


def layer(backward: Backward) -> Callable[..., torch.Tensor]:
    """Return `affine` as a function that autograd differentiates by `backward(ctx, grad_output)`."""

    class Affine(Function):
        @staticmethod
        def forward(ctx: Any, X: torch.Tensor, W: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(X, W, b)
            return affine(X, W, b)

        @staticmethod
        def backward(ctx: Any, *grad_outputs: torch.Tensor) -> Any:
            return backward(ctx, *grad_outputs)

    return Affine.apply


def derivatives(
    outputs: Sequence[Any], inputs: Sequence[torch.Tensor], weights: Sequence[torch.Tensor], **options: Any
) -> Sequence[Any]:
    """Return the derivatives of sum(weight · output) with respect to the inputs, as `torch.autograd.grad` does.

    What is no tensor, or depends on nothing, is left out of the sum.
    That imports SymPy when it gets weights itself, for 0.2 s: a hook puts each in the place of the gradient of a sum.
    """
    scalars = []
    for output, weight in zip(outputs, weights, strict=True):
        if isinstance(output, torch.Tensor) and output.requires_grad:
            alias = output[...]  # which has hooks of its own
            alias.register_hook(lambda _, weight=weight: weight)
            scalars.append(alias.sum())
    return torch.autograd.grad(scalars, inputs, **options) if scalars else [None] * len(inputs)


def run_case(backward: Backward, case: Case) -> Reply:
    """Return what comes of one call of `backward`."""
    tensors = [unpack(packed) for packed in case["tensors"]]
    for tensor, needed in zip(tensors, [*case["needs"], case["mode"] == "second"], strict=True):
        tensor.requires_grad_(needed)
    inputs, upstream = tensors[:3], tensors[3]
    context = SimpleNamespace(saved_tensors=tuple(inputs), needs_input_grad=tuple(case["needs"]))
    with MatrixProducts() as spent, torch.set_grad_enabled(case["mode"] in ("autograd", "second")):
        if case["mode"] == "again":
            backward(context, upstream)
        if case["mode"] == "autograd":
            gradients = derivatives([layer(backward)(*inputs)], inputs, [upstream], allow_unused=True)
        else:
            gradients = backward(context, upstream)
        if not isinstance(gradients, tuple | list) or len(gradients) != 3:
            return {"gradients": None}
        if case["mode"] == "second":
            cotangents = [unpack(packed) for packed in case["cotangents"]]
            gradients = derivatives(gradients, tensors, cotangents, allow_unused=True)
    return {"gradients": [pack_result(each) for each in gradients], "products": spent.count}


def run_cases(backward: Backward, cases: list[Case]) -> list[Reply]:
    """Return a reply per case; an exception of the function is its case's reply."""
    replies: list[Reply] = []
    for case in cases:
        try:
            replies.append(run_case(backward, case))
        except Exception as problem:  # it is somebody else's function: it may raise anything
            replies.append({"error": describe(problem)})
    return replies


def describe(problem: BaseException) -> str:
    """Return the exception's name and the last line of its text."""
    text = ""
    with contextlib.suppress(Exception):  # its text is somebody else's code, too
        text = (str(problem).strip().splitlines() or [""])[-1][:200]
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__


def run_cell(source: str, scope: dict[str, Any]) -> str | None:
    """Run a given cell as a notebook would, without a kernel; return its error in a line, or None."""
    try:
        code = compile(source, "given cell", "exec")
    except SyntaxError:  # a magic command: IPython's shell runs it, but takes a while to start
        from IPython.core.interactiveshell import InteractiveShell

        done = InteractiveShell.instance(user_ns=scope).run_cell(source)
        problem = done.error_before_exec or done.error_in_exec
        return problem and describe(problem)
    exec(code, scope)
    return None


def main(module: str = "", name: str = "") -> None:
    """Reply to each request: {"cell": source}, {"import": true} or {"cases": [...]}."""
    sys.path.insert(0, "")  # the submission's folder, which is the current one
    requests, replies = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the submission's code prints is no reply
    scope: dict[str, Any] = {"__name__": "__main__"}
    backward: Backward | None = None
    for line in requests:
        reply: Any
        try:
            request = json.loads(line)
            if "cell" in request:
                reply = run_cell(request["cell"], scope)
            elif "import" in request:
                backward = getattr(importlib.import_module(module), name)
                reply = None if callable(backward) else f"{name} is {str(backward)[:80]}, not a function"
            else:
                reply = run_cases(backward, request["cases"]) if backward else None
        except BaseException as problem:  # whatever somebody else's code raises, SystemExit included
            reply = describe(problem)
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
