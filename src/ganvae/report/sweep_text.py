"""What the page and a study's `summary.md` say of a sweep, in words and table cells."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any, NamedTuple

from ganvae.report.numbers import MINUS, duration, fixed, listed, p_value, significant
from ganvae.report.page_tables import Cell
from ganvae.report.sweep_effects import (
    LEAST_TRIALS,
    Contrast,
    Effect,
    EffectsRecord,
    Measured,
    Relation,
)
from ganvae.scores.studies import StudyRecord, TrialRecord, Value

TOO_FEW = "too few"
NOTHING = "no effect shown"
NONE = Cell("\N{EN DASH}")
OBJECTIVES = {"fid_judge": "FID", "train_seconds": "seconds of training"}
CAVEATS = (
    "The sampler (TPE) does not draw evenly: it returns to where FID was low, and moves several "
    "parameters at once. The correlations are of what was tried, not of what one parameter would "
    "do with the others held fixed.",
    "The scored trials are those that were not given up: among them effects look smaller, or "
    "other, than among all. At the first check are all that came so far, but early in the training "
    "of one seed.",
    "Every interval is a 95 % interval by itself, as if trials were independent: of many "
    "parameters one in twenty shows an effect that it does not have.",
    "Importances (PED-ANOVA) are shares in what sets the best tenth of the scored trials apart, "
    "which of few trials is one or two. They add up to 1 even where no parameter matters, and none "
    "can be below 0: their intervals say how far they can be told apart, not whether they are "
    "there.",
)
OPTIMISM = (
    "The best trial's value is the least of many noisy ones, so it is too good on average. What "
    "its parameters are worth is their score on the test split from fresh seeds, which "
    "`ganvae sweep promote` asks for."
)


def value_text(value: Value) -> str:
    """A parameter's value; None is off."""
    if value is None:
        return "off"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def range_text(range_: Mapping[str, Any]) -> str:
    """The values that were searched: ``1.05 to 16, log scale, or off``."""
    if "choices" in range_:
        return ", ".join(map(value_text, range_["choices"]))
    text = f"{value_text(range_['low'])} to {value_text(range_['high'])}"
    text += ", log scale" if range_.get("log") else ""
    return text + (", or off" if range_.get("or_off") else "")


def parameters_text(trial: TrialRecord) -> str:
    """The trial's parameters, each as code: `` `beta` 1, `latent_size` 20``."""
    return ", ".join(f"`{name}` {value_text(value)}" for name, value in trial.parameters.items())


def measured_what(record: StudyRecord) -> str:
    """What a trial's value is."""
    seeds = listed(list(map(str, record.seeds)))
    mean = f"the mean over seeds {seeds}" if len(record.seeds) > 1 else f"from seed {seeds}"
    what = f"FID on the validation split, {record.n_generated:,} samples, {mean}"
    if len(record.objectives) > 1:
        what += f", and {OBJECTIVES[record.objectives[1]]}"
    return what


def by_status(record: StudyRecord) -> str:
    """How many trials ended how: ``12 completed, 3 pruned``."""
    ended = [trial.status for trial in record.trials]
    return ", ".join(f"{ended.count(one)} {one}" for one in dict.fromkeys(ended)) or "none"


def budget_text(record: StudyRecord) -> str:
    """Trials by status, and what they took."""
    count = len(record.trials)
    ended = [trial for trial in record.trials if trial.status != "lost"]  # its retry has them too
    trained = sum(trial.seconds for trial in ended)
    by_clock = sum(trial.finished - trial.started for trial in ended)
    return (
        f"{count} trial{'' if count == 1 else 's'}: {by_status(record)}. Training of the seeds "
        f"that came to their end took {duration(trained)}, all trials by the clock "
        f"{duration(by_clock)}."
    )


def best_text(record: StudyRecord) -> str:
    """The best trial, the current parameters, and how they differ seed by seed."""
    best, current = record.best, record.current
    if best is None:
        return "No trial has a score."
    text = f"Best: trial {best.number}, FID {fixed(best.values[0], 2)} ({parameters_text(best)})."
    if current is None:
        return f"{text} The model's current parameters have no score."
    if current == best:
        return f"{text} These are the model's current parameters."
    return (
        f"{text} The model's current parameters (trial {current.number}): "
        f"{fixed(current.values[0], 2)}. {difference_text(best, current)}"
    )


def difference_text(best: TrialRecord, current: TrialRecord) -> str:
    """Best minus current, of every seed that both were trained from."""
    pairs = {seed: fid - current.seeds[seed] for seed, fid in best.seeds.items()}
    each = listed([f"{fixed(shift, 2, '+')} from seed {seed}" for seed, shift in pairs.items()])
    return f"Best minus current: {each}, {fixed(fmean(pairs.values()), 2, '+')} on average."


def check_text(record: StudyRecord) -> str:
    """What the first check of a trial is; "" where there is none."""
    if record.pruner is None:
        return ""
    if record.pruner["by"] == "seed":
        return "FID of the first seed"
    return f"FID at {100 * record.pruner['checks'][0]:g} % of the first seed's training"


HEADS = ("parameter", "importance", "scored trials", "all trials, at the first check")


def effect_cells(effect: Effect, *, checked: bool) -> list[list[Cell]]:
    """What stands under `HEADS` after a parameter's name: in each column one cell or more.

    Args:
        checked: whether trials had checks.
    """
    importance = _measured_cell("", effect.importance, plus="")
    early = _relation_cells(effect, effect.early) if checked else [NONE]
    return [[importance], _relation_cells(effect, effect.scored), early]


def _relation_cells(effect: Effect, relation: Relation) -> list[Cell]:
    correlation = [_measured_cell("correlation ", relation.correlation)] if effect.ordered else []
    return correlation + [_contrast_cell(one) for one in relation.contrasts]


def _measured_cell(name: str, one: Measured | None, plus: str = "+") -> Cell:
    if one is None:
        return Cell(f"{name}{TOO_FEW}")
    text = f"{name}{fixed(one.value, 2, plus)}"
    return Cell(text, f"{_interval(one.low, one.high, plus)}, n = {one.n}")


def _contrast_cell(one: Contrast) -> Cell:
    sides, n = f"{one.first} {MINUS} {one.second}: ", f"n = {one.n_first} and {one.n_second}"
    if one.shift is None or one.low is None or one.high is None:
        return Cell(f"{sides}{TOO_FEW}", n)
    return Cell(f"{sides}{fixed(one.shift, 2, '+')}", f"{_interval(one.low, one.high, '+')}, {n}")


def _interval(low: float, high: float, plus: str) -> str:
    return f"{fixed(low, 2, plus)} to {fixed(high, 2, plus)}"


def has_numbers(effects: EffectsRecord) -> bool:
    """Whether there are trials enough to say anything."""
    return max(effects.n_scored, effects.n_early) >= LEAST_TRIALS


def findings(record: StudyRecord, effects: EffectsRecord) -> list[str]:
    """A sentence for each parameter; or one that there are too few trials."""
    if not has_numbers(effects):
        return [
            f"Too few trials to say what any parameter does: {effects.n_scored} scored; from "
            f"{LEAST_TRIALS} on there are numbers."
        ]
    return [_finding(one, record.pruner is not None) for one in effects.effects]


def _finding(effect: Effect, checked: bool) -> str:
    parts = [f"among the scored trials {_relation_text(effect, effect.scored)}"]
    if checked:
        parts.append(f"at the first check {_relation_text(effect, effect.early)}")
    return f"`{effect.parameter}`: {'; '.join(parts)}."


def _relation_text(effect: Effect, relation: Relation) -> str:
    trend = [_trend(relation.correlation)] if effect.ordered else []
    return ", ".join(trend + [_contrast_text(one) for one in relation.contrasts])


def _trend(one: Measured | None) -> str:
    if one is None:
        return f"{TOO_FEW} to say"
    return f"FID {'rises' if one.value > 0 else 'falls'} with it" if one.is_shown else NOTHING


def _contrast_text(one: Contrast) -> str:
    sides = f"{one.first} against {one.second}"
    if one.shift is None or one.median_first is None or one.median_second is None:
        return f"{sides} {TOO_FEW} to say"
    found = f"FID is {'higher' if one.shift > 0 else 'lower'}" if one.is_shown else NOTHING
    medians = f"medians {significant(one.median_first)} and {significant(one.median_second)}"
    return f"{sides} {found} ({medians}, {p_value(one.p)})"


class Picture(NamedTuple):
    """A picture in a study's folder: what it is and what it shows."""

    title: str
    caption: str


PICTURES = {
    "history.png": Picture(
        "History",
        "FID of every trial in the order they were begun; the line is the best so far. Crosses at "
        "the edge are trials without a score: given up, diverged, or refused.",
    ),
    "slices.png": Picture(
        "Each parameter by itself",
        "FID of every trial against each parameter, the others as they were; small and grey that "
        "of all trials at their first check, if there was one.",
    ),
    "contours.png": Picture(
        "Pairs of parameters",
        "Every mark is a trial, its colour FID at the first check, so that those given up later "
        "are there too; without checks that in the end. The star is the best trial. Contours are "
        "straight between trials and mean little where these are few.",
    ),
    "importances.png": Picture(
        "Importances",
        "Each parameter's share in what sets the best tenth of trials apart.",
    ),
    "curves.png": Picture(
        "Checks", "What the pruner saw: FID of each trial as it went on; crosses were given up."
    ),
    "pareto.png": Picture(
        "Pareto front", "Both objectives of every trial; the line joins those that none beats."
    ),
}
"""By file, in the order they are shown."""
