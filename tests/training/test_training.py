"""The training loop, its checkpoints, and runs that diverge."""

import signal
from collections.abc import Callable
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from conftest import ROOT, stripes, tiny_config, tiny_model
from forks import python
from ganvae.config import Binarization, ModelConfig, Params, Schedule, load_params
from ganvae.core import assets
from ganvae.core.compute import Machine
from ganvae.core.files import sha256, write_json
from ganvae.core.images import from_uint8
from ganvae.core.paths import ProfilePaths
from ganvae.core.seeds import derive, generator, global_seed
from ganvae.core.tokens import MEASURED, source_checksum, token_path
from ganvae.data.source import LabelledImages
from ganvae.data.splits import Split
from ganvae.data.store import write_split
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import system_class, system_config
from ganvae.training import runs, spec, trainer
from ganvae.training.batches import Batches
from ganvae.training.checkpoint import TrainingState
from ganvae.training.history import History
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import Cadence, train

IMAGES = stripes(90)[0]


EIGHT_STEPS = {
    "unit": "steps",
    "length": 8,
    "report_every": 3,
    "sample_every": 6,
    "checkpoint_every": 4,
}


def with_schedule(smoke: Params, name: str, **schedule: Any) -> ModelConfig:
    every = {"unit": "steps", "report_every": 3, "sample_every": 6, "checkpoint_every": 4}
    values = smoke.variants[name] | {"schedule": every | schedule}
    return system_config(name, values)


def weights(model: GenerativeModel) -> dict[str, Tensor]:
    return model.state_dict()


def assert_same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_pin_9_every_image_is_seen_once_an_epoch() -> None:
    images = torch.arange(10, dtype=torch.uint8).reshape(10, 1, 1, 1)
    batches = Batches(images, batch_size=4, seed=0)
    stream = torch.cat([batches[step] for step in range(5)]).flatten() * 255
    assert sorted(stream[:10].tolist()) == sorted(stream[10:].tolist()) == list(range(10))
    assert stream[:10].tolist() != stream[10:].tolist()
    assert batches.epochs(5) == 2


def test_static_binarisation_is_fixed_and_dynamic_changes_per_batch() -> None:
    images = torch.full((40, 1, 28, 28), 64, dtype=torch.uint8)
    images[:, :, :4] = 0
    images[:, :, -4:] = 255

    def both_epochs(kind: Binarization, seed: int) -> tuple[Tensor, Tensor]:
        """The training set as seen in two epochs, both in the original order."""
        batches = Batches(images, batch_size=40, seed=seed, binarize=kind)
        first, second = (
            batches[epoch][batches._permutation(epoch).argsort()] for epoch in range(2)
        )
        return first, second

    static, dynamic = both_epochs("static", 0), both_epochs("dynamic", 0)
    for epoch in (*static, *dynamic):
        assert set(epoch.unique().tolist()) == {0.0, 1.0}
        assert epoch[:, :, :4].max() == 0
        assert epoch[:, :, -4:].min() == 1
        assert epoch[:, :, 4:-4].mean() == pytest.approx(64 / 255, abs=0.01)
    assert torch.equal(*static)
    assert torch.equal(static[0], both_epochs("static", 1)[0]), "the seed must not matter"
    assert not torch.equal(*dynamic)
    assert not torch.equal(dynamic[0], both_epochs("dynamic", 1)[0])
    batches = Batches(images, batch_size=40, seed=0, binarize="dynamic")
    assert torch.equal(batches[1], batches[1]), "a resumed run must see the same bits"


def test_a_batch_depends_only_on_seed_and_step() -> None:
    batches = Batches(IMAGES, batch_size=16, seed=0)
    later = batches[40]
    for step in range(40):
        batches[step]
    assert torch.equal(batches[40], later)
    assert torch.equal(Batches(IMAGES, batch_size=16, seed=0)[40], later)
    assert not torch.equal(Batches(IMAGES, batch_size=16, seed=1)[40], later)


def test_a_batch_can_be_larger_than_the_training_set() -> None:
    assert Batches(IMAGES[:5], batch_size=12, seed=0)[0].shape == (12, 1, 28, 28)


def test_schedule_in_epochs_and_steps() -> None:
    every = {"report_every": 1, "sample_every": 3, "checkpoint_every": 2}
    in_epochs = Cadence(Schedule(unit="epochs", length=10, **every), 64, 55_000)
    assert in_epochs.total == round(10 * 55_000 / 64)
    assert in_epochs.report == round(55_000 / 64)
    in_steps = Cadence(Schedule(unit="steps", length=10, **every), 64, 55_000)
    assert (in_steps.total, in_steps.sample, in_steps.checkpoint) == (10, 3, 2)
    assert [step for step in range(1, 11) if in_steps.due(3, step)] == [3, 6, 9, 10]


def test_seeds_of_different_purposes_differ() -> None:
    seeds = {derive(0, "init"), derive(0, "noise"), derive(1, "init"), derive(0, "order", 1)}
    assert len(seeds) == 4
    first, second = generator(0, "noise"), generator(0, "noise")
    assert torch.equal(torch.rand(3, generator=first), torch.rand(3, generator=second))


def test_history_averages_between_reports() -> None:
    history = History()
    for value in (1.0, 2.0, 6.0):
        history.add({"loss": torch.tensor(value)})
    assert history.report(3, 0.5) == {"step": 3, "epoch": 0.5, "loss": 3.0}
    history.add({"loss": torch.tensor(10.0)})
    assert history.report(4, 1.0)["loss"] == 10.0
    assert len(history.rows) == 2


def test_a_run_writes_its_history_and_sample_pictures(
    smoke: Params, name: str, tmp_path: Path
) -> None:
    config = with_schedule(smoke, name, length=8)
    result = train(RunSpec(name, config, 0), IMAGES, tmp_path)
    assert result.status == "completed"
    assert result.steps == 8
    assert result.images_seen == 8 * result.model.real_images_per_step
    assert [row["step"] for row in result.history] == [3, 6, 8]
    pictures = sorted(path.name for path in (tmp_path / "samples").iterdir())
    first_epoch = round(len(IMAGES) / result.model.real_images_per_step)
    expected = sorted({0, first_epoch, 6, 8, *(m for m in config.schedule.marks if m <= 8)})
    assert pictures == [f"step-{step:07d}.png" for step in expected if step <= 8]
    assert result.seconds > 0


KILLED_AT_STEP_7 = """
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
    if len(calls) == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(self, *arguments)

cls.train_step = train_step
config = system_config({name!r}, {config!r})
train(RunSpec({name!r}, config, 1), stripes(90)[0], Path({work!r}))
"""


def test_pin_13_stopping_changes_nothing(smoke: Params, name: str, tmp_path: Path) -> None:
    """Ten steps equal six steps, kill -9, and the rest in another process.

    The last checkpoint before the kill is from step 4.
    """
    config = with_schedule(smoke, name, length=10)
    straight = train(RunSpec(name, config, 1), IMAGES, tmp_path / "straight")
    script = KILLED_AT_STEP_7.format(
        tests=str(ROOT / "tests"),
        name=name,
        config=config.model_dump(),
        work=str(tmp_path / "stopped"),
    )
    assert python("-c", script).returncode == -signal.SIGKILL
    assert (tmp_path / "stopped/checkpoint.pt").exists()
    resumed = train(RunSpec(name, config, 1), IMAGES, tmp_path / "stopped")
    assert_same(weights(resumed.model), weights(straight.model))
    assert resumed.history == straight.history
    for picture in (tmp_path / "straight/samples").iterdir():
        twin = tmp_path / "stopped/samples" / picture.name
        assert twin.read_bytes() == picture.read_bytes()


def cut(content: bytes) -> bytes:
    return content[:1000]


def flip_a_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flip_a_bit, lambda content: b""])
def test_a_run_with_a_damaged_checkpoint_starts_again(
    smoke: Params, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    config = with_schedule(smoke, "dcgan", length=8)
    straight = train(RunSpec("dcgan", config, 0), IMAGES, tmp_path)
    checkpoint = tmp_path / "checkpoint.pt"
    checkpoint.write_bytes(damage(checkpoint.read_bytes()))
    again = train(RunSpec("dcgan", config, 0), IMAGES, tmp_path)
    assert_same(weights(again.model), weights(straight.model))


def test_a_run_without_some_of_its_sample_pictures_starts_again(
    smoke: Params, tmp_path: Path
) -> None:
    config = with_schedule(smoke, "dcgan", length=8)
    straight = train(RunSpec("dcgan", config, 0), IMAGES, tmp_path)
    samples = sorted((tmp_path / "samples").iterdir())
    pictures = {path.name: path.read_bytes() for path in samples}
    samples[0].unlink()
    again = train(RunSpec("dcgan", config, 0), IMAGES, tmp_path)
    assert {path.name: path.read_bytes() for path in samples} == pictures
    assert_same(weights(again.model), weights(straight.model))


def test_pin_13_dropout_goes_on_where_it_stopped(smoke: Params, tmp_path: Path) -> None:
    """Dropout draws from the global generator, so a checkpoint includes its state."""

    def fresh() -> TrainingState:
        model = tiny_model(smoke, "dcgan")
        model.discriminator = nn.Sequential(nn.Dropout(0.5), model.discriminator)  # type: ignore[arg-type]
        return TrainingState(model, model.optimizers(), generator(0, "noise"), History())

    def steps(state: TrainingState) -> None:
        for _ in range(3):
            batch = from_uint8(IMAGES[: state.model.real_images_per_step])
            state.history.add(state.model.train_step(batch, state.optimizers, state.noise))

    with global_seed(0, "dropout"):
        first = fresh()
        steps(first)
        first.seconds = 12.5
        first.save(tmp_path / "checkpoint.pt", tmp_path / "samples")
        steps(first)
    with global_seed(1, "another"):
        second = fresh()
        assert second.restore(tmp_path / "checkpoint.pt", tmp_path / "samples")
        assert second.seconds == 12.5
        steps(second)
    assert_same(weights(first.model), weights(second.model))
    assert first.history.sums == second.history.sums


def test_models_are_trained_in_training_mode(
    smoke: Params, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls, modes = system_class(name), []
    original = cls.train_step

    def watched(self: Any, *arguments: Any) -> dict[str, Tensor]:
        modes.append(all(module.training for module in self.modules()))
        return original(self, *arguments)

    monkeypatch.setattr(cls, "train_step", watched)
    train(RunSpec(name, with_schedule(smoke, name, length=8), 0), IMAGES, tmp_path)
    assert modes == [True] * 8  # also after the sample pictures of steps 0 and 6


def test_linear_decay_ends_at_a_learning_rate_of_zero(
    smoke: Params, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = smoke.variants[name] | {"schedule": EIGHT_STEPS, "learning_rate_decay": "linear"}
    rates: list[float] = []
    cls = system_class(name)
    original = cls.train_step

    def train_step(self: GenerativeModel, images: Tensor, optimizers: Any, noise: Any) -> Any:
        rates.append(next(iter(optimizers.values())).param_groups[0]["lr"])
        return original(self, images, optimizers, noise)

    monkeypatch.setattr(cls, "train_step", train_step)
    train(RunSpec(name, system_config(name, values), 0), IMAGES, tmp_path)
    assert rates == pytest.approx([rates[0] * (1 - step / 8) for step in range(8)])


@pytest.mark.parametrize(
    ("options", "decays"),
    [
        ({"ema": 0.75}, [0.75] * 7),
        ({"ema": 0.35, "ema_warmup": True}, [2 / 11, 3 / 12, 4 / 13, 0.35, 0.35, 0.35, 0.35]),
    ],
)
def test_samples_and_result_use_the_averaged_weights(
    smoke: Params,
    name: str,
    options: dict[str, Any],
    decays: list[float],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After each step a = decay * a + (1 - decay) * w, starting with the first step's weights."""
    values = smoke.variants[name] | {"schedule": EIGHT_STEPS} | options
    by_step: list[dict[str, Tensor]] = []
    cls = system_class(name)
    original = cls.train_step

    def train_step(self: GenerativeModel, *arguments: Any) -> Any:
        losses = original(self, *arguments)
        by_step.append({name: value.clone() for name, value in self.state_dict().items()})
        return losses

    monkeypatch.setattr(cls, "train_step", train_step)
    product = train(RunSpec(name, system_config(name, values), 0), IMAGES, tmp_path).model
    for parameter, value in product.state_dict().items():  # includes the statistics of batch norms
        if not value.is_floating_point():
            continue
        expected = by_step[0][parameter]
        for decay, step in zip(decays, by_step[1:], strict=True):
            expected = decay * expected + (1 - decay) * step[parameter]
        torch.testing.assert_close(value, expected, rtol=1e-3, atol=1e-6)  # 16 bits
    changed = [
        not torch.equal(by_step[-1][key], value) for key, value in product.state_dict().items()
    ]
    assert any(changed)


def test_pin_13_holds_for_decay_average_and_balance_too(
    smoke: Params, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"learning_rate_decay": "linear", "ema": 0.9}
    if system_class(name).family != "vae":  # a small ratio skips a network in most steps
        options["balance"] = {"ratio": 1.01}
    if name == "dcgan":
        options["r1"] = 0.5
    config = system_config(name, smoke.variants[name] | {"schedule": EIGHT_STEPS} | options)
    straight = train(RunSpec(name, config, 0), IMAGES, tmp_path / "straight")
    monkeypatch.setattr(trainer._Training, "_draw_samples", partialmethod(_stop_at, 6))
    with pytest.raises(KeyboardInterrupt):  # the last checkpoint is from step 4
        train(RunSpec(name, config, 0), IMAGES, tmp_path / "stopped")
    monkeypatch.undo()
    torch.manual_seed(1)  # other random draws of the process must not matter
    resumed = train(RunSpec(name, config, 0), IMAGES, tmp_path / "stopped")
    assert resumed.history == straight.history
    assert_same(weights(straight.model), weights(resumed.model))


def _stop_at(training: Any, last: int) -> None:
    if training._state.step == last:
        raise KeyboardInterrupt


def test_pin_4_training_opens_the_training_split_alone(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other data file exists, so training would fail if it opened one."""
    monkeypatch.chdir(tmp_path)
    images, labels = (part.numpy() for part in stripes(70))
    split = Split(LabelledImages(images, labels), np.arange(70), "train")
    path = ProfilePaths(smoke.profile).split("train")
    write_split(path, "train", split, "mnist", tuple("0123456789"))
    assert runs.train_run(smoke, "bernoulli-vae-0").status == "completed"
    assert [path] == [file for file in path.parent.rglob("*") if file.is_file()]


def test_the_fingerprint_contains_everything_that_determines_the_weights(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "CLONE", tmp_path)  # no behaviour token here
    config = tiny_config(smoke, "dcgan")
    other_config = system_config("dcgan", smoke.variants["dcgan"] | {"learning_rate": 1e-3})

    def fingerprint(
        system: str, config: ModelConfig, seed: int, data: str, machine: Machine
    ) -> str:
        return RunSpec(system, config, seed, machine).fingerprint(data)

    first = fingerprint("dcgan", config, 0, "a", Machine())
    assert first == fingerprint("dcgan", config, 0, "a", Machine())
    changed = {
        fingerprint("dcgan", other_config, 0, "a", Machine()),
        fingerprint("dcgan", config, 1, "a", Machine()),
        fingerprint("dcgan", config, 0, "b", Machine()),
        fingerprint("dcgan", config, 0, "a", Machine("cuda")),
        fingerprint("dcgan", config, 0, "a", Machine(precision="bf16")),
        fingerprint("vanilla-gan", config, 0, "a", Machine()),
    }
    for path in spec.code_files("dcgan"):
        edited = partial(lambda edited, other: sha256(other) + str(other == edited), path)
        monkeypatch.setattr(spec, "sha256", edited)
        changed.add(fingerprint("dcgan", config, 0, "a", Machine()))
    assert len(changed) == 6 + len(spec.code_files("dcgan"))
    assert first not in changed


def test_a_checkpoint_stays_valid_after_an_edit_without_effect(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A behaviour token that was measured after the last edit replaces the source checksums."""
    monkeypatch.setattr(assets, "CLONE", tmp_path)
    source = write_source(tmp_path, "first text")
    config = tiny_config(smoke, "dcgan")

    def identity() -> str:
        return RunSpec("dcgan", config, 0).fingerprint("a")

    by_text = identity()
    write_token(tmp_path, "token")
    measured = identity()
    assert measured != by_text
    source.write_text("second text")  # the token is now outdated
    assert identity() == by_text
    write_token(tmp_path, "token")
    assert identity() == measured
    write_token(tmp_path, "another")
    assert identity() not in (measured, by_text)


def write_source(root: Path, text: str) -> Path:
    path = root / "src/ganvae/one.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def write_token(root: Path, behaviour: str) -> None:
    write_json(root / token_path("train/dcgan"), {"behaviour": behaviour})
    write_json(root / MEASURED, {"source": source_checksum(root)})


def test_pin_8_the_seed_decides_the_weights(smoke: Params, name: str, tmp_path: Path) -> None:
    config = with_schedule(smoke, name, length=2)
    first, again, other = (
        train(RunSpec(name, config, seed), IMAGES, tmp_path / work)
        for seed, work in ((0, "a"), (0, "b"), (1, "c"))
    )
    assert_same(weights(first.model), weights(again.model))
    with pytest.raises(AssertionError):
        assert_same(weights(first.model), weights(other.model))


def test_pin_8_training_leaves_the_global_generator_alone(smoke: Params, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    train(RunSpec("dcgan", with_schedule(smoke, "dcgan", length=2), 0), IMAGES, tmp_path)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("broken", ["d_loss", "g_loss"])
def test_a_loss_that_is_not_finite_ends_the_run(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    cls = trainer.build_model("dcgan", tiny_config(smoke, "dcgan"), (1, 28, 28), 0).__class__
    original = cls.train_step

    def poisoned(self: Any, images: Tensor, optimizers: Any, noise: Any) -> dict[str, Tensor]:
        losses = original(self, images, optimizers, noise)
        self.steps_taken = getattr(self, "steps_taken", 0) + 1
        if self.steps_taken == 4:
            losses[broken] = torch.tensor(float("nan"))
        return losses

    monkeypatch.setattr(cls, "train_step", poisoned)
    config = with_schedule(smoke, "dcgan", length=9)
    result = train(RunSpec("dcgan", config, 0), IMAGES, tmp_path)
    assert result.status == "diverged"
    assert result.reason == f"{broken} was NaN or infinite by step 6"
    assert result.seconds > 0
    assert [row["step"] for row in result.history] == [3]  # the history contains no NaN


def test_weights_that_are_not_finite_end_the_run(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = smoke.variants["bernoulli-vae"] | {"learning_rate": 1e30}
    config = system_config("bernoulli-vae", values)
    result = train(RunSpec("bernoulli-vae", config, 0), IMAGES, tmp_path)
    assert result.status == "diverged"
    assert result.reason


def test_a_log_gets_plain_lines(
    smoke: Params, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(RunSpec("dcgan", with_schedule(smoke, "dcgan", length=4), 5), IMAGES, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "dcgan-5: step 0 of 4"
    assert lines[-1].startswith("dcgan-5: step 4 of 4, d_loss ")
    assert "\r" not in "".join(lines)


@pytest.mark.slow
def test_the_full_profile_trains_at_full_width(name: str, tmp_path: Path) -> None:
    full = load_params(ROOT / "profiles/full/params.yaml")
    every = {"report_every": 1, "sample_every": 2, "checkpoint_every": 2}
    values = full.variants[name] | {"schedule": {"unit": "steps", "length": 2, **every}}
    result = train(RunSpec(name, system_config(name, values), 0), IMAGES, tmp_path)
    assert result.status == "completed"
    seeds = {run.seed for run in full.runs.values() if run.variant == name}
    assert seeds == ({0} if name == "keras-dcgan" else {0, 1, 2})  # a run of it takes three hours


@pytest.mark.parametrize("binarize", ["none", "static", "dynamic"])
def test_sampling_is_fitted_once_after_training_on_the_whole_training_set(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, binarize: Binarization
) -> None:
    fits: list[tuple[Tensor, Tensor]] = []

    def fit(model: GenerativeModel, images: Tensor, random: torch.Generator) -> None:
        final = next(model.parameters()).clone()
        fits.append((images, final))

    monkeypatch.setattr(system_class("bernoulli-vae"), "fit_sampling", fit)
    config = with_schedule(smoke, "bernoulli-vae", length=4).model_copy(
        update={"binarize": binarize, "ema": 0.8}
    )
    result = train(RunSpec("bernoulli-vae", config, seed=1), IMAGES, tmp_path)
    ((images, weight),) = fits
    assert images.shape == IMAGES.shape
    assert torch.equal(weight, next(result.model.parameters()))  # the averaged weights
    assert torch.equal(images, IMAGES) == (binarize == "none")
    assert {*images.unique().tolist()} <= {*IMAGES.unique().tolist(), 0, 255}
    assert 0 < result.fit_seconds < result.seconds
