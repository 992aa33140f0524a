"""The facts about one score: its name, title, unit, range and more."""

from dataclasses import dataclass
from typing import Literal, get_args

from ganvae.judge.kinds import JudgeKind
from ganvae.scores.terms import Term

Better = Literal["lower", "higher"]

Role = Literal["primary", "secondary", "headline", "further", "detail"]
"""The role of a score in the reports.

``primary``: ranks the leaderboard; its significance test stands alone. ``secondary``: in the
leaderboard; the tests of all secondary scores are corrected together. ``headline``: in the
leaderboard, but not tested. ``further``: in the table of the score's group. ``detail``: in no
table, only in records and MLflow.
"""

Group = Literal["samples", "modes", "inversion", "reconstruction", "likelihood", "training"]
"""The topic of a score. Each group has a table of its ``further`` scores, and an MLflow section."""

Features = Literal["judge", "inception"]
"""The network that turns images into the features from which a score is computed."""

Noise = Literal["resampled", "images"]
"""The method that measures a score's evaluation noise, the noise from the random draw of images.

``resampled``: by resampling the generated images. ``images``: from the spread over the test images.
"""


LARGEST = 1e30
"""The largest number that a score can be, and the negative of the smallest."""

ROUNDING = 1e-6
"""A score may leave its range by this much, because of rounding."""

ANY, POSITIVE, SHARE = (-LARGEST, LARGEST), (0.0, LARGEST), (0.0, 1.0)


@dataclass(frozen=True)
class Score:
    """The facts about one score.

    Attributes:
        name: the score's key in records and its column in the CSV.
        title: the column heading, without the unit.
        term: the score's entry in the glossary.
        better: whether lower or higher values are better. None if neither is.
        unit: the unit of the printed value.
        decimals: the number of decimals that are printed.
        factor: the printed value is the recorded value times this factor.
        features: the network whose features the score uses. None if the score uses no features.
        judges: the kinds of judge that can measure the score.
        noise: the method that measures the evaluation noise. None if this noise is not measured.
        range: the least and the largest possible value. Records with other values are refused.
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

    @property
    def optional(self) -> bool:
        """Whether the score exists only in records of profiles that name an Inception network."""
        return self.features == "inception"
