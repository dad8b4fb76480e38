"""The function of `hw4/answers.py` beside finite differences: `python -m pytest tests/test_answers.py`, in seconds."""

import torch
from torch.autograd import Function, gradcheck

from hw4.answers import part4_affine_backward


class Affine(Function):
    """The layer of question backprop-2, differentiated by the function that is tested."""

    @staticmethod
    def forward(ctx, X, W, b):
        ctx.save_for_backward(X, W, b)
        return 0.5 * X @ W.T + b

    @staticmethod
    def backward(ctx, *grad_outputs):
        return part4_affine_backward(ctx, *grad_outputs)


def example(rows=5, needs=(True, True, True)):
    """Return random X (rows, 4), W (3, 4) and b (3,)."""
    torch.manual_seed(0)
    shapes = [(rows, 4), (3, 4), (3,)]
    return [
        torch.randn(shape, dtype=torch.float64, requires_grad=need) for shape, need in zip(shapes, needs, strict=True)
    ]


def test_each_gradient_agrees_with_finite_differences():
    assert gradcheck(Affine.apply, example())


def test_each_gradient_agrees_with_finite_differences_for_a_single_row():
    assert gradcheck(Affine.apply, example(rows=1))


def test_each_gradient_agrees_with_finite_differences_where_X_needs_none():
    assert gradcheck(Affine.apply, example(needs=(False, True, True)))
