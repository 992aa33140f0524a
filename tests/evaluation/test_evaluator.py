"""Evaluation: the same whatever the batches, and without a trace on model or generators."""

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch

from conftest import GREY, ROOT, stripes, tiny_model
from ganvae.config import (
    EvaluationConfig,
    JudgeConfig,
    JudgeNetworkConfig,
    Params,
    parse,
    read_yaml,
)
from ganvae.data.source import LabelledImages
from ganvae.data.store import StoredSplit
from ganvae.errors import ConfigError, DataError, UserError
from ganvae.evaluation.baselines import ceiling, floor
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.reference import Reference, read_reference, write_reference
from ganvae.images import from_uint8
from ganvae.judge.network import FrozenJudge, Judge
from ganvae.judge.training import accuracy, shift, train_judge
from ganvae.metrics.inception_score import inception_score
from ganvae.models.base import GenerativeModel, VariationalModel, evaluating
from ganvae.models.priors import standard_normal
from ganvae.seeds import derive, global_seed
from ganvae.tensors import save_tensors


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


def evaluator(tmp_path: Path, split: StoredSplit, batch_size: int = 25) -> Evaluator:
    judge = write_judge(tmp_path / "judge.safetensors")
    reference = Reference(judge(split.images)[0], "mnist", "test", judge.sha256, "0" * 64)
    config = EvaluationConfig(
        n_generated=50, batch_size=batch_size, inception_score_splits=5, seed=0
    )
    return Evaluator(judge, reference, config)


def all_scores(
    evaluator: Evaluator, model: GenerativeModel, split: StoredSplit
) -> dict[str, float | None]:
    scores = evaluator.score_generated(evaluator.generate(model, 0), 0)
    if isinstance(model, VariationalModel):
        scores |= evaluator.score_variational(model, split, 0)
    return scores


def test_pin_9_any_batch_size_gives_the_same_scores(
    tmp_path: Path, model: GenerativeModel, split: StoredSplit
) -> None:
    few = all_scores(evaluator(tmp_path, split, batch_size=7), model, split)
    many = all_scores(evaluator(tmp_path, split, batch_size=60), model, split)
    assert few == pytest.approx(many, rel=1e-4)


def test_pin_8_and_2_evaluation_leaves_no_trace(
    tmp_path: Path, model: GenerativeModel, split: StoredSplit
) -> None:
    state = torch.get_rng_state()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    all_scores(evaluator(tmp_path, split), model.train(), split)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_scores_are_those_of_the_judges_features_and_logits(
    tmp_path: Path, split: StoredSplit
) -> None:
    judged = evaluator(tmp_path, split)
    images = ceiling(split.images, 50, torch.Generator().manual_seed(0))
    scores = judged.score_generated(images, 3)
    features, logits = judged.judge(images)
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


def test_elbo_is_the_models_own_mean(tmp_path: Path, smoke: Params, split: StoredSplit) -> None:
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


def test_the_evaluation_seed_and_the_training_seed_decide(
    tmp_path: Path, model: GenerativeModel, split: StoredSplit
) -> None:
    first = evaluator(tmp_path, split)
    assert torch.equal(first.generate(model, 0), first.generate(model, 0))
    assert not torch.equal(first.generate(model, 0), first.generate(model, 1))


def test_real_images_beat_noise(tmp_path: Path, split: StoredSplit) -> None:
    judged = evaluator(tmp_path, split)
    random = torch.Generator().manual_seed(0)
    real = judged.score_generated(floor(stripes(60)[0], 50, random), 0)["fid_judge"]
    noise = judged.score_generated(ceiling(stripes(60)[0], 50, random), 0)["fid_judge"]
    assert real is not None
    assert noise is not None
    assert real < noise / 2


def test_floor_is_a_draw_without_repetition() -> None:
    train = torch.arange(200, dtype=torch.uint8).reshape(200, 1, 1, 1)
    drawn = floor(train, 150, torch.Generator().manual_seed(0))
    assert len(drawn.unique()) == 150
    with pytest.raises(ConfigError, match=r"n_generated = 201: the floor needs"):
        floor(train, 201, torch.Generator())


def test_ceiling_has_the_pixels_means_and_deviations() -> None:
    random = torch.Generator().manual_seed(0)
    train = torch.randint(90, 160, (500, 1, 2, 2), generator=random, dtype=torch.uint8)
    made = from_uint8(ceiling(train, 20_000, random))
    torch.testing.assert_close(made.mean(dim=0), from_uint8(train).mean(dim=0), atol=5e-3, rtol=0)
    torch.testing.assert_close(made.std(dim=0), from_uint8(train).std(dim=0), atol=5e-3, rtol=0)


def test_judge_is_frozen_and_in_eval_mode(tmp_path: Path, split: StoredSplit) -> None:
    judge = write_judge(tmp_path / "judge.safetensors")
    features, logits = judge(split.images)
    assert features.shape == (60, 8)
    assert logits.shape == (60, 10)
    assert not features.requires_grad
    assert torch.equal(judge(split.images)[1], logits)  # dropout is off
    assert not isinstance(judge, torch.nn.Module)
    apart = torch.cat([judge(image)[0] for image in split.images.split(1)])
    torch.testing.assert_close(apart, features, atol=1e-5, rtol=1e-4)


def test_judge_of_other_images(tmp_path: Path) -> None:
    judge = write_judge(tmp_path / "judge.safetensors")
    with pytest.raises(
        DataError, match=r"reads images of shape \(1, 28, 28\), found \(3, 28, 28\)"
    ):
        judge(torch.zeros(2, 3, 28, 28, dtype=torch.uint8))


def test_reference_of_another_judge_is_refused(tmp_path: Path) -> None:
    judge, other = write_judge(tmp_path / "a"), write_judge(tmp_path / "b", seed=1)
    reference = Reference(torch.zeros(3, 8), "mnist", "test", judge.sha256, "0" * 64)
    write_reference(tmp_path / "reference", reference)
    assert torch.equal(read_reference(tmp_path / "reference", judge).features, torch.zeros(3, 8))
    with pytest.raises(UserError, match="was made with another judge"):
        read_reference(tmp_path / "reference", other)


def test_committed_judge_fits_its_card() -> None:
    path = ROOT / "judges/mnist.safetensors"
    judge = FrozenJudge(path)
    assert path.stat().st_size < 1_000_000
    assert judge.card["network"]["features"] <= 128
    assert judge.card["test_accuracy"] >= 0.994
    assert judge.card["train_size"] == 55_000
    config = parse(JudgeConfig, read_yaml(ROOT / "judges/params.yaml")["mnist"], "mnist")
    assert judge.card["training"] == config.training.model_dump()
    assert judge.card["data"] == config.data.model_dump()


def test_a_judge_learns(smoke: Params) -> None:
    values = read_yaml(ROOT / "profiles/smoke/judge/params.yaml")["smoke"]
    config = parse(JudgeConfig, values, "smoke")
    images, labels = stripes(1200)
    data = LabelledImages(images.numpy(), labels.numpy())
    state = torch.get_rng_state()
    judge = train_judge(config, data, classes=10, report=lambda line: None)
    assert torch.equal(torch.get_rng_state(), state)
    assert accuracy(judge, data) > 0.95


def test_shift_moves_whole_images_and_lets_black_in() -> None:
    images = torch.zeros(400, 1, 7, 7)
    images[:, 0, 3, 3] = 1
    moved = shift(images, 2, torch.Generator().manual_seed(0))
    places = {tuple(np.unravel_index(int(image.argmax()), (7, 7))) for image in moved[:, 0]}
    assert places == {(row, column) for row in range(1, 6) for column in range(1, 6)}
    assert torch.equal(moved.sum(dim=(1, 2, 3)), torch.ones(400))
    assert torch.equal(shift(images, 0, torch.Generator()), images)


def test_model_shape_is_kept(tmp_path: Path, smoke: Params, name: str, split: StoredSplit) -> None:
    images = evaluator(tmp_path, split).generate(tiny_model(smoke, name), 0)
    assert images.shape == (50, *GREY)
    assert images.dtype == torch.uint8
