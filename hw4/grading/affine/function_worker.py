"""A submission's code at work for the judge; run as a script in a process of the submission's own.

Requests come and replies go as lines of JSON over the socket that standard input is. The judge compares the numbers of
a reply in another process, out of reach of whatever the submission did to PyTorch in this one.
"""

import contextlib
import json
import os
import socket
import sys
from types import SimpleNamespace

import torch
from torch.overrides import resolve_name
from torch.utils._python_dispatch import TorchDispatchMode


class MatrixProducts(TorchDispatchMode):
    """Counts the matrix products that are computed while it is entered."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += resolve_name(function).split(".")[1] in {"mm", "bmm", "addmm", "matmul", "mv"}
        return function(*args, **(kwargs or {}))


def pack(tensor):
    """Return `tensor` as [dtype, shape, strides, the numbers of its storage], which JSON can carry."""
    if not isinstance(tensor, torch.Tensor):
        return None if tensor is None else str(tensor)[:80]
    tensor = tensor.detach()
    whole = tensor.as_strided((tensor.untyped_storage().nbytes() // tensor.element_size(),), (1,), 0)
    return [str(tensor.dtype).removeprefix("torch."), list(tensor.shape), list(tensor.stride()), whole.tolist()]


def unpack(packed):
    """Return the tensor that `pack` made `packed` from, and anything else as it is."""
    if not isinstance(packed, list):
        return packed
    dtype, shape, strides, numbers = packed
    return torch.tensor(numbers, dtype=getattr(torch, dtype)).as_strided(shape, strides)


def answer(backward, request):
    """Call `backward` once as `request` says; return its gradients, or with "cotangents" what flows back through it."""
    tensors = [unpack(packed).requires_grad_() for packed in request["tensors"]]  # X, W, b and dL/dY
    context = SimpleNamespace(saved_tensors=tuple(tensors[:3]), needs_input_grad=tuple(request["needs"]))
    before = [tensor.detach().clone() for tensor in tensors]
    with torch.set_grad_enabled("cotangents" in request), MatrixProducts() as spent:
        gradients = backward(context, tensors[3])
    if not isinstance(gradients, tuple | list) or len(gradients) != 3:
        return {"gradients": None}
    if "cotangents" in request:
        pairs = zip(gradients, map(unpack, request["cotangents"]), strict=True)
        live = [(mine, theirs) for mine, theirs in pairs if isinstance(mine, torch.Tensor) and mine.requires_grad]
        outputs, cotangents = zip(*live, strict=True) if live else ((), ())
        gradients = torch.autograd.grad(outputs, tensors, cotangents, allow_unused=True) if live else [None] * 4
    changed = [None if torch.equal(old, new) else pack(new) for old, new in zip(before, tensors, strict=True)]
    return {"gradients": [pack(each) for each in gradients], "products": spent.count, "changed": changed}


def run(source, scope={"__name__": "__main__"}):  # noqa: B006 - one scope for all cells is the point
    """Run a cell of the reference as a notebook would, without a kernel; return the last line of its error or None."""
    try:
        code = compile(source, "given cell", "exec")
    except SyntaxError:  # magics: a shell knows them, but takes a while to start
        from IPython.core.interactiveshell import InteractiveShell

        done = InteractiveShell.instance(user_ns=scope).run_cell(source)
        problem = done.error_before_exec or done.error_in_exec
        return problem and describe(problem)
    exec(code, scope)
    return None


def describe(problem):
    text = ""
    with contextlib.suppress(Exception):  # it is somebody else's: it may not even have a text
        text = (str(problem).strip().splitlines() or [""])[-1][:200]
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__


def main():
    sys.path.insert(0, "")  # the submission's folder, where we run
    lines = socket.socket(fileno=os.dup(0)).makefile("rw", encoding="utf-8")
    backward = None
    for line in lines:
        try:
            request = json.loads(line)
            if "run" in request:
                reply = {"error": run(request["run"])}
            else:
                if backward is None:
                    from hw4.answers import part4_affine_backward as backward
                reply = answer(backward, request)
        except BaseException as problem:  # somebody else's code may raise anything
            reply = {"error": describe(problem)}
        lines.write(json.dumps(reply) + "\n")
        lines.flush()


if __name__ == "__main__":
    main()
