"""The catalogue of scores: each score's facts, said once.

Records, leaderboards, tables, verdicts, glossary, terminal and MLflow derive their lists from it.
A new score takes one pure function in `ganvae.metrics`, one entry here, and one line where it is
measured (`ganvae.evaluation`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ganvae.judge.kinds import JudgeKind
from ganvae.scores import terms
from ganvae.scores.terms import Term

Better = Literal["lower", "higher"]

Role = Literal["primary", "secondary", "headline", "further", "detail"]
"""``primary``: ranks the leaderboard and is tested alone. ``secondary``: tested too, corrected
together. ``headline``: in the leaderboard, but not tested. ``further``: in a table of its group.
``detail``: only in records and MLflow."""

Group = Literal["samples", "modes", "inversion", "reconstruction", "likelihood", "training"]
"""What a score is about. Each group has a table of its further scores, and a section in MLflow."""

Features = Literal["judge", "inception"]
"""The network whose features a score is computed in."""

Noise = Literal["resampled", "images"]
"""How a score's evaluation noise is measured: by resampling the generated images, or from the
spread over the test images."""


@dataclass(frozen=True)
class Score:
    """A score.

    Attributes:
        name: its key in records and its column in the CSV.
        title: its column heading, without the unit.
        term: its entry in the glossary.
        better: which side is better, if one is.
        unit: of the printed value.
        decimals: how many are printed.
        factor: the printed value is this many times the recorded one.
        judges: the kinds of judge that can measure it.
        noise: how its evaluation noise is measured; None if it is not.
        optional: only records of profiles that name an Inception extractor have it.
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

    @property
    def optional(self) -> bool:
        """Whether only some records have it: those with an Inception extractor."""
        return self.features == "inception"


_SAMPLES = (
    Score(
        "fid_judge", "FID (judge)", terms.FID, "samples", "primary", "lower",
        decimals=2, features="judge", noise="resampled",
    ),
    Score(
        "fid_judge_infinity", "FID (judge), N → ∞", terms.FID_INFINITY, "samples",
        better="lower", decimals=2, features="judge",
    ),
    Score(
        "kid_judge", "KID (judge)", terms.KID, "samples", "secondary", "lower", features="judge"
    ),
    Score(
        "kid_judge_std", "KID (judge), deviation between subsets", terms.KID, "samples", "detail",
        features="judge",
    ),
    Score(
        "is_judge", "IS (judge)", terms.INCEPTION_SCORE, "samples", "secondary", "higher",
        decimals=2, features="judge", judges=("classes",), noise="resampled",
    ),
    Score(
        "is_judge_std", "IS (judge), deviation between splits", terms.INCEPTION_SCORE, "samples",
        "detail", features="judge", judges=("classes",),
    ),
    Score(
        "precision_judge", "precision", terms.PRECISION_RECALL, "samples", "secondary", "higher",
        features="judge",
    ),
    Score(
        "recall_judge", "recall", terms.PRECISION_RECALL, "samples", "secondary", "higher",
        features="judge",
    ),
    Score(
        "density_judge", "density", terms.DENSITY_COVERAGE, "samples", better="higher",
        features="judge",
    ),
    Score(
        "coverage_judge", "coverage", terms.DENSITY_COVERAGE, "samples", "secondary", "higher",
        features="judge",
    ),
    Score(
        "class_distance_judge", "class distance", terms.CLASSES, "modes", better="lower",
        features="judge", judges=("classes",),
    ),
    Score(
        "classes_judge", "classes present", terms.CLASSES, "modes", better="higher", decimals=1,
        features="judge", judges=("classes",),
    ),
    Score(
        "modes_judge", "modes", terms.MODES, "modes", "headline", "higher", decimals=1,
        features="judge", judges=("channels",),
    ),
    Score(
        "mode_kl_judge", "KL of modes", terms.KL_OF_MODES, "modes", "secondary", "lower",
        features="judge", judges=("channels",),
    ),
    Score(
        "closer_to_train_judge", "closer to train (judge)", terms.CLOSER_TO_TRAIN, "samples",
        features="judge",
    ),
    Score("closer_to_train_pixels", "closer to train (pixels)", terms.CLOSER_TO_TRAIN, "samples"),
)  # fmt: skip

_RECONSTRUCTION = (
    Score(
        "reconstruction_mse", "recon. MSE", terms.RECONSTRUCTION, "reconstruction",
        better="lower", decimals=4,
    ),
    Score(
        "reconstruction_psnr", "recon. PSNR", terms.RECONSTRUCTION, "reconstruction",
        better="higher", decimals=1, unit="dB",
    ),
    Score(
        "reconstruction_ssim", "recon. SSIM", terms.RECONSTRUCTION, "reconstruction",
        better="higher",
    ),
    Score(
        "reconstruction_cross_entropy", "recon. cross-entropy", terms.RECONSTRUCTION,
        "reconstruction", better="lower", decimals=1, unit="nats",
    ),
    Score(
        "label_kept_judge", "label kept", terms.LABEL_KEPT, "reconstruction", better="higher",
        features="judge", judges=("classes", "channels"),
    ),
)  # fmt: skip

_INVERSION = (
    Score(
        "inverted_mse", "inverted MSE", terms.INVERSION, "inversion", "secondary", "lower",
        decimals=4,
    ),
    Score(
        "inverted_psnr", "inverted PSNR", terms.INVERSION, "inversion", better="higher",
        decimals=1, unit="dB",
    ),
    Score("inverted_ssim", "inverted SSIM", terms.INVERSION, "inversion", better="higher"),
    Score(
        "inverted_cross_entropy", "inverted cross-entropy", terms.INVERSION, "inversion",
        better="lower", decimals=1, unit="nats",
    ),
    Score(
        "inverted_label_kept_judge", "inverted label kept", terms.LABEL_KEPT, "inversion",
        better="higher", features="judge", judges=("classes", "channels"),
    ),
)  # fmt: skip

_LIKELIHOOD = (
    Score(
        "elbo_bernoulli", "ELBO (Bernoulli)", terms.ELBO, "likelihood", better="higher",
        decimals=1, unit="nats",
    ),
    Score(
        "elbo_gaussian", "ELBO (Gaussian)", terms.ELBO, "likelihood", better="higher",
        decimals=1, unit="nats",
    ),
    Score(
        "elbo_binarised", "ELBO (binarised)", terms.ELBO, "likelihood", better="higher",
        decimals=1, unit="nats",
    ),
    Score(
        "importance_bound_binarised", "importance bound (binarised)", terms.IMPORTANCE_BOUND,
        "likelihood", better="higher", decimals=1, unit="nats", noise="images",
    ),
)  # fmt: skip

_TRAINING = (
    Score("parameters", "parameters", terms.COST, "training", decimals=0),
    Score(
        "train_seconds", "training", terms.COST, "training", "headline", "lower",
        decimals=0, unit="s",
    ),
    Score(
        "train_images_per_second", "images/s", terms.COST, "training", better="higher", decimals=0
    ),
    Score(
        "peak_memory_mb", "peak memory", terms.COST, "training", better="lower",
        decimals=0, unit="MB",
    ),
)  # fmt: skip

_INCEPTION = (
    Score(
        "fid_inception", "FID (Inception)", terms.FID, "samples", better="lower", decimals=2,
        features="inception",
    ),
    Score(
        "kid_inception", "KID (Inception)", terms.KID, "samples", better="lower", decimals=2,
        factor=1000, features="inception",
    ),
)  # fmt: skip

CATALOGUE: tuple[Score, ...] = (
    *_SAMPLES, *_RECONSTRUCTION, *_INVERSION, *_LIKELIHOOD, *_TRAINING, *_INCEPTION,
)  # fmt: skip
"""Every score, in the order of records and tables."""

SCORES = {score.name: score for score in CATALOGUE}
"""The scores by name."""


def names(
    roles: Sequence[Role] = get_args(Role), groups: Sequence[Group] = get_args(Group)
) -> tuple[str, ...]:
    """The names of all scores that have one of the roles and are in one of the groups."""
    return tuple(s.name for s in CATALOGUE if s.role in roles and s.group in groups)


def better(name: str) -> Better | None:
    """Which side of a score is better. None if neither side is, or if no score has this name."""
    return SCORES[name].better if name in SCORES else None


REQUIRED = tuple(score.name for score in CATALOGUE if not score.optional)
"""Every new record has these scores. A score that does not apply is null."""

INCEPTION = tuple(score.name for score in CATALOGUE if score.optional)
"""Only records of a profile that names an Inception extractor have these scores."""

(PRIMARY,) = names(["primary"])
"""The primary outcome: it ranks the leaderboard and is tested alone."""

COMPARED = (PRIMARY, *names(["secondary"]))
"""The scores that GANs and VAEs are compared by. All but the first are tested together.

No judge measures both IS and the KL of modes, so at most six secondary scores are tested. Five
seeds against five can bear that many.
"""

HEADLINE = names(["primary", "secondary", "headline"])
"""The columns of the leaderboard."""

TABLED = names(["primary", "secondary", "headline", "further"])
"""Every score that has a column in a table."""

COSTS = names(groups=["training"])
"""The scores that tell the cost of a training run."""

RESAMPLED = tuple(score.name for score in CATALOGUE if score.noise == "resampled")
"""The scores whose evaluation noise is measured by resampling the generated images."""
