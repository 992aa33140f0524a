"""The names of all tags and metrics in MLflow. This module needs no MLflow.

MLflow groups metrics by section, the part of the name before the slash. MLflow sorts the sections
alphabetically. The sections are named so that FID comes first.
"""

from ganvae.scores.catalogue import PRIMARY, SCORES

KEY = "ganvae.key"
"""Tag of an MLflow run: its key, such as ``<profile>/<variant>-<seed>``.

The key stays the same when the training run is repeated.
"""

DIGEST = "ganvae.digest"
"""Tag of an MLflow run: the checksum of its results.

This tag is written last. An MLflow run without this tag is incomplete.
"""

PICTURES = "ganvae.pictures"
"""Tag of an MLflow run: the checksum of its pictures.

`DIGEST` does not cover the pictures, because a clone of the repository has only a few pictures.
"""

EXPERIMENT = "ganvae.experiment"
"""Tag of an MLflow experiment: its first name. A user may rename the experiment."""

LIVE = "ganvae.live"
"""Tag of an MLflow run that was created during training: the fingerprint of the training run.

The fingerprint covers everything that determines the weights.
"""

SHOWN = "ganvae.shown"
"""Tag of a study's MLflow run: the checksum of the study's trials and pictures.

This tag is written last.
"""

CURRENT = "current"
"""Tag: ``true`` for current results, ``false`` for earlier results, ``live`` during training."""

LEVEL = "level"
"""Tag that tells what an MLflow run shows.

``run``: one training run or baseline. ``variant``: the means over a variant's seeds. ``study``: a
hyperparameter sweep. ``match``: two searches with equal effort, one per family. ``trial``: one
trial of a sweep, or one training run of a match.
"""

MATCH = "match"
"""Tag of the MLflow runs of a match: the name of the match."""

WEIGHTS_SHA256 = "weights_sha256"
"""Tag of a model version: the SHA-256 checksum of its weights file."""

VALIDATION = "fid_judge_validation"
"""The name of FID on the validation split, by which champions and trials are chosen."""

IMAGES = "samples"
"""The key under which MLflow stores the sample grids of all training steps."""

COUNTS = ("steps", "images_seen")
"""The names of a training run's counters in its outcome file."""

CPU_COSTS = ("cpu_seconds", "fit_seconds", "sampling_seconds")
"""The names of the costs in the record of a match's training run, in CPU-seconds."""


def metric(score: str) -> str:
    """Return the MLflow metric's name for a score, a counter or a cost.

    FID is in the section ``fid``. Counters and costs are in the section ``training``. Secondary and
    headline scores are in the section ``headline``, except training costs. Every other score is in
    the section of its group.

    Args:
        score: a name from the catalogue of scores, `VALIDATION`, or a name from `COUNTS` or
            `CPU_COSTS`.
    """
    if score in (PRIMARY, f"{PRIMARY}_infinity", VALIDATION):
        return f"fid/{score}"
    if score in (*COUNTS, *CPU_COSTS):
        return f"training/{score}"
    entry = SCORES[score]
    headline = entry.role in ("secondary", "headline") and entry.group != "training"
    return f"{'headline' if headline else entry.group}/{score}"


def interval_ends(score: str) -> tuple[str, str]:
    """Return the metric names for the low and the high end of a mean's 95 % confidence interval."""
    return f"intervals/{score}_low", f"intervals/{score}_high"


def loss_metric(name: str) -> str:
    """Return the metric's name for a loss. Losses are logged by training step."""
    return f"losses/{name}"


def status_metric(status: str) -> str:
    """Return the metric's name for the number of a variant's training runs with this status."""
    return f"runs/{status}"


CURVE = f"{metric(VALIDATION)}_curve"
"""The name of a trial's metric: FID of the trial's first seed during training.

The metric's step is the completed share of the training schedule, in per mille.
"""
