import torch
from torch import nn

from hw4.evidence.sequences import fit


def test_first_step_of_adam_moves_every_weight_by_the_rate_against_its_gradients_sign():
    model = nn.Linear(4, 1)
    before, inputs = model.weight.detach().clone(), torch.tensor([[1.0, -2.0, 3.0, -4.0]])
    fit(model, lambda: model(inputs).sum(), steps=1, rate=0.1)
    assert torch.allclose(model.weight.detach(), before - 0.1 * inputs.sign(), atol=1e-6)


def test_many_steps_find_the_least_squares_line():
    inputs, model = torch.linspace(-1, 1, 20)[:, None], nn.Linear(1, 1)
    fit(model, lambda: (model(inputs) - 3 * inputs + 2).square().mean(), steps=300, rate=0.1)
    assert abs(model.weight.item() - 3) < 0.01 and abs(model.bias.item() + 2) < 0.01
