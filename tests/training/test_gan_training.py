"""Training runs of GANs with their options on: stops change nothing, and losses have names."""

import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import ROOT, stripes
from forks import python
from gan_options import COMBINATIONS, GANS, changes
from ganvae.config import Params
from ganvae.core.compute import Machine
from ganvae.models.registry import system_config
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train

IMAGES = stripes(90)[0]
SCHEDULE = {
    "unit": "steps",
    "length": 8,
    "report_every": 2,
    "sample_every": 8,
    "checkpoint_every": 4,
}
KILLED_AT_STEP_6 = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import torch
from conftest import stripes
from ganvae.models.registry import system_class, system_config
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train

torch.set_num_threads(1)
cls = system_class({name!r})
original, calls = cls.train_step, []

def train_step(self, *arguments):
    calls.append(1)
    if len(calls) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, *arguments)

cls.train_step = train_step
config = system_config({name!r}, {config!r})
train(RunSpec({name!r}, config, 1), stripes(90)[0], Path({work!r}))
"""


def values(smoke: Params, name: str, combination: str) -> dict[str, Any]:
    averaged = {"schedule": SCHEDULE, "ema": 0.8, "learning_rate_decay": "linear"}
    return smoke.variants[name] | averaged | changes(name, combination)


@pytest.fixture(autouse=True)
def _fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvae.models.gan.DRAWS", 300)


@pytest.mark.parametrize("combination", COMBINATIONS)
@pytest.mark.parametrize("name", GANS)
def test_pin_13_stopping_changes_nothing_whatever_the_options(
    smoke: Params, name: str, combination: str, tmp_path: Path
) -> None:
    """Eight steps equal four steps, a checkpoint, kill -9, and four steps in another process."""
    config = system_config(name, values(smoke, name, combination))
    straight = train(RunSpec(name, config, 1), IMAGES, tmp_path / "straight")
    script = KILLED_AT_STEP_6.format(
        tests=str(ROOT / "tests"),
        name=name,
        config=config.model_dump(),
        work=str(tmp_path / "stopped"),
    )
    assert python("-c", script).returncode == -signal.SIGKILL
    assert (tmp_path / "stopped/checkpoint.pt").exists()
    resumed = train(RunSpec(name, config, 1), IMAGES, tmp_path / "stopped")
    assert resumed.history == straight.history
    expected = straight.model.state_dict()
    for key, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[key]), key


@pytest.mark.parametrize("combination", COMBINATIONS)
@pytest.mark.parametrize("name", ["balanced-gan", "dcgan"])
def test_options_train_in_bf16(smoke: Params, name: str, combination: str, tmp_path: Path) -> None:
    config = system_config(name, values(smoke, name, combination))
    result = train(RunSpec(name, config, 1, Machine(precision="bf16")), IMAGES, tmp_path)
    assert result.status == "completed"
    assert {value.dtype for value in result.model.state_dict().values()} <= {
        torch.float32,
        torch.int64,
    }


def test_the_model_that_is_kept_is_fitted(smoke: Params, tmp_path: Path) -> None:
    """With averaged weights, the averaged D sets the limits of the rejection."""
    config = system_config("dcgan", values(smoke, "dcgan", "rejection"))
    result = train(RunSpec("dcgan", config, 1), IMAGES, tmp_path)
    state = result.model.state_dict()
    assert state["rejection.fitted"] == 1
    assert state["rejection.limits"].abs().min() > 0
    assert result.fit_seconds > 0
