"""Figures: their size in pixels, their bytes on every run, and the text that stands for them."""

import pytest

from hw4 import figures


@pytest.fixture
def shown(monkeypatch):
    """Return a function that shows a small figure and returns (bundle, metadata, caption)."""

    def draw():
        calls = []
        monkeypatch.setattr(figures, "display", lambda what, **options: calls.append((what, options)))
        figure, axes = figures.new_figure(size=(3.0, 2.0))
        axes.plot([0, 1], [0, 1])
        figures.show(figure, "A rising line.", "It rises.")
        (bundle, options), (caption, _) = calls
        return bundle, options["metadata"], caption.data

    return draw


def test_new_figure_shapes_its_axes_as_asked():
    figure, axes = figures.new_figure(2, 3, size=(4.0, 2.0), sharex=True)
    assert axes.shape == (2, 3)
    assert figure.get_size_inches().tolist() == [4.0, 2.0]


def test_show_draws_80_pixels_per_inch_with_alt_text_and_caption(shown):
    bundle, metadata, caption = shown()
    width, height = (int.from_bytes(bundle["image/png"][at : at + 4], "big") for at in (16, 20))
    assert (width, height) == (240, 160)
    assert metadata == {"image/png": {"alt": "A rising line."}}
    assert bundle["text/plain"] == "Figure: A rising line."
    assert caption == "**Figure.** It rises."


def test_the_same_figure_has_the_same_bytes(shown):
    assert shown()[0]["image/png"] == shown()[0]["image/png"]
