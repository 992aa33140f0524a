"""The forest plot of GAN against VAE on all data sets: ratios of FIDs with their intervals."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ganvae.pictures.canvas import figure
from ganvae.report.across import DataSet, overall
from ganvae.report.across_headline import pooled_text, standing
from ganvae.report.across_text import ratio_text
from ganvae.report.vector import COLOURS

FINALISTS = {"GAN lower": COLOURS["gan"], "VAE lower": COLOURS["vae"]}
"""A mapping from standing to the colour of the finalists' ratio. Other ratios are drawn in ink."""
WIDTH = 7.6  # inches: GitHub shrinks wider pictures


def draw_across(path: Path, sets: Sequence[DataSet]) -> None:
    """Draw the ratio of FIDs, GAN divided by VAE, as a picture at ``path``.

    Each data set has a circle. With several data sets, the last line has their mean.
    """
    pooled = overall(sets)
    mean = pooled if pooled and pooled.sets > 1 else None
    lines = len(sets) + (mean is not None)
    with figure(path, WIDTH, 0.62 * lines + 1.1) as canvas:
        ax = canvas.subplots()
        ax.axvline(1, color=COLOURS["faint"], lw=1, zorder=0)
        for position, dataset in enumerate(sets):
            _draw(ax, position, dataset)
        if mean:
            ends = (mean.ratio, mean.low, mean.high)
            _mark(ax, len(sets), ends, COLOURS["ink"], "D", pooled_text(mean))
        ax.set_xscale("log")
        _label(ax, [*map(_name, sets), *([f"mean over\n{mean.sets} data sets"] if mean else [])])


def _draw(ax: Axes, position: int, dataset: DataSet) -> None:
    found = dataset.finalists
    colour = FINALISTS.get(standing(found), COLOURS["ink"])
    ends = (found.effect, found.low, found.high) if found else (None, None, None)
    _mark(ax, position, ends, colour, "o", ratio_text(found) if found else "no comparison")


def _mark(
    ax: Axes,
    position: int,
    ends: tuple[float | None, float | None, float | None],
    colour: str,
    marker: str,
    text: str,
) -> None:
    """Draw a ratio with its interval, and write both at the right.

    Args:
        ends: the ratio and the ends of its interval. Missing numbers are not drawn.
    """
    middle, low, high = ends
    if low is not None and high is not None:
        ax.plot([low, high], [position] * 2, color=colour, lw=7 / 3, solid_capstyle="butt")
    if middle is not None:
        ax.plot(middle, position, marker, color=colour, markersize=7)
    ax.text(1.02, position, text, transform=ax.get_yaxis_transform(), va="center")


def _label(ax: Axes, names: Sequence[str]) -> None:
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(axis="x", alpha=0.3)
    ax.set_xlabel("FID of GAN / FID of VAE, with 95 % CIs")
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.5), max(high, 2))
    _annotate(ax, "← GAN lower", -6, "right", COLOURS["gan"])
    _annotate(ax, "VAE lower →", 6, "left", COLOURS["vae"])


def _annotate(ax: Axes, text: str, shift: float, side: str, colour: str) -> None:
    """Write a text beside the vertical line at ratio 1, at the top of the axes."""
    ax.annotate(text, (1, -0.6), (shift, 4), textcoords="offset points", ha=side, color=colour)


def _name(dataset: DataSet) -> str:
    found = dataset.finalists
    seeds = f"{found.n_first} v. {found.n_second} seeds" if found else ""
    return f"{dataset.name}\n{seeds}"
