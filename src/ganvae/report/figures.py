"""The overview picture: FID and samples of all variants."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from ganvae.pictures.canvas import figure
from ganvae.report.numbers import significant
from ganvae.report.vector import COLOURS
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Row, values_of
from ganvae.scores.records import ScoreRecord


def draw_comparison(
    path: Path,
    rows: Sequence[Row],
    records: Sequence[ScoreRecord],
    samples: dict[str, np.ndarray],
) -> None:
    """Draw every variant's FID and samples, the best variant on top, as a picture at ``path``.

    The left side has one dot per ranked seed, and a bar for the mean FID with its 95 % confidence
    interval. The right side has the first samples of one seed.

    Args:
        samples: a mapping from variant to its strip of samples: uint8, height x width x C.
    """
    with figure(path, 9.2, 0.72 * len(rows) + 0.9) as canvas:
        scores, strips = canvas.subplots(1, 2, width_ratios=[1.35, 1])
        _plot_scores(scores, rows, records)
        _show_strips(strips, rows, samples)


def _plot_scores(ax: Axes, rows: Sequence[Row], records: Sequence[ScoreRecord]) -> None:
    for position, row in enumerate(rows):
        colour = COLOURS[row.family]
        dots = values_of(records, row.variant).get(PRIMARY, [])
        ax.plot(dots, [position] * len(dots), "o", color=colour, alpha=0.5, markersize=5)
        score = row.scores.get(PRIMARY)
        if score is None:
            ax.text(0.5, position, "no score", transform=ax.get_yaxis_transform(), va="center")
            continue
        low, high = score.low or score.mean, score.high or score.mean
        ends = [[score.mean - low], [high - score.mean]]
        ax.errorbar(score.mean, position, xerr=ends, fmt="|", color=colour, capsize=4, lw=2)
        ax.annotate(
            significant(score.mean),
            (score.mean, position),
            (0, 9),
            textcoords="offset points",
            ha="center",
            color=colour,
        )
    ax.set_xscale("log")
    ax.set_ylim(len(rows) - 0.5, -0.6)
    ax.set_yticks(range(len(rows)), [f"{row.variant}\n({row.family})" for row in rows])
    ax.set_xlabel("FID in judge features, lower is better\n(dots: seeds; bar: 95 % CI)")
    ax.grid(axis="x", alpha=0.3)


def _show_strips(ax: Axes, rows: Sequence[Row], samples: dict[str, np.ndarray]) -> None:
    ax.set_axis_off()
    ax.set_title("uncurated samples", fontsize=9)
    for position, row in enumerate(rows):
        if row.variant in samples:
            inset = ax.inset_axes((0, 1 - (position + 0.92) / len(rows), 1, 0.84 / len(rows)))
            inset.imshow(samples[row.variant], cmap="gray", interpolation="nearest")
            inset.set_axis_off()
