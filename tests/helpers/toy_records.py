"""Invented score records, for tests of comparisons."""

from typing import Literal

import provenance
from ganvae.scores.records import ScoreRecord, complete_scores

PROVENANCE = provenance.PROVENANCE.model_copy(
    update={"n_real": 100, "n_generated": 100, "weights_sha256": None, "training_steps": 7}
)


def record(model: str, seed: int, fid: float | None, **measured: object) -> ScoreRecord:
    family: Literal["gan", "vae", "reference"] = "vae" if "vae" in model else "gan"
    if model in ("floor", "ceiling"):
        family = "reference"
    trained = {} if family == "reference" else {"weights_sha256": f"of {model}, seed {seed}"}
    return ScoreRecord(
        variant=model,
        family=family,
        seed=seed,
        status="diverged" if fid is None else "completed",
        reason="d_loss was NaN" if fid is None else None,
        scores=complete_scores({"fid_judge": fid}),
        provenance=PROVENANCE.model_copy(update=trained | measured),
    )


def runs(model: str, fids: list[float], **scores: float) -> list[ScoreRecord]:
    """One record per FID, each with the further ``scores``."""
    return [with_scores(record(model, seed, fid), **scores) for seed, fid in enumerate(fids)]


def with_scores(record: ScoreRecord, **scores: float | None) -> ScoreRecord:
    return record.model_copy(update={"scores": record.scores | scores})


def collapsed(record: ScoreRecord) -> ScoreRecord:
    return record.model_copy(update={"status": "collapsed", "reason": "one class alone"})
