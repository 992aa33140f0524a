"""All stages in order, in a temporary folder, including a run that diverges."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML
from torch import Tensor

from conftest import GREY, ROOT
from ganvae.config import JudgeNetworkConfig, load_params, read_yaml
from ganvae.core.errors import ConfigError
from ganvae.core.files import read_json, sha256
from ganvae.core.paths import ProfilePaths
from ganvae.core.seeds import global_seed
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.data.store import StoredSplit, read_split
from ganvae.evaluation import baselines, runs, training_set
from ganvae.evaluation.evaluator import Evaluator
from ganvae.judge.network import Judge
from ganvae.report.shown import INDEX, KINDS
from ganvae.scores.annealed import read_annealed
from ganvae.scores.catalogue import INCEPTION, REQUIRED
from ganvae.scores.records import read_record, read_records
from ganvae.training import runs as trainings

PATHS = ProfilePaths("tiny")
ANNEALING = {"images": 3, "simulated": 2, "chains": 2, "distributions": 10, "variances": [0.05]}


def stage(name: str) -> Callable[..., None]:
    """The ``main`` of a script in stages/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"stages/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Callable[..., None] = module.main
    return main


@pytest.fixture
def values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The parameters of a smaller smoke profile, in a temporary working folder."""
    monkeypatch.chdir(tmp_path)
    values = read_yaml(ROOT / "profiles/smoke/params.yaml")
    values |= {"profile": "tiny", "judge": "judge.safetensors"}
    values["compute"]["threads"] = 1
    values["data"] |= {
        "directory": str(ROOT / "data/raw/mnist"),
        "train_size": 300,
        "validation_size": 50,
        "test_size": 100,
    }
    values["evaluation"] |= {"n_generated": 120}
    second = values["evaluation"]["unlabelled_judge"]
    second["file"] = str(ROOT / second["file"])
    network = JudgeNetworkConfig(channels=[4, 8], strides=[2, 2], features=8, dropout=0.0)
    with global_seed(0, "judge"):
        judge = Judge(network, GREY, classes=10)
    card = {"network": network.model_dump(), "image_shape": GREY, "classes": 10}
    save_tensors(Path("judge.safetensors"), judge.state_dict(), card)
    return values


def write_params(values: dict[str, Any]) -> str:
    with Path("params.yaml").open("w") as file:
        YAML().dump(values, file)
    return "params.yaml"


def expected_pictures(run: str) -> set[str]:
    """The pictures of a run. A run that diverged before its second frame has only a notice."""
    if run == "bernoulli-vae-0":
        return {"samples.png"}
    names = {"samples.png", "training.gif", "progress.png", "first_and_last_epoch.png"}
    names |= {"losses.png", "interpolations.png", "nearest_neighbours.png", "inversions.png"}
    if "vae" in run:
        names |= {"reconstructions.png", "class_means.png", "latent_scatter.png"}
    if "2d" in run:
        names.add("manifold.png")
    return names


def test_the_report_shows_every_kind_of_picture_that_is_drawn() -> None:
    stems = {Path(name).stem for name in expected_pictures("bernoulli-vae-2d-0")}
    assert stems == {kind.stem for kind in KINDS}


@pytest.mark.slow
def test_all_stages_complete_with_a_diverging_run(values: dict[str, Any]) -> None:
    values["variants"]["bernoulli-vae"]["learning_rate"] = 1e30
    values["annealing"] = {"runs": ["dcgan-0", "bernoulli-vae-0"], "settings": ANNEALING}
    params = write_params(values)
    for name in ("prepare", "by_class", "reference"):
        stage(name)(params)
    for run in values["runs"]:
        stage("train")(params, run)
        stage("evaluate")(params, run)
        stage("draw")(params, run)
    for run in values["annealing"]["runs"]:
        stage("anneal")(params, run)
    stage("baselines")(params)
    stage("publish")(params)
    stage("compare")(params)

    variants = {run["variant"] for run in values["runs"].values()}
    assert {path.name for path in PATHS.pictures.iterdir()} == {INDEX, *variants}
    assert "bernoulli-vae" not in read_json(PATHS.pretrained / "index.json"), "it diverged"
    digits = [folder.name for folder in sorted((PATHS.by_class / "train").iterdir())]
    assert digits == list("0123456789")
    left = [path.name for path in Path(".state").iterdir()]
    assert left == ["live"], "finished runs leave only their live logs"

    diverged = read_record(PATHS.run("bernoulli-vae-0").scores)
    assert diverged.status == "diverged"
    assert diverged.reason is not None
    assert "NaN or infinite" in diverged.reason
    assert diverged.scores["fid_judge"] is None

    for run, size in (("dcgan-0", (582, 606)), ("bernoulli-vae-0", (720, 120))):
        paths = PATHS.run(run)
        assert paths.history.read_text().startswith("step,epoch")
        assert json.loads(paths.timing.read_text())["train_images_per_second"] > 0
        with Image.open(paths.pictures / "samples.png") as image:
            assert image.size == size  # a grid of samples, or a notice without samples
    for run in values["runs"]:
        drawn = {path.name for path in PATHS.run(run).pictures.iterdir()}
        assert drawn == expected_pictures(run), run

    records = read_records(PATHS.results / "scores.json")
    assert len(records) == len(values["runs"]) + 2 * 2  # floor and ceiling for both seeds
    for record in records:
        assert tuple(record.scores) == REQUIRED
        assert record.provenance.n_generated == 120
        assert record.provenance.n_real == 100
        assert record.provenance.judge_sha256 == sha256(Path("judge.safetensors"))
    for record in records:
        if record.family != "reference":
            paths = PATHS.run(f"{record.variant}-{record.seed}")
            timing = json.loads(paths.timing.read_text())
            assert record.scores["train_seconds"] == timing["train_seconds"]
            assert record.provenance.weights_sha256 == sha256(paths.weights)
    table = (PATHS.results / "leaderboard.md").read_text()
    assert "bernoulli-vae, seed 0, diverged" in table
    assert "| `dcgan` | " in table.partition("annealed importance sampling")[2]
    assert "`bernoulli-vae`, seed 0: no value, because the training run diverged: " in table
    with Image.open(PATHS.results / "comparison.png") as image:
        assert image.width > 1000


def test_a_vae_has_reconstruction_scores(values: dict[str, Any]) -> None:
    params = write_params(values)
    for name in ("prepare", "reference"):
        stage(name)(params)
    stage("train")(params, "bernoulli-vae-0")
    stage("evaluate")(params, "bernoulli-vae-0")
    paths = PATHS.run("bernoulli-vae-0")
    scores = read_record(paths.scores).scores
    missing = {name for name, value in scores.items() if value is None}
    assert missing == {
        "budget_share", "train_seconds", "train_images_per_second", "peak_memory_mb",
        "elbo_gaussian", "elbo_gaussian_learned", "elbo_binarised", "importance_bound_binarised",
        "modes_judge", "mode_kl_judge",
    }  # fmt: skip


def test_a_vae_of_binarised_images_has_likelihood_scores(values: dict[str, Any]) -> None:
    params = write_params(values)
    for name in ("prepare", "reference"):
        stage(name)(params)
    stage("train")(params, "bernoulli-vae-binary-0")
    stage("evaluate")(params, "bernoulli-vae-binary-0")
    scores = read_record(PATHS.run("bernoulli-vae-binary-0").scores).scores
    elbo, bound = scores["elbo_binarised"], scores["importance_bound_binarised"]
    assert elbo is not None
    assert bound is not None
    assert -544 < elbo < bound < 0  # -784 log 2 is the likelihood under fair coin flips


def test_log_likelihoods_of_a_gan_and_a_vae_are_estimated(
    values: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ["vanilla-gan-0", "conv-vae-0"]
    values["annealing"] = {"runs": runs, "settings": ANNEALING}
    params = write_params(values)
    stage("prepare")(params)
    for run in runs:
        stage("train")(params, run)
        stage("anneal")(params, run)
        record = read_annealed(PATHS.run(run).annealed)
        assert record.reason is None
        assert record.mean is not None
        assert record.data_sha256 == sha256(PATHS.split("test"))
        line = capsys.readouterr().out.splitlines()[-1]
        assert line.startswith(f"{run}: log-likelihood {record.mean:.1f} ± ")


def test_inception_scores_are_recorded_if_the_profile_has_an_extractor(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Tiny(torch.nn.Module):
        def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
            return images.to(torch.float32).mean(dim=[1, 2])[:, 5:20]

    torch.jit.script(Tiny()).save("tiny.pt")
    extractor = {"file": "tiny.pt", "sha256": sha256(Path("tiny.pt"))}
    values["evaluation"]["inception"] = extractor
    params = write_params(values)
    for name in ("prepare", "reference", "baselines"):
        stage(name)(params)
    for record in read_records(PATHS.baselines / "scores.json"):
        assert tuple(record.scores) == (*REQUIRED, *INCEPTION)
        assert record.scores["fid_inception"] != record.scores["fid_judge"]
        assert record.provenance.inception_sha256 == extractor["sha256"]


def test_a_collapsed_run_keeps_its_scores(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    params = write_params(values)
    for name in ("prepare", "reference"):
        stage(name)(params)
    stage("train")(params, "dcgan-0")
    monkeypatch.setattr(
        Evaluator,
        "generate",
        lambda self, model, seed: torch.zeros(120, *GREY, dtype=torch.uint8),
    )
    stage("evaluate")(params, "dcgan-0")
    record = read_record(PATHS.run("dcgan-0").scores)
    assert record.status == "collapsed"
    assert record.reason is not None
    assert record.reason.endswith(" has more than 1 % of the samples")
    assert record.scores["fid_judge"] is not None
    assert max(record.class_counts or []) == 120


def test_a_judge_trained_on_people_of_the_test_split_is_refused(values: dict[str, Any]) -> None:
    card = {"kind": "identities", "data": values["data"] | {"split_seed": 7}}
    tensors, own = load_tensors(Path("judge.safetensors"))
    save_tensors(Path("judge.safetensors"), tensors, own | card)
    params = write_params(values)
    stage("prepare")(params)
    message = (
        r"data\.split_seed is 0, .* the judge judge\.safetensors was trained with split_seed: 7\. "
    )
    with pytest.raises(ConfigError, match=message):
        stage("reference")(params)
    save_tensors(Path("judge.safetensors"), tensors, own | card | {"data": values["data"]})
    stage("reference")(params)


def test_an_invalid_variant_is_reported_before_any_training(values: dict[str, Any]) -> None:
    values["variants"]["bernoulli-vae"]["latnet_size"] = 2
    params = write_params(values)
    stage("prepare")(params)
    with pytest.raises(ConfigError, match=r"bernoulli-vae\.latnet_size is not a known key"):
        stage("train")(params, "vanilla-gan-0")


def test_pin_4_each_step_opens_its_own_split_alone(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    params_file = write_params(values)
    for name in ("prepare", "reference"):
        stage(name)(params_file)
    params = load_params(Path(params_file))
    opened: list[str] = []

    def watched(path: Path) -> StoredSplit:
        opened.append(path.stem)
        return read_split(path)

    for module in (trainings, runs, training_set):
        monkeypatch.setattr(module, "read_split", watched)
    trainings.train_run(params, "bernoulli-vae-0")
    assert opened == ["train"]
    runs.evaluate_run(params, "bernoulli-vae-0")
    assert opened == ["train", "train", "test"]  # train to find copies, test to score
    baselines.evaluate_baselines(params)
    assert opened[3:] == ["train"]


def test_a_score_that_is_not_finite_makes_the_run_diverged(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    params = write_params(values)
    for name in ("prepare", "reference"):
        stage(name)(params)
    stage("train")(params, "bernoulli-vae-0")
    monkeypatch.setattr(
        Evaluator, "score_variational", lambda *arguments: {"elbo_bernoulli": float("-inf")}
    )
    stage("evaluate")(params, "bernoulli-vae-0")
    record = read_record(PATHS.run("bernoulli-vae-0").scores)
    assert (record.status, record.reason) == ("diverged", "elbo_bernoulli is -inf")
    assert record.scores["fid_judge"] is None


@pytest.mark.slow
def test_training_resumes_exactly_after_kill_9(values: dict[str, Any]) -> None:
    every = {"unit": "steps", "report_every": 20, "sample_every": 50, "checkpoint_every": 10}
    values["variants"]["dcgan"]["schedule"] = every | {"length": 400}
    params = write_params(values)
    stage("prepare")(params)
    command = [sys.executable, str(ROOT / "stages/train.py"), params, "dcgan-0"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    process = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 120
    while not list(Path(".state").glob("*/checkpoint.pt")):
        assert time.monotonic() < deadline, "no checkpoint in two minutes"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not PATHS.run("dcgan-0").weights.exists(), "killed too late to show anything"

    resumed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert "dcgan-0: step 0 of 400" not in resumed.stdout
    paths = PATHS.run("dcgan-0")
    after_kill = {path: sha256(path) for path in (paths.weights, paths.history, paths.outcome)}
    paths.weights.unlink()
    subprocess.run(command, env=environment, check=True)
    assert after_kill == {path: sha256(path) for path in after_kill}
