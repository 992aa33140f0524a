"""What a sweep shows of each parameter, as a record beside the study's (`effects.json`)."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ganvae.core.errors import UserError
from ganvae.core.files import read_json

EFFECTS = "effects.json"
LEAST_TRIALS = 8
"""Of fewer trials nothing is said."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Measured(_Part):
    """A number of ``n`` trials with its 95 % interval, from resampling the trials."""

    value: float
    low: float
    high: float
    n: int

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


class Contrast(_Part):
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


class Relation(_Part):
    """How FID goes with a parameter.

    ``correlation``: Spearman's rank correlation over the trials in which it is not off; None where
    they are too few, or its values have no order. ``contrasts``: on against off; of values without
    order each one against the first.
    """

    correlation: Measured | None
    contrasts: list[Contrast]


class Effect(_Part):
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


class StudyEffects(_Part):
    """Of every parameter of a study, in its order.

    ``n_scored``, ``n_early``: how many trials have a score, and a first check.
    """

    study: str
    n_scored: int
    n_early: int
    effects: list[Effect]


def read_effects(folder: Path) -> StudyEffects:
    """Read the effects in a study's folder.

    Raises:
        UserError: the file is missing or is none.
    """
    try:
        return StudyEffects.model_validate(read_json(folder / EFFECTS))
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "top level"
        raise UserError(
            f"{folder / EFFECTS}: not a study's effects ({where}: {fault['msg']}); `ganvae sweep "
            "report` writes it anew."
        ) from None
