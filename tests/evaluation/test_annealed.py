"""The log-likelihood of a training run: its record, and the choice of its variance."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganvae.config import Params
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import sha256
from ganvae.core.images import to_uint8
from ganvae.core.paths import ProfilePaths
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.data.store import read_split
from ganvae.evaluation import annealing
from ganvae.evaluation.annealed import anneal_run, chosen, dequantised
from ganvae.evaluation.parts import Parts
from ganvae.models.registry import system_config
from ganvae.models.weights import load_model
from ganvae.pipeline.behaviour.panel import GREY, SMALL
from ganvae.pipeline.behaviour.toy_profile import KEY, PROFILE, Fate, write_profile, write_run
from ganvae.scores.annealed import LikelihoodRecord, read_annealed
from ganvae.training.runs import STATE

PATHS = ProfilePaths(PROFILE)
RUN = PATHS.run(KEY)


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """A toy profile in the working folder, with 80 test images and 40 validation images."""
    monkeypatch.chdir(tmp_path)
    return write_profile(GREY, "classes")


def trained(system: str = "vanilla-gan", fate: Fate = "trained", **parameters: Any) -> None:
    """Write the files of a training run with artificial weights."""
    write_run(system, system_config(system, SMALL[system] | parameters), GREY, fate)


def with_settings(params: Params, **settings: Any) -> Params:
    section = params.annealing.model_copy(
        update={"settings": params.annealing.settings.model_copy(update=settings)}
    )
    return params.model_copy(update={"annealing": section})


def replace_images(split: str, images: Tensor) -> None:
    """Replace the first images of a split."""
    tensors, card = load_tensors(PATHS.split(split))
    tensors["images"][: len(images)] = images
    save_tensors(PATHS.split(split), tensors, card)


def drawn(n: int, variance: float) -> Tensor:
    """Images of the model, with Gaussian noise of this variance, as uint8."""
    random = torch.Generator().manual_seed(5)
    means = load_model(RUN.weights).sample(n, random)
    noise = torch.randn(means.shape, generator=random)
    return to_uint8((means + math.sqrt(variance) * noise).clamp(0, 1))


def test_a_record_has_all_numbers(params: Params) -> None:
    trained()
    record = anneal_run(params, KEY)
    settings = params.annealing.settings
    assert (record.variant, record.seed, record.prior) == ("model", 4, "uniform")
    assert record.reason is None
    assert record.candidates is not None
    tried = [variance for variance, _ in record.candidates]
    assert tried == sorted(tried)
    assert {*tried} <= {*settings.variances}
    place = settings.variances.index(record.variance or 0)
    assert {*settings.variances[max(0, place - 1) : place + 2]} <= {*tried}
    assert record.variance == max(record.candidates, key=lambda pair: pair[1])[0]
    assert record.standard_error is not None
    assert record.standard_error > 0
    assert (record.images, record.simulated) == (11, 2)
    assert (record.chains, record.distributions) == (2, 10)
    assert record.weights_sha256 == sha256(RUN.weights)
    assert record.data_sha256 == sha256(PATHS.split("test"))


def test_pin_26_the_variance_is_chosen_on_validation_images(params: Params) -> None:
    trained()
    candidates = [0.004, 0.02, 0.1]
    few = {"images": 2, "simulated": 2, "distributions": 100}
    params = with_settings(params, variances=candidates, **few)
    chosen = []
    for variance in candidates:
        replace_images("validation", drawn(40, variance))
        chosen.append(anneal_run(params, KEY).variance)
    assert chosen == candidates


def test_pin_26_the_choice_of_the_variance_looks_at_no_test_image(params: Params) -> None:
    trained()
    before = anneal_run(params, KEY)
    replace_images("test", torch.zeros(80, *GREY, dtype=torch.uint8))
    after = anneal_run(params, KEY)
    assert before.candidates == after.candidates
    assert (before.gap, before.gap_standard_error) == (after.gap, after.gap_standard_error)
    assert before.mean != after.mean


def test_mean_and_error_are_those_of_all_batches(
    params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in for an estimate is the mean of the pixels."""
    trained()
    monkeypatch.setattr(
        annealing, "log_likelihood", lambda decoder, images, *_: images.mean(dim=(1, 2, 3)).double()
    )
    record = anneal_run(params, KEY)
    images = chosen(read_split(PATHS.split("test")).images, 11, 0, "test")
    values = (images.double().mean(dim=(1, 2, 3)) + 0.5) / 256
    assert record.mean == pytest.approx(float(values.mean()), abs=2e-4)
    error = float(values.std()) / math.sqrt(11)
    assert record.standard_error == pytest.approx(error, abs=2e-4)


@pytest.mark.parametrize(
    ("system", "parameters", "fate", "reason"),
    [
        ("dcgan", {"rejection": 40.0}, "trained", "the discriminator accepts samples, so their"),
        ("dcgan", {}, "diverged", "the training run diverged: g_loss was NaN"),
        ("dcgan", {}, "broken", "the log-likelihood of validation images is not finite"),
    ],
)
def test_a_run_without_a_density_has_a_reason_and_no_numbers(
    params: Params, system: str, parameters: dict[str, Any], fate: Fate, reason: str
) -> None:
    trained(system, fate, **parameters)
    record = anneal_run(params, KEY)
    assert record.reason is not None
    assert record.reason.startswith(reason)
    assert record.prior == "normal"
    assert record.mean is None
    assert record.cpu_seconds is None


def test_the_progress_ends_with_its_last_step(
    params: Params, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANVAE_LOG_SECONDS", "0")
    trained()
    anneal_run(params, KEY)
    lines = capsys.readouterr().out.splitlines()
    total = int(lines[0].removeprefix(f"{KEY}: step 0 of "))
    assert lines[1] == f"{KEY}: step 1 of {total}, variance 0.08"  # the middle of the grid
    assert lines[-1].startswith(f"{KEY}: step {total} of {total}, variance 0.")
    assert "log_likelihood" in lines[-1]


def test_pin_26_noise_fills_the_steps_between_grey_values() -> None:
    images = torch.arange(256).to(torch.uint8).repeat(100, 1)
    found = dequantised(images, torch.Generator().manual_seed(0))
    steps = found * 256 - images
    assert steps.min() >= 0
    assert steps.max() <= 1
    assert steps.mean() == pytest.approx(1 / 2, abs=0.01)
    assert steps.var() == pytest.approx(1 / 12, abs=0.01)
    assert found.max() <= 1


def test_images_are_chosen_at_random_from_the_whole_split() -> None:
    """Splits in folders are sorted by class, so their first images are of one class."""
    images = torch.arange(1000)
    found = chosen(images, 100, 0, "test")
    assert len(found.unique()) == 100
    assert found.div(100, rounding_mode="floor").bincount(minlength=10).min() > 3
    assert torch.equal(found, chosen(images, 100, 0, "test"))
    assert torch.equal(found[:30], chosen(images, 30, 0, "test"))
    assert not torch.equal(found, chosen(images, 100, 1, "test"))
    assert not torch.equal(found, chosen(images, 100, 0, "validation"))
    assert torch.equal(chosen(images[:5], 20, 0, "validation").sort().values, images[:5])


def stop_after(parts: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stop the estimate when it begins the next part. Return the list of all parts begun."""
    begun: list[str] = []

    def stopping(original: Callable[..., Any]) -> Callable[..., Any]:
        def begin(*arguments: Any) -> Any:
            begun.append(original.__name__)
            if len(begun) == parts + 1:
                raise KeyboardInterrupt
            return original(*arguments)

        return begin

    for function in (annealing.log_likelihood, annealing.simulated_bounds):
        monkeypatch.setattr(annealing, function.__name__, stopping(function))
    return begun


def stopped(params: Params, parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(parts, patch)
        anneal_run(params, KEY)


def numbers(record: LikelihoodRecord) -> dict[str, Any]:
    return record.model_dump(exclude={"cpu_seconds"})


def test_a_stopped_estimate_goes_on_and_gives_the_same_numbers(
    params: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GANVAE_LOG_SECONDS", "0")
    trained()
    with monkeypatch.context() as patch:
        undisturbed = stop_after(1000, patch)
        straight = numbers(anneal_run(params, KEY))
    all_parts = len(undisturbed)
    assert [*STATE.iterdir()] == []
    for parts in (1, all_parts - 2, all_parts - 1):  # the last part is of simulated images
        stopped(params, parts, monkeypatch)
        with monkeypatch.context() as patch:
            begun = stop_after(1000, patch)
            capsys.readouterr()
            assert numbers(anneal_run(params, KEY)) == straight
        assert len(begun) == all_parts - parts
        first, *_, last = capsys.readouterr().out.splitlines()
        total = first.removeprefix(f"{KEY}: step 0 of ")
        assert last.startswith(f"{KEY}: step {total} of {total}")
        assert [*STATE.iterdir()] == []
    assert numbers(read_annealed(RUN.annealed)) == straight


@pytest.mark.parametrize("what", ["settings", "weights", "test", "validation", "damaged"])
def test_the_parts_of_another_estimate_are_ignored_and_replaced(
    params: Params, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    trained()
    stopped(params, 3, monkeypatch)
    (state,) = STATE.glob("*/*")
    before = state.read_bytes()
    if what == "settings":
        params = with_settings(params, seed=1)
    elif what == "weights":
        trained(negative_slope=0.3)
    elif what == "damaged":
        state.write_bytes(before[: len(before) // 2])
    else:
        replace_images(what, torch.zeros(40, *GREY, dtype=torch.uint8))
    stopped(params, 1, monkeypatch)
    assert len(load_tensors(state)[0]) == 1
    shutil.rmtree(state.parent)
    straight = numbers(anneal_run(params, KEY))
    stopped(params, 3, monkeypatch)
    assert numbers(anneal_run(params, KEY)) == straight


def test_the_cpu_time_of_all_attempts_counts(params: Params) -> None:
    path = Path("parts.safetensors")
    first = Parts(path, "a")
    first.part("one", lambda: torch.zeros(1))
    tensors, card = load_tensors(path)
    save_tensors(path, tensors, card | {"cpu_seconds": 1000.0})
    again = Parts(path, "a")
    assert "one" in again
    assert 1000 <= again.cpu_seconds < 1100
    assert Parts(path, "b").cpu_seconds < 100


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_decides_all_draws(params: Params, seed: int) -> None:
    trained()
    means = [anneal_run(with_settings(params, seed=each), KEY).mean for each in (0, seed)]
    assert (means[0] == means[1]) == (seed == 0)


def test_faults_are_reported_in_one_line(params: Params) -> None:
    with pytest.raises(ConfigError, match=r"has no run 'dcgan-9'\. Choose one of these runs: mod"):
        anneal_run(params, "dcgan-9")
    with pytest.raises(UserError, match=r"outcome\.json is missing\. Run the stage that writes"):
        anneal_run(params, KEY)
    trained()
    message = r"params\.yaml: annealing\.settings\.images is 81, but .* has only 80 images\. Give"
    with pytest.raises(ConfigError, match=message):
        anneal_run(with_settings(params, images=81), KEY)
    RUN.weights.unlink()
    with pytest.raises(UserError, match=r"weights\.safetensors is missing\. "):
        anneal_run(params, KEY)
