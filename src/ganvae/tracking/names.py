"""The names of all tags and metrics in MLflow; imports no MLflow.

MLflow groups metrics by section, the part of the name before the slash. It sorts the sections
alphabetically, so they are named such that FID comes first.
"""

from ganvae.scores.catalogue import PRIMARY, SCORES

KEY = "ganvae.key"
"""Tag that stays the same when a run is repeated, such as ``<profile>/<variant>-<seed>``."""

DIGEST = "ganvae.digest"
"""Tag: checksum of the run's results. It is written last: a run without it is incomplete."""

PICTURES = "ganvae.pictures"
"""Tag: checksum of the run's pictures. The digest excludes them, since a clone has few."""

LIVE = "ganvae.live"
"""Tag of a run that was shown during training: the fingerprint of the training."""

SHOWN = "ganvae.shown"
"""Tag of a study's run: checksum of its trials and pictures. It is written last."""

CURRENT = "current"
"""Tag: ``true`` for current results, ``false`` for earlier ones, ``live`` during training."""

LEVEL = "level"
"""Tag: ``run`` for one training run, ``variant`` for the means over its seeds; ``study`` and
``trial`` for sweeps."""

WEIGHTS_SHA256 = "weights_sha256"
"""Tag of a model version: checksum of its file."""

VALIDATION = "fid_judge_validation"
"""FID on the validation split. It selects champions and trials."""

IMAGES = "samples"
"""The image key of the sample grids, which are logged by step."""

COUNTS = ("steps", "images_seen")
"""The counters of a training run."""


def metric(score: str) -> str:
    """The metric's name for a score, or for another number in the same record.

    FID is in the section ``fid``, and the other headline scores are in ``headline``. Every other
    score is in the section of its group.
    """
    if score in (PRIMARY, f"{PRIMARY}_infinity", VALIDATION):
        return f"fid/{score}"
    if score in COUNTS:
        return f"training/{score}"
    entry = SCORES[score]
    headline = entry.role in ("secondary", "headline") and entry.group != "training"
    return f"{'headline' if headline else entry.group}/{score}"


def interval_ends(score: str) -> tuple[str, str]:
    """The names of the two ends of a mean's 95 % confidence interval."""
    return f"intervals/{score}_low", f"intervals/{score}_high"


def loss_metric(name: str) -> str:
    """The name of a loss, which is logged by training step."""
    return f"losses/{name}"


def status_metric(status: str) -> str:
    """The name for the number of a variant's runs with this status."""
    return f"runs/{status}"


CURVE = f"{metric(VALIDATION)}_curve"
"""A trial's metric: FID of its first seed. The step is the share of its schedule, per mille."""
