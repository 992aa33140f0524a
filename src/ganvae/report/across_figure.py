"""The forest plot of GAN against VAE on all data sets: ratios of FIDs with their intervals."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ganvae.pictures.canvas import figure
from ganvae.report.across import DataSet, ratio
from ganvae.report.across_text import ratio_text, standing
from ganvae.report.vector import COLOURS
from ganvae.scores.statistics import Difference

FINALISTS = {"GAN ahead": COLOURS["gan"], "VAE ahead": COLOURS["vae"]}
"""A mapping from verdict to the colour of the finalists' ratio. Other ratios are drawn in ink."""
WIDTH = 7.6  # inches: GitHub shrinks wider pictures


def draw_across(path: Path, sets: Sequence[DataSet]) -> None:
    """Draw the ratio of FIDs, GAN divided by VAE, on every data set, as a picture at ``path``."""
    with figure(path, WIDTH, 0.62 * len(sets) + 1.1) as canvas:
        ax = canvas.subplots()
        ax.axvline(1, color=COLOURS["faint"], lw=1, zorder=0)
        for position, dataset in enumerate(sets):
            _draw(ax, position, dataset)
        ax.set_xscale("log")
        _label(ax, sets)


def _draw(ax: Axes, position: int, dataset: DataSet) -> None:
    if dataset.finalists:
        colour = FINALISTS.get(standing(dataset.finalists), COLOURS["ink"])
        _mark(ax, position, dataset.finalists, colour, "o", size=7)
    text = ratio_text(dataset.finalists) if dataset.finalists else "no comparison"
    ax.text(1.02, position, text, transform=ax.get_yaxis_transform(), va="center")


def _mark(
    ax: Axes, position: float, difference: Difference, colour: str, marker: str, size: float
) -> None:
    middle, low, high = ratio(difference)
    if low is not None and high is not None:
        ends = [position, position]
        ax.plot([low, high], ends, color=colour, lw=size / 3, solid_capstyle="butt")
    ax.plot(middle, position, marker, color=colour, markersize=size)


def _label(ax: Axes, sets: Sequence[DataSet]) -> None:
    ax.set_ylim(len(sets) - 0.4, -0.6)
    labels = [f"{dataset.name}\n{_seeds(dataset.finalists)}" for dataset in sets]
    ax.set_yticks(range(len(sets)), labels)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(axis="x", alpha=0.3)
    ax.set_xlabel("FID of GAN / FID of VAE, with 95 % CIs")
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.5), max(high, 2))
    _annotate(ax, "← GAN ahead", -6, "right", COLOURS["gan"])
    _annotate(ax, "VAE ahead →", 6, "left", COLOURS["vae"])


def _annotate(ax: Axes, text: str, shift: float, side: str, colour: str) -> None:
    """Write a text beside the vertical line at ratio 1, at the top of the axes."""
    ax.annotate(text, (1, -0.6), (shift, 4), textcoords="offset points", ha=side, color=colour)


def _seeds(difference: Difference | None) -> str:
    return f"{difference.n_first} v. {difference.n_second} seeds" if difference else ""
