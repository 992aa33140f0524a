"""Training runs whose prior is fitted at the end."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_training import KILLED_AT_STEP_7

from conftest import ROOT, stripes
from forks import python
from ganvae.config import ModelConfig, Params
from ganvae.core.paths import ProfilePaths
from ganvae.data.source import LabelledImages
from ganvae.data.splits import Split
from ganvae.data.store import write_split
from ganvae.models.registry import system_class, system_config
from ganvae.models.vae import AutoencodingModel
from ganvae.models.weights import load_model
from ganvae.training import runs
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train
from vae_options import COMBINATIONS, MIXTURE, SECOND_STAGE

PRIORS = {"mixture": MIXTURE, "second-stage": SECOND_STAGE}
SHORT = {
    "unit": "steps", "length": 1, "report_every": 1, "sample_every": 1, "checkpoint_every": 1,
}  # fmt: skip
every_prior = pytest.mark.parametrize("prior", PRIORS)
every_vae = pytest.mark.parametrize("name", ["bernoulli-vae", "conv-vae"])


@every_prior
def test_pin_4_a_prior_is_fitted_without_any_split_but_train(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prior: str
) -> None:
    """No other data file exists, so the fit would fail if it opened one."""
    monkeypatch.chdir(tmp_path)
    images, labels = (part.numpy() for part in stripes(70))
    split = Split(LabelledImages(images, labels), np.arange(70), "train")
    path = ProfilePaths(smoke.profile).split("train")
    write_split(path, "train", split, "mnist", tuple("0123456789"))
    sections = {"bernoulli-vae": smoke.variants["bernoulli-vae"] | PRIORS[prior]}
    params = smoke.model_copy(update={"variants": {**smoke.variants, **sections}})
    assert runs.train_run(params, "bernoulli-vae-0").status == "completed"
    assert [path] == [file for file in path.parent.rglob("*") if file.is_file()]
    model = load_model(ProfilePaths(smoke.profile).run("bernoulli-vae-0").weights)
    draws = [torch.Generator().manual_seed(0) for _ in range(2)]
    assert not torch.equal(model.sample_latents(4, draws[0]), model.sample_prior(4, draws[1]))


@every_prior
def test_encodings_that_are_not_finite_end_the_run_as_diverged(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prior: str
) -> None:
    """A huge log-variance gives an infinite variance, but the decoder's images stay finite."""
    values = smoke.variants["bernoulli-vae"] | PRIORS[prior]
    config = system_config("bernoulli-vae", values | {"schedule": SHORT})
    cls = system_class("bernoulli-vae")
    original = cls.train_step

    def broken(model: Any, *arguments: Any) -> Any:
        losses = original(model, *arguments)
        with torch.no_grad():
            model.encoder[1][-1].bias.fill_(200.0)
        return losses

    monkeypatch.setattr(cls, "train_step", broken)
    result = train(RunSpec("bernoulli-vae", config, 0), stripes(70)[0], tmp_path)
    assert result.status == "diverged"
    expected = "the encodings of 70 of 70 training images are NaN or infinite, so no prior was"
    assert result.reason is not None
    assert result.reason.startswith(expected)


@every_vae
@pytest.mark.parametrize("options", COMBINATIONS)
def test_pin_13_stopping_changes_nothing_with_options_of_vaes(
    smoke: Params, tmp_path: Path, name: str, options: str
) -> None:
    """Ten steps and the fit equal six steps, kill -9, and the rest in another process."""
    config = configured(smoke, name, length=10, **COMBINATIONS[options])
    straight = train(RunSpec(name, config, 1), stripes(90)[0], tmp_path / "straight")
    script = KILLED_AT_STEP_7.format(
        tests=str(ROOT / "tests"),
        name=name,
        config=config.model_dump(),
        work=str(tmp_path / "stopped"),
    )
    assert python("-c", script).returncode == -signal.SIGKILL
    resumed = train(RunSpec(name, config, 1), stripes(90)[0], tmp_path / "stopped")
    assert resumed.history == straight.history
    first, second = straight.model.state_dict(), resumed.model.state_dict()
    assert first.keys() == second.keys()
    assert [key for key, value in first.items() if not torch.equal(value, second[key])] == []
    assert isinstance(straight.model, AutoencodingModel)
    assert straight.model.fitted_prior is not None
    assert straight.model.fitted_prior.fitted


@every_vae
def test_pin_13_the_warmup_continues_after_a_stop(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The warm-up takes half of 8 steps. The stop is in step 4, the checkpoint after step 2."""
    config = configured(smoke, name, length=8, kl_warmup=0.5, beta=2.0, checkpoint_every=2)
    cls, weights, stops = system_class(name), [], [3]
    original = cls.train_step

    def train_step(model: Any, *arguments: Any) -> Any:
        weights.append(model.kl_weight)
        if stops and len(weights) > stops[0]:
            stops.clear()
            raise KeyboardInterrupt
        return original(model, *arguments)

    monkeypatch.setattr(cls, "train_step", train_step)
    with pytest.raises(KeyboardInterrupt):
        train(RunSpec(name, config, 0), stripes(90)[0], tmp_path)
    assert weights == [0, 0.5, 1.0, 1.5]
    weights.clear()
    train(RunSpec(name, config, 0), stripes(90)[0], tmp_path)
    assert weights == [1.0, 1.5, 2.0, 2.0, 2.0, 2.0]


def configured(smoke: Params, name: str, length: int, **options: Any) -> ModelConfig:
    schedule = {
        "unit": "steps",
        "length": length,
        "report_every": 3,
        "sample_every": 6,
        "checkpoint_every": options.pop("checkpoint_every", 4),
    }
    return system_config(name, smoke.variants[name] | options | {"schedule": schedule})


def test_a_resumed_fit_of_the_hybrid_is_the_same(smoke: Params, tmp_path: Path) -> None:
    """After the last checkpoint, only the fit is left."""
    config = configured(smoke, "vae-gan", length=4, ema=0.8, **MIXTURE)
    first, again = (train(RunSpec("vae-gan", config, 0), stripes(90)[0], tmp_path) for _ in "12")
    for key, value in first.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[key]), key
    assert again.model.fitted_prior.fitted  # type: ignore[union-attr, operator]
