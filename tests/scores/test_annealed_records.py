"""Records of log-likelihoods: numbers or a reason, and which records a profile has."""

from pathlib import Path
from typing import Any

import pytest

from ganvae.config import AnnealingConfig, AnnealingSettings, Params
from ganvae.core.errors import UserError
from ganvae.core.files import write_json
from ganvae.core.paths import ProfilePaths
from ganvae.scores.annealed import LikelihoodRecord, collect_annealed, read_annealed
from toy_annealed import annealed, without_density


def test_a_record_has_numbers_or_a_reason() -> None:
    values = annealed("gan-one").model_dump()
    for changes in ({"gap": None}, {"reason": "no density"}):
        with pytest.raises(ValueError, match="must have either a reason or all numbers"):
            LikelihoodRecord(**values | changes)
    with pytest.raises(ValueError, match=r"gap is 1\.0, but the record must have either"):
        LikelihoodRecord(**without_density("gan-one", "why").model_dump() | {"gap": 1.0})


def test_a_record_is_the_same_after_writing(tmp_path: Path) -> None:
    for record in (annealed("gan-one"), without_density("gan-one", "why")):
        write_json(tmp_path / "x.json", record.model_dump())
        assert read_annealed(tmp_path / "x.json") == record


def test_a_damaged_record_gives_one_line(tmp_path: Path) -> None:
    values: dict[str, Any] = annealed("gan-one").model_dump()
    write_json(tmp_path / "x.json", values | {"gap": "wide"})
    with pytest.raises(UserError, match=r"x\.json: not a likelihood record \(gap: .*dvc repro"):
        read_annealed(tmp_path / "x.json")


def test_only_listed_runs_with_a_file_are_collected(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listed = AnnealingConfig(runs=["dcgan-0", "conv-vae-0"], settings=AnnealingSettings())
    params = smoke.model_copy(update={"annealing": listed})
    assert collect_annealed(params) == []
    for key in ("conv-vae-0", "vae-gan-0"):
        path = ProfilePaths("smoke").run(key).annealed
        write_json(path, annealed(key.removesuffix("-0")).model_dump())
    assert [record.variant for record in collect_annealed(params)] == ["conv-vae"]
