"""Trains one real run of the laptop profile again, to see what short measurements cannot show."""

import csv
from pathlib import Path

import pytest
import torch

from conftest import ROOT
from ganvae.config import Params, load_params
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.core.processor import processor
from ganvae.core.tensors import load_tensors
from ganvae.data.splits import load_source, make_splits
from ganvae.data.store import write_split
from ganvae.training.runs import train_run

pytestmark = pytest.mark.slow

RUN = "bernoulli-vae-2d-0"  # the shortest run: 25 seconds on one core
COMMITTED = ROOT / "results/laptop"


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """Train the run in an empty folder with the laptop profile's parameters."""
    params = load_params(ROOT / "params.yaml")
    data = params.data.model_copy(update={"directory": str(ROOT / params.data.directory)})
    monkeypatch.chdir(tmp_path)
    source = load_source(data)
    split = make_splits(source, data)["train"]
    path = ProfilePaths(params.profile).split("train")
    write_split(path, "train", split, data.dataset, source.classes)
    train_run(params, RUN)
    return params


def last_loss(path: Path) -> float:
    with path.open() as file:
        return float(list(csv.DictReader(file))[-1]["loss"])


def test_a_real_run_gives_the_committed_weights(trained: Params) -> None:
    """Bit-identical on the kind of processor of the committed weights; elsewhere a similar loss."""
    paths = ProfilePaths(trained.profile).run(RUN)
    weights, _ = load_tensors(paths.weights)
    published, _ = load_tensors(COMMITTED / f"pretrained/{trained.runs[RUN].variant}.safetensors")
    precision = read_json(COMMITTED / f"runs/{RUN}/outcome.json")["training_precision"]
    timing = read_json(COMMITTED / f"runs/{RUN}/timing.json")
    same_kind = (
        processor(1) == timing.get("processor")  # older runs do not name their processor
        and read_json(paths.outcome)["training_precision"] == precision
    )
    if same_kind:
        for name, tensor in published.items():
            assert torch.equal(weights[name].to(tensor.dtype), tensor), name
    loss = last_loss(COMMITTED / f"runs/{RUN}/history.csv")
    assert last_loss(paths.history) == pytest.approx(loss, rel=0 if same_kind else 0.02)
