"""Sentences and table cells about a sweep, for the page and for a study's `summary.md`."""

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

TOO_FEW = "too few trials"
NOTHING = "no effect is shown"
NONE = Cell("\N{EN DASH}")
OBJECTIVES = {"fid_judge": "FID", "train_seconds": "seconds of training"}
CAVEATS = (
    "The sampler (TPE) does not draw parameters evenly. It returns to regions of low FID and "
    "changes several parameters at once. So the correlations describe the trials that were run. "
    "They do not show the effect of one parameter while the other parameters stay fixed.",
    "Pruned trials have no score. So effects among the scored trials can be smaller than effects "
    "among all trials, or different. The first check covers all trials that reached this check, "
    "but it measures FID early, in the training of a single seed.",
    "Each 95 % confidence interval treats the trials as independent and is not corrected for "
    "multiple comparisons. By chance, about one in twenty parameters without an effect seems to "
    "have an effect.",
    "The importance of a parameter (PED-ANOVA) is its share in the differences between the best "
    "tenth of the scored trials and the other scored trials. With few trials, the best tenth is "
    "only one or two trials. Importances add up to 1 and are never below 0, even if no parameter "
    "matters. Their intervals show how well the importances can be distinguished from each other, "
    "not whether an effect exists.",
)
OPTIMISM = (
    "The value of the best trial is the lowest of many noisy values, so on average it is too good. "
    "A fair estimate is the score on the test split of training runs from new random seeds. "
    "`ganvae sweep promote` adds such training runs to the profile."
)


def value_text(value: Value | list[int]) -> str:
    """A parameter's value as text, as YAML writes it; None is written as ``off``."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def range_text(range_: Mapping[str, Any]) -> str:
    """A searched range as text: ``1.05 to 16, log scale, or off``."""
    if "choices" in range_:
        text = ", ".join(map(value_text, range_["choices"]))
    else:
        text = f"{value_text(range_['low'])} to {value_text(range_['high'])}"
        text += ", log scale" if range_.get("log") else ""
    return text + (", or off" if range_.get("or_off") else "")


def parameters_text(trial: TrialRecord) -> str:
    """A trial's parameters, with their names as code: `` `beta` 1, `latent_size` 20``."""
    return ", ".join(f"`{name}` {value_text(value)}" for name, value in trial.parameters.items())


def measured_what(record: StudyRecord) -> str:
    """A phrase that names a sweep's objectives: scores, split, number of samples, seeds."""
    seeds = listed(list(map(str, record.seeds)))
    mean = f"mean over seeds {seeds}" if len(record.seeds) > 1 else f"from seed {seeds}"
    what = f"FID on the validation split ({record.n_generated:,} samples, {mean})"
    if len(record.objectives) > 1:
        what += f", and {OBJECTIVES[record.objectives[1]]}"
    return what


def by_status(record: StudyRecord) -> str:
    """The number of trials per status, as text: ``12 completed, 3 pruned``."""
    statuses = [trial.status for trial in record.trials]
    counts = [f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses)]
    return ", ".join(counts) or "none"


def budget_text(record: StudyRecord) -> str:
    """Sentences with the number of trials per status, their training time and wall-clock time."""
    count = len(record.trials)
    # A lost trial is left out, because its retry includes the same work.
    ended = [trial for trial in record.trials if trial.status != "lost"]
    trained = sum(trial.seconds for trial in ended)
    by_clock = sum(trial.finished - trial.started for trial in ended)
    return (
        f"The study has {count} trial{'' if count == 1 else 's'}: {by_status(record)}. All seeds "
        f"that finished training took {duration(trained)} in total. The wall-clock times of all "
        f"trials add up to {duration(by_clock)}."
    )


def best_text(record: StudyRecord) -> str:
    """Sentences on the best trial, the current parameters, and their difference in FID."""
    best, current = record.best, record.current
    if best is None:
        return "No trial has a score."
    text = (
        f"The best trial is trial {best.number}, with FID {fixed(best.values[0], 2)} "
        f"({parameters_text(best)})."
    )
    if current is None:
        return f"{text} The current parameters of the variant have no score."
    if current == best:
        return f"{text} These are the current parameters of the variant."
    return (
        f"{text} The current parameters of the variant (trial {current.number}) have "
        f"FID {fixed(current.values[0], 2)}. {difference_text(best, current)}"
    )


def difference_text(best: TrialRecord, current: TrialRecord) -> str:
    """A sentence with the FID of ``best`` minus the FID of ``current``, per seed and on average."""
    pairs = {seed: fid - current.seeds[seed] for seed, fid in best.seeds.items()}
    each = listed([f"{fixed(shift, 2, '+')} for seed {seed}" for seed, shift in pairs.items()])
    mean = fixed(fmean(pairs.values()), 2, "+")
    return f"The difference in FID, best minus current, is {mean} on average ({each})."


def check_text(record: StudyRecord) -> str:
    """A phrase that names the score at a trial's first check; "" if the study has no pruner."""
    if record.pruner is None:
        return ""
    if record.pruner["by"] == "seed":
        return "FID of the first seed"
    return f"FID at {100 * record.pruner['checks'][0]:g} % of the first seed's training"


HEADS = ("parameter", "importance", "scored trials", "all trials, at the first check")


def effect_cells(effect: Effect, *, checked: bool) -> list[list[Cell]]:
    """The table cells of a parameter's row: one or more cells per column of `HEADS`.

    The cell with the parameter's name is left out.

    Args:
        checked: whether the study has a pruner. Without a pruner, trials have no checks.
    """
    importance = _measured_cell("", effect.importance, plus="")
    early = _relation_cells(effect, effect.early) if checked else [NONE]
    return [[importance], _relation_cells(effect, effect.scored), early]


def _relation_cells(effect: Effect, relation: Relation) -> list[Cell]:
    correlation = [_measured_cell("correlation ", relation.correlation)] if effect.ordered else []
    return correlation + [_contrast_cell(contrast) for contrast in relation.contrasts]


def _measured_cell(name: str, measured: Measured | None, plus: str = "+") -> Cell:
    if measured is None:
        return Cell(f"{name}({TOO_FEW})" if name else TOO_FEW)
    text = f"{name}{fixed(measured.value, 2, plus)}"
    return Cell(text, f"{_interval(measured.low, measured.high, plus)}, n = {measured.n}")


def _contrast_cell(contrast: Contrast) -> Cell:
    sides = f"{contrast.first} {MINUS} {contrast.second}: "
    n = f"n = {contrast.n_first} and {contrast.n_second}"
    if contrast.shift is None or contrast.low is None or contrast.high is None:
        return Cell(f"{sides}{TOO_FEW}", n)
    text = f"{sides}{fixed(contrast.shift, 2, '+')}"
    return Cell(text, f"{_interval(contrast.low, contrast.high, '+')}, {n}")


def _interval(low: float, high: float, plus: str) -> str:
    return f"{fixed(low, 2, plus)} to {fixed(high, 2, plus)}"


def has_numbers(effects: EffectsRecord) -> bool:
    """Whether the study has enough trials to give its effects as numbers."""
    return max(effects.n_scored, effects.n_early) >= LEAST_TRIALS


def findings(record: StudyRecord, effects: EffectsRecord) -> list[str]:
    """One text per parameter, on the parameter's effect on FID.

    With too few trials, the list has a single text that says so.
    """
    if not has_numbers(effects):
        return [
            "There are too few trials to show the effect of any parameter (scored trials: "
            f"{effects.n_scored}, needed: at least {LEAST_TRIALS})."
        ]
    return [_finding(effect, record.pruner is not None) for effect in effects.effects]


def _finding(effect: Effect, checked: bool) -> str:
    text = f"`{effect.parameter}`. Scored trials: {_relation_text(effect, effect.scored)}."
    if checked:
        text += f" First check: {_relation_text(effect, effect.early)}."
    return text


def _relation_text(effect: Effect, relation: Relation) -> str:
    trend = [_trend(relation.correlation)] if effect.ordered else []
    return "; ".join(trend + [_contrast_text(contrast) for contrast in relation.contrasts])


def _trend(correlation: Measured | None) -> str:
    if correlation is None:
        return f"{TOO_FEW} to show a trend"
    direction = "rises" if correlation.value > 0 else "falls"
    return f"FID {direction} with the parameter" if correlation.is_shown else NOTHING


def _contrast_text(contrast: Contrast) -> str:
    first, second = contrast.median_first, contrast.median_second
    if contrast.shift is None or first is None or second is None:
        return f"{TOO_FEW} to compare {contrast.first} with {contrast.second}"
    medians = f"medians {significant(first)} and {significant(second)}, {p_value(contrast.p)}"
    if not contrast.is_shown:
        return f"no difference between {contrast.first} and {contrast.second} is shown ({medians})"
    direction = "higher" if contrast.shift > 0 else "lower"
    return f"FID is {direction} with {contrast.first} than with {contrast.second} ({medians})"


class Picture(NamedTuple):
    """The title and the caption of a picture in a study's folder."""

    title: str
    caption: str


PICTURES = {
    "history.png": Picture(
        "History",
        "FID of every trial, in the order in which the trials started. The line is the best FID so "
        "far. Crosses at the upper edge mark trials without a score: pruned, diverged or failed "
        "trials.",
    ),
    "slices.png": Picture(
        "Each parameter on its own",
        "FID of every trial against each parameter. The other parameters vary, too. Small grey "
        "marks show FID at the first check, if the study has checks.",
    ),
    "contours.png": Picture(
        "Pairs of parameters",
        "Each mark is a trial. Its colour shows FID at the first check, which pruned trials have, "
        "too. If the study has no checks, the colour shows the final FID. The star is the best "
        "trial. Contours are interpolated linearly between trials, so they mean little where "
        "trials are few.",
    ),
    "importances.png": Picture(
        "Importances",
        "The share of each parameter in the differences between the best tenth of the trials and "
        "the other trials.",
    ),
    "curves.png": Picture(
        "Checks",
        "FID of each trial at each check of the pruner. A cross ends the line of each trial "
        "without a score, such as a pruned trial.",
    ),
    "pareto.png": Picture(
        "Pareto front",
        "Both objectives of every trial. The line joins the trials that no other trial beats in "
        "both objectives.",
    ),
}
"""A mapping from file name to picture, in the order in which the pictures are shown."""
