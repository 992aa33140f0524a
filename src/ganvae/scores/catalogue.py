"""The catalogue of all scores: name, title, unit and further facts of each score.

Records, leaderboards, tables, verdicts, glossary, terminal and MLflow derive their lists of scores
from this catalogue. To add a score, write a pure function in `ganvae.metrics`, add an entry here,
and call the function in `ganvae.evaluation`.
"""

from collections.abc import Sequence
from typing import get_args

from ganvae.scores import terms
from ganvae.scores.score import LARGEST, POSITIVE, ROUNDING, SHARE, Better, Group, Role, Score

_SAMPLES = (
    Score(
        "fid_judge", "FID (judge)", terms.FID, "samples", "primary", "lower",
        decimals=2, features="judge", noise="resampled", range=POSITIVE, scale="log",
    ),
    Score(
        "fid_unlabelled", "FID (second judge)", terms.FID_UNLABELLED, "samples", "headline",
        "lower", decimals=2, features="unlabelled", range=POSITIVE, scale="log",
    ),
    Score(
        "fld_gap_judge", "FLD gap (judge)", terms.FLD, "samples", "headline", decimals=2,
        features="judge",
    ),
    Score(
        "closer_to_train_pixels", "closer to train (pixels)", terms.CLOSER_TO_TRAIN, "samples",
        "headline", range=SHARE,
    ),
    Score(
        "fld_judge", "FLD (judge)", terms.FLD, "samples", better="lower", decimals=2,
        features="judge",
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
        features="judge", range=POSITIVE,
    ),
    Score(
        "is_judge", "IS (judge)", terms.INCEPTION_SCORE, "samples", "secondary", "higher",
        decimals=2, features="judge", judges=("classes",), noise="resampled", range=(1.0, LARGEST),
    ),
    Score(
        "is_judge_std", "IS (judge), deviation between splits", terms.INCEPTION_SCORE, "samples",
        "detail", features="judge", judges=("classes",), range=POSITIVE,
    ),
    Score(
        "precision_judge", "precision", terms.PRECISION_RECALL, "samples", "secondary", "higher",
        features="judge", noise="samples", range=SHARE,
    ),
    Score(
        "recall_judge", "recall", terms.PRECISION_RECALL, "samples", "secondary", "higher",
        features="judge", noise="halves", range=SHARE,
    ),
    Score(
        "density_judge", "density", terms.DENSITY_COVERAGE, "samples", better="higher",
        features="judge", noise="samples", range=POSITIVE,
    ),
    Score(
        "coverage_judge", "coverage", terms.DENSITY_COVERAGE, "samples", "secondary", "higher",
        features="judge", noise="halves", range=SHARE,
    ),
    Score(
        "vendi_judge", "Vendi score (judge)", terms.VENDI, "samples", better="higher", decimals=2,
        features="judge", range=(1.0, LARGEST),
    ),
    Score(
        "class_distance_judge", "class distance", terms.CLASSES, "modes", better="lower",
        features="judge", judges=("classes",), range=SHARE,
    ),
    Score(
        "classes_judge", "classes present", terms.CLASSES, "modes", better="higher", decimals=1,
        features="judge", judges=("classes",), range=POSITIVE,
    ),
    Score(
        "modes_judge", "modes", terms.MODES, "modes", "headline", "higher", decimals=1,
        features="judge", judges=("channels",), range=POSITIVE,
    ),
    Score(
        "mode_kl_judge", "KL of modes", terms.KL_OF_MODES, "modes", "secondary", "lower",
        features="judge", judges=("channels",), range=POSITIVE, scale="log",
    ),
    Score(
        "closer_to_train_judge", "closer to train (judge)", terms.CLOSER_TO_TRAIN, "samples",
        features="judge", range=SHARE,
    ),
)  # fmt: skip

_RECONSTRUCTION = (
    Score(
        "reconstruction_mse", "recon. MSE", terms.RECONSTRUCTION, "reconstruction",
        better="lower", decimals=4, range=POSITIVE, scale="log",
    ),
    Score(
        "reconstruction_psnr_per_image", "recon. PSNR, mean over images", terms.RECONSTRUCTION,
        "reconstruction", better="higher", decimals=1, unit="dB",
    ),
    Score(
        "reconstruction_psnr_of_mean_mse", "recon. PSNR of the mean MSE", terms.RECONSTRUCTION,
        "reconstruction", "detail", "higher", decimals=1, unit="dB",
    ),
    Score(
        "reconstruction_ssim_valid", "recon. SSIM", terms.RECONSTRUCTION, "reconstruction",
        better="higher", range=(-1.0, 1.0),
    ),
    Score(
        "reconstruction_ssim_padded", "recon. SSIM, padded borders", terms.RECONSTRUCTION,
        "reconstruction", "detail", "higher", range=(-1.0, 1.0),
    ),
    Score(
        "reconstruction_cross_entropy", "recon. cross-entropy", terms.RECONSTRUCTION,
        "reconstruction", better="lower", decimals=1, unit="nats", range=POSITIVE,
    ),
    Score(
        "label_kept_judge", "label kept", terms.LABEL_KEPT, "reconstruction", better="higher",
        features="judge", judges=("classes", "channels"), range=SHARE,
    ),
)  # fmt: skip

_INVERSION = (
    Score(
        "inverted_mse", "inverted MSE", terms.INVERSION, "inversion", "secondary", "lower",
        decimals=4, range=POSITIVE, scale="log",
    ),
    Score(
        "inverted_psnr_per_image", "inverted PSNR, mean over images", terms.INVERSION,
        "inversion", better="higher", decimals=1, unit="dB",
    ),
    Score(
        "inverted_psnr_of_mean_mse", "inverted PSNR of the mean MSE", terms.INVERSION,
        "inversion", "detail", "higher", decimals=1, unit="dB",
    ),
    Score(
        "inverted_ssim_valid", "inverted SSIM", terms.INVERSION, "inversion",
        better="higher", range=(-1.0, 1.0),
    ),
    Score(
        "inverted_ssim_padded", "inverted SSIM, padded borders", terms.INVERSION,
        "inversion", "detail", "higher", range=(-1.0, 1.0),
    ),
    Score(
        "inverted_cross_entropy", "inverted cross-entropy", terms.INVERSION, "inversion",
        better="lower", decimals=1, unit="nats", range=POSITIVE,
    ),
    Score(
        "inverted_label_kept_judge", "inverted label kept", terms.LABEL_KEPT, "inversion",
        better="higher", features="judge", judges=("classes", "channels"), range=SHARE,
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
        "elbo_gaussian_learned", "ELBO (Gaussian, learned variance)", terms.ELBO, "likelihood",
        better="higher", decimals=1, unit="nats",
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
    Score("parameters", "parameters", terms.COST, "training", decimals=0, range=POSITIVE),
    Score(
        "train_seconds", "training", terms.COST, "training", "headline", "lower",
        decimals=0, unit="s", range=POSITIVE,
    ),
    Score(
        "budget_share", "share of own budget", terms.BUDGET, "training", "headline", decimals=0,
        unit="%", factor=100, range=POSITIVE,
    ),
    Score(
        "train_images_per_second", "images/s", terms.COST, "training", better="higher", decimals=0,
        range=POSITIVE,
    ),
    Score(
        "peak_memory_mb", "peak memory", terms.COST, "training", better="lower",
        decimals=0, unit="MB", range=POSITIVE,
    ),
)  # fmt: skip

_INCEPTION = (
    Score(
        "fid_inception", "FID (Inception)", terms.FID, "samples", better="lower", decimals=2,
        features="inception", range=POSITIVE, scale="log",
    ),
    Score(
        "kid_inception", "KID (Inception)", terms.KID, "samples", better="lower", decimals=2,
        factor=1000, features="inception",
    ),
)  # fmt: skip

CATALOGUE: tuple[Score, ...] = (
    *_SAMPLES, *_RECONSTRUCTION, *_INVERSION, *_LIKELIHOOD, *_TRAINING, *_INCEPTION,
)  # fmt: skip
"""All scores, in the order in which records and tables list them."""

SCORES = {score.name: score for score in CATALOGUE}
"""A mapping from the name of a score to the score."""

RENAMED = {
    f"{kind}_{old}": f"{kind}_{new}"
    for kind in ("reconstruction", "inverted")
    for old, new in (("psnr", "psnr_of_mean_mse"), ("ssim", "ssim_padded"))
}
"""A mapping from the name of a score in old records to its present name."""


def names(
    roles: Sequence[Role] = get_args(Role), groups: Sequence[Group] = get_args(Group)
) -> tuple[str, ...]:
    """Return the names of all scores with a role in ``roles`` and a group in ``groups``."""
    return tuple(s.name for s in CATALOGUE if s.role in roles and s.group in groups)


def better(name: str) -> Better | None:
    """Return whether lower or higher values of a score are better.

    The result is None if neither is better, or if no score has this name.
    """
    return SCORES[name].better if name in SCORES else None


def in_range(name: str, value: float) -> bool:
    """Return whether the score ``name`` can have this value. NaN gives False."""
    least, most = SCORES[name].range
    return least - ROUNDING <= value <= most + ROUNDING


REQUIRED = tuple(score.name for score in CATALOGUE if not score.optional)
"""The names of the scores that every new record has. A score that was not measured is null."""

INCEPTION = tuple(score.name for score in CATALOGUE if score.optional)
"""The names of the scores that only records of profiles with an Inception network have."""

(PRIMARY,) = names(["primary"])
"""The name of the primary score, which ranks the leaderboard. Its p-value is not corrected."""

COMPARED = (PRIMARY, *names(["secondary"]))
"""The names of the scores by which GANs and VAEs are compared. The primary score comes first.

The p-values of the secondary scores are corrected together. No judge measures both IS and the KL of
modes, so at most six secondary scores are tested. With five seeds on each side, a difference can
still be significant after a correction for six tests.
"""

HEADLINE = names(["primary", "secondary", "headline"])
"""The names of the scores that are columns of the leaderboard."""

TABLED = names(["primary", "secondary", "headline", "further"])
"""The names of all scores that are columns of at least one table."""

COSTS = names(groups=["training"])
"""The names of the scores that measure the cost of a training run, such as training time."""

RESAMPLED = tuple(score.name for score in CATALOGUE if score.noise in ("resampled", "halves"))
"""The names of the scores whose evaluation noise comes from resampling the generated images."""
