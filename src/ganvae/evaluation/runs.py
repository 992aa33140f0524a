"""Evaluating one training run of a profile."""

import math
from pathlib import Path

from ganvae import compute
from ganvae.config import Params
from ganvae.data.store import read_split
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.records import ScoreRecord, blank_scores
from ganvae.evaluation.reference import read_reference
from ganvae.files import read_json, sha256
from ganvae.images import ImageError
from ganvae.judge.network import FrozenJudge
from ganvae.models.base import GenerativeModel, VariationalModel
from ganvae.models.weights import load_model
from ganvae.paths import ProfilePaths


def make_evaluator(params: Params) -> Evaluator:
    """The profile's judge, reference and settings."""
    judge = FrozenJudge(Path(params.judge), compute.use(params.compute))
    reference = read_reference(ProfilePaths(params.profile).reference, judge)
    return Evaluator(judge, reference, params.evaluation)


def evaluate_run(params: Params, key: str) -> ScoreRecord:
    """Score ``params.runs[key]`` on the test split. A diverged run is recorded, not scored."""
    paths = ProfilePaths(params.profile)
    run = paths.run(key)
    outcome = read_json(run.outcome)
    evaluator = make_evaluator(params)
    reason = outcome["reason"]
    scores: dict[str, float | None] = {}
    if reason is None:
        model = load_model(run.weights).to(evaluator.judge.device)
        try:
            scores = _measure(evaluator, model, paths.split("test"), outcome["seed"])
            reason = _not_finite(scores)
        except ImageError as error:  # a weight has become NaN or infinite
            reason = str(error)
    return ScoreRecord(
        model=outcome["model"],
        family=outcome["family"],
        seed=outcome["seed"],
        status="diverged" if reason else "completed",
        reason=reason,
        scores=blank_scores() | {"parameters": outcome["parameters"]} | ({} if reason else scores),
        provenance=evaluator.provenance(
            training_seed=outcome["seed"],
            weights_sha256=sha256(run.weights),
            training_steps=outcome["steps"],
            training_precision=outcome["training_precision"],
        ),
    )


def _measure(
    evaluator: Evaluator, model: GenerativeModel, test_path: Path, seed: int
) -> dict[str, float | None]:
    scores = evaluator.score_generated(evaluator.generate(model, seed), seed)
    if isinstance(model, VariationalModel):
        scores |= evaluator.score_variational(model, read_split(test_path), seed)
    return scores


def _not_finite(scores: dict[str, float | None]) -> str | None:
    """Which score is NaN or infinite, if any."""
    for name, score in scores.items():
        if score is not None and not math.isfinite(score):
            return f"{name} is {score}"
    return None
