"""`part4_affine_backward` beside autograd's own backward of the same function: `python -m tests.benchmarks.backward`.

Float32, one thread, medians of interleaved rounds. "bare" is the matrix products alone, the least that must be paid.
"""

import statistics
import time
from types import SimpleNamespace

import torch

from hw4.answers import part4_affine_backward
from hw4.grading.affine.function_worker import affine

CASES = [((100, 11, 7), 3000), ((4096, 1024, 1024), 15)]


def contenders(N, d_in, d_out):
    """Return {name: function that computes the gradients once} for X (N, d_in) and W (d_out, d_in)."""
    inputs = [torch.randn(shape, requires_grad=True) for shape in [(N, d_in), (d_out, d_in), (d_out,)]]
    Y, G = affine(*inputs), torch.randn(N, d_out)
    X, W, b = [tensor.detach() for tensor in inputs]
    all_three = SimpleNamespace(saved_tensors=(X, W, b), needs_input_grad=(True, True, True))
    without_X = SimpleNamespace(saved_tensors=(X, W, b), needs_input_grad=(False, True, True))
    return {
        "autograd": lambda: torch.autograd.grad(Y, inputs, G, retain_graph=True),
        "ours": lambda: part4_affine_backward(all_three, G),
        "ours, X needs none": lambda: part4_affine_backward(without_X, G),
        "the two bare products": lambda: (G @ W, G.T @ X),
    }


def medians(functions, rounds):
    taken = {name: [] for name in functions}
    for turn in range(rounds + 3):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if turn >= 3:  # the first ones warm up
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| (N, d_in, d_out) | | median | times autograd's |\n| --- | --- | ---: | ---: |")
    for size, rounds in CASES:
        median = medians(contenders(*size), rounds)
        for name, value in median.items():
            print(f"| {size} | {name} | {value * 1e6:.1f} µs | {value / median['autograd']:.3f} |")


if __name__ == "__main__":
    main()
