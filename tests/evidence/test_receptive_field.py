"""`pixels_seen` against finite changes of single pixels, the definition of a receptive field."""

import pytest
import torch
from torch import nn

from hw4.evidence.receptive_field import pixels_seen

NETWORKS = {
    "strides": nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 1, 3, stride=2)),
    "a maximum": nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.MaxPool2d(3, stride=2, padding=1)),
    "dilation": nn.Sequential(nn.Conv2d(2, 2, 3, padding=2, dilation=2), nn.Conv2d(2, 1, 2, dilation=3)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_pixel_is_seen_if_and_only_if_a_large_value_in_it_changes_the_output(name):
    network, expected = NETWORKS[name], torch.zeros(2, 9, 10, dtype=torch.bool)
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        parameter.data = torch.rand(parameter.shape, generator=generator) + 0.1
    with torch.no_grad():
        before = network(torch.zeros(1, 2, 9, 10))[0, :, 1, 2]
        for pixel in torch.ones_like(expected).nonzero().tolist():
            image = torch.zeros(1, 2, 9, 10)
            image[0, *pixel] = 100.0
            expected[*pixel] = not torch.equal(network(image)[0, :, 1, 2], before)
    assert 0 < expected.sum() < expected.numel()
    for parameter in network.parameters():
        parameter.data.zero_()  # the weights at hand must not matter
    assert torch.equal(pixels_seen(network, 9, 10, 1, 2), expected)


def test_the_network_itself_is_left_as_it_is():
    network = NETWORKS["a maximum"]
    before = [parameter.clone() for parameter in network.parameters()]
    pixels_seen(network, 9, 10, 0, 0)
    assert all(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))
    assert isinstance(network[1], nn.MaxPool2d)
