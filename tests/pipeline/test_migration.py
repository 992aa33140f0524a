"""Files of the earlier form become files of the current form, and stages stay up to date."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ganvae.config import load_params, read_yaml
from ganvae.config.promotions import read_promotions
from ganvae.core import files
from ganvae.core.errors import ConfigError
from ganvae.core.files import read_json, write_json
from ganvae.pipeline.migration import migrate
from ganvae.scores.records import read_record, read_records
from ganvae.scores.studies import read_study
from ganvae.sweeps.space import read_sweep
from toy_records import record
from toy_sweeps import study, trial

PARAMS = """\
# A profile.
profile: toy
root: .
file: params.yaml    # from the root

runs:
  vanilla-gan-0: {model: vanilla-gan, code: vanilla_gan, seed: 0}
  conv-vae-swept-3: {model: conv-vae-swept, code: conv_vae, seed: 3}

models:
  vanilla-gan:
    hidden: [8]    # narrow
  conv-vae-swept:
    latent_size: 3

# Whose numbers were chosen.
tuned: [conv-vae-swept]

promoted:
  conv-vae-swept: {study: toy, trial: 1, fid_judge_validation: 2.5, seeds: [7]}
notes: {}
"""
TODAY = """\
# A profile.
profile: toy
root: .
file: params.yaml    # from the root
promotions: promoted.yaml

runs:
  vanilla-gan-0: {variant: vanilla-gan, system: vanilla-gan, seed: 0, file: params.yaml}

variants:
  vanilla-gan:
    hidden: [8]    # narrow

# Whose numbers were chosen.
tuned: [conv-vae-swept]

notes: {}
"""
LOCK = """\
schema: '2.0'
stages:
  train@vanilla-gan-0:
    cmd: python stages/train.py params.yaml vanilla-gan-0
    deps:
    - path: behaviour/tokens/train/vanilla_gan.json
      hash: md5
      md5: {token}
      size: 34
    params:
      params.yaml:
        compute:
          threads: 1
        models.vanilla-gan:
          hidden:
          - 8
    outs:
    - path: artifacts/toy/vanilla-gan-0/weights.safetensors
      hash: md5
      md5: {token}
      size: 7
    - path: results/toy/runs/vanilla-gan-0/outcome.json
      hash: md5
      md5: {outcome}
      size: {size}
  train@conv-vae-swept-3:
    cmd: python stages/train.py params.yaml conv-vae-swept-3
    params:
      params.yaml:
        compute:
          threads: 1
        models.conv-vae-swept:
          latent_size: 3
    outs:
    - path: results/toy/runs/conv-vae-swept-3/outcome.json
      hash: md5
      md5: {token}
      size: 1
  publish:
    cmd: python stages/publish.py params.yaml
    params:
      params.yaml:
        runs:
          vanilla-gan-0:
            model: vanilla-gan
            code: vanilla_gan
            seed: 0
          conv-vae-swept-3:
            model: conv-vae-swept
            code: conv_vae
            seed: 3
"""
TOKEN = "a" * 32
RUNS = Path("results/toy/runs")
OUTCOME = RUNS / "vanilla-gan-0/outcome.json"


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def as_before(content: dict[str, object]) -> dict[str, object]:
    """A record in the earlier form, with the key `model` instead of `variant`."""
    return {("model" if key == "variant" else key): value for key, value in content.items()}


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository of the earlier form; its lock matches one of its two outcomes."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    Path("sweeps").mkdir()
    space = "description: x\nseeds: [1]\nmodels:\n  dcgan: {ema: {choices: [0.9]}}\n"
    Path("sweeps/toy.yaml").write_text(space)
    scored = [as_before(record("vanilla-gan", 0, fid).model_dump()) for fid in (1.0, 2.0)]
    write_json(Path("results/toy/scores.json"), scored)
    write_json(RUNS / "vanilla-gan-0/scores.json", scored[0])
    write_json(OUTCOME, {"model": "vanilla-gan", "system": "vanilla-gan", "steps": 0.1 + 0.2})
    write_json(RUNS / "conv-vae-swept-3/outcome.json", {"model": "conv-vae-swept"})
    swept = study([trial(0, 30.0)]).model_dump(mode="json")
    write_json(Path("results/sweeps/toy/study.json"), as_before(swept))
    size = OUTCOME.stat().st_size
    Path("dvc.lock").write_text(LOCK.format(token=TOKEN, outcome=md5(OUTCOME), size=size))
    return tmp_path


def test_the_error_for_an_earlier_file_says_what_to_do(clone: Path) -> None:
    with pytest.raises(ConfigError, match=r"params\.yaml: .* an earlier version.*ganvae migrate"):
        load_params(Path("params.yaml"))


def test_parameters_keep_their_comments_and_promoted_variants_get_their_own_file(
    clone: Path,
) -> None:
    migrate(clone)
    assert Path("params.yaml").read_text() == TODAY
    promotions = read_promotions(Path("promoted.yaml"))
    assert promotions.variants == {"conv-vae-swept": {"latent_size": 3}}
    run = promotions.runs["conv-vae-swept-3"]
    assert (run.system, run.seed, run.file) == ("conv-vae", 3, "promoted.yaml")
    assert promotions.promoted["conv-vae-swept"].trial == 1


def test_migrated_records_and_sweep_spaces_can_be_read(clone: Path) -> None:
    steps = OUTCOME.read_text().splitlines()[-2]
    migrate(clone)
    assert [score.variant for score in read_records(Path("results/toy/scores.json"))] == [
        "vanilla-gan", "vanilla-gan"
    ]  # fmt: skip
    assert read_record(RUNS / "vanilla-gan-0/scores.json") == record("vanilla-gan", 0, 1.0)
    assert list(read_json(OUTCOME)) == ["variant", "system", "steps"]
    assert OUTCOME.read_text().splitlines()[-2] == steps, "every digit stays"
    assert read_study(Path("results/sweeps/toy/study.json")) == study([trial(0, 30.0)])
    assert list(read_sweep("toy").systems) == ["dcgan"]


def test_a_stage_that_was_up_to_date_stays_up_to_date(clone: Path) -> None:
    migrate(clone)
    stages = read_yaml(Path("dvc.lock"))["stages"]
    train = stages["train@vanilla-gan-0"]
    assert train["deps"][0]["path"] == "behaviour/tokens/train/vanilla-gan.json"
    assert train["params"]["params.yaml"].keys() == {"compute", "variants.vanilla-gan"}
    weights, outcome = train["outs"]
    assert weights["md5"] == TOKEN
    assert (outcome["md5"], outcome["size"]) == (md5(OUTCOME), OUTCOME.stat().st_size)
    assert stages["train@conv-vae-swept-3"]["params"] == {
        "params.yaml": {"compute": {"threads": 1}},
        "promoted.yaml": {"variants.conv-vae-swept": {"latent_size": 3}},
    }
    assert stages["publish"]["params"] == {
        "params.yaml": {"runs": read_yaml(Path("params.yaml"))["runs"]},
        "promoted.yaml": {"runs": read_yaml(Path("promoted.yaml"))["runs"]},
    }


def test_a_stale_stage_stays_stale(clone: Path) -> None:
    migrate(clone)
    (outcome,) = read_yaml(Path("dvc.lock"))["stages"]["train@conv-vae-swept-3"]["outs"]
    assert (outcome["md5"], outcome["size"]) == (TOKEN, 1)


def test_a_second_migration_changes_nothing(clone: Path) -> None:
    assert "params.yaml" in migrate(clone)
    before = {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()}
    assert migrate(clone) == []
    assert before == {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()}


def kill_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process be killed after this number of written files."""
    replacing, left = files.replacing, iter(range(writes - 1, -1, -1))

    @contextmanager
    def counted(path: Path) -> Iterator[Path]:
        with replacing(path) as temporary:
            yield temporary
        if next(left) == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(files, "replacing", counted)


def contents(root: Path) -> dict[str, bytes]:
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def folder_sum(folder: Path) -> str:
    """The MD5 of a folder, as DVC writes it into locks."""
    listed = [
        {"md5": md5(path), "relpath": path.relative_to(folder).as_posix()}
        for path in sorted(folder.rglob("*.json"))
    ]
    return f"{hashlib.md5(json.dumps(listed).encode()).hexdigest()}.dir"


def write_second_lock(root: Path) -> None:
    """A lock of a stage that depends on all files of all runs."""
    folder = root / RUNS
    size = sum(path.stat().st_size for path in folder.rglob("*.json"))
    dependency = {"path": str(RUNS), "hash": "md5", "md5": folder_sum(folder), "size": size}
    stage = {"cmd": "python stages/report.py params.yaml", "deps": [dependency]}
    write_json(root / "results/dvc.lock", {"schema": "2.0", "stages": {"report": stage}})


def test_a_killed_migration_is_completed_by_the_next_one(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_second_lock(clone)
    copies = clone.with_name(f"{clone.name}-copies")
    undisturbed = copies / "undisturbed"
    shutil.copytree(clone, undisturbed)
    writes = len(migrate(undisturbed))
    assert writes == 10
    lock = read_yaml(undisturbed / "results/dvc.lock")
    (dependency,) = lock["stages"]["report"]["deps"]
    assert dependency["md5"] == folder_sum(undisturbed / RUNS)
    for killed_after in range(1, writes):
        killed = copies / str(killed_after)
        shutil.copytree(clone, killed)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            kill_after(killed_after, patch)
            migrate(killed)
        assert "params.yaml" in migrate(killed)
        assert contents(killed) == contents(undisturbed), killed_after
