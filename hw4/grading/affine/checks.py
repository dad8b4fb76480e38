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
    asked: bool


CHECKS = (
    Check("shapes", asked=True),  # each gradient has its tensor's shape and value, for any number of rows of X
    Check("upstream", asked=True),  # a random upstream gradient reaches X, W and b through autograd
    Check("strides", asked=True),  # an upstream gradient that is expanded or not contiguous is no exception
    Check("purity", asked=True),  # a second call with the same tensors gives the same gradients
    Check("leading dimensions", asked=False),  # X may have any number of leading dimensions, or none
    Check("dtypes", asked=False),  # float32 and bfloat16 give gradients of the same type
    Check("needs", asked=False),  # None is returned for what needs no gradient, and nothing is computed for it
    Check("second derivative", asked=False),  # the gradients can be differentiated again
)
