"""The class of scores: name, title, unit, range and further facts of a score."""

from dataclasses import dataclass
from typing import Literal, get_args

from ganvae.judge.kinds import JudgeKind
from ganvae.scores.intervals import Scale
from ganvae.scores.terms import Term

Better = Literal["lower", "higher"]

Role = Literal["primary", "secondary", "headline", "further", "detail"]
"""The role of a score in the reports.

The ``primary`` score ranks the leaderboard, and its p-value is not corrected. ``secondary`` scores
are in the leaderboard, and their p-values are corrected together. ``headline`` scores are in the
leaderboard, but are not tested. ``further`` scores are in the table of their group. ``detail``
scores are in no table, only in records and MLflow.
"""

Group = Literal["samples", "modes", "inversion", "reconstruction", "likelihood", "training"]
"""The topic of a score. Each group has a table of its ``further`` scores, and an MLflow section."""

Features = Literal["judge", "unlabelled", "inception"]
"""The network that turns images into the features from which a score is computed."""

Noise = Literal["resampled", "halves", "samples", "images"]
"""The method that measures a score's evaluation noise, the noise from the random draw of images.

``resampled`` means that the generated images are resampled. ``halves`` means that random halves of
the generated images are scored. ``samples`` means that the noise is computed from the spread over
the generated images, and ``images`` from the spread over the test images.
"""


LARGEST = 1e30
"""The largest possible value of a score. The smallest possible value is ``-LARGEST``."""

ROUNDING = 1e-6
"""The largest distance by which rounding may move a score out of its range."""

ANY, POSITIVE, SHARE = (-LARGEST, LARGEST), (0.0, LARGEST), (0.0, 1.0)


@dataclass(frozen=True)
class Score:
    """The facts about one score.

    Attributes:
        name: the score's key in records and its column in the CSV.
        title: the column heading, without the unit.
        term: the score's entry in the glossary.
        better: whether lower or higher values are better. None if neither is better.
        unit: the unit of the printed value.
        decimals: the number of decimals that are printed.
        factor: the printed value is the recorded value times this factor.
        features: the network whose features the score uses. None if the score uses no features.
        judges: the kinds of judge that can measure the score.
        noise: the method that measures the evaluation noise. None if this noise is not measured.
        range: the least and the largest possible value. Records with other values are refused.
        scale: ``log`` for positive scores whose spread grows with their size, such as FID. Means
            over seeds of these scores are geometric, and differences are ratios.
    """

    name: str
    title: str
    term: Term
    group: Group
    role: Role = "further"
    better: Better | None = None
    unit: str = ""
    decimals: int = 3
    factor: int = 1
    features: Features | None = None
    judges: tuple[JudgeKind, ...] = get_args(JudgeKind)
    noise: Noise | None = None
    range: tuple[float, float] = ANY
    scale: Scale = "linear"

    @property
    def optional(self) -> bool:
        """Whether the score exists only in records of profiles that name an Inception network."""
        return self.features == "inception"
