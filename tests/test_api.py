"""The calls of the package: they are imported late, and results print as tables.

tests/evaluation/test_scoring.py tests the call `ganvae.score`.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ganvae
from conftest import ROOT
from ganvae.config import load_params
from ganvae.core import assets
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import read_json
from ganvae.pipeline.pretrained import find_weights
from ganvae.pipeline.sampling import sample_to_file
from ganvae.scores.records import write_records
from toy_records import runs

GAN, VAE = load_params(ROOT / "params.yaml").finalists


def test_the_import_of_the_package_loads_nothing_heavy() -> None:
    script = """
import sys, ganvae
print([name for name in ("torch", "numpy", "pydantic") if name in sys.modules])
print(ganvae.__all__)
"""
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert process.stdout == "[]\n['compare', 'sample', 'score']\n"
    with pytest.raises(AttributeError, match="module 'ganvae' has no attribute 'scroe'"):
        ganvae.scroe  # noqa: B018


def test_samples_are_those_of_the_command(tmp_path: Path) -> None:
    images = ganvae.sample(GAN, n=5, seed=2)
    assert (images.shape, images.dtype) == ((5, 1, 28, 28), np.float32)
    sample_to_file(find_weights(GAN), 5, 2, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        assert np.array_equal(file["images"], images)
    assert np.array_equal(ganvae.sample(find_weights(GAN), n=5, seed=2), images)
    assert not np.array_equal(ganvae.sample(GAN, n=5, seed=3), images)
    with pytest.raises(ConfigError, match="there is no pretrained model 'nope'"):
        ganvae.sample("nope")


def test_records_files_and_profiles_are_compared(tmp_path: Path) -> None:
    write_records(tmp_path / "vae.json", runs("vae", [9.0, 10.0]))
    compared = ganvae.compare([*runs("gan", [5.0, 6.0]), tmp_path / "vae.json"], ("gan", "vae"))
    assert [row.variant for row in compared.comparison.rows] == ["gan", "vae"]
    assert compared.comparison.finalists[0].effect == pytest.approx((30 / 90) ** 0.5)
    lines = str(compared).splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["variant", "gan", "vae"]
    assert repr(compared) == str(compared)


def test_the_name_of_a_profile_stands_for_its_published_records(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    compared = ganvae.compare("laptop", (GAN, VAE))
    published = read_json(ROOT / "results/laptop/comparison.json")["finalists"]
    found = [difference.effect for difference in compared.comparison.finalists]
    assert found == pytest.approx([difference["effect"] for difference in published])
    with pytest.raises(UserError, match=r"nope is not a file.*profile.* \(faces, .*laptop, "):
        ganvae.compare(["nope"])
    write_records(tmp_path / "laptop", runs("mine", [1.0]))  # an existing file comes first
    assert [row.variant for row in ganvae.compare("laptop").comparison.rows] == ["mine"]
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    with pytest.raises(UserError, match="fashion is not a file"):
        ganvae.compare("fashion")


def test_a_comparison_is_shown_as_html_without_markup_of_its_own() -> None:
    shown = ganvae.compare(runs("<gan>", [5.0]))._repr_html_()
    assert shown.startswith("<pre")
    assert "&lt;gan&gt;" in shown
    assert "<gan>" not in shown


def test_messages_name_the_position_of_a_record() -> None:
    first, second = runs("a", [5.0, 6.0])
    again = second.model_copy(update={"seed": 0, "samples_sha256": "d" * 64})
    message = r"^records\[0\] and records\[1\]: there are two records of a, seed 0"
    with pytest.raises(UserError, match=message):
        ganvae.compare([first, again])
    with pytest.raises(UserError, match=r"^there are no score records\."):
        ganvae.compare([])
    flagged = first.model_copy(update={"flags": ["too few"]})
    with pytest.raises(UserError, match=r"^no record can be ranked, .* first flag: too few\."):
        ganvae.compare(flagged)
