"""The committed profiles from raw data to report, cut down (`tiny_profiles`), in a clone."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

import tiny_profiles
import warm_python
from ganvae.config import Params, load_params, read_yaml
from ganvae.core.paths import ProfilePaths
from ganvae.data.splits import SPLITS
from ganvae.data.store import read_split
from ganvae.judge.network import FrozenJudge
from ganvae.report.published import HEADING, LEAST_BOUND_SAMPLES
from ganvae.scores.records import read_records

pytestmark = pytest.mark.slow

WARM = warm_python.__file__
SOCKET = "python.sock"  # in the clone: a path from the root may be too long for a socket


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working folder: a clone with the profiles cut down, and nothing run in it yet."""
    folder = tmp_path_factory.mktemp("profiles")
    clone = folder / "clone"
    tiny_profiles.write_clone(clone)
    python = folder / "bin/python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -ISE {WARM} {SOCKET} "$@"\n')
    python.chmod(0o755)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(clone)
        path = f"{python.parent}:{Path(sys.executable).parent}"
        monkeypatch.setenv("PATH", path, prepend=":")
        monkeypatch.setenv("PYTHONPATH", "src")  # the clone's
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site"))
        monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
        monkeypatch.delenv("DVC_ROOT", raising=False)
        call("dvc init --quiet --no-scm")
        with warm():
            yield clone


@contextmanager
def warm() -> Iterator[None]:
    """While it lasts `python` is there, and starts stages at once."""
    scripts = sorted(map(str, Path("stages").glob("*.py")))
    command = [sys.executable, WARM, "serve", SOCKET, *scripts]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == warm_python.READY
            yield
        finally:
            server.terminate()


def call(command: str) -> str:
    """What a command prints; it must succeed."""
    ran = subprocess.run(command.split(), capture_output=True, text=True)
    assert ran.returncode == 0, f"{command}:\n{ran.stdout}{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def reproduce(clone: Path) -> Callable[[str], Params]:
    """Makes a profile's judge and runs its pipeline, the first time that it is asked for."""

    @cache
    def reproduced(profile: str) -> Params:
        params = load_params(Path(f"profiles/{profile}/params.yaml"))
        make_judge(Path(params.judge))
        call(f"dvc repro profiles/{profile}/dvc.yaml")
        return params

    return reproduced


def make_judge(weights: Path) -> None:
    """Make a judge, before it the one that it is of, if they are not there."""
    section = read_yaml(Path("judges/params.yaml"))[weights.stem]
    if "channels_of" in section:
        make_judge(Path(section["channels_of"]))
    if not weights.exists():
        call(f"python stages/judge.py judges/params.yaml {weights.stem} {weights}")


@pytest.fixture(scope="module", params=tiny_profiles.profiles())
def params(request: pytest.FixtureRequest, reproduce: Callable[[str], Params]) -> Params:
    """Every profile in turn, reproduced."""
    return reproduce(request.param)


@pytest.fixture
def paths(params: Params) -> ProfilePaths:
    return ProfilePaths(params.profile)


def test_every_result_is_there(params: Params, paths: ProfilePaths) -> None:
    names = {"comparison.json", "comparison.png", "leaderboard.csv", "leaderboard.md"}
    names |= {"report.html", "scores.json", "baselines", "pictures", "pretrained", "runs"}
    assert {path.name for path in paths.results.iterdir()} == names
    assert {path.name for path in (paths.results / "runs").iterdir()} == params.runs.keys()
    for key in params.runs:
        run = paths.run(key)
        for path in (run.weights, run.history, run.scores, run.validation, run.timing):
            assert path.stat().st_size, path
        assert (run.pictures / "samples.png").exists(), key
        assert list(run.progress.glob("*.png")), key
    for name in SPLITS:
        assert any((paths.by_class / name).iterdir()), name


def test_a_second_time_there_is_nothing_to_do(params: Params) -> None:
    pipeline = Path(params.file).with_name("dvc.yaml")
    assert call(f"ganvae repro {pipeline}") == "Data and pipelines are up to date.\n"


def test_every_model_is_in_the_table_with_all_its_runs(params: Params, paths: ProfilePaths) -> None:
    table = (paths.results / "leaderboard.md").read_text()
    for model in params.variants:
        assert f"| `{model}`" in table, model
    records = read_records(paths.results / "scores.json")
    runs = [f"{one.variant}-{one.seed}" for one in records if one.family != "reference"]
    assert runs == list(params.runs)
    assert {one.provenance.dataset for one in records} == {params.data.dataset}
    assert not any(one.flags for one in records), "nothing was short of samples"


def test_the_report_names_its_data(params: Params, paths: ProfilePaths) -> None:
    page = (paths.results / "report.html").read_text()
    assert f"{params.data.dataset} · {params.profile} profile" in page
    assert f"<dt>dataset</dt><dd>{params.data.dataset}</dd>" in page
    assert f"ganvae repro {Path(params.file).with_name('dvc.yaml')}" in page


def test_no_image_is_in_two_splits(params: Params, paths: ProfilePaths) -> None:
    """And of people nobody is."""
    splits = [read_split(paths.split(name)) for name in SPLITS]
    for identity in ("index", "labels") if params.data.layout == "people" else ("index",):
        seen = [
            (split.official_set, number)
            for split in splits
            for number in getattr(split, identity).unique().tolist()
        ]
        assert len(seen) == len(set(seen)), identity


def test_the_judge_decides_which_scores_there_are(params: Params, paths: ProfilePaths) -> None:
    kind = FrozenJudge(Path(params.judge)).kind
    table = (paths.results / "leaderboard.md").read_text()
    assert ("IS (judge)" in table) == (kind == "classes")
    assert ("KL of modes" in table) == (kind == "channels")
    for record in read_records(paths.results / "scores.json"):
        scored = {name for name, value in record.scores.items() if value is not None}
        assert "fid_judge" in scored or record.status == "diverged"
        if kind != "classes":
            assert record.class_counts is None
            assert not scored & {"is_judge", "classes_judge", "class_distance_judge"}
        if kind == "identities":
            assert not scored & {"label_kept_judge", "inverted_label_kept_judge"}
        if kind == "channels" and record.status != "diverged":
            assert scored >= {"modes_judge", "mode_kl_judge"}


def test_published_numbers_stand_beside_those_that_they_are_of(
    params: Params, paths: ProfilePaths
) -> None:
    modes = FrozenJudge(Path(params.judge)).kind == "channels"
    bits = any(section.get("binarize", "none") != "none" for section in params.variants.values())
    bound = bits and params.evaluation.importance_samples >= LEAST_BOUND_SAMPLES
    table = (paths.results / "leaderboard.md").read_text()
    assert ("Modes of stacked digits" in table) == modes
    assert ("Likelihood of black and white MNIST" in table) == bound
    for page in (table, (paths.results / "report.html").read_text()):
        assert (HEADING in page) == (modes or bound)


def test_the_page_across_data_sets_is_made_from_them(reproduce: Callable[[str], Params]) -> None:
    """With the laptop profile's committed results. It takes every profile that the page is of."""
    laptop, *files = map(Path, read_yaml(Path("results/params.yaml"))["profiles"])
    sets = [load_params(laptop), *(reproduce(file.parent.name) for file in files)]
    call("dvc repro --single-item results/dvc.yaml")
    page = Path("results/across.md").read_text()
    for one in sets:
        assert f"| {one.data.dataset} |" in page
        assert f"({one.profile}/report.html)" in page
    assert Path("results/across.png").stat().st_size
    assert "Running stage" not in call("dvc repro --single-item results/dvc.yaml")
