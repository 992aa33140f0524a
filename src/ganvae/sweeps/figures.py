"""Draw a study's pictures from its record. Equal records give equal bytes."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ganvae.pictures.canvas import figure
from ganvae.report.sweep_effects import EffectsRecord
from ganvae.report.sweep_text import OBJECTIVES
from ganvae.report.vector import COLOURS, MARKERS
from ganvae.scores.studies import StudyRecord, TrialRecord
from ganvae.sweeps.axes import FID, WIDTH, Scale, logarithmic
from ganvae.sweeps.contours import contour_pairs, contoured_fids, draw_contours
from ganvae.sweeps.effects import first_check, ranges_of
from ganvae.sweeps.front import pareto_front
from ganvae.sweeps.study import PER_MILLE

INK, FAINT = COLOURS["ink"], COLOURS["faint"]


def draw_pictures(folder: Path, record: StudyRecord, effects: EffectsRecord) -> None:
    """Write a study's pictures as PNG files. Pictures that would need more trials are left out."""
    if not record.scored:
        return
    draw_history(folder / "history.png", record)
    draw_slices(folder / "slices.png", record)
    if any(effect.importance for effect in effects.effects):
        draw_importances(folder / "importances.png", effects)
    pairs = contour_pairs(record, effects)
    if pairs and len(contoured_fids(record)) > 1:
        draw_contours(folder / "contours.png", record, pairs)
    if record.pruner:
        draw_curves(folder / "curves.png", record)
    if len(record.objectives) > 1:
        draw_front(folder / "pareto.png", record)


def draw_history(path: Path, record: StudyRecord) -> None:
    """Draw the FID of every trial in the order of the trials' numbers, and the best FID so far."""
    scored = record.scored
    best = np.minimum.accumulate([trial.values[0] for trial in scored])
    with figure(path, WIDTH, 3.6) as canvas:
        ax = canvas.subplots()
        logarithmic(ax)
        ax.step([t.number for t in scored], best, where="post", color=INK, lw=1, label="best")
        _draw_scored(ax, record, [trial.number for trial in scored])
        _mark_unscored(ax, record, [trial.number for trial in record.trials])
        _draw_current(ax, record)
        ax.set_xlabel("trial")
        ax.set_ylabel(FID)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        _legend(canvas, ax)


def draw_slices(path: Path, record: StudyRecord) -> None:
    """Draw FID against each parameter, with two kinds of points.

    One kind shows the FID of scored trials. The other kind shows the FID of all trials at the
    pruner's first check.
    """
    ranges = ranges_of(record)
    rows = math.ceil(len(ranges) / 2)
    with figure(path, WIDTH, 2.5 * rows + 0.4) as canvas:
        panels = canvas.subplots(rows, 2, squeeze=False, sharey=True).flat
        for (name, range_), ax in zip(ranges.items(), panels, strict=False):
            scale = Scale(name, range_)
            logarithmic(ax)
            _draw_scored(ax, record, [scale.place(t.parameters.get(name)) for t in record.scored])
            _draw_checks(ax, record, [scale.place(t.parameters.get(name)) for t in record.trials])
            _draw_current(ax, record)
            scale.apply(ax, "x")
        for ax in panels:  # unused panels
            ax.set_visible(False)
        canvas.supylabel(FID, fontsize=9)
        _legend(canvas, canvas.axes[0])


def draw_importances(path: Path, effects: EffectsRecord) -> None:
    """Draw the importance of every parameter with its interval, the largest on top."""
    shown = [
        (effect.parameter, effect.importance) for effect in effects.effects if effect.importance
    ]
    shown.sort(key=lambda pair: pair[1].value)
    with figure(path, WIDTH, 0.4 * len(shown) + 0.9) as canvas:
        ax = canvas.subplots()
        for height, (_, importance) in enumerate(shown):
            ax.barh(height, importance.value, height=0.6, color=FAINT, alpha=0.5)
            ax.plot([importance.low, importance.high], [height, height], color=INK, lw=1.5)
        ax.set_yticks(range(len(shown)), [name for name, _ in shown])
        ax.set_xlim(0, 1)
        ax.set_xlabel("importance for reaching the best tenth of trials (PED-ANOVA), 95 % interval")


def draw_curves(path: Path, record: StudyRecord) -> None:
    """Draw the FID that the pruner saw: at the checks of the first seed, or after each seed."""
    with figure(path, WIDTH, 3.6) as canvas:
        ax = canvas.subplots()
        logarithmic(ax)
        by_seed = record.pruner is not None and record.pruner["by"] == "seed"
        for trial in sorted(record.trials, key=lambda trial: bool(trial.values)):
            points = _by_seed(record, trial) if by_seed else _by_share(record, trial)
            if not points:
                continue
            colour = COLOURS[record.family] if trial.values else FAINT
            width = 2.2 if trial in (record.best, record.current) else 0.9
            style = "--" if trial == record.current else "-"
            ax.plot(*zip(*points, strict=True), f"{style}o", color=colour, lw=width, ms=3)
            if not trial.values:
                ax.plot(*points[-1], "x", color=FAINT, ms=7)
        for label, colour, style, width in (
            ("best", COLOURS[record.family], "-", 2.2),
            ("current parameters", COLOURS[record.family], "--", 2.2),
            ("scored", COLOURS[record.family], "-", 0.9),
            ("no score", FAINT, "-", 0.9),
        ):
            ax.plot([], [], style, color=colour, lw=width, label=label)
        ax.set_xlabel("seeds trained" if by_seed else "share of the first seed's training, %")
        ax.set_ylabel("mean FID so far" if by_seed else FID)
        _legend(canvas, ax)


def _by_share(record: StudyRecord, trial: TrialRecord) -> list[tuple[float, float]]:
    end = trial.seeds.get(record.seeds[0])
    points = [(100 * moment / PER_MILLE, fid) for moment, fid in sorted(trial.curve.items())]
    return points + ([(100.0, end)] if end is not None else [])


def _by_seed(record: StudyRecord, trial: TrialRecord) -> list[tuple[float, float]]:
    fids = [trial.seeds[seed] for seed in record.seeds if seed in trial.seeds]
    return [(n, float(np.mean(fids[:n]))) for n in range(1, len(fids) + 1)]


def draw_front(path: Path, record: StudyRecord) -> None:
    """Draw both objectives of every scored trial, and the Pareto front."""
    front = pareto_front(record)
    with figure(path, WIDTH, 4.0) as canvas:
        ax = canvas.subplots()
        logarithmic(ax)
        _draw_scored(ax, record, [trial.values[1] for trial in record.scored])
        ends = sorted((trial.values[1], trial.values[0]) for trial in front)
        ax.step(*zip(*ends, strict=True), where="post", color=INK, lw=1, label="Pareto front")
        for trial in front:
            place = trial.values[1], trial.values[0]
            ax.annotate(str(trial.number), place, (4, 4), textcoords="offset points", fontsize=8)
        ax.set_xlim(left=0)
        ax.set_xlabel(OBJECTIVES[record.objectives[1]])
        ax.set_ylabel(FID)
        _legend(canvas, ax)


def _draw_scored(ax: Axes, record: StudyRecord, places: Sequence[float]) -> None:
    """Draw the FID of the scored trials, with different symbols for collapsed and best trials.

    Args:
        places: the horizontal position of each scored trial; NaN leaves the trial out.
    """
    colour, marker = COLOURS[record.family], MARKERS[record.family]
    styles: dict[str, dict[str, Any]] = {
        "completed": {"color": colour, "marker": marker},
        "collapsed": {"color": FAINT, "marker": "v"},
    }
    for status, style in styles.items():
        points = [
            (place, trial.values[0])
            for place, trial in zip(places, record.scored, strict=True)
            if trial.status == status and not math.isnan(place)
        ]
        if points:
            ax.plot(*zip(*points, strict=True), ls="", ms=5, alpha=0.75, label=status, **style)
    for place, trial in zip(places, record.scored, strict=True):
        if trial == record.best:
            ax.plot(place, trial.values[0], "*", color="white", mec=INK, ms=11, label="best trial")


def _mark_unscored(ax: Axes, record: StudyRecord, places: Sequence[float]) -> None:
    """Draw crosses at the upper edge for trials without FID, such as pruned trials.

    Args:
        places: the horizontal position of each trial; NaN leaves the trial out.
    """
    crosses = [
        place
        for place, trial in zip(places, record.trials, strict=True)
        if not trial.values and trial.status != "lost" and not math.isnan(place)
    ]
    if crosses:
        edge = ax.get_xaxis_transform()
        style: dict[str, Any] = {"color": FAINT, "ms": 5, "mew": 1, "clip_on": False}
        ax.plot(crosses, [1] * len(crosses), "x", transform=edge, label="no score", **style)


def _draw_checks(ax: Axes, record: StudyRecord, places: Sequence[float]) -> None:
    """Draw FID at the pruner's first check, for every trial that reached this check.

    Args:
        places: the horizontal position of each trial.
    """
    checks = [first_check(record, trial) for trial in record.trials]
    points = [(x, fid) for x, fid in zip(places, checks, strict=True) if fid is not None]
    if points:
        style: dict[str, Any] = {"color": FAINT, "ms": 3, "alpha": 0.8, "mew": 0}
        ax.plot(*zip(*points, strict=True), "o", label="at the first check", **style)


def _draw_current(ax: Axes, record: StudyRecord) -> None:
    if record.current:
        ax.axhline(
            record.current.values[0], color=FAINT, lw=0.9, ls="--", label="current parameters"
        )


def _legend(canvas: Figure, ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside upper right", ncols=len(labels), frameon=False)
