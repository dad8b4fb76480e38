"""The battery of checks that tells a right backward of Y = 0.5 X Wᵀ + b from a wrong one; it needs PyTorch alone."""

import re
from itertools import product
from types import SimpleNamespace

import torch
from torch.autograd import Function, gradcheck, gradgradcheck
from torch.autograd.gradcheck import GradcheckError

from .function_worker import MatrixProducts

NAMES = ("dL/dX", "dL/dW", "dL/db")


def affine(X, W, b):
    return 0.5 * X @ W.T + b


def layer(backward):
    """Return the affine function of (X, W, b), differentiated by `backward(ctx, grad_output)`."""

    class Affine(Function):
        @staticmethod
        def forward(ctx, X, W, b):
            ctx.save_for_backward(X, W, b)
            return affine(X, W, b)

        @staticmethod
        def backward(ctx, grad_output):
            return backward(ctx, grad_output)

    return Affine.apply


def example(*leading, d_in=4, d_out=3, dtype=torch.float64):
    """Return X (*leading, d_in), W (d_out, d_in) and b (d_out,), all needing gradients, and dL/dY (*leading, d_out).

    All four are random: an upstream gradient of ones, as `sum()` makes it, hides what ignores it.
    """
    generator = torch.Generator().manual_seed(0)
    shapes = [(*leading, d_in), (d_out, d_in), (d_out,), (*leading, d_out)]
    *inputs, upstream = [torch.randn(shape, dtype=torch.float64, generator=generator).to(dtype) for shape in shapes]
    return [tensor.requires_grad_() for tensor in inputs], upstream


def call(backward, inputs, upstream, needs=(True, True, True)):
    """Return what `backward` returns when it is called directly, where autograd cannot mend a shape."""
    context = SimpleNamespace(saved_tensors=tuple(inputs), needs_input_grad=needs)
    gradients = backward(context, upstream)
    if not isinstance(gradients, tuple | list) or len(gradients) != 3:
        raise Wrong("it does not return three gradients")
    return gradients


class Wrong(Exception):
    """The backward is wrong; the message says which gradient is, and how."""


class Raised(Exception):
    """The backward raised an exception in another process; the message is its name and its first line."""


def compare(gradients, inputs, upstream, case):
    """Raise `Wrong` about each of the gradients (of X, W, b) that is not autograd's own for the same function."""
    right = torch.autograd.grad(affine(*inputs), inputs, upstream)
    faults = [
        f"{name} {fault}"
        for name, ours, theirs in zip(NAMES, gradients, right, strict=True)
        if (fault := difference(ours, theirs))
    ]
    if faults:
        raise Wrong(f"{'; '.join(faults)} ({case})")


def difference(ours, theirs):
    """Say in words how a gradient differs from the right one; None where it does not."""
    if not isinstance(ours, torch.Tensor):
        return f"is {ours}, not a tensor"
    if ours.shape != theirs.shape:
        return f"has shape {tuple(ours.shape)} instead of {tuple(theirs.shape)}"
    if ours.dtype != theirs.dtype:
        return f"is {ours.dtype} instead of {theirs.dtype}"
    try:
        torch.testing.assert_close(ours, theirs)
    except AssertionError:
        factor = (ours * theirs).sum().item() / (theirs * theirs).sum().item()
        if torch.allclose(ours, factor * theirs):
            return f"is {factor:.3g} times the right one"
        return f"is wrong by up to {(ours - theirs).abs().max().item():.3g}"
    return None


def check_shapes(backward):
    for leading in [(5,), (1,), (4,), (0,), (2, 5), (2, 0), (2, 1, 5), ()]:  # 4 is d_in: a square X
        inputs, upstream = example(*leading)
        compare(call(backward, inputs, upstream), inputs, upstream, f"called directly, X {tuple(inputs[0].shape)}")


def check_upstream(backward):
    inputs, upstream = example(5)
    gradients = torch.autograd.grad(layer(backward)(*inputs), inputs, upstream, allow_unused=True)
    compare(gradients, inputs, upstream, "through autograd, random upstream gradient")


def check_dtypes(backward):
    for dtype in [torch.float32, torch.bfloat16]:
        inputs, upstream = example(5, dtype=dtype)
        compare(call(backward, inputs, upstream), inputs, upstream, f"in {dtype}")


def check_strides(backward):
    inputs, upstream = example(5)
    for case, unusual in {
        "expanded": upstream[:1].expand(5, 3),
        "not contiguous": upstream.T.contiguous().T,
    }.items():
        compare(call(backward, inputs, unusual), inputs, unusual, f"dL/dY {case}")


def check_needs(backward):
    for needs in product([True, False], repeat=3):
        inputs, upstream = example(5)
        with MatrixProducts() as spent:
            gradients = call(backward, inputs, upstream, needs)
        for name, needed, gradient in zip(NAMES, needs, gradients, strict=True):
            if needed == (gradient is None):
                raise Wrong(f"{name} is {'None though' if needed else 'given though not'} needed ({needs=})")
        if spent.count > sum(needs[:2]):
            raise Wrong(f"{spent.count} matrix products are spent where {sum(needs[:2])} are needed ({needs=})")


def check_purity(backward):
    inputs, upstream = example(5)
    before = [tensor.clone() for tensor in (*inputs, upstream)]
    with torch.no_grad():
        call(backward, inputs, upstream)
    for name, old, new in zip(("X", "W", "b", "dL/dY"), before, (*inputs, upstream), strict=True):
        if not torch.equal(old, new):
            raise Wrong(f"{name} is changed in place")


def check_jacobian(backward):
    finite_differences(gradcheck, backward, "the first derivative")


def check_second_derivative(backward):
    finite_differences(gradgradcheck, backward, "the second derivative")


def finite_differences(judge, backward, what):
    inputs, _ = example(2, d_in=3, d_out=2)  # few entries, for each is moved
    try:
        judge(layer(backward), inputs)
    except GradcheckError as problem:
        number = re.search(r"with respect to input (\d+)", str(problem))
        about = ("X", "W", "b", "dL/dY")[int(number[1])] if number else "some input"
        raise Wrong(f"{what} with respect to {about} is not what finite differences give") from None


CHECKS = [
    check_shapes,
    check_upstream,
    check_dtypes,
    check_strides,
    check_needs,
    check_purity,
    check_jacobian,
    check_second_derivative,
]


def fault(check, backward):
    """Return what `check` finds wrong with `backward(ctx, grad_output)`; None when that is nothing."""
    try:
        check(backward)
    except Wrong as wrong:
        return str(wrong)
    except Raised as raised:
        return f"raises {raised}"
    except Exception as problem:  # the backward is somebody else's: it may raise anything
        first = str(problem).strip().partition("\n")[0]
        return f"raises {type(problem).__name__}: {first}"
    return None


def failures(backward):
    """Return what is wrong with `backward(ctx, grad_output)`, by the name of the check: nothing when it is right."""
    found = {check.__name__: fault(check, backward) for check in CHECKS}
    return {name: wrong for name, wrong in found.items() if wrong}
