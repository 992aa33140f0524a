"""Evaluating one training run of a profile."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganvae import compute
from ganvae.config import Params
from ganvae.data.store import StoredSplit, read_split
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.records import ScoreRecord, blank_scores
from ganvae.evaluation.reference import read_reference
from ganvae.files import read_json, sha256
from ganvae.images import ImageError, from_uint8, to_uint8
from ganvae.judge.network import FrozenJudge
from ganvae.models.base import GenerativeModel, VariationalModel
from ganvae.models.weights import load_model
from ganvae.paths import ProfilePaths

SHOWN_PER_CLASS = 2


@dataclass(frozen=True)
class Evaluation:
    """A run's record and what there is to look at.

    ``samples``: the generated images, uint8, or None if the run diverged.
    ``reconstructions``: originals and reconstructions, uint8, some of each class in turn, or
    None if the model does not reconstruct or the run diverged.
    """

    record: ScoreRecord
    samples: Tensor | None = None
    reconstructions: tuple[Tensor, Tensor] | None = None


@dataclass(frozen=True)
class _Measured:
    scores: dict[str, float | None]
    samples: Tensor
    reconstructions: tuple[Tensor, Tensor] | None


def make_evaluator(params: Params) -> Evaluator:
    """The profile's judge, reference and settings."""
    judge = FrozenJudge(Path(params.judge), compute.use(params.compute))
    reference = read_reference(ProfilePaths(params.profile).reference, judge)
    return Evaluator(judge, reference, params.evaluation)


def evaluate_run(params: Params, key: str) -> Evaluation:
    """Score ``params.runs[key]`` on the test split. A diverged run is recorded, not scored."""
    paths = ProfilePaths(params.profile)
    run = paths.run(key)
    outcome = read_json(run.outcome)
    evaluator = make_evaluator(params)
    reason, measured = outcome["reason"], None
    if reason is None:
        model = load_model(run.weights).to(evaluator.judge.device)
        try:
            measured = _measure(evaluator, model, paths.split("test"), outcome["seed"])
            reason = _not_finite(measured.scores)
        except ImageError as error:  # a weight has become NaN or infinite
            reason = str(error)
    scored = measured if reason is None else None
    record = ScoreRecord(
        model=outcome["model"],
        family=outcome["family"],
        seed=outcome["seed"],
        status="diverged" if reason else "completed",
        reason=reason,
        scores=blank_scores()
        | {"parameters": outcome["parameters"]}
        | (scored.scores if scored else {}),
        provenance=evaluator.provenance(
            training_seed=outcome["seed"],
            weights_sha256=sha256(run.weights),
            training_steps=outcome["steps"],
        ),
    )
    return (
        Evaluation(record, scored.samples, scored.reconstructions) if scored else Evaluation(record)
    )


def _measure(evaluator: Evaluator, model: GenerativeModel, test_path: Path, seed: int) -> _Measured:
    samples = evaluator.generate(model, seed)
    scores = evaluator.score_generated(samples, seed)
    if not isinstance(model, VariationalModel):
        return _Measured(scores, samples, None)
    test = read_split(test_path)
    scores |= evaluator.score_variational(model, test, seed)
    return _Measured(scores, samples, _some_reconstructions(model, test))


def _not_finite(scores: dict[str, float | None]) -> str | None:
    """Which score is NaN or infinite, if any."""
    for name, score in scores.items():
        if score is not None and not math.isfinite(score):
            return f"{name} is {score}"
    return None


def _some_reconstructions(model: VariationalModel, split: StoredSplit) -> tuple[Tensor, Tensor]:
    """The first images of each class, and what the model makes of them."""
    firsts = [
        (split.labels == label).nonzero().flatten()[:SHOWN_PER_CLASS]
        for label in range(len(split.classes))
    ]
    originals = split.images[torch.cat(firsts)]
    return originals, to_uint8(model.reconstruct(from_uint8(originals)), "reconstructions")
