"""`part4_affine_backward` against the battery, and the battery against wrong backwards."""

import subprocess
import sys

import pytest
import torch

from hw4.answers import part4_affine_backward
from hw4.grading.affine.battery import Example, different
from hw4.grading.affine.checks import CHECKS
from hw4.grading.affine.function_worker import affine, derivatives, layer
from tests.affine.mutants import MUTANTS, failures, right
from tests.builders import ROOT

# Of a submission's two processes for its function, each would take half a second to import one of these.
WHOLE = """
import sys
from hw4.answers import part4_affine_backward
from tests.affine.mutants import failures
assert failures(part4_affine_backward) == {}
print(sorted({"sympy", "torch._dynamo", "torch.distributed.tensor"} & sys.modules.keys()))
"""


@pytest.mark.parametrize("backward", [part4_affine_backward, right])
def test_a_right_backward_passes_every_check(backward):
    assert failures(backward) == {}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_backward_is_rejected(name):
    assert failures(MUTANTS[name])


@pytest.mark.parametrize(
    ("name", "message"),
    {
        "no 0.5 on dX": "dL/dX is 2 times the right one",
        "no 0.5 on dW": "dL/dW is 2 times the right one",
        "0.5 on db too": "dL/db is 0.5 times the right one",
        "dX transposed": "dL/dX has shape (4, 5) instead of (5, 4)",
        "db not summed": "dL/db has shape (5, 3) instead of (3,)",
        "db summed with keepdim": "dL/db has shape (1, 3) instead of (3,)",
        "dX never given": "dL/dX is None, not a tensor",
        "dX squeezed": "dL/dX has shape (4,) instead of (1, 4)",
        "two gradients only": "it does not return three gradients",
        "saved tensors detached": "the second derivative with respect to X",
        "upstream gradient detached": "the second derivative with respect to dL/dY",
        "needs_input_grad ignored": "dL/db is given though not needed",
        "computes what nobody needs": "by the process's own count, 2 matrix products are spent where 1 are needed",
    }.items(),
)
def test_the_first_message_says_which_gradient_is_wrong_and_how(name, message):
    assert next(iter(failures(MUTANTS[name]).values())).startswith(message)


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_rejects_some_mutant(check):
    assert any(check.name in failures(mutant) for mutant in MUTANTS.values())


def test_the_upstream_gradient_of_a_sum_would_accept_what_ignores_it():
    X, W, b = Example(0).tensors((5, 4), (3, 4), (3,))
    inputs = [tensor.requires_grad_() for tensor in (X, W, b)]
    ours = torch.autograd.grad(layer(MUTANTS["upstream gradient ignored"])(*inputs).sum(), inputs)
    theirs = torch.autograd.grad(affine(*inputs).sum(), inputs)
    assert all(torch.allclose(mine, right_one) for mine, right_one in zip(ours, theirs, strict=True))


def test_a_whole_battery_imports_none_of_what_is_slow_in_pytorch():
    found = subprocess.run([sys.executable, "-c", WHOLE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("weight", [torch.randn(3, 5).T, torch.randn(1, 3).expand(5, 3)])
def test_a_weight_arrives_at_the_function_as_it_is(weight):
    seen = []

    def backward(ctx, upstream):
        seen.append(upstream)
        return right(ctx, upstream)

    inputs = [torch.randn(shape, requires_grad=True) for shape in ((5, 4), (3, 4), (3,))]
    derivatives([layer(backward)(*inputs)], inputs, [weight])
    assert seen[0].stride() == weight.stride() and torch.equal(seen[0], weight)


@pytest.mark.parametrize("seed", range(20))
def test_what_computes_in_single_precision_fails_whatever_is_drawn(seed):
    W, upstream = Example(seed).tensors((3, 4), (5, 3))
    exact = 0.5 * upstream @ W
    assert different(exact.clone(), exact) is None
    assert "a few digits only" in str(different((0.5 * upstream.float() @ W.float()).double(), exact))
