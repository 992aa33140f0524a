"""The committed second judge of digits, measured again."""

import json

import pytest
import torch

from conftest import ROOT, stripes
from ganvae.data.idx import read_idx
from ganvae.evaluation.sensitivity import sensitivity
from ganvae.judge.network import FrozenJudge
from ganvae.judge.unlabelled import UnlabelledJudge


def test_damage_raises_fid_in_pixels() -> None:
    images = stripes(900)[0]
    train, test = images[:600], images[600:]
    fids = sensitivity(lambda batch: batch[:, 0, ::4, ::4].flatten(1).float(), train, test)
    assert set(fids) == {
        "floor",
        *(f"blur_{amount}" for amount in (0.5, 1.0, 1.5)),
        *(f"noise_{amount}" for amount in (0.05, 0.1, 0.2)),
    }
    assert 0 < fids["blur_0.5"] < fids["blur_1.0"] < fids["blur_1.5"]
    assert 0 < fids["noise_0.05"] < fids["noise_0.1"] < fids["noise_0.2"]


@pytest.mark.slow
def test_pin_25_the_second_judge_is_stricter_with_blur_than_the_first() -> None:
    folder = ROOT / "data/raw/mnist"
    train, test = (
        torch.from_numpy(read_idx(folder / f"{name}-images-idx3-ubyte.gz", 3))[:, None]
        for name in ("train", "t10k")
    )
    judge = UnlabelledJudge(ROOT / "judges/mnist-unlabelled.safetensors")
    labelled = FrozenJudge(ROOT / "judges/mnist.safetensors")
    second = sensitivity(judge, train, test)
    first = sensitivity(lambda images: labelled(images)[0], train, test)
    assert second["blur_1.0"] / second["floor"] >= 1.9 * first["blur_1.0"] / first["floor"]
    card = json.loads((ROOT / "judges/mnist-unlabelled.json").read_text())
    for name in ("blur_0.5", "blur_1.0", "noise_0.1"):
        assert second[name] == pytest.approx(card["fid"][name], rel=0.01)
        assert first[name] == pytest.approx(card["fid_labelled"][name], rel=0.01)
