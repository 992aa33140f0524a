"""Making of each kind of judge, and a check of the committed judges against their cards."""

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from conftest import ROOT, stripes
from ganvae.config import ChannelJudgeConfig, JudgeConfig, parse, read_yaml
from ganvae.core.errors import ConfigError
from ganvae.core.files import sha256
from ganvae.core.images import from_uint8
from ganvae.core.tensors import save_tensors
from ganvae.data.source import LabelledImages, Source
from ganvae.data.splits import Split
from ganvae.judge.making import make_judge
from ganvae.judge.network import ChannelJudge, FrozenJudge, Judge
from ganvae.judge.training import mirror

COMMITTED = sorted(
    path.stem
    for path in (ROOT / "judges").glob("*.safetensors")
    if not path.stem.endswith("-unlabelled")
)
DATA: dict[str, Any] = {
    "dataset": "toy",
    "layout": "folders",
    "directory": "toy",
    "train_size": None,
    "validation_size": 20,
    "test_size": 60,
    "split_seed": 0,
}
SECTION: dict[str, Any] = {
    "data": DATA,
    "network": {"channels": [4, 8], "strides": [2, 2], "features": 8, "dropout": 0.0},
    "training": {
        "epochs": 10,
        "batch_size": 20,
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "max_shift": 0,
        "seed": 0,
        "threads": 1,
    },
}
PEOPLE = {**SECTION, "identities": {"min_photos": 10, "held_out_share": 0.2}}


def toy_splits(channels: int = 1) -> dict[str, Split]:
    """Striped images of ten classes. With three channels, each channel has a separate class."""
    images, labels = stripes(400)
    if channels == 3:
        others = torch.randperm(400, generator=torch.Generator().manual_seed(0)).reshape(2, 200)
        first = torch.arange(200)
        images = torch.cat([images[index] for index in (first, *others)], dim=1)
        labels = 100 * labels[first] + 10 * labels[others[0]] + labels[others[1]]
    data = LabelledImages(images.numpy(), labels.numpy())
    ends = {"train": (0, 120), "validation": (120, 140), "test": (140, 200)}
    ranges = {name: np.arange(start, end) for name, (start, end) in ends.items()}
    return {name: Split(data[index], index, "train") for name, index in ranges.items()}


def judge_at(path: Path, section: Mapping[str, Any], splits: Mapping[str, Split]) -> FrozenJudge:
    weights, card = make_judge(parse(JudgeConfig, section, "toy"), splits, 10, lambda line: None)
    save_tensors(path, weights, card)
    return FrozenJudge(path)


def test_judge_of_classes_is_accurate_and_described(tmp_path: Path) -> None:
    judge = judge_at(tmp_path / "judge", SECTION, toy_splits())
    assert judge.kind == "classes"
    assert judge.card["test_accuracy"] > 0.9
    assert judge.card["train_size"] == 120
    assert "kind" not in judge.card
    assert "size" not in judge.card["data"], "parameters at their defaults would change old cards"
    assert "flip" not in judge.card["training"]


def test_judge_of_people_is_accurate_and_described(tmp_path: Path) -> None:
    judge = judge_at(tmp_path / "judge", PEOPLE, toy_splits())
    assert judge.kind == "identities"
    card = judge.card
    assert (card["identities"], card["photos"], card["held_out_photos"]) == (10, 100, 20)
    assert card["held_out_accuracy"] > 0.9 > card["chance_accuracy"] == pytest.approx(0.1)
    assert card["verification_auc"] > 0.8
    features, logits = judge(torch.from_numpy(toy_splits()["test"].data.images))
    assert (features.shape, logits.shape) == ((60, 8), (60, 10))


@pytest.fixture
def digit_judge(tmp_path: Path) -> FrozenJudge:
    return judge_at(tmp_path / "digits.safetensors", SECTION, toy_splits())


def channel_config(path: Path) -> ChannelJudgeConfig:
    return parse(ChannelJudgeConfig, {"data": DATA, "channels_of": str(path)}, "toy")


def test_judge_of_channels_combines_classes(tmp_path: Path, digit_judge: FrozenJudge) -> None:
    splits, digits = toy_splits(3), tmp_path / "digits.safetensors"
    weights, card = make_judge(channel_config(digits), splits, 1000)
    save_tensors(tmp_path / "judge", weights, card)
    judge = FrozenJudge(tmp_path / "judge")
    assert judge.kind == "channels"
    assert judge.image_shape == (3, 28, 28)
    assert judge.card["channels_of"] == {"sha256": sha256(digits), "classes": 10}
    test = splits["test"].data
    images = torch.from_numpy(test.images)
    features, logits = judge(images)
    apart = [digit_judge(images[:, [channel]]) for channel in range(3)]
    assert (features.shape, logits.shape) == ((60, 24), (60, 1000))
    torch.testing.assert_close(features, torch.cat([part for part, _ in apart], dim=1))
    guesses = [part.argmax(dim=1) for _, part in apart]
    assert torch.equal(logits.argmax(dim=1), 100 * guesses[0] + 10 * guesses[1] + guesses[2])
    p = [part.softmax(dim=1) for _, part in apart]
    joint = torch.einsum("ni,nj,nk->nijk", *p).flatten(1)
    torch.testing.assert_close(logits.softmax(dim=1), joint, atol=1e-6, rtol=1e-4)
    accuracy = (logits.argmax(dim=1).numpy() == test.labels).mean()
    assert card["test_accuracy"] == pytest.approx(accuracy)
    assert accuracy > 0.7


def test_a_channel_judge_that_does_not_fit_the_data_is_refused(
    tmp_path: Path, digit_judge: FrozenJudge
) -> None:
    config = channel_config(tmp_path / "digits.safetensors")
    with pytest.raises(ConfigError, match=r"The data has 27 classes and images"):
        make_judge(config, toy_splits(3), 27)
    splits = {"test": Split(toy_splits(3)["test"].data, np.arange(60), "test")}
    wide = LabelledImages(np.zeros((2, 3, 28, 30), np.uint8), np.zeros(2, np.int64))
    with pytest.raises(ConfigError, match=r"of shape \(1, 28, 28\)\. .*\(3, 28, 30\)"):
        make_judge(config, splits | {"test": Split(wide, np.arange(2), "test")}, 1000)


def test_mirroring_flips_about_half_of_the_images() -> None:
    images = torch.rand(400, 2, 3, 5, generator=torch.Generator().manual_seed(0))
    mirrored = mirror(images, torch.Generator().manual_seed(0))
    same, flipped = ((mirrored == x).flatten(1).all(dim=1) for x in (images, images.flip(3)))
    assert bool((same ^ flipped).all())
    assert 150 < int(flipped.sum()) < 250


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module stages/judge.py, with toy images as its data."""
    spec = importlib.util.spec_from_file_location("judge_stage", ROOT / "stages/judge.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    splits = toy_splits()
    source = Source(splits["train"].data, splits["test"].data, tuple("0123456789"))
    monkeypatch.setattr(module, "load_source", lambda config: source)
    monkeypatch.setattr(module, "make_splits", lambda source, config: splits)
    return module


def write_params(folder: Path, features: int = 8) -> str:
    network = {**SECTION["network"], "features": features}
    path = folder / "params.yaml"
    path.write_text(json.dumps({"toy": {**SECTION, "network": network}}))  # JSON is valid YAML
    return str(path)


def test_the_card_file_has_the_size_of_the_weights_and_the_floor(
    tmp_path: Path, stage: ModuleType
) -> None:
    weights = tmp_path / "toy.safetensors"
    stage.main(write_params(tmp_path), "toy", str(weights))
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["sha256"] == sha256(weights)
    assert card["bytes"] == weights.stat().st_size
    assert card["floor"]["n_real"] == card["floor"]["n_generated"] == 60
    assert 0 < card["floor"]["fid"] < 50
    assert "floor" not in FrozenJudge(weights).card


def test_a_judge_too_large_to_commit_is_not_written(tmp_path: Path, stage: ModuleType) -> None:
    stage.MAX_BYTES = 1000
    with pytest.raises(ConfigError, match=r"toy: the weights take [\d,]+ bytes, but the limit"):
        stage.main(write_params(tmp_path), "toy", str(tmp_path / "toy.safetensors"))
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_judges_fit_their_section_and_card(name: str) -> None:
    path = ROOT / f"judges/{name}.safetensors"
    judge = FrozenJudge(path)
    section = read_yaml(ROOT / "judges/params.yaml")[name]
    card_file = json.loads(path.with_suffix(".json").read_text())
    assert card_file["sha256"] == judge.sha256
    assert {key: card_file[key] for key in judge.card} == judge.card
    assert path.stat().st_size < 1_000_000
    data = parse(JudgeConfig if "network" in section else ChannelJudgeConfig, section, name).data
    assert judge.card["data"] == data.model_dump(exclude_defaults=True)
    assert judge.card["network"]["features"] <= 128
    if judge.kind == "channels":
        assert judge.card["channels_of"]["sha256"] == sha256(ROOT / section["channels_of"])
    else:
        assert judge.card["training"] == section["training"]


def test_the_batch_size_does_not_change_a_channel_judge() -> None:
    config = parse(JudgeConfig, SECTION, "toy").network
    judge = ChannelJudge(Judge(config, (1, 28, 28), 10)).eval()
    images = from_uint8(torch.from_numpy(toy_splits(3)["test"].data.images[:8]))
    whole = judge(images)
    singles = [judge(image) for image in images.split(1)]
    for together, separate in zip(whole, zip(*singles, strict=True), strict=True):
        torch.testing.assert_close(together, torch.cat(separate), atol=1e-5, rtol=1e-4)
