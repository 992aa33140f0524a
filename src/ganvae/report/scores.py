"""How models and scores are called and written: in Markdown, in plain text and in HTML alike."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ganvae.report.numbers import fixed
from ganvae.scores.comparison import COMPARED, Row
from ganvae.scores.records import BETTER
from ganvae.scores.statistics import Estimate

TIMES = " \N{MULTIPLICATION SIGN} "
ARROWS = {"lower": "↓", "higher": "↑"}
REFERENCES = {"floor": "floor (real training images)", "ceiling": "ceiling (pixel-wise Gaussian)"}
"""What the baselines are called in full."""


class Column(NamedTuple):
    """A score's title, its decimals, and what it is multiplied by when it is printed."""

    title: str
    decimals: int
    factor: int = 1


COLUMNS = {
    "fid_judge": Column("FID (judge)", 2),
    "kid_judge": Column("KID (judge)", 3),
    "is_judge": Column("IS (judge)", 2),
    "modes_judge": Column("modes", 1),
    "mode_kl_judge": Column("KL of modes", 3),
    "precision_judge": Column("precision", 3),
    "recall_judge": Column("recall", 3),
    "coverage_judge": Column("coverage", 3),
    "inverted_mse": Column("inverted MSE", 4),
    "train_seconds": Column("training, s", 0),
    "fid_judge_infinity": Column("FID (judge), N → ∞", 2),
    "density_judge": Column("density", 3),
    "class_distance_judge": Column("class distance", 3),
    "classes_judge": Column("classes present", 1),
    "closer_to_train_judge": Column("closer to train (judge)", 3),
    "closer_to_train_pixels": Column("closer to train (pixels)", 3),
    "inverted_ssim": Column("inverted SSIM", 3),
    "inverted_label_kept_judge": Column("inverted label kept", 3),
    "reconstruction_mse": Column("recon. MSE", 4),
    "reconstruction_psnr": Column("recon. PSNR, dB", 1),
    "reconstruction_ssim": Column("recon. SSIM", 3),
    "reconstruction_cross_entropy": Column("recon. cross-entropy, nats", 1),
    "label_kept_judge": Column("label kept", 3),
    "elbo_bernoulli": Column("ELBO (Bernoulli), nats", 1),
    "elbo_gaussian": Column("ELBO (Gaussian), nats", 1),
    "elbo_binarised": Column("ELBO (binarised), nats", 1),
    "importance_bound_binarised": Column("importance bound (binarised), nats", 1),
    "train_images_per_second": Column("images/s", 0),
    "peak_memory_mb": Column("peak memory, MB", 0),
    "parameters": Column("parameters", 0),
    "fid_inception": Column("FID (Inception)", 2),
    "kid_inception": Column(f"KID (Inception){TIMES}1000", 2, factor=1000),
}
"""Every score that tables show, in their order."""

HEADLINE = tuple(name for name in COLUMNS if name in (*COMPARED, "modes_judge", "train_seconds"))
"""The scores of the leaderboard; the others follow in tables of their own."""


def measured(rows: Sequence[Row], scores: Iterable[str]) -> list[str]:
    """Those of the scores that any row has: what is never measured gets no column."""
    return [name for name in scores if any(name in row.scores for row in rows)]


def heading(score: str) -> str:
    """A score's title with the features that it is taken in and the way that is better."""
    return f"{COLUMNS[score].title} {arrow(score)}".rstrip()


def title(score: str) -> str:
    """A score's title without "(judge)", where there is no other or the text says it."""
    return COLUMNS[score].title.replace(" (judge)", "")


def name(score: str) -> str:
    """A score as a sentence calls it, without its unit."""
    return title(score).partition(TIMES)[0]


def arrow(score: str) -> str:
    """Which way is better, if one is."""
    return ARROWS.get(BETTER.get(score, ""), "")


def printed(score: str, value: float) -> str:
    """A value or a margin, as all tables have it."""
    column = COLUMNS[score]
    return fixed(column.factor * value, column.decimals)


def signed(score: str, value: float) -> str:
    """A difference, with its sign."""
    column = COLUMNS[score]
    return fixed(column.factor * value, column.decimals, plus="+")


def interval(score: str, low: float | None, high: float | None) -> str:
    """`−1.20 to +0.30`, of a difference; empty where there is none."""
    if low is None or high is None:
        return ""
    return f"{signed(score, low)} to {signed(score, high)}"


def estimated(score: str, estimate: Estimate) -> tuple[str, str]:
    """A mean, and `± 1.06`: half of its interval, empty of one seed or where all are the same."""
    margin = f"± {printed(score, estimate.margin)}" if estimate.margin else ""
    return printed(score, estimate.mean), margin


def failures(row: Row) -> str:
    """`1 collapsed, 2 diverged`: what became of the runs that did not complete."""
    counts = ((row.collapsed, "collapsed"), (row.diverged, "diverged"))
    return ", ".join(f"{count} {status}" for count, status in counts if count)
