"""Test that the benchmarks' baselines are the same networks, and where results are written."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from conftest import ROOT
from forks import python
from ganvae.models.base import GenerativeModel

sys.path.insert(0, str(ROOT / "benchmarks"))

import results
from plain import plain

SCRIPTS = [p for p in (ROOT / "benchmarks").glob("*.py") if "__main__" in p.read_text()]


def test_plain_networks_have_only_torchs_own_layers(model: GenerativeModel) -> None:
    """`plain` compares the outputs. This test runs it for the networks of every system."""
    images = torch.rand(2, *model.image_shape)
    latents = model.sample_prior(2, torch.Generator())
    for name, network in model.named_children():
        if not isinstance(network, nn.Sequential):
            continue
        theirs = plain(network, latents if name in ("generator", "decoder") else images)
        ours = {type(layer).__name__ for layer in theirs if type(layer).__module__[:5] != "torch"}
        assert ours <= {"SamePadding"}, f"{name} is not plain"
        assert sum(p.numel() for p in theirs.parameters()) == sum(
            p.numel() for p in network.parameters()
        )


def test_results_replace_only_their_own_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "RESULTS.md"
    monkeypatch.setattr(results, "RESULTS", path)
    results.report("one.py", "first")
    results.report("two.py", "second")
    results.report("one.py", r"third \1")
    text = path.read_text()
    assert "first" not in text
    assert text.index(r"third \1") < text.index("## `two.py`") < text.index("second")
    assert text.count("## `") == 2


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_benchmark_has_a_help_text_and_a_make_target(script: Path) -> None:
    shown = python(script, "--help")
    assert shown.returncode == 0, shown.stderr
    assert script.name in (ROOT / "benchmarks/README.md").read_text()
    assert script.name in (ROOT / "Makefile").read_text(), "no make target runs this benchmark"
