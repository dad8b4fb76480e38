"""Small recurrent networks, several independent seeds side by side, and truncated backpropagation through time."""

import torch


def recurrent_states(drive, start, recurrent):
    """Return the states h_t = tanh(drive_t + h_(t-1) recurrent), stacked: (R, B, T, h).

    R networks run at once on B sequences of T steps: `drive` is (R, B, T, h), `start` is (R, B, h), the row-vector
    weights `recurrent` are (R, h, h).
    """
    states, state = [], start
    for step in drive.unbind(2):
        state = torch.tanh(torch.baddbmm(step, state, recurrent))
        states.append(state)
    return torch.stack(states, 2)


def train(loss_of, parameters, steps, rate):
    """Minimize `loss_of()`, a scalar, over `parameters` by `steps` steps of Adam (Kingma and Ba, 2015).

    Adam works entry by entry, so networks whose losses are added up are trained as if each were alone.
    """
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
    for step in range(1, steps + 1):
        gradients = torch.autograd.grad(loss_of(), parameters, materialize_grads=True)
        with torch.no_grad():
            for p, g, (mean, square) in zip(parameters, gradients, moments, strict=True):
                mean.lerp_(g, 0.1)
                square.lerp_(g * g, 0.001)
                p -= rate * mean / (1 - 0.9**step) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)


def random_orthogonal(networks, size, generator):
    """Return `networks` random orthogonal matrices, (networks, size, size): products with them keep every length."""
    return torch.linalg.qr(torch.randn(networks, size, size, generator=generator)).Q
