"""The deep networks of loss-2 and loss-3: their data, their shape, their gradients and their training."""

import torch
from torch import nn

from hw4.evidence.gradient_flow import deep_mlp, gradient_norms, pirate_data, train


def test_temperatures_are_linear_in_the_counts():
    counts, celsius = pirate_data(samples=100, spots=7)
    assert (counts.shape, celsius.shape) == ((100, 7), (100, 1))
    design = torch.cat([counts, torch.ones(100, 1)], dim=1)
    solution = torch.linalg.lstsq(design, celsius).solution
    assert torch.allclose(design @ solution, celsius, atol=1e-4)
    assert abs(solution[-1].item() - 15) < 1e-3
    assert torch.equal(pirate_data(samples=100, spots=7)[0], counts)


def test_a_deep_mlp_has_depth_plus_two_linears_and_their_weights_as_asked():
    model = deep_mlp(3, nn.Tanh, nn.init.zeros_, width=5)
    linears = [module for module in model if isinstance(module, nn.Linear)]
    assert [linear.weight.shape for linear in linears] == [(5, 42), (5, 5), (5, 5), (5, 5), (1, 5)]
    assert sum(isinstance(module, nn.Tanh) for module in model) == 4
    assert [linear.weight.any().item() for linear in linears] == [False] * 4 + [True]
    assert not any(linear.bias.any() for linear in linears[:-1])
    assert model(torch.zeros(6, 42)).shape == (6, 1)
    assert deep_mlp(1, nn.ReLU, width=5)[0].bias.any()


def test_gradient_norms_agree_with_differences_of_the_loss():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    inputs, targets = torch.randn(4, 2, dtype=torch.float64), torch.randn(4, 1, dtype=torch.float64)
    norms = gradient_norms(model, inputs, targets)
    for k in range(1, 4):
        hidden, slopes = model[:k](inputs).detach(), []
        for at in range(hidden.numel()):
            step = torch.zeros(hidden.numel(), dtype=torch.float64)
            step[at] = 1e-6
            ends = [(model[k:](hidden + sign * step.view_as(hidden)) - targets).square().mean() for sign in (1, -1)]
            slopes.append((ends[0] - ends[1]) / 2e-6)
        assert torch.isclose(norms[k - 1], torch.stack(slopes).norm(), rtol=1e-6)


def test_training_follows_gradient_descent_and_adam_by_hand():
    inputs, targets = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [0.0]])
    weights = {False: [1, 0.75, 0.75**2], True: [1, 0.9]}  # dL/dw = 5 w; Adam's first step has the size of the rate
    for adam, rate in ((False, 0.05), (True, 0.1)):
        model = nn.Linear(1, 1, bias=False)
        nn.init.ones_(model.weight)
        losses = train(model, inputs, targets, len(weights[adam]), rate, adam)
        assert torch.allclose(torch.tensor(losses), torch.tensor([2.5 * weight**2 for weight in weights[adam]]))
