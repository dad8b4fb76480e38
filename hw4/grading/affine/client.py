"""A backward that computes in another process, the pupil's, and that the battery of checks can use like any other."""

import json

import torch
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from .battery import Raised, Wrong
from .function_worker import pack, unpack

DTYPES = {"float64", "float32", "bfloat16", "float16"}
BROKEN = "the process that ran it broke off"
LARGEST = 100_000  # numbers in a reply; no check asks for that many


class Remote:
    """`part4_affine_backward` of the pupil at the other end of `connection`."""

    def __init__(self, connection):
        self._lines = connection.makefile("rw", encoding="utf-8", errors="replace")

    def __call__(self, ctx, grad_output):
        return Call.apply(self, tuple(ctx.needs_input_grad), *ctx.saved_tensors, grad_output)

    def run(self, source):
        """Run a given cell; return what went wrong, or None."""
        try:
            error = self._exchange({"run": source})["error"]
            return error if error is None else str(error)
        except (OSError, ValueError, KeyError, TypeError):
            return BROKEN

    def _exchange(self, request):
        self._lines.write(json.dumps(request) + "\n")
        self._lines.flush()
        return json.loads(self._lines.readline(10_000_000))

    def ask(self, tensors, needs, **more):
        """Return what the pupil computes from `tensors` (X, W, b and dL/dY): its gradients, None for none."""
        try:
            reply = self._exchange({"tensors": [pack(each) for each in tensors], "needs": needs} | more)
            if "error" in reply:
                raise Raised(str(reply["error"]))
            if reply["gradients"] is None:
                raise Wrong("it does not return three gradients")
            changed = [self._tensor(each) for each in reply["changed"]]
            gradients = [self._tensor(each) for each in reply["gradients"]]
            products = int(reply["products"])
        except (OSError, ValueError, KeyError, TypeError):
            raise Wrong(BROKEN) from None
        with torch.no_grad():
            for tensor, after in zip(tensors, changed, strict=True):
                if after is not None:
                    tensor.copy_(after)  # what the pupil changed in place is changed here too
        for _ in range(min(products, 100)):
            torch.ones(1, 1) @ torch.ones(1, 1)  # and what it spent is spent, for the check that counts
        return gradients

    def _tensor(self, packed):
        if packed is None:
            return None
        if isinstance(packed, str):
            raise Wrong(f"it returns {packed[:80]!r} where a tensor is due")
        if packed[0] not in DTYPES or len(packed[3]) > LARGEST:
            raise Wrong("it returns a tensor that no check can take")
        return unpack(packed)


class Call(Function):
    """One call of the pupil's backward, itself differentiable: the pupil differentiates it."""

    @staticmethod
    def forward(ctx, remote, needs, *tensors):
        ctx.remote, ctx.needs = remote, needs
        ctx.save_for_backward(*tensors)
        return tuple(remote.ask(tensors, needs))

    @staticmethod
    @once_differentiable
    def backward(ctx, *cotangents):
        packed = [pack(each) for each in cotangents]
        return None, None, *ctx.remote.ask(ctx.saved_tensors, ctx.needs, cotangents=packed)
