"""The one list of what the battery checks: names and order, what each states, and whether the assignment asks for it.

It imports nothing, so that the grader can name the checks without importing PyTorch.
"""

from dataclasses import dataclass

INPUTS = ("X", "W", "b", "dL/dY")  # what the function is given: three saved tensors, and the upstream gradient
GRADIENTS = ("dL/dX", "dL/dW", "dL/db")  # what it returns, in this order


@dataclass(frozen=True)
class Check:
    """A check of the battery; what is not `asked` goes beyond the assignment and decides no point."""

    name: str
    states: str
    asked: bool


CHECKS = (
    Check("shapes", "each gradient has its tensor's shape and value, for any number of rows of X", asked=True),
    Check("upstream", "a random upstream gradient reaches X, W and b through autograd", asked=True),
    Check("strides", "an upstream gradient that is expanded or not contiguous is no exception", asked=True),
    Check("purity", "a second call with the same tensors gives the same gradients", asked=True),
    Check("leading dimensions", "X may have any number of leading dimensions, or none", asked=False),
    Check("dtypes", "float32 and bfloat16 give gradients of the same type", asked=False),
    Check("needs", "None is returned for what needs no gradient, and nothing is computed for it", asked=False),
    Check("second derivative", "the gradients can be differentiated again", asked=False),
)
