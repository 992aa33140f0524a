"""Evaluate one training run of a profile."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganvae.config import Params
from ganvae.core import compute
from ganvae.core.files import read_json, sha256
from ganvae.core.images import NotFiniteError
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import read_split
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.inception import Inception
from ganvae.evaluation.reference import read_reference
from ganvae.evaluation.sampled import Measured
from ganvae.evaluation.second_judge import second_judge
from ganvae.evaluation.training_set import read_training_set
from ganvae.evaluation.validation import read_validation
from ganvae.judge.network import FrozenJudge
from ganvae.models.base import GenerativeModel, VariationalModel
from ganvae.models.vae import AutoencodingModel
from ganvae.models.weights import load_model
from ganvae.scores.catalogue import in_range
from ganvae.scores.records import ScoreRecord, ValidationRecord, complete_scores


def make_evaluator(params: Params) -> Evaluator:
    """Make an evaluator with the judge, reference, training images and settings of a profile."""
    judge = FrozenJudge(Path(params.judge), compute.use(params.compute))
    settings = params.evaluation
    paths = ProfilePaths(params.profile)
    return Evaluator(
        judge=judge,
        reference=read_reference(paths.reference, judge, settings),
        config=settings,
        train=read_training_set(paths.split("train"), paths.train_features, judge),
        inception=Inception(settings.inception, judge.device) if settings.inception else None,
        unlabelled=second_judge(settings, judge.device),
    )


def evaluate_run(params: Params, key: str) -> ScoreRecord:
    """Score the training run ``params.runs[key]`` on the test split.

    If the training run diverged, all scores in the record are null except the number of
    parameters.
    """
    paths = ProfilePaths(params.profile)
    run = paths.run(key)
    outcome = read_json(run.outcome)
    evaluator = make_evaluator(params)
    reason = outcome["reason"]
    measured = None
    if reason is None:
        model = load_model(run.weights).to(evaluator.judge.device)
        try:
            measured = _measure(evaluator, model, paths.split("test"), outcome["seed"])
            reason = _not_possible(measured.scores)
        except NotFiniteError as error:  # a weight is NaN or infinite
            reason = str(error)
    fields: dict[str, Any] = {"status": "diverged", "reason": reason, "scores": {}}
    if measured and reason is None:
        fields = dict(vars(measured))
    fields["scores"] = complete_scores({"parameters": outcome["parameters"]} | fields["scores"])
    return ScoreRecord(
        variant=outcome["variant"],
        family=outcome["family"],
        seed=outcome["seed"],
        **fields,
        provenance=evaluator.provenance(
            training_seed=outcome["seed"],
            weights_sha256=sha256(run.weights),
            training_steps=outcome["steps"],
            training_precision=outcome["training_precision"],
        ),
    )


def validate_run(params: Params, key: str) -> ValidationRecord:
    """Measure FID of the training run ``params.runs[key]`` on the validation split.

    FID is None if the training run diverged.
    """
    paths = ProfilePaths(params.profile)
    run = paths.run(key)
    outcome = read_json(run.outcome)
    judge = FrozenJudge(Path(params.judge), compute.use(params.compute))
    validation = read_validation(paths.validation_features, judge)
    settings = params.evaluation
    fid = None
    if outcome["reason"] is None:
        model = load_model(run.weights).to(judge.device)
        with suppress(NotFiniteError):  # a weight is NaN, as the score record says
            fid = validation.score(
                model,
                n=settings.n_generated,
                seed=outcome["seed"],
                batch_size=settings.batch_size,
            ).fid_judge
    return ValidationRecord(
        fid_judge=fid,
        n_real=len(validation.features),
        n_generated=settings.n_generated,
        training_seed=outcome["seed"],
        weights_sha256=sha256(run.weights),
        data_sha256=validation.data_sha256,
        judge_sha256=judge.sha256,
    )


def _measure(evaluator: Evaluator, model: GenerativeModel, test_path: Path, seed: int) -> Measured:
    split = read_split(test_path)
    measured = evaluator.measure_samples(evaluator.generate(model, seed), seed)
    scores = measured.scores | evaluator.score_inversion(model, split, seed)
    noise = measured.noise
    if isinstance(model, VariationalModel):
        scores |= evaluator.score_variational(model, split, seed)
    if isinstance(model, AutoencodingModel) and bounds_a_likelihood(model):
        bounds, errors = evaluator.score_likelihood(model, split, seed)
        scores, noise = scores | bounds, noise | errors
    return replace(measured, scores=scores, noise=noise)


def bounds_a_likelihood(model: AutoencodingModel) -> bool:
    """Return whether the model's ELBO is a lower bound of a log-likelihood of pixels.

    The ELBO is such a bound if the model has a Bernoulli decoder and was trained on binarised
    images.
    """
    return model.likelihood == "bernoulli" and model.config.binarize != "none"


def _not_possible(scores: dict[str, float | None]) -> str | None:
    """Return a text on the first score that is NaN or outside its range, or None without one."""
    for name, score in scores.items():
        if score is not None and not in_range(name, score):
            return f"{name} is {score}"
    return None
