"""Tests of hw4.evidence.descent, each against a number that can be had without it."""

import torch
from sklearn.datasets import load_digits
from torch import nn

from hw4.evidence.descent import descend, digit_losses, digits, saved_bytes


def test_digits_are_scikit_learns_in_their_order_between_zero_and_one():
    images, labels = digits(50)
    assert images.shape == (50, 64) and images.dtype == torch.float32 and images.max() == 1
    assert (images[7] * 16).tolist() == load_digits().data[7].tolist() and labels[7] == load_digits().target[7]
    assert len(digits()[0]) == 1797


def test_descent_on_a_parabola_is_a_geometric_sequence():
    start = torch.tensor([1.0, -2.0], dtype=torch.float64)
    path = descend(lambda w: w.square().sum() / 2, start, rate=0.25, steps=6)
    powers = 0.75 ** torch.arange(7, dtype=torch.float64)
    assert torch.allclose(path, powers[:, None] * start)
    assert start.tolist() == [1, -2]


def test_momentum_is_the_heavy_ball():
    w, expected, velocity = 1.0, [1.0], 0.0
    for _ in range(5):
        velocity = 0.5 * velocity - 0.1 * 3 * w
        w += velocity
        expected.append(w)
    path = descend(lambda w: 1.5 * w.square().sum(), torch.ones(1, dtype=torch.float64), 0.1, 5, momentum=0.5)
    assert torch.allclose(path[:, 0], torch.tensor(expected, dtype=torch.float64))


def test_full_batches_descend_along_the_gradient_of_all_images():
    images, labels = digits(30)
    network = nn.Linear(64, 10)
    weights = torch.cat([network.weight.detach().T, network.bias.detach()[None]])
    inputs, expected = torch.cat([images, torch.ones(30, 1)], dim=1), []
    for _ in range(4):
        chances = torch.softmax(inputs @ weights, dim=1)
        expected.append(-chances[range(30), labels].log().mean())
        weights = weights - 0.5 * inputs.T @ (chances - nn.functional.one_hot(labels, 10)) / 30
    assert torch.allclose(digit_losses(network, images, labels, batch=30, rate=0.5, steps=3), torch.stack(expected))


def test_a_batch_is_a_part_of_the_images_and_the_draws_repeat():
    seen, images = [], torch.randn(20, 64)

    class Spy(nn.Linear):
        def forward(self, x):
            seen.append(x)
            return super().forward(x)

    for _ in range(2):
        digit_losses(Spy(64, 10), images, torch.zeros(20, dtype=torch.int64), batch=4, rate=0.1, steps=5)
    batches = seen[1::2]
    assert all(len(batch.unique(dim=0)) == 4 for batch in batches) and len(torch.cat(batches[:6]).unique(dim=0)) > 4
    assert all(torch.equal(*pair) for pair in zip(batches[:6], batches[6:], strict=True))


def test_saved_bytes_count_a_storage_once_and_nothing_without_a_gradient():
    w = torch.ones(100, requires_grad=True)
    assert saved_bytes(lambda: w.exp()) == 400  # the result
    assert saved_bytes(lambda: w * w) == 400  # the same factor, kept twice
    assert saved_bytes(lambda: w + 1) == 0
    assert saved_bytes(lambda: w.detach().exp()) == 0
