"""Clones of one repository share a DVC remote: one clone gets the results of another."""

import shutil
from pathlib import Path

import pytest

from clones import call, clone_of, commit, folder, origin, outputs, started

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
