"""Figures that look alike, carry alt text and a caption, and survive grey printing and colour blindness."""

from io import BytesIO

from cycler import cycler
from IPython.display import Markdown, display
from matplotlib import rc_context
from matplotlib.figure import Figure

# Okabe and Ito (2008), "Color Universal Design": told apart by every kind of colour vision; the dashes do it in grey.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 3))]
STYLE = {
    "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=DASHES),
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.alpha": 0.3,
    "font.size": 9,
    "legend.frameon": False,
    "image.cmap": "cividis",
}


def new_figure(rows=1, columns=1, size=(7.0, 2.8), **kwargs):
    """Return a figure of `size` inches (width, height) and its axes, shaped as `Figure.subplots` shapes them."""
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        return figure, figure.subplots(rows, columns, **kwargs)


def show(figure, alt, caption):
    """Display `figure` as PNG with `alt` (what a reader who cannot see it must know) and `caption` below it."""
    png = BytesIO()
    with rc_context(STYLE):
        figure.savefig(png, format="png", dpi=110, metadata={"Software": None})  # the same bytes on every run
    bundle = {"image/png": png.getvalue(), "text/plain": f"Figure: {alt}"}
    display(bundle, metadata={"image/png": {"alt": alt}}, raw=True)
    display(Markdown(f"**Figure.** {caption}"))
