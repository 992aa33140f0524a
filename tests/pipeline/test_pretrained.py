"""Weights in git: 16 bits, the first completed run of each variant, and the same scores."""

import json
import math
from pathlib import Path

import pytest
import torch

from conftest import GREY, ROOT
from ganvae.config import Params, load_params
from ganvae.core import assets
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import read_json, sha256, write_json
from ganvae.core.paths import ProfilePaths, RunPaths
from ganvae.core.tensors import load_tensors
from ganvae.data.splits import load_source, make_splits
from ganvae.data.store import write_split
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.reference import make_reference
from ganvae.evaluation.training_set import make_training_set
from ganvae.judge.network import FrozenJudge
from ganvae.models.registry import build_model, system_config, system_names
from ganvae.models.weights import load_model, save_model
from ganvae.pipeline.pretrained import find_weights, publish, restore
from ganvae.scores.records import ScoreRecord, read_records

PRETRAINED = ROOT / "results/laptop/pretrained"


def record(model: str, seed: int, reason: str | None) -> ScoreRecord:
    like = read_records(ROOT / "results/laptop/scores.json")[0]
    values = {"variant": model, "seed": seed, "family": "gan", "reason": reason}
    return like.model_copy(update=values | {"status": "diverged" if reason else "completed"})


@pytest.fixture
def trained(smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """Two runs of vanilla-gan and one of dcgan; the first run of vanilla-gan has diverged."""
    monkeypatch.chdir(tmp_path)
    keys = {"vanilla-gan-0": "d_loss was NaN", "vanilla-gan-1": None, "dcgan-0": None}
    for key, reason in keys.items():
        run = smoke.runs[key]
        config = system_config(run.variant, smoke.variants[run.variant])
        model = build_model(run.variant, config, GREY, run.seed)
        paths = ProfilePaths("smoke").run(key)
        save_model(paths.weights, model, config, run.seed)
        write_scores(paths, reason)
    runs = {key: smoke.runs[key] for key in keys}
    return smoke.model_copy(update={"runs": runs})


def write_scores(paths: RunPaths, reason: str | None = None) -> None:
    """Write a score record with the checksum of the run's weights file."""
    model, _, seed = paths.results.name.rpartition("-")
    scored = record(model, int(seed), reason)
    weights = sha256(paths.weights)
    provenance = scored.provenance.model_copy(update={"weights_sha256": weights})
    write_json(paths.scores, scored.model_copy(update={"provenance": provenance}).model_dump())


def test_the_first_completed_run_is_published_as_it_was_scored(trained: Params) -> None:
    paths = publish(trained)
    assert [path.name for path in paths] == ["vanilla-gan.safetensors", "dcgan.safetensors"]
    source = ProfilePaths("smoke").run("vanilla-gan-1").weights
    assert paths[0].read_bytes() == source.read_bytes()
    index = read_json(ProfilePaths("smoke").pretrained / "index.json")
    assert index["vanilla-gan"] == {"seed": 1, "weights_sha256": sha256(source)}


def test_only_finalists_are_published_if_the_profile_says_so(trained: Params) -> None:
    values = {"pretrained": "finalists", "finalists": ["dcgan", "bernoulli-vae"]}
    paths = publish(trained.model_copy(update=values))
    assert [path.name for path in paths] == ["dcgan.safetensors"]
    assert publish(trained.model_copy(update=values | {"finalists": []})) == []
    assert read_json(ProfilePaths("smoke").pretrained / "index.json") == {}


def test_a_published_model_computes_in_32_bits(trained: Params) -> None:
    model = load_model(publish(trained)[1])
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model.sample(2, torch.Generator().manual_seed(0)).dtype == torch.float32


def test_weights_that_were_not_scored_are_not_published(trained: Params) -> None:
    run = trained.runs["dcgan-0"]
    config = system_config(run.variant, trained.variants[run.variant])
    paths = ProfilePaths("smoke").run("dcgan-0")
    save_model(paths.weights, build_model(run.variant, config, GREY, 7), config, 0)
    with pytest.raises(UserError, match="does not hold the weights that were scored"):
        publish(trained)
    assert not ProfilePaths("smoke").pretrained.exists()


def test_published_weights_are_given_back_to_their_runs(trained: Params) -> None:
    published = publish(trained)
    paths = [ProfilePaths("smoke").run(run).weights for run in ("vanilla-gan-1", "dcgan-0")]
    for path in paths:
        path.unlink()
    published[1].write_bytes(b"damaged")
    restore(trained)
    assert paths[0].read_bytes() == published[0].read_bytes()
    assert not paths[1].exists()
    paths[0].write_bytes(b"trained again")
    restore(trained)
    assert paths[0].read_bytes() == b"trained again"


def test_weights_are_found_by_name_or_by_file() -> None:
    assert find_weights("vae-gan") == PRETRAINED / "vae-gan.safetensors"
    assert find_weights("laptop/vae-gan") == find_weights("vae-gan")
    assert find_weights("mine/w.safetensors") == Path("mine/w.safetensors")
    for wrong in ("biggan", "laptop/biggan"):
        message = f"no pretrained model '{wrong}'. Profile laptop has these models: balanced-gan"
        with pytest.raises(ConfigError, match=message):
            find_weights(wrong)
    with pytest.raises(ConfigError, match=r"Profile nowhere has these models: none.*laptop"):
        find_weights("nowhere/vae-gan")
    with pytest.raises(ConfigError, match=r"history\.csv is no weights file\. Give a file whose"):
        find_weights(str(ROOT / "results/laptop/runs/vae-gan-0/history.csv"))


def scored_as(path: Path) -> str:
    """The checksum of the scored weights. Before protocol 3, published weights were copies."""
    _, metadata = load_tensors(path)
    checksum: str = metadata.get("weights_sha256") or sha256(path)
    return checksum


def test_the_shipped_weights_belong_to_runs_of_the_table() -> None:
    records = read_records(ROOT / "results/laptop/scores.json")
    scored = {record.provenance.weights_sha256 for record in records}
    for name in system_names():
        assert scored_as(find_weights(name)) in scored, name


@pytest.mark.slow
@pytest.mark.long
def test_shipped_weights_have_nearly_the_scores_of_the_table(tmp_path: Path) -> None:
    """Those of the finalists. Other processors round otherwise, which is less than noise."""
    params = load_params(ROOT / "params.yaml")
    data = params.data.model_copy(update={"directory": str(ROOT / params.data.directory)})
    source = load_source(data)
    splits = make_splits(source, data)
    paths = [tmp_path / f"{name}.safetensors" for name in ("test", "train")]
    for path in paths:
        write_split(path, path.stem, splits[path.stem], "mnist", source.classes)
    judge = FrozenJudge(ROOT / params.judge, "cpu")
    train = make_training_set(paths[1], judge)
    reference = make_reference(paths[0], train, judge, params.evaluation)
    evaluator = Evaluator(judge, reference, params.evaluation, train)
    records = {
        r.provenance.weights_sha256: r for r in read_records(ROOT / "results/laptop/scores.json")
    }
    for name in params.finalists:
        record = records[scored_as(find_weights(name))]
        images = evaluator.generate(load_model(find_weights(name)), record.seed)
        scores = evaluator.measure_samples(images, record.seed).scores
        for score, tolerance in (("fid_judge", 0.01), ("is_judge", 0.005)):
            assert math.isclose(scores[score], record.scores[score], rel_tol=tolerance), (  # type: ignore[arg-type]
                name,
                score,
                scores[score],
                record.scores[score],
            )


def test_every_system_is_in_the_laptop_results() -> None:
    """Each system has three seeds."""
    runs = ROOT / "results/laptop/runs"
    for name in system_names():
        for seed in range(3):
            record = json.loads((runs / f"{name}-{seed}/scores.json").read_text())
            assert record["variant"] == name
            assert record["status"] in ("completed", "diverged")


def test_gan_and_vae_are_the_finalists_of_a_profile() -> None:
    laptop, faces = (
        load_params(ROOT / path) for path in ("params.yaml", "profiles/faces/params.yaml")
    )
    assert [find_weights(name).stem for name in ("gan", "vae")] == laptop.finalists
    found = [find_weights(f"faces/{name}") for name in ("gan", "vae")]
    assert [path.stem for path in found] == faces.finalists
    assert found[0].parts[-3] == "faces"
    with pytest.raises(ConfigError, match="no pretrained model 'likelihood/gan'"):
        find_weights("likelihood/gan")


def test_a_wheel_says_that_a_clone_has_more_models(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"\(\*\.safetensors\)\.$"):
        find_weights("nope")
    monkeypatch.setattr(assets, "CLONE", None)
    with pytest.raises(ConfigError, match="A clone of the repository has the weights of more"):
        find_weights("nope")
