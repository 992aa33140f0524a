"""Training runs whose prior is fitted at the end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import stripes
from ganvae.config import Params
from ganvae.core.paths import ProfilePaths
from ganvae.data.source import LabelledImages
from ganvae.data.splits import Split
from ganvae.data.store import write_split
from ganvae.models.registry import system_class, system_config
from ganvae.models.weights import load_model
from ganvae.training import runs
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train

PRIORS = {
    "mixture": {"prior": "mixture", "prior_components": 3},
    "second-stage": {"prior": "second-stage", "second_stage_width": 6, "second_stage_steps": 5},
}
SHORT = {
    "unit": "steps", "length": 1, "report_every": 1, "sample_every": 1, "checkpoint_every": 1,
}  # fmt: skip
every_prior = pytest.mark.parametrize("prior", PRIORS)


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
