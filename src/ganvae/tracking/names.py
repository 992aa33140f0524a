"""Every tag and metric name that runs in MLflow have; knows no MLflow.

MLflow shows metrics by section, the part of the name before the slash, in alphabetical order. So
the sections are named such that FID comes first.
"""

from ganvae.scores.catalogue import PRIMARY, SCORES

KEY = "ganvae.key"
"""Tag that stays the same when a run is repeated: ``<profile>/<variant>-<seed>``, for example."""

DIGEST = "ganvae.digest"
"""Tag: checksum of what the run shows; it is written last, so a run without it is incomplete."""

PICTURES = "ganvae.pictures"
"""Tag: checksum of the run's pictures. The digest leaves them out, since a clone has few."""

LIVE = "ganvae.live"
"""Tag of a run that was shown while it trained: the fingerprint of that training."""

SHOWN = "ganvae.shown"
"""Tag of a study's run: checksum of the trials and pictures that it shows; it is written last."""

CURRENT = "current"
"""Tag: ``true`` for the present results, ``live`` for a run in training, ``false`` for history."""

LEVEL = "level"
"""Tag: ``run`` is one training, ``variant`` the mean of its seeds; ``study`` and ``trial`` are a
sweep's."""

WEIGHTS_SHA256 = "weights_sha256"
"""Tag of a model version: checksum of its file."""

VALIDATION = "fid_judge_validation"
"""FID on the validation split, which champions and trials are chosen by."""

IMAGES = "samples"
"""The key of the sample grids by step."""

COUNTS = ("steps", "images_seen")
"""What a training run counts."""


def metric(score: str) -> str:
    """The metric of a score, or of another number that is kept with the scores.

    FID's section is ``fid``, that of the other headline scores ``headline``; further scores are in
    the section of their group.
    """
    if score in (PRIMARY, f"{PRIMARY}_infinity", VALIDATION):
        return f"fid/{score}"
    if score in COUNTS:
        return f"training/{score}"
    entry = SCORES[score]
    headline = entry.role in ("secondary", "headline") and entry.group != "training"
    return f"{'headline' if headline else entry.group}/{score}"


def interval_ends(score: str) -> tuple[str, str]:
    """The metrics of the ends of a mean's 95 % interval."""
    return f"intervals/{score}_low", f"intervals/{score}_high"


def loss_metric(name: str) -> str:
    """The metric of a loss, by training step."""
    return f"losses/{name}"


def status_metric(status: str) -> str:
    """The metric that counts a variant's runs of one status."""
    return f"runs/{status}"


CURVE = f"{metric(VALIDATION)}_curve"
"""The metric of a trial: FID of its first seed by the share of its schedule, per mille."""
