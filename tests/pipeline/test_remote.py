"""Clones of one repository share a DVC remote: one clone gets the results of another."""

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from clones import call, clone_of, commit, folder, origin, outputs, started
from ganvae.config import read_yaml

__all__ = ["folder", "origin"]  # fixtures


@pytest.fixture(scope="module")
def trained(origin: Path) -> Path:
    """A clone that has run all stages, and has committed and pushed the results."""
    clone = clone_of(origin, "trained")
    call(clone, "dvc repro")
    call(clone, "dvc push --run-cache")
    commit(clone)
    return clone


@pytest.mark.slow
def test_a_clone_of_committed_results_pulls_the_rest_and_runs_no_stage(
    trained: Path,
) -> None:
    assert started(trained).count("train") == 2
    clone = clone_of(trained, "later")
    call(clone, "dvc pull")
    call(clone, "dvc repro")
    assert started(clone) == []
    assert outputs(clone) == outputs(trained)


@pytest.mark.slow
def test_a_clone_without_results_gets_them_from_the_run_cache(
    folder: Path, origin: Path, trained: Path
) -> None:
    """`dvc push --run-cache` leaves out files that git keeps (`cache: false`), such as scores.

    DVC's cache holds these files, too, and a remote has the cache's layout: so they are copied.
    """
    cache = trained / ".dvc/cache"
    for file in filter(Path.is_file, cache.rglob("*")):
        copy = folder / "remote" / file.relative_to(cache)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    clone = clone_of(origin, "new")
    assert not (clone / "dvc.lock").exists()
    call(clone, "dvc repro --pull")
    assert started(clone) == ["publish"], "the run-cache has nothing of this stage"
    assert outputs(clone) == outputs(trained)
    assert "artifacts/tiny/dcgan-0/weights.safetensors" in outputs(clone)
    assert "results/tiny/runs/dcgan-0/scores.json" in outputs(clone)


@pytest.mark.slow
def test_a_clone_without_weights_trains_only_a_new_run(trained: Path) -> None:
    clone = clone_of(trained, "extended")
    params = read_yaml(clone / "params.yaml")
    params["runs"]["bernoulli-vae-1"] = params["runs"]["bernoulli-vae-0"] | {"seed": 1}
    with (clone / "params.yaml").open("w") as file:
        YAML().dump(params, file)
    call(clone, "ganvae repro --allow-missing")
    before, after = outputs(trained), outputs(clone)
    published = ("results/tiny/pretrained", "results/tiny/pictures", "results/tiny/runs")
    kept = {path for path in before if path.startswith(published)}
    assert "results/tiny/runs/dcgan-0/timing.json" in kept, "a second training would change it"
    assert {path: after[path] for path in kept} == {path: before[path] for path in kept}
    assert "results/tiny/runs/bernoulli-vae-1/scores.json" in after
    call(clone, "ganvae repro --allow-missing")
    assert outputs(clone) == after
