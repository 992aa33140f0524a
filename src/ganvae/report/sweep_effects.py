"""What a sweep shows of each parameter, as a record beside the study's (`effects.json`)."""

from pathlib import Path

from ganvae.core.files import read_json
from ganvae.core.records import Record, parse_record

EFFECTS = "effects.json"
LEAST_TRIALS = 8
"""Of fewer trials nothing is said."""


class Measured(Record):
    """A number of ``n`` trials with its 95 % interval, from resampling the trials."""

    value: float
    low: float
    high: float
    n: int

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


class Contrast(Record):
    """FID of the trials with a parameter at ``first`` against those at ``second``.

    ``shift``: the median of all differences first - second (Hodges and Lehmann), with the 95 %
    interval of the Mann-Whitney test; ``p``: that test's, two-sided. All four are None where there
    are too few trials for the test to find anything.
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
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


class Relation(Record):
    """How FID goes with a parameter.

    ``correlation``: Spearman's rank correlation over the trials in which it is not off; None where
    they are too few, or its values have no order. ``contrasts``: on against off; of values without
    order each one against the first.
    """

    correlation: Measured | None
    contrasts: list[Contrast]


class Effect(Record):
    """What the trials show of one parameter.

    ``importance``: its share of what sets the best tenth of the scored trials apart
    (PED-ANOVA), 1 for all parameters together; None where trials are too few. ``scored``: by FID of
    the scored trials; ``early``: by FID at the first check of each trial's first seed, which the
    trials given up later have as well. ``ordered``: whether its values are numbers.
    """

    parameter: str
    ordered: bool
    importance: Measured | None
    scored: Relation
    early: Relation


class EffectsRecord(Record):
    """Of every parameter of a study, in its order.

    ``n_scored``, ``n_early``: how many trials have a score, and a first check.
    """

    study: str
    n_scored: int
    n_early: int
    effects: list[Effect]


def read_effects(folder: Path) -> EffectsRecord:
    """Read the effects in a study's folder.

    Raises:
        UserError: the file is missing or is none.
    """
    path = folder / EFFECTS
    remedy = "`ganvae sweep report` writes it again."
    return parse_record(EffectsRecord, read_json(path), path, remedy)
