"""The evaluator: independent of batch sizes, without side effects on model or generators."""

import math
from dataclasses import replace
from pathlib import Path
from random import getstate

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from conftest import GREY, ROOT, stripes, tiny_model
from ganvae.config import (
    EvaluationConfig,
    InceptionConfig,
    InversionConfig,
    JudgeConfig,
    JudgeNetworkConfig,
    Params,
    Section,
    UnlabelledJudgeConfig,
    parse,
    read_yaml,
)
from ganvae.core.errors import ConfigError, DataError, UserError
from ganvae.core.images import from_uint8
from ganvae.core.seeds import derive, global_seed
from ganvae.core.tensors import save_tensors
from ganvae.data.source import LabelledImages
from ganvae.data.store import StoredSplit
from ganvae.evaluation import evaluator as module
from ganvae.evaluation.baselines import ceiling, floor
from ganvae.evaluation.divergence import baseline_of
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.reference import (
    TENSORS,
    Reference,
    read_reference,
    write_reference,
)
from ganvae.evaluation.sampled import in_order
from ganvae.evaluation.training_set import TrainingSet, read_training_set, write_features
from ganvae.judge.network import FrozenJudge, Judge
from ganvae.judge.training import accuracy, shift, train_judge
from ganvae.metrics.distances import nearest, pixels
from ganvae.metrics.inception_score import inception_score
from ganvae.metrics.likelihood import importance_weighted_bound
from ganvae.metrics.prdc import prdc
from ganvae.models.base import GenerativeModel, VariationalModel, evaluating
from ganvae.models.priors import standard_normal
from ganvae.models.vae import AutoencodingModel

CONFIG = EvaluationConfig(
    n_generated=50,
    inception_score_splits=5,
    seed=0,
    bootstrap_resamples=20,
    half_samples=20,
    memorisation_samples=40,
    fld_samples=30,
    fld_images=40,
    inversion=InversionConfig(images=10, restarts=2, steps=3),
    importance_samples=3,
)


def write_judge(path: Path, seed: int = 0) -> FrozenJudge:
    network = JudgeNetworkConfig(channels=[4, 8], strides=[2, 2], features=8, dropout=0.5)
    with global_seed(seed, "judge"):
        judge = Judge(network, GREY, classes=10)
    card = {"network": network.model_dump(), "image_shape": GREY, "classes": 10}
    save_tensors(path, judge.state_dict(), card)
    return FrozenJudge(path)


@pytest.fixture
def split() -> StoredSplit:
    images, labels = stripes(60)
    return StoredSplit(
        images, labels, torch.arange(60), "mnist", "test", "test", tuple("0123456789")
    )


def a_reference(judge: FrozenJudge, split: StoredSplit, train: TrainingSet) -> Reference:
    features = judge(split.images)[0]
    return Reference(
        features=features,
        to_train_judge=nearest(features, train.features)[1],
        to_train_pixels=nearest(pixels(split.images), pixels(train.images))[1],
        inception=torch.empty(0),
        unlabelled=torch.empty(0),
        dataset="mnist",
        split="test",
        judge_sha256=judge.sha256,
        data_sha256="0" * 64,
        fld_baseline=baseline_of(train.features, features, CONFIG),
    )


def evaluator(
    tmp_path: Path, split: StoredSplit, batch_size: int = 25, n_generated: int = 50
) -> Evaluator:
    judge = write_judge(tmp_path / "judge.safetensors")
    sizes = {"batch_size": batch_size, "n_generated": n_generated}
    config = CONFIG.model_copy(update=sizes)
    images = stripes(140)[0][60:]  # none of these are in the split
    train = TrainingSet(images, judge(images)[0])
    return Evaluator(judge, a_reference(judge, split, train), config, train)


def all_scores(
    evaluator: Evaluator, model: GenerativeModel, split: StoredSplit
) -> dict[str, float | None]:
    scores = evaluator.measure_samples(evaluator.generate(model, 0), 0).scores
    scores = scores | evaluator.score_inversion(model, split, 0)
    if isinstance(model, VariationalModel):
        scores |= evaluator.score_variational(model, split, 0)
    if isinstance(model, AutoencodingModel) and model.likelihood == "bernoulli":
        scores |= evaluator.score_likelihood(model, split, 0)[0]
    return scores


def test_pin_9_any_batch_size_gives_the_same_scores(
    tmp_path: Path, model: GenerativeModel, split: StoredSplit
) -> None:
    few = all_scores(evaluator(tmp_path, split, batch_size=7), model, split)
    many = all_scores(evaluator(tmp_path, split, batch_size=60), model, split)
    assert few.keys() == many.keys()
    for score, value in few.items():
        assert value == pytest.approx(many[score], rel=1e-3, abs=1e-6), score


def test_pin_8_and_2_evaluation_leaves_no_trace(
    tmp_path: Path, model: GenerativeModel, split: StoredSplit
) -> None:
    state, numpy_state, python_state = torch.get_rng_state(), np.random.get_state(), getstate()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    all_scores(evaluator(tmp_path, split), model.train(), split)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(np.array_equal, np.random.get_state(), numpy_state))
    assert getstate() == python_state
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_scores_are_computed_from_the_judges_features_and_logits(
    tmp_path: Path, split: StoredSplit
) -> None:
    judged = evaluator(tmp_path, split)
    images = ceiling(split.images, 50, torch.Generator().manual_seed(0))
    scores = judged.measure_samples(images, 3).scores
    features, logits = judged.judge(in_order(images))
    real = judged.reference.features
    assert len(real) == 60
    means = real.double().mean(dim=0) - features.double().mean(dim=0)
    covariances = [np.cov(x.double().numpy().T) for x in (real, features)]
    root = np.real(scipy.linalg.sqrtm(covariances[0] @ covariances[1]))
    expected = means.square().sum().item() + np.trace(sum(covariances) - 2 * root)
    assert scores["fid_judge"] == pytest.approx(expected, rel=1e-3)
    seed = derive(0, "inception score", 3)
    expected_is = inception_score(logits, splits=5, seed=seed)
    assert (scores["is_judge"], scores["is_judge_std"]) == pytest.approx(expected_is)


def test_the_elbo_score_is_the_mean_of_the_models_elbo(
    tmp_path: Path, smoke: Params, split: StoredSplit
) -> None:
    judged, vae = evaluator(tmp_path, split), tiny_model(smoke, "bernoulli-vae")
    assert isinstance(vae, VariationalModel)
    noise = standard_normal(60, vae.latent_size, judged.random(2, "posterior"))
    with evaluating(vae):
        expected = vae.elbo(from_uint8(split.images), noise).double().mean().item()
    assert expected < 0
    assert judged.score_variational(vae, split, 2)["elbo_bernoulli"] == pytest.approx(
        expected, rel=1e-5
    )


def test_reconstructions_are_quantised_before_they_are_scored(
    tmp_path: Path, smoke: Params, split: StoredSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = tiny_model(smoke, "bernoulli-vae")
    assert isinstance(vae, VariationalModel)
    nearly = (from_uint8(split.images) + 0.4 / 255).clamp(0, 1)
    monkeypatch.setattr(type(vae), "reconstruct", lambda *arguments: nearly)
    assert evaluator(tmp_path, split).score_variational(vae, split, 0)["reconstruction_mse"] == 0


def test_samples_depend_on_the_training_seed(
    tmp_path: Path, model: GenerativeModel, split: StoredSplit
) -> None:
    first = evaluator(tmp_path, split)
    assert torch.equal(first.generate(model, 0), first.generate(model, 0))
    assert not torch.equal(first.generate(model, 0), first.generate(model, 1))


def test_real_images_score_better_than_noise(tmp_path: Path, split: StoredSplit) -> None:
    judged = evaluator(tmp_path, split)
    random = torch.Generator().manual_seed(0)
    real = judged.measure_samples(floor(stripes(60)[0], 50, random), 0).scores["fid_judge"]
    noise = judged.measure_samples(ceiling(stripes(60)[0], 50, random), 0).scores["fid_judge"]
    assert real is not None
    assert noise is not None
    assert real < noise / 2


def test_the_floor_draws_without_repetition() -> None:
    train = torch.arange(200, dtype=torch.uint8).reshape(200, 1, 1, 1)
    drawn = floor(train, 150, torch.Generator().manual_seed(0))
    assert len(drawn.unique()) == 150
    with pytest.raises(ConfigError, match=r"n_generated is 201, but there are only 200 training"):
        floor(train, 201, torch.Generator())


def test_the_ceiling_has_the_means_and_deviations_of_the_pixels() -> None:
    random = torch.Generator().manual_seed(0)
    train = torch.randint(90, 160, (500, 1, 2, 2), generator=random, dtype=torch.uint8)
    drawn = from_uint8(ceiling(train, 20_000, random))
    torch.testing.assert_close(drawn.mean(dim=0), from_uint8(train).mean(dim=0), atol=5e-3, rtol=0)
    torch.testing.assert_close(drawn.std(dim=0), from_uint8(train).std(dim=0), atol=5e-3, rtol=0)


def test_the_judge_is_frozen_and_in_eval_mode(tmp_path: Path, split: StoredSplit) -> None:
    judge = write_judge(tmp_path / "judge.safetensors")
    features, logits = judge(split.images)
    assert features.shape == (60, 8)
    assert logits.shape == (60, 10)
    assert not features.requires_grad
    assert torch.equal(judge(split.images)[1], logits)  # dropout is off
    assert not isinstance(judge, torch.nn.Module)
    apart = torch.cat([judge(image)[0] for image in split.images.split(1)])
    torch.testing.assert_close(apart, features, atol=1e-5, rtol=1e-4)


def test_the_judge_refuses_images_of_another_shape(tmp_path: Path) -> None:
    judge = write_judge(tmp_path / "judge.safetensors")
    message = r"images have shape \(3, 28, 28\), but the judge was trained on images of shape \(1"
    with pytest.raises(DataError, match=message):
        judge(torch.zeros(2, 3, 28, 28, dtype=torch.uint8))


def test_a_reference_from_another_judge_or_extractor_is_refused(tmp_path: Path) -> None:
    judge, other = write_judge(tmp_path / "a"), write_judge(tmp_path / "b", seed=1)
    images, labels = stripes(60)
    split = StoredSplit(images, labels, labels, "mnist", "test", "test", tuple("0123456789"))
    train = TrainingSet(images, judge(images)[0])
    reference = a_reference(judge, split, train)
    write_reference(tmp_path / "reference", reference)
    read = read_reference(tmp_path / "reference", judge, CONFIG)
    for part in TENSORS:
        assert torch.equal(getattr(read, part), getattr(reference, part))
    with pytest.raises(UserError, match="was made with another judge"):
        read_reference(tmp_path / "reference", other, CONFIG)
    write_features(tmp_path / "features", train, judge)
    with pytest.raises(UserError, match="was made with another judge"):
        read_training_set(tmp_path / "train", tmp_path / "features", other)
    networks: dict[str, Section] = {
        "inception": InceptionConfig(file="x.pt", sha256="0" * 64),
        "unlabelled_judge": UnlabelledJudgeConfig(file="x", sha256="0" * 64),
    }
    for name, network in networks.items():
        with pytest.raises(UserError, match=f"another network .* evaluation.{name} gives"):
            read_reference(tmp_path / "reference", judge, CONFIG.model_copy(update={name: network}))


def test_the_committed_judge_matches_its_card() -> None:
    path = ROOT / "judges/mnist.safetensors"
    judge = FrozenJudge(path)
    assert path.stat().st_size < 1_000_000
    assert judge.card["network"]["features"] <= 128
    assert judge.card["test_accuracy"] >= 0.994
    assert judge.card["train_size"] == 55_000
    config = parse(JudgeConfig, read_yaml(ROOT / "judges/params.yaml")["mnist"], "mnist")
    assert judge.card["training"] == config.training.model_dump(exclude_defaults=True)
    assert judge.card["data"] == config.data.model_dump(exclude_defaults=True)


def test_a_judge_learns(smoke: Params) -> None:
    values = read_yaml(ROOT / "profiles/smoke/judge/params.yaml")["smoke"]
    config = parse(JudgeConfig, values, "smoke")
    images, labels = stripes(1200)
    data = LabelledImages(images.numpy(), labels.numpy())
    state = torch.get_rng_state()
    judge = train_judge(config, data, classes=10, report=lambda line: None)
    assert torch.equal(torch.get_rng_state(), state)
    assert accuracy(judge, data) > 0.95


def test_shift_moves_whole_images_and_fills_with_black() -> None:
    images = torch.zeros(400, 1, 7, 7)
    images[:, 0, 3, 3] = 1
    moved = shift(images, 2, torch.Generator().manual_seed(0))
    places = {tuple(np.unravel_index(int(image.argmax()), (7, 7))) for image in moved[:, 0]}
    assert places == {(row, column) for row in range(1, 6) for column in range(1, 6)}
    assert torch.equal(moved.sum(dim=(1, 2, 3)), torch.ones(400))
    assert torch.equal(shift(images, 0, torch.Generator()), images)


def test_generated_images_have_the_models_shape(
    tmp_path: Path, smoke: Params, name: str, split: StoredSplit
) -> None:
    images = evaluator(tmp_path, split).generate(tiny_model(smoke, name), 0)
    assert images.shape == (50, *GREY)
    assert images.dtype == torch.uint8


def test_inverted_images_are_stratified_and_the_same_for_every_model(
    tmp_path: Path, split: StoredSplit
) -> None:
    judged = evaluator(tmp_path, split)
    chosen = judged.inverted_images(split)
    assert sorted(split.labels[chosen].tolist()) == list(range(10))
    assert torch.equal(chosen, judged.inverted_images(split))
    assert chosen.tolist() != sorted(chosen.tolist())[:10]


def test_a_model_without_gradients_has_no_inverted_scores(
    tmp_path: Path, smoke: Params, split: StoredSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "has_gradient", lambda model: False)
    assert evaluator(tmp_path, split).score_inversion(tiny_model(smoke, "dcgan"), split, 0) == {}


def test_a_perfect_decoder_inverts_and_keeps_every_label(
    tmp_path: Path, smoke: Params, split: StoredSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = evaluator(tmp_path, split)
    truth = judged.judge(split.images)[1].argmax(dim=1)
    labelled = replace(split, labels=truth)
    monkeypatch.setattr(module, "invert", lambda model, images, settings, **options: images)
    scores = judged.score_inversion(tiny_model(smoke, "dcgan"), labelled, 0)
    assert scores["inverted_mse"] == 0
    assert scores["inverted_label_kept_judge"] == 1
    wrong = replace(split, labels=(truth + 1) % 10)
    scores = judged.score_inversion(tiny_model(smoke, "dcgan"), wrong, 0)
    assert scores["inverted_label_kept_judge"] == 0


def test_the_likelihood_uses_the_same_binarised_images_for_every_seed(
    tmp_path: Path, smoke: Params, split: StoredSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []

    def watched(model: VariationalModel, images: Tensor, **settings: object) -> Tensor:
        seen.append(images)
        return importance_weighted_bound(model, images, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "importance_weighted_bound", watched)
    judged = evaluator(tmp_path, split)
    vae = tiny_model(smoke, "bernoulli-vae")
    assert isinstance(vae, AutoencodingModel)
    for seed in (0, 1):
        scores, noise = judged.score_likelihood(vae, split, seed)
        assert scores["elbo_binarised"] < scores["importance_bound_binarised"] < 0
        (of_bound,) = noise.values()
        assert of_bound.low < scores["importance_bound_binarised"] < of_bound.high
    assert torch.equal(*seen)
    assert set(seen[0].unique().tolist()) == {0.0, 1.0}
    grey = from_uint8(split.images)
    assert seen[0].mean() == pytest.approx(float(grey.mean()), rel=0.02)


def test_a_bound_that_is_not_finite_has_no_noise(
    tmp_path: Path, smoke: Params, split: StoredSplit
) -> None:
    vae = tiny_model(smoke, "bernoulli-vae")
    assert isinstance(vae, AutoencodingModel)
    torch.nn.init.constant_(next(vae.parameters()), float("inf"))
    scores, noise = evaluator(tmp_path, split).score_likelihood(vae, split, 0)
    bound = scores["importance_bound_binarised"]
    assert bound is not None
    assert not math.isfinite(bound)
    assert noise == {}


def test_pin_7_real_and_generated_are_not_swapped(tmp_path: Path, split: StoredSplit) -> None:
    judged = evaluator(tmp_path, split)
    one_digit = split.images[split.labels == 3].repeat(10, 1, 1, 1)[:50]
    one_digit = one_digit + torch.arange(50, dtype=torch.uint8)[:, None, None, None] % 5
    scores = judged.measure_samples(one_digit, 0).scores
    expected = prdc(real=judged.reference.features, generated=judged.judge(one_digit)[0])
    for name, value in expected._asdict().items():
        assert scores[f"{name}_judge"] == pytest.approx(value, abs=1e-3)
    assert expected.precision > expected.recall


def test_pin_2_the_elbo_is_taken_in_eval_mode(
    tmp_path: Path, smoke: Params, split: StoredSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[bool] = []
    vae = tiny_model(smoke, "vae-gan")
    assert isinstance(vae, AutoencodingModel)
    elbo = type(vae).elbo

    def watched(model: AutoencodingModel, *arguments: Tensor) -> Tensor:
        modes.append(model.training or torch.is_grad_enabled())
        return elbo(model, *arguments)

    monkeypatch.setattr(type(vae), "elbo", watched)
    evaluator(tmp_path, split).score_variational(vae.train(), split, 0)
    assert modes == [False] * 3


def test_copies_of_training_images_are_detected(tmp_path: Path, split: StoredSplit) -> None:
    judged = evaluator(tmp_path, split)
    copies = judged.measure_samples(judged.train.images[:50], 0).scores
    assert copies["closer_to_train_pixels"] == 1
    assert copies["closer_to_train_judge"] == pytest.approx(1, abs=0.02)
    new = judged.measure_samples(split.images[:50], 0).scores
    assert new["closer_to_train_pixels"] == pytest.approx(0.5, abs=0.15)


def test_the_judges_verdicts_are_counted(tmp_path: Path, split: StoredSplit) -> None:
    judged = evaluator(tmp_path, split)
    measured = judged.measure_samples(split.images[:50], 0)
    verdicts = judged.judge(split.images[:50])[1].argmax(dim=1)
    assert measured.class_counts == torch.bincount(verdicts, minlength=10).tolist()
    assert measured.flags == []
    shares = {f"{name}_judge" for name in ("precision", "recall", "density", "coverage")}
    assert measured.noise.keys() == {"fid_judge", "is_judge", *shares}
    for name, noise in measured.noise.items():
        assert noise.low <= measured.scores[name] <= noise.high
    assert [n for n, _ in measured.fid_curve] == [10, 20, 30, 40, 50]
    assert measured.fid_curve[-1][1] == pytest.approx(measured.scores["fid_judge"])


def test_pin_23_fld_tells_copies_from_new_images(tmp_path: Path, split: StoredSplit) -> None:
    """The gap stands beside FID, because copies of training images have the best FID of all."""
    judged = evaluator(tmp_path, split)
    copies = judged.measure_samples(judged.train.images[:50], 0).scores
    new = judged.measure_samples(stripes(260)[0][200:250], 0).scores
    assert copies["fld_gap_judge"] < 3 * new["fld_gap_judge"] < 0
    assert judged.measure_samples(judged.train.images[:50], 1).scores != copies, "the seed decides"


def test_there_is_no_fld_against_the_training_split(tmp_path: Path, split: StoredSplit) -> None:
    judged = evaluator(tmp_path, split)
    against_train = replace(judged, reference=replace(judged.reference, fld_baseline=None))
    measured = against_train.measure_samples(split.images[:20], 0)
    assert "fld_judge" not in measured.scores
    assert not any("FLD" in flag for flag in measured.flags)


def test_the_order_of_images_does_not_change_scores(tmp_path: Path, split: StoredSplit) -> None:
    judged = evaluator(tmp_path, split)
    images = split.images[:50]
    shuffled = images[torch.randperm(50, generator=torch.Generator().manual_seed(0))]
    assert judged.measure_samples(shuffled, 0) == judged.measure_samples(images, 0)
    assert torch.equal(in_order(shuffled), in_order(images))
    assert not torch.equal(shuffled, images)


def test_a_protocol_with_too_few_samples_is_flagged(tmp_path: Path, split: StoredSplit) -> None:
    judged = evaluator(tmp_path, split)
    few = judged.config.model_copy(update={"n_generated": 8, "inception_score_splits": 2})
    measured = replace(judged, config=few).measure_samples(split.images[:8], 0)
    assert "fid_judge" not in measured.scores
    assert "FID with 8 features needs more than 8 samples" in measured.flags


ASKED = {f"{name}_judge" for name in ("fid", "is", "kid", "precision", "coverage", "fld")}


@pytest.mark.parametrize(
    ("n", "absent", "flags"),
    [
        (55, set(), 1),
        (30, {"is_judge"}, 2),
        (8, {"is_judge", "fid_judge", "fld_judge"}, 4),
        (5, ASKED, 5),
    ],
)
def test_too_few_samples_get_only_meaningful_scores_and_flags(
    tmp_path: Path, split: StoredSplit, n: int, absent: set[str], flags: int
) -> None:
    judged = evaluator(tmp_path, split, n_generated=60)
    measured = judged.measure_samples(split.images[:n], 0)
    assert (
        measured.flags[0]
        == f"{n} samples were scored, but the protocol needs 60, so the record is not ranked"
    )
    assert len(measured.flags) == flags
    assert ASKED - measured.scores.keys() == absent
    assert measured.scores["class_distance_judge"] is not None
