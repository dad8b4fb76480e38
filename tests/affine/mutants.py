"""Wrong backward functions, each in one way; `python -m tests.affine.mutants` prints which check rejects which."""

from functools import partial

import torch

from hw4.grading.affine.battery import judged
from hw4.grading.affine.checks import CHECKS
from hw4.grading.affine.function_worker import run_cases


def right(ctx, G):
    """Return the right gradients, written as plainly as possible: what the mutants below start from."""
    X, W, b = ctx.saved_tensors
    needs_X, needs_W, needs_b = ctx.needs_input_grad
    rows_X, rows_G = X.reshape(-1, X.shape[-1]), G.reshape(-1, G.shape[-1])
    return (
        0.5 * G @ W if needs_X else None,
        0.5 * rows_G.T @ rows_X if needs_W else None,
        rows_G.sum(0) if needs_b else None,
    )


def changed(position, change):
    """Return the right backward but for one gradient, which `change` has altered."""

    def backward(ctx, G):
        gradients = list(right(ctx, G))
        if gradients[position] is not None:
            gradients[position] = change(gradients[position])
        return tuple(gradients)

    return backward


def with_context(**replaced):
    """Return the right backward, called with parts of its context replaced: each value is a function of the context."""

    def backward(ctx, G):
        class Replaced:
            saved_tensors = replaced.get("saved", lambda c: c.saved_tensors)(ctx)
            needs_input_grad = replaced.get("needs", lambda c: c.needs_input_grad)(ctx)

        return right(Replaced, G)

    return backward


def swapped(ctx, G):
    grad_X, grad_W, grad_b = right(ctx, G)
    return grad_W, grad_X, grad_b


def squeezed(ctx, G):
    grad_X, grad_W, grad_b = right(ctx, G)
    return None if grad_X is None else grad_X.squeeze(), grad_W, grad_b


def two_dimensional(ctx, G):
    X, W, b = ctx.saved_tensors
    needs_X, needs_W, needs_b = ctx.needs_input_grad
    return 0.5 * G @ W if needs_X else None, 0.5 * G.mT @ X if needs_W else None, G.sum(0) if needs_b else None


def scales_upstream_in_place(ctx, G):
    gradients = right(ctx, G)
    with torch.no_grad():
        G.mul_(0.5)
    return gradients


def always_computes(ctx, G):
    gradients = right(type("All", (), {"saved_tensors": ctx.saved_tensors, "needs_input_grad": (True,) * 3}), G)
    return tuple(g if needed else None for g, needed in zip(gradients, ctx.needs_input_grad, strict=True))


def in_single_precision(ctx, G):
    return tuple(g if g is None else g.float() for g in right(ctx, G))


def views_upstream(ctx, G):
    G.view(-1)
    return right(ctx, G)


MUTANTS = {
    "no 0.5 on dX": changed(0, lambda g: 2 * g),
    "no 0.5 on dW": changed(1, lambda g: 2 * g),
    "0.5 on db too": changed(2, lambda g: 0.5 * g),
    "dX negated": changed(0, lambda g: -g),
    "dX transposed": changed(0, lambda g: g.mT if g.dim() > 1 else g),
    "dW transposed": changed(1, lambda g: g.T),
    "db averaged over the batch": lambda ctx, G: (*right(ctx, G)[:2], G.reshape(-1, G.shape[-1]).mean(0)),
    "db not summed": lambda ctx, G: (*right(ctx, G)[:2], G if ctx.needs_input_grad[2] else None),
    "db summed with keepdim": changed(2, lambda g: g[None]),
    "db counts the batch": lambda ctx, G: (*right(ctx, G)[:2], torch.ones_like(G).reshape(-1, G.shape[-1]).sum(0)),
    "upstream gradient ignored": lambda ctx, G: right(ctx, torch.ones_like(G)),
    "dX and dW in each other's place": swapped,
    "dX squeezed": squeezed,
    "dX never given": lambda ctx, G: (None, *right(ctx, G)[1:]),
    "two gradients only": lambda ctx, G: right(ctx, G)[1:],
    "saved tensors detached": with_context(saved=lambda ctx: [tensor.detach() for tensor in ctx.saved_tensors]),
    "upstream gradient detached": lambda ctx, G: right(ctx, G.detach()),
    "two dimensions only": two_dimensional,
    "needs_input_grad ignored": with_context(needs=lambda ctx: (True, True, True)),
    "computes what nobody needs": always_computes,
    "upstream gradient scaled in place": scales_upstream_in_place,
    "always float32": in_single_precision,
    "needs a contiguous upstream gradient": views_upstream,
}


def failures(backward):
    """Return what is wrong with a function of this process, by check: nothing when it is right."""
    found = {check.name: judged(check.name, partial(run_cases, backward), seed=0) for check in CHECKS}
    return {name: wrong for name, wrong in found.items() if wrong}


if __name__ == "__main__":
    print("| mutant | " + " | ".join(check.name for check in CHECKS) + " | first words |")
    print("| --- |" + " :-: |" * len(CHECKS) + " --- |")
    for name, mutant in MUTANTS.items():
        found = failures(mutant)
        marks = " | ".join("killed" if check.name in found else "" for check in CHECKS)
        print(f"| {name} | {marks} | {next(iter(found.values()), 'SURVIVES')} |")
