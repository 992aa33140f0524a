"""The figures of the page, drawn from score records."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ganvae.report.numbers import significant
from ganvae.report.vector import COLOURS, MARKERS, plain_ticks, vector
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Row, values_of
from ganvae.scores.records import ScoreRecord

WIDTH = 7.5  # inches
INK, FAINT = COLOURS["ink"], COLOURS["faint"]
Point = tuple[float, float]


def ranking_figure(rows: Sequence[Row], records: Sequence[ScoreRecord]) -> Markup:
    """Draw the FID of every variant, as an SVG element.

    Each variant has a marker per seed, the mean, and its 95 % confidence interval. The floor and
    the ceiling are vertical lines.
    """
    variants = [row for row in rows if row.family != "reference"]
    positive = [value for row in rows for value in _values(records, row.variant) if value > 0]

    def draw(canvas: Figure) -> None:
        ax = canvas.subplots()
        ax.set_xscale("log")
        ax.set_xlim(min(positive, default=1) * 0.7, max(positive, default=10) * 1.3)
        for row in rows:
            if row.family == "reference" and PRIMARY in row.scores:
                _draw_bound(ax, row)
        for position, row in enumerate(variants):
            _draw_variant(ax, position, row, _values(records, row.variant))
        ax.set_ylim(len(variants) - 0.4, -0.8)
        ax.set_yticks(range(len(variants)), [row.variant for row in variants])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("FID in the judge's features (log scale); lower is better")
        plain_ticks(ax, "x")
        ax.grid(axis="x")

    label = "FID of every variant: seeds, their mean and its 95 % CI; floor and ceiling as lines"
    return vector(WIDTH, 0.32 * len(variants) + 1.0, label, draw)


def _draw_bound(ax: Axes, row: Row) -> None:
    value = row.scores[PRIMARY].mean
    if value <= 0:
        return
    ax.axvline(value, color=COLOURS["reference"], lw=1, ls=(0, (4, 3)))
    side = "left" if row.variant == "floor" else "right"
    ax.annotate(
        f"{row.variant} {significant(value)}",
        (value, 1),
        (4 if side == "left" else -4, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha=side,
        va="top",
        fontsize=8,
        color=COLOURS["reference"],
    )


def _draw_variant(ax: Axes, position: int, row: Row, values: Sequence[float]) -> None:
    colour = COLOURS[row.family]
    score = row.scores.get(PRIMARY)
    if score is None:
        ax.text(0.01, position, "no score", transform=ax.get_yaxis_transform(), va="center")
        return
    if score.low is not None and score.high is not None:
        _draw_interval(ax, position, score.low, score.high, colour)
    marker = MARKERS[row.family]
    below = [position + 0.24] * len(values)
    ax.plot(values, below, marker, color=colour, ms=4, alpha=0.6, mew=0)
    ax.plot(score.mean, position, "|", color=colour, ms=12, mew=1.8)


def _draw_interval(ax: Axes, position: int, low: float, high: float, colour: str) -> None:
    """Draw the bar of an interval, with an arrow at each end that lies beyond the axis."""
    left, right = ax.get_xlim()
    ax.plot([max(low, left), min(high, right)], [position] * 2, color=colour, lw=1.8)
    for cut, end, arrow in ((low < left, left, "<"), (high > right, right, ">")):
        if cut:
            ax.plot(end, position, arrow, color=colour, ms=6, mew=0, clip_on=False)


def time_figure(rows: Sequence[Row], records: Sequence[ScoreRecord]) -> Markup | None:
    """Draw FID against training time, one marker per training run, as an SVG element.

    None if no training run has both values.
    """
    points = {
        row.variant: _by_time(records, row.variant) for row in rows if row.family != "reference"
    }
    shown = [row for row in rows if points.get(row.variant)]
    if not shown:
        return None

    def draw(canvas: Figure) -> None:
        ax = canvas.subplots()
        ax.set_yscale("log")
        for row in shown:
            seconds, scores = zip(*points[row.variant], strict=True)
            style: dict[str, Any] = {"color": COLOURS[row.family], "marker": MARKERS[row.family]}
            ax.plot(seconds, scores, ls="", ms=5, alpha=0.7, mew=0, **style)
        ax.set_xlim(left=0)
        plain_ticks(ax, "y")
        ax.set_xlabel("training time, seconds")
        ax.set_ylabel("FID (log scale)")
        ax.grid()
        _label_at_the_right(ax, shown, points)

    label = "FID of every run against its training time in seconds"
    return vector(WIDTH, 3.6, label, draw)


def _by_time(records: Sequence[ScoreRecord], variant: str) -> list[Point]:
    return [
        (seconds, score)
        for record in records
        if record.variant == variant
        and record.status != "diverged"
        and (seconds := record.scores.get("train_seconds")) is not None
        and (score := record.scores.get(PRIMARY)) is not None
        and score > 0
    ]


def _label_at_the_right(ax: Axes, rows: Sequence[Row], points: dict[str, list[Point]]) -> None:
    """Write the variants' names beside the axes, without overlap.

    A line joins each name to the variant's training run with the longest time.
    """
    ends = {row.variant: max(points[row.variant]) for row in rows}
    low, high = np.log(ax.get_ylim())
    by_height = sorted(rows, key=lambda row: ends[row.variant][1])
    wanted = [(np.log(ends[row.variant][1]) - low) / (high - low) for row in by_height]
    for row, height in zip(by_height, _apart(wanted, 0.062), strict=True):
        ax.annotate(
            row.variant,
            ends[row.variant],
            (1.03, height),
            textcoords="axes fraction",
            va="center",
            fontsize=8,
            color=COLOURS[row.family],
            arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.5, "alpha": 0.7},
        )


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Spread ascending heights: neighbours are at least ``least`` apart, and none is above 1."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + least) if placed else height)
    top = 1.0
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], top)
        top = placed[index] - least
    return placed


def curve_figure(records: Sequence[ScoreRecord]) -> Markup | None:
    """Draw FID against 1/N, extrapolated to infinitely many images, as an SVG element.

    N is the number of generated images. None if no record has a curve.
    """
    shown = [record for record in records if len(record.fid_curve) > 1]
    if not shown:
        return None
    sizes = sorted({n for record in shown for n, _ in record.fid_curve})

    def draw(canvas: Figure) -> None:
        ax = canvas.subplots()
        for record in shown:
            _draw_curve(ax, record)
        ax.set_xlim(-0.02 / sizes[0], 1.05 / sizes[0])
        ticks = _readable(sizes)
        ax.set_xticks([0, *(1 / n for n in ticks)], ["∞", *(f"{n:,}" for n in ticks)])
        ax.set_xlabel("number of generated images N, spaced by 1/N")
        ax.set_ylabel("FID")
        ax.grid()
        handles = {record.variant: ax.plot([], [], **_style(record))[0] for record in shown}
        ax.legend(handles.values(), handles.keys(), frameon=False)

    names = ", ".join(dict.fromkeys(record.variant for record in shown))
    label = f"FID against the number of generated images, extrapolated to infinity: {names}"
    return vector(WIDTH, 3.0, label, draw)


def _readable(sizes: Sequence[int]) -> list[int]:
    """Choose sizes N whose labels at 1/N do not overlap, starting with the largest size."""
    kept: list[int] = []
    for size in sorted(sizes, reverse=True):
        if not kept or 1 / size - 1 / kept[-1] > 0.08 / min(sizes):
            kept.append(size)
    return kept


def _draw_curve(ax: Axes, record: ScoreRecord) -> None:
    inverse = np.array([1 / n for n, _ in record.fid_curve])
    scores = np.array([score for _, score in record.fid_curve])
    slope, limit = np.polyfit(inverse, scores, 1)
    style = _style(record)
    ax.plot(inverse, scores, **style, alpha=0.7)
    colour = style["color"]
    ax.plot([0, inverse.max()], [limit, limit + slope * inverse.max()], color=colour, lw=0.9)
    ax.plot(0, limit, style["marker"], ms=5, mfc="none", mec=colour, clip_on=False)


def _style(record: ScoreRecord) -> dict[str, Any]:
    return {"color": COLOURS[record.family], "marker": MARKERS[record.family], "ls": ""}


def class_figure(variant: str, family: str, counts: Sequence[Sequence[int]]) -> Markup | None:
    """Draw the shares of the classes among the samples of a variant, as an SVG element.

    Bars are means over seeds, dots are seeds, and the line is the uniform share. None if there are
    no counts.

    Args:
        counts: per seed, the number of samples of each class.
    """
    if not counts:
        return None
    shares = np.array([np.array(seed) / max(sum(seed), 1) for seed in counts])
    classes = shares.shape[1]

    def draw(canvas: Figure) -> None:
        ax = canvas.subplots()
        colour = COLOURS[family]
        ax.bar(range(classes), shares.mean(axis=0), color=colour, alpha=0.35, width=0.7)
        for seed in shares:
            ax.plot(range(classes), seed, ".", color=colour, ms=5, mew=0)
        ax.axhline(1 / classes, color=INK, lw=0.9, ls=(0, (4, 3)))
        ax.set_xticks(range(classes))
        ax.tick_params(axis="x", length=0)
        ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
        ax.set_xlabel("class")
        ax.grid(axis="y")

    label = f"Shares of the {classes} classes among samples of {variant}, and the uniform share"
    return vector(3.2, 2.4, label, draw)


def _values(records: Sequence[ScoreRecord], variant: str) -> Sequence[float]:
    return values_of(records, variant).get(PRIMARY, [])
