"""Cut-down versions of the committed profiles (`tiny_profiles`), from raw data to the report."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

import tiny_profiles
import warm_python
from clones import refer_to
from ganvae.config import Params, load_params, read_yaml
from ganvae.core.paths import ProfilePaths
from ganvae.data.splits import SPLITS
from ganvae.data.store import read_split
from ganvae.judge.network import FrozenJudge
from ganvae.report.published.bounds import LEAST_BOUND_SAMPLES
from ganvae.report.published.tables import HEADING
from ganvae.scores.records import read_records

pytestmark = pytest.mark.slow

WARM = warm_python.__file__
SOCKET = "python.sock"  # relative to the clone: an absolute path may be too long for a socket


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone with cut-down profiles, before any stage has run; the working folder."""
    folder = tmp_path_factory.mktemp("profiles")
    clone = folder / "clone"
    tiny_profiles.write_clone(clone)
    warm_script = f'#!/bin/sh\nexec {sys.executable} -ISE {WARM} {SOCKET} "$@"\n'
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(clone)
        refer_to(folder, warm_script, monkeypatch)
        call("dvc init --quiet --no-scm")
        with warm():
            yield clone


@contextmanager
def warm() -> Iterator[None]:
    """Serve `python` within the block; it starts stages without delay."""
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
    """Run a command that must succeed, and return its output."""
    process = subprocess.run(command.split(), capture_output=True, text=True)
    assert process.returncode == 0, f"{command}:\n{process.stdout}{process.stderr}"
    return process.stdout


@pytest.fixture(scope="module")
def reproduce(clone: Path) -> Callable[[str], Params]:
    """A function that makes a profile's judge and runs its pipeline, on the first call only."""

    @cache
    def reproduced(profile: str) -> Params:
        params = load_params(Path(f"profiles/{profile}/params.yaml"))
        make_judge(Path(params.judge))
        call(f"dvc repro profiles/{profile}/dvc.yaml")
        return params

    return reproduced


def make_judge(weights: Path) -> None:
    """Make a judge and the judge of its channels, unless they exist."""
    section = read_yaml(Path("judges/params.yaml"))[weights.stem]
    if "channels_of" in section:
        make_judge(Path(section["channels_of"]))
    if not weights.exists():
        call(f"python stages/judge.py judges/params.yaml {weights.stem} {weights}")


TAKE_LONG = ("faces", "stacked")
EACH = [
    pytest.param(name, marks=[pytest.mark.long] if name in TAKE_LONG else [])
    for name in tiny_profiles.profiles()
]


@pytest.fixture(scope="module", params=EACH)
def params(request: pytest.FixtureRequest, reproduce: Callable[[str], Params]) -> Params:
    """The parameters of every profile in turn, after its pipeline has run."""
    return reproduce(request.param)


@pytest.fixture
def paths(params: Params) -> ProfilePaths:
    return ProfilePaths(params.profile)


def test_every_result_is_written(params: Params, paths: ProfilePaths) -> None:
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


def test_a_second_reproduction_is_up_to_date(params: Params) -> None:
    pipeline = Path(params.file).with_name("dvc.yaml")
    assert call(f"ganvae repro {pipeline}") == "Data and pipelines are up to date.\n"


def test_every_variant_is_in_the_table_with_its_runs(params: Params, paths: ProfilePaths) -> None:
    table = (paths.results / "leaderboard.md").read_text()
    for variant in params.variants:
        assert f"| `{variant}`" in table, variant
    records = read_records(paths.results / "scores.json")
    runs = [f"{run.variant}-{run.seed}" for run in records if run.family != "reference"]
    assert runs == list(params.runs)
    assert {record.provenance.dataset for record in records} == {params.data.dataset}
    assert not any(record.flags for record in records), "no score may lack samples"


def test_the_report_names_its_data(params: Params, paths: ProfilePaths) -> None:
    page = (paths.results / "report.html").read_text()
    assert f"{params.data.dataset} · {params.profile} profile" in page
    assert f"<dt>dataset</dt><dd>{params.data.dataset}</dd>" in page
    assert f"ganvae repro {Path(params.file).with_name('dvc.yaml')}" in page


def test_no_image_is_in_two_splits(params: Params, paths: ProfilePaths) -> None:
    """In a data set of people, no person is in two splits either."""
    splits = [read_split(paths.split(name)) for name in SPLITS]
    for identity in ("index", "labels") if params.data.layout == "people" else ("index",):
        seen = [
            (split.official_set, number)
            for split in splits
            for number in getattr(split, identity).unique().tolist()
        ]
        assert len(seen) == len(set(seen)), identity


def test_the_kind_of_judge_decides_the_set_of_scores(params: Params, paths: ProfilePaths) -> None:
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


def test_pages_compare_modes_and_likelihoods_with_published_numbers(
    params: Params, paths: ProfilePaths
) -> None:
    modes = FrozenJudge(Path(params.judge)).kind == "channels"
    bits = any(section.get("binarize", "none") != "none" for section in params.variants.values())
    bound = bits and params.evaluation.importance_samples >= LEAST_BOUND_SAMPLES
    table = (paths.results / "leaderboard.md").read_text()
    assert ("Modes of stacked digits" in table) == modes
    assert ("Likelihood of black-and-white MNIST" in table) == bound
    for page in (table, (paths.results / "report.html").read_text()):
        assert HEADING in page
        assert "by annealed importance sampling" in page
        assert ("Wu et al." in page) == (params.data.dataset == "mnist")


@pytest.mark.long
def test_the_page_across_data_sets_names_every_profile(reproduce: Callable[[str], Params]) -> None:
    """The laptop profile's results are the committed ones; the others are made here."""
    laptop, *files = map(Path, read_yaml(Path("results/params.yaml"))["profiles"])
    profiles = [load_params(laptop), *(reproduce(file.parent.name) for file in files)]
    call("dvc repro --single-item results/dvc.yaml")
    page = Path("results/across.md").read_text()
    for params in profiles:
        assert f"| {params.data.dataset} |" in page
        assert f"({params.profile}/report.html)" in page
    assert Path("results/across.png").stat().st_size
    assert "Running stage" not in call("dvc repro --single-item results/dvc.yaml")
