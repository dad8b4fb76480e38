import torch

from hw4.evidence.gan import train_generator


def test_generator_learns_the_only_image_there_is():
    images = torch.tensor([0.1, 0.9]).repeat(64, 32)
    z = torch.randn(100, 8, generator=torch.Generator().manual_seed(1))
    before, after = ((train_generator(images, steps)(z) - images[0]).abs().mean() for steps in (0, 300))
    assert after < before / 2


def test_generator_is_the_same_each_time_and_makes_pixels_between_0_and_1():
    images, z = torch.rand(100, 64), torch.randn(10, 8)
    first, second = (train_generator(images, 3)(z) for _ in range(2))
    assert torch.equal(first, second) and first.shape == (10, 64)
    assert first.min() > 0 and first.max() < 1
