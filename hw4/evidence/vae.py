"""Small variational autoencoders (VAEs) of 8 x 8 digits, several trained side by side: a control beside every seed."""

from itertools import count, pairwise

import torch
from sklearn.datasets import load_digits
from torch.nn.functional import relu

PIXEL_VARIANCE = 0.04  # of p(x|z) = N(decoder(z), 0.04 I)


def digit_images():
    """Return sklearn's handwritten digits in a fixed random order, 1437 to train on and 360 held out, pixels 0 to 1."""
    images = torch.from_numpy(load_digits().data).float() / 16
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))].split([1437, 360])


def draw_digits(axes, images, columns, title):
    """Draw `images` (rows * columns, 64) on `axes` as a sheet, black on white, pixels cut to [0, 1]."""
    sheet = images.reshape(-1, columns, 8, 8).transpose(1, 2).reshape(-1, 8 * columns)
    axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
    axes.set(title=title, xticks=[], yticks=[])


def energy_distance(some, others):
    """Return 2E|a-b| - E|a-a'| - E|b-b'| of two samples (rows, features), unbiased (Szekely and Rizzo, 2013)."""
    return (2 * torch.cdist(some, others).mean() - torch.pdist(some).mean() - torch.pdist(others).mean()).item()


def new_mlps(sizes, seeds):
    """Return two-layer MLPs, one per seed: weights (models, in, out) and biases (models, 1, out) by turns."""
    generators, parameters = [torch.Generator().manual_seed(seed) for seed in seeds], []
    for fan_in, fan_out in pairwise(sizes):
        draws = torch.stack([torch.rand(fan_in + 1, fan_out, generator=g) for g in generators])
        parameters += ((2 * draws - 1) / fan_in**0.5).split([fan_in, 1], dim=1)
    return [tensor.clone().requires_grad_() for tensor in parameters]


def mlps(parameters, inputs):
    """Apply each MLP, its hidden units ReLUs, to its own `inputs` (models, rows, features)."""
    w1, b1, w2, b2 = parameters
    return torch.baddbmm(b2, relu(torch.baddbmm(b1, inputs, w1)), w2)


def adam(parameters, rate, betas):
    """Return a step of Adam (Kingma and Ba, 2015), a function of the loss; importing `torch.optim` costs a second."""
    (beta1, beta2), steps = betas, count(1)
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]

    def step(loss):
        t, gradients = next(steps), torch.autograd.grad(loss, parameters)
        scale = rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        with torch.no_grad():
            for p, g, (m, v) in zip(parameters, gradients, moments, strict=True):
                m.lerp_(g, 1 - beta1)
                v.lerp_(g**2, 1 - beta2)
                p.addcdiv_(m, v.sqrt() + 1e-8, value=-scale)

    return step


def encode(encoder, images):
    """Return mean and standard deviation of each model's q(z|x), (models, rows, latents), for `images` (rows, 64)."""
    mean, log_variance = mlps(encoder, images.expand(len(encoder[0]), -1, -1)).chunk(2, dim=-1)
    return mean, (log_variance / 2).exp()


def kl_to_prior(mean, deviation):
    """Return KL(N(mean, diag deviation^2) || N(0, I)) in nats; the last axis holds the latents."""
    return (mean**2 + deviation**2 - 1 - 2 * deviation.log()).sum(-1) / 2


def train_vaes(images, kl_weights, seeds, latents, steps=700, batch=128):
    """Return encoders and decoders, one per KL weight and seed: model k has `kl_weights[k // len(seeds)]`.

    The loss is the negative ELBO (nats, up to a constant); models of one seed share start, batches and noise.
    """
    encoders = new_mlps([64, 64, 2 * latents], [*seeds] * len(kl_weights))
    decoders = new_mlps([latents, 64, 64], [1000 + seed for seed in seeds] * len(kl_weights))
    weights = torch.tensor(kl_weights).repeat_interleave(len(seeds))[:, None]
    step, generator = adam(encoders + decoders, 3e-3, (0.9, 0.999)), torch.Generator().manual_seed(0)
    for _ in range(steps):
        x = images[torch.randint(len(images), (batch,), generator=generator)]
        noise = torch.randn(len(seeds), batch, latents, generator=generator).repeat(len(kl_weights), 1, 1)
        mean, deviation = encode(encoders, x)
        squares = ((mlps(decoders, mean + deviation * noise) - x) ** 2).sum(-1)
        step((squares / (2 * PIXEL_VARIANCE) + weights * kl_to_prior(mean, deviation)).mean(1).sum())
    return [p.detach() for p in encoders], [p.detach() for p in decoders]
