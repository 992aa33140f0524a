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
from ganvae.models.base import VariationalModel
from ganvae.models.weights import load_model
from ganvae.paths import ProfilePaths

SHOWN_PER_CLASS = 2


@dataclass(frozen=True)
class Evaluation:
    """A run's record and what there is to look at.

    ``samples``: the first generated images, uint8, or None if the run diverged.
    ``reconstructions``: originals and reconstructions, uint8, some of each class in turn, or
    None if the model does not reconstruct.
    """

    record: ScoreRecord
    samples: Tensor | None
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
    scores = blank_scores() | {"parameters": outcome["parameters"]}
    status, reason = outcome["status"], outcome["reason"]
    samples = reconstructions = None
    if status == "completed":
        model = load_model(run.weights).to(evaluator.judge.device)
        try:
            samples = evaluator.generate(model, outcome["seed"])
            scores |= evaluator.score_generated(samples, outcome["seed"])
            if isinstance(model, VariationalModel):
                test = read_split(paths.split("test"))
                scores |= evaluator.score_variational(model, test, outcome["seed"])
                reconstructions = _some_reconstructions(model, test)
            _check_finite(scores)
        except ImageError as error:  # a weight has become NaN or infinite
            status, reason = "diverged", str(error)
            scores = blank_scores() | {"parameters": outcome["parameters"]}
            samples = reconstructions = None
    provenance = evaluator.provenance(
        training_seed=outcome["seed"],
        weights_sha256=sha256(run.weights),
        training_steps=outcome["steps"],
    )
    record = ScoreRecord(
        model=outcome["model"],
        family=outcome["family"],
        seed=outcome["seed"],
        status=status,
        reason=reason,
        scores=scores,
        provenance=provenance,
    )
    return Evaluation(record, samples, reconstructions)


def _check_finite(scores: dict[str, float | None]) -> None:
    for name, score in scores.items():
        if score is not None and not math.isfinite(score):
            raise ImageError(f"{name} is {score}")


def _some_reconstructions(model: VariationalModel, split: StoredSplit) -> tuple[Tensor, Tensor]:
    """The first images of each class, and what the model makes of them."""
    firsts = [
        (split.labels == label).nonzero().flatten()[:SHOWN_PER_CLASS]
        for label in range(len(split.classes))
    ]
    originals = split.images[torch.cat(firsts)]
    return originals, to_uint8(model.reconstruct(from_uint8(originals)), "reconstructions")
