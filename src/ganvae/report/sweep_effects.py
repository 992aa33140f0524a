"""The record of how the parameters of a sweep affect FID: `effects.json` in the study's folder."""

from pathlib import Path

from ganvae.core.files import read_json
from ganvae.core.records import Record, parse_record

EFFECTS = "effects.json"
LEAST_TRIALS = 8
"""The smallest number of trials for which effects are given as numbers."""


class Measured(Record):
    """An estimate from ``n`` trials.

    Attributes:
        low, high: the 95 % confidence interval, from resampling the trials.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def is_shown(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


class Contrast(Record):
    """The difference in FID between trials with one value of a parameter and trials with another.

    The four attributes ``shift``, ``low``, ``high`` and ``p`` are None if the trials are too few
    for the test to be significant.

    Attributes:
        first, second: the two values of the parameter as text, or "on" and "off".
        shift: the median difference in FID over all pairs of one trial with the first value and one
            trial with the second value, first minus second (Hodges and Lehmann).
        low, high: the 95 % confidence interval of ``shift``, from the Mann-Whitney test.
        p: the p-value of the two-sided Mann-Whitney test.
    """

    first: str
    second: str
    n_first: int
    n_second: int
    median_first: float | None
    median_second: float | None
    shift: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


class Relation(Record):
    """The relation between FID and a parameter.

    Attributes:
        correlation: Spearman's rank correlation over the trials in which the parameter is not off.
            None if these trials are too few, or if the values are not numbers.
        contrasts: for a parameter that can be off, "on" is compared with "off". For values that are
            not numbers, every other value is compared with the first value.
    """

    correlation: Measured | None
    contrasts: list[Contrast]


class Effect(Record):
    """The effect of one parameter on FID.

    Attributes:
        ordered: whether the parameter's values are numbers.
        importance: the parameter's share in the differences between the best tenth of the scored
            trials and the others (PED-ANOVA). The shares of all parameters add up to 1. None if the
            trials are too few.
        scored: the relation to the FID of the scored trials.
        early: the relation to FID at the first check of each trial's first seed. Trials that were
            pruned after the first check count too.
    """

    parameter: str
    ordered: bool
    importance: Measured | None
    scored: Relation
    early: Relation


class EffectsRecord(Record):
    """The effects of all parameters of a study, in the order of the study's parameters.

    Attributes:
        n_scored: the number of trials with a score.
        n_early: the number of trials that reached the pruner's first check.
    """

    study: str
    n_scored: int
    n_early: int
    effects: list[Effect]


def read_effects(folder: Path) -> EffectsRecord:
    """Read the effects in a study's folder.

    Raises:
        UserError: the file is missing or is not a record of effects.
    """
    path = folder / EFFECTS
    remedy = "Run `ganvae sweep report` to write this file again."
    return parse_record(EffectsRecord, read_json(path), path, remedy)
