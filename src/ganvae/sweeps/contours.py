"""Draw a study's FID over pairs of parameters, as contours."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from ganvae.pictures.canvas import figure
from ganvae.report.sweep_effects import EffectsRecord
from ganvae.report.vector import COLOURS
from ganvae.scores.studies import StudyRecord
from ganvae.sweeps.axes import FID, WIDTH, Scale, logarithmic
from ganvae.sweeps.effects import first_check, ranges_of

BALANCE = "balance.ratio"
INK = COLOURS["ink"]
MOST_CONTOURS = 4
LEAST_POINTS = 6
"""Contours are drawn only if the trials have at least this many different positions."""

LEAST_FID = 0.01
"""The lowest FID at which the logarithmic colour scale may begin."""


def contour_pairs(record: StudyRecord, effects: EffectsRecord) -> list[tuple[str, str]]:
    """Return the pairs of parameters to draw contours for.

    If the study searched the balance ratio, each pair has the balance ratio and another parameter.
    Otherwise the only pair has the two most important parameters.
    """
    names = list(record.parameters)
    if BALANCE in names:
        return [(BALANCE, name) for name in names if name != BALANCE][:MOST_CONTOURS]
    weight = {
        effect.parameter: effect.importance.value if effect.importance else 0.0
        for effect in effects.effects
    }
    foremost = sorted(names, key=lambda name: -weight[name])[:2]
    return list(combinations(foremost, 2))


def draw_contours(path: Path, record: StudyRecord, pairs: Sequence[tuple[str, str]]) -> None:
    """Draw FID over pairs of parameters: a point per trial, and linear contours between the points.

    With a pruner, the pictures show FID at the first check, because pruned trials have this FID
    but no score. Without a pruner, the pictures show the FID of the scored trials.
    """
    fids = contoured_fids(record)
    rows, columns = math.ceil(len(pairs) / 2), min(2, len(pairs))
    norm = _norm(list(fids.values()))
    with figure(path, WIDTH, 3.1 * rows + 0.3) as canvas:
        panels = canvas.subplots(rows, columns, squeeze=False).flat
        for (first, second), ax in zip(pairs, panels, strict=False):
            marks = _draw_contour(ax, record, (first, second), fids, norm)
        for ax in panels:  # unused panels
            ax.set_visible(False)
        used = [ax for ax in canvas.axes if ax.get_visible()]
        label = "FID at the first check (log scale)" if record.pruner else FID
        bar = canvas.colorbar(marks, ax=used, label=label)
        logarithmic(bar.ax)


def contoured_fids(record: StudyRecord) -> dict[int, float]:
    """Return the FID that the contours show, by the trial's number."""
    if record.pruner is None:
        return {trial.number: trial.values[0] for trial in record.scored}
    checks = {trial.number: first_check(record, trial) for trial in record.trials}
    return {number: fid for number, fid in checks.items() if fid is not None}


def _draw_contour(
    ax: Axes, record: StudyRecord, pair: tuple[str, str], fids: Mapping[int, float], norm: LogNorm
) -> Any:
    across, up = (Scale(name, ranges_of(record)[name]) for name in pair)
    shown = [trial for trial in record.trials if trial.number in fids]
    settings = [[trial.parameters.get(name) for name in pair] for trial in shown]
    x, y = (
        np.array([scale.place(values[i]) for values in settings])
        for i, scale in enumerate((across, up))
    )
    shown_fids = np.array([fids[trial.number] for trial in shown])
    if across.is_continuous and up.is_continuous:
        on = [None not in values for values in settings]
        _draw_levels(ax, x[on], y[on], shown_fids[on], norm)
    style: dict[str, Any] = {"cmap": "viridis_r", "norm": norm, "edgecolors": INK}
    marks = ax.scatter(x, y, 34, shown_fids, linewidths=0.6, **style)
    for place, trial in zip(zip(x, y, strict=True), shown, strict=True):
        if trial == record.best:
            ax.plot(*place, "*", color="white", ms=7, mec=INK, mew=0.6)
    across.apply(ax, "x")
    up.apply(ax, "y")
    return marks


def _draw_levels(ax: Axes, x: np.ndarray, y: np.ndarray, fids: np.ndarray, norm: LogNorm) -> None:
    """Draw filled contours, linear between trials, unless trials are few or lie on a line.

    Args:
        x, y: the positions of the trials, one number per trial.
        fids: the FID of each trial; trials at the same position are averaged.
        norm: the colour scale.
    """
    places, which = np.unique(np.stack([x, y], axis=1), axis=0, return_inverse=True)
    if len(places) < LEAST_POINTS or np.linalg.matrix_rank(places - places[0], tol=1e-3) < 2:
        return
    means = np.bincount(which.ravel(), fids) / np.bincount(which.ravel())
    levels = np.geomspace(norm.vmin or 1.0, norm.vmax or 1.0, 12)
    ax.tricontourf(
        places[:, 0], places[:, 1], means, levels, cmap="viridis_r", norm=norm, alpha=0.45
    )


def _norm(fids: Sequence[float]) -> LogNorm:
    low, high = max(min(fids), LEAST_FID), max(fids)
    return LogNorm(low, max(high, 1.01 * low))
