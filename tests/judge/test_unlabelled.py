"""Judges without labels: their tasks, their training, and the committed judges."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.ndimage import gaussian_filter

from conftest import GREY, ROOT, stripes
from ganvae.config import (
    TasksConfig,
    UnlabelledChannelConfig,
    UnlabelledTrainingConfig,
    parse,
    read_yaml,
)
from ganvae.core.errors import ConfigError, DataError
from ganvae.core.files import sha256
from ganvae.core.images import from_uint8, to_uint8
from ganvae.core.tensors import save_tensors
from ganvae.judge.making import make_unlabelled_judge
from ganvae.judge.pretext import blurred, damage, rotated
from ganvae.judge.unlabelled import UnlabelledJudge

COMMITTED = sorted(path.stem for path in (ROOT / "judges").glob("*-unlabelled.safetensors"))
TASKS = TasksConfig(
    damage_weight=1.0, damaged_share=0.5, most_blur=1.5, most_noise=0.2, strictness=3.0
)
SECTION: dict[str, Any] = {
    "data": {
        "dataset": "toy",
        "layout": "folders",
        "directory": "toy",
        "train_size": None,
        "validation_size": 20,
        "test_size": 60,
        "split_seed": 0,
    },
    "labelled": "judges/mnist.safetensors",
    "network": {"channels": [4, 8], "strides": [2, 2], "features": 8, "dropout": 0.0},
    "tasks": TASKS.model_dump(),
    "training": {
        "epochs": 6,
        "batch_size": 20,
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "max_shift": 1,
        "seed": 0,
        "threads": 1,
    },
}


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def made(path: Path, images: torch.Tensor) -> tuple[UnlabelledJudge, list[float]]:
    """A judge trained on images, and the loss of each epoch."""
    lines: list[str] = []
    weights, card = make_unlabelled_judge(
        parse(UnlabelledTrainingConfig, SECTION, "toy"), images, lines.append
    )
    save_tensors(path, weights, card)
    return UnlabelledJudge(path), [float(line.rsplit(" ", 1)[1]) for line in lines]


def test_images_are_rotated_by_the_told_quarter_turns() -> None:
    images = torch.rand(200, 2, 5, 5, generator=seeded())
    turned, turns = rotated(images, seeded())
    assert set(turns.tolist()) == {0, 1, 2, 3}
    for image, result, turn in zip(images, turned, turns.tolist(), strict=True):
        assert torch.equal(result, torch.rot90(image, turn, (1, 2)))


@pytest.mark.parametrize("deviation", [0.5, 1.0, 1.5])
def test_blur_agrees_with_scipy(deviation: float) -> None:
    images = torch.rand(3, 2, 20, 16, generator=seeded())
    ours = blurred(images, torch.full((3,), deviation))
    expected = gaussian_filter(
        images.numpy(), sigma=(0, 0, deviation, deviation), mode="mirror", truncate=3.0
    )
    torch.testing.assert_close(ours, torch.from_numpy(expected), atol=5e-3, rtol=0)


def test_each_image_has_its_own_blur() -> None:
    image = torch.rand(1, 1, 16, 16, generator=seeded())
    together = blurred(image.repeat(3, 1, 1, 1), torch.tensor([0.0, 0.6, 1.2]))
    torch.testing.assert_close(together[:1], image)
    roughness = together.diff(dim=3).square().mean(dim=(1, 2, 3))
    assert roughness[0] > roughness[1] > roughness[2]


def test_the_told_amounts_are_variances() -> None:
    images = torch.full((4000, 1, 8, 8), 0.5)
    damaged, amounts = damage(images, TASKS, seeded())
    assert amounts.min() == 0
    assert amounts.max() <= 1
    assert (amounts == 0).double().mean(dim=0).tolist() == pytest.approx([0.5, 0.5], abs=0.03)
    assert amounts[amounts > 0].mean() == pytest.approx(1 / 3, abs=0.02), "the mean of u^2"
    found = damaged.var(dim=(1, 2, 3)) / TASKS.most_noise**2  # blur leaves plain images alone
    assert torch.corrcoef(torch.stack([found, amounts[:, 1]]))[0, 1] > 0.95
    assert (found - amounts[:, 1]).abs().mean() < 0.1
    assert torch.equal(damaged, (255 * damaged).round() / 255)


def test_a_judge_learns_its_tasks(tmp_path: Path) -> None:
    images = stripes(400)[0]
    state = torch.get_rng_state()
    judge, losses = made(tmp_path / "judge", images)
    assert torch.equal(torch.get_rng_state(), state)
    assert losses[-1] < 0.6 * losses[0]
    features = judge(images[:50])
    assert features.shape == (50, 8 + 2)
    assert not features.requires_grad
    assert torch.equal(judge(images[:50], batch_size=7), judge(images[:50], batch_size=7))
    torch.testing.assert_close(judge(images[:50], batch_size=7), features, atol=1e-4, rtol=1e-4)
    grains = 0.2 * torch.randn(50, *GREY, generator=seeded())
    noisy = to_uint8((from_uint8(images[:50]) + grains).clamp(0, 1))
    told = (judge(noisy) - features)[:, 9].mean() / TASKS.strictness
    assert told > 0.2, "the last feature is the told variance of the noise, times the strictness"


def test_a_judge_of_channels_has_the_features_of_each_channel(tmp_path: Path) -> None:
    grey, _ = made(tmp_path / "grey.safetensors", stripes(80)[0])
    section = {key: SECTION[key] for key in ("data", "labelled")}
    section["channels_of"] = str(tmp_path / "grey.safetensors")
    colour = stripes(30, (3, 28, 28))[0]
    config = parse(UnlabelledChannelConfig, section, "toy")
    save_tensors(tmp_path / "colour", *make_unlabelled_judge(config, colour))
    judge = UnlabelledJudge(tmp_path / "colour")
    assert judge.image_shape == (3, 28, 28)
    assert judge.card["channels_of"] == {"sha256": grey.sha256}
    apart = torch.cat([grey(colour[:, [channel]]) for channel in range(3)], dim=1)
    torch.testing.assert_close(judge(colour), apart)
    with pytest.raises(ConfigError, match=r"so the judge needs images of shape \(1, 20, 28\)"):
        make_unlabelled_judge(config, colour[:, :, :20])


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    weights, card = make_unlabelled_judge(
        parse(UnlabelledTrainingConfig, SECTION, "toy"), stripes(40)[0], lambda line: None
    )
    card["network"]["features"] = 9
    save_tensors(tmp_path / "judge", weights, card)
    with pytest.raises(DataError, match="do not fit the network in its metadata"):
        UnlabelledJudge(tmp_path / "judge")


def test_every_data_set_with_a_judge_has_a_second_judge() -> None:
    judges = {path.stem for path in (ROOT / "judges").glob("*.safetensors")}
    first = {name for name in judges if not name.endswith("-unlabelled")}
    assert {f"{name}-unlabelled" for name in first} == set(COMMITTED)


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_judges_without_labels_fit_their_section_and_card(name: str) -> None:
    path = ROOT / f"judges/{name}.safetensors"
    judge, section = UnlabelledJudge(path), read_yaml(ROOT / "judges/params.yaml")[name]
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["sha256"] == judge.sha256
    assert {key: card[key] for key in judge.card} == judge.card
    assert path.stat().st_size < 1_000_000
    kind = UnlabelledTrainingConfig if "network" in section else UnlabelledChannelConfig
    config = parse(kind, section, name)
    assert judge.card["data"] == config.data.model_dump(exclude_defaults=True)
    assert judge.card["network"]["features"] <= 126
    if "channels_of" in section:
        assert judge.card["channels_of"]["sha256"] == sha256(ROOT / section["channels_of"])
    else:
        assert judge.card["training"] == section["training"]
        assert judge.card["tasks"] == section["tasks"]


@pytest.mark.parametrize("name", COMMITTED)
def test_pin_25_cards_say_that_the_second_judge_is_twice_as_strict_with_blur(name: str) -> None:
    card = json.loads((ROOT / f"judges/{name}.json").read_text())
    second, first = card["fid"], card["fid_labelled"]
    assert second["floor"] < second["blur_0.5"] < second["blur_1.0"] < second["blur_1.5"]
    assert second["floor"] < second["noise_0.05"] < second["noise_0.1"] < second["noise_0.2"]
    ratio = second["blur_1.0"] / second["floor"] / (first["blur_1.0"] / first["floor"])
    assert ratio >= 2
    assert all(math.isfinite(fid) for fid in (*second.values(), *first.values()))
