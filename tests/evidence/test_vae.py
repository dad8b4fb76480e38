import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch.distributions import Normal

from hw4.evidence.vae import VAE, digit_images, draw_digits, train_vae


def test_every_digit_is_in_one_of_the_two_sets_once():
    train, held_out = digit_images()
    assert train.shape == (1437, 64) and held_out.shape == (360, 64)
    assert sorted((torch.cat([train, held_out]) * 16).tolist()) == sorted(load_digits().data.tolist())


def test_digits_are_drawn_side_by_side():
    axes, images = Figure().subplots(), torch.rand(3, 64)
    draw_digits(axes, images, "three")
    (drawn,) = axes.get_images()
    assert axes.get_title() == "three"
    assert drawn.get_array()[:, 11:19].tolist() == images[1].reshape(8, 8).tolist()


def test_encoder_gives_means_and_log_variances():
    vae, images = VAE(), torch.rand(5, 64)
    q, outputs = vae.encode(images), vae.encoder(images)
    assert torch.equal(q.mean, outputs[:, :8])
    assert torch.allclose(q.variance.log(), outputs[:, 8:], atol=1e-5)
    assert vae.decoder(q.mean).shape == images.shape


def test_images_all_alike_need_no_code_unless_the_kl_term_is_missing():
    images = torch.full((128, 64), 0.3)
    vae, without = (train_vae(images, kl_weight) for kl_weight in (1.0, 0.0))
    assert (vae.decoder(vae.encode(images[:1]).sample()) - 0.3).abs().max() < 0.05
    assert kl(vae.encode(images[:1])) < 0.1 < kl(without.encode(images[:1]))


def kl(q):
    return (q.mean**2 + q.variance - 1 - q.variance.log()).sum().item() / 2


def test_training_lowers_the_negative_elbo_whatever_the_state_of_the_generator():
    images, _ = digit_images()
    torch.manual_seed(7)
    first = train_vae(images, 1.0)
    torch.manual_seed(8)
    second, fresh = train_vae(images, 1.0), VAE()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert negative_elbo(first, images) < negative_elbo(fresh, images) - 50


def negative_elbo(vae, images):
    q = vae.encode(images)
    z = q.sample()
    kl = (q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(1)
    return (kl - Normal(vae.decoder(z), 0.2).log_prob(images).sum(1)).mean().item()
