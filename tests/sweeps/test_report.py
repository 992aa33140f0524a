"""Test the report of a study: its effects, their uncertainty, and its files."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import optuna
import pytest
from PIL import Image

from ganvae.core.errors import UserError
from ganvae.core.files import read_json
from ganvae.report.sweep_effects import Contrast, Effect, Measured, Relation, read_effects
from ganvae.report.sweep_text import findings
from ganvae.scores.studies import StudyRecord, TrialRecord, read_studies
from ganvae.sweeps import effects
from ganvae.sweeps.front import pareto_front
from ganvae.sweeps.report import report_study, write_report
from ganvae.sweeps.status import status_text
from ganvae.sweeps.storage import open_storage
from ganvae.sweeps.study import SETTINGS, Settings
from toy_sweeps import RANGES, Changes, searched, study, trial

NOWHERE = "sqlite:///none.db"
PICTURES = {"history.png", "slices.png", "importances.png", "contours.png", "curves.png"}


@pytest.fixture(autouse=True, scope="module")
def _few_resamples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(effects, "RESAMPLES", 999)
        monkeypatch.setattr(effects, "RESAMPLES_OF_IMPORTANCE", 10)
        yield


def slope_and_switch(parameters: Changes) -> float:
    """FID rises with beta_1, and is 15 higher if the ratio is off. Nothing else matters."""
    return 20 + 30 * parameters["beta_1"] + (15 if parameters["balance.ratio"] is None else 0)


@pytest.fixture(scope="module")
def clear() -> StudyRecord:
    return searched(40, slope_and_switch)


@pytest.fixture(scope="module")
def measured(clear: StudyRecord) -> dict[str, Effect]:
    return {effect.parameter: effect for effect in effects.effects_of(clear).effects}


def correlation(relation: Relation) -> Measured:
    assert relation.correlation
    return relation.correlation


def interval(contrast: Contrast) -> tuple[float, float]:
    assert contrast.low is not None
    assert contrast.high is not None
    return contrast.low, contrast.high


def test_a_parameter_that_matters_has_an_effect(measured: dict[str, Effect]) -> None:
    for relation in (measured["beta_1"].scored, measured["beta_1"].early):
        trend = correlation(relation)
        assert trend.n == 40
        assert 0 < trend.low < trend.value < trend.high < 1
        assert relation.contrasts == []


def test_a_parameter_that_does_not_matter_has_no_effect(measured: dict[str, Effect]) -> None:
    trend = correlation(measured["batch_size"].scored)
    assert trend.low < 0 < trend.high
    (contrast,) = measured["learning_rate_decay"].scored.contrasts
    low, high = interval(contrast)
    assert (contrast.first, contrast.second) == ("linear", "none")
    assert low < 0 < high
    assert measured["learning_rate_decay"].scored.correlation is None


def test_the_contrast_of_on_and_off_is_the_difference(measured: dict[str, Effect]) -> None:
    relation = measured["balance.ratio"].scored
    (contrast,) = relation.contrasts
    low, high = interval(contrast)
    assert contrast.n_first + contrast.n_second == 40
    assert low < -15 < high < 0
    assert contrast.p is not None
    assert contrast.p < 0.01
    assert correlation(relation).n == contrast.n_first  # only trials with a value
    (early,) = measured["balance.ratio"].early.contrasts
    assert interval(early)[1] < 0


def test_importances_add_up_to_one_and_parameters_that_matter_lead(
    measured: dict[str, Effect],
) -> None:
    shares = {name: e.importance.value for name, e in measured.items() if e.importance}
    assert sum(shares.values()) == pytest.approx(1)
    assert set(sorted(shares, key=lambda name: -shares[name])[:2]) == {"beta_1", "balance.ratio"}


def test_noise_shows_an_effect_no_more_often_than_the_intervals_allow() -> None:
    values = np.random.default_rng(0).normal(size=(200, 2, 12))
    wrong = 0
    for x, y in values:
        range_ = effects.Range(low=-9.0, high=9.0)
        trend = effects._correlation(list(zip(x.tolist(), y.tolist(), strict=True)), range_)
        assert trend
        wrong += trend.is_shown
    assert wrong <= 20  # 10 are expected, and more than 20 occur once in a thousand times


def test_the_interval_of_a_shift_agrees_with_the_exact_test() -> None:
    # For 5 and 5 values, the two-sided exact test at 5 % rejects U <= 2: two differences drop out
    assert effects._cut(5, 5) == 2
    a, b = [1.0, 2, 3, 4, 5], [11.0, 13, 15, 17, 19]
    contrast = effects._contrast("on", a, "off", b)
    shifts = sorted(x - y for x in a for y in b)
    assert (contrast.low, contrast.high) == (shifts[2], shifts[-3])
    assert contrast.shift == np.median(shifts)
    assert contrast.p == pytest.approx(2 / 252)


def test_few_trials_give_no_numbers() -> None:
    few = effects.effects_of(searched(7, slope_and_switch))
    for effect in few.effects:
        numbers = (effect.importance, effect.scored.correlation, effect.early.correlation)
        assert numbers == (None,) * 3
        assert all(contrast.p is None for contrast in effect.scored.contrasts)
    assert "too few trials" in findings(searched(7, slope_and_switch), few)[0]


def test_pruned_trials_count_only_at_the_first_check() -> None:
    record = study([trial(n, 20.0 + n if n < 8 else None) for n in range(20)])
    effect = effects.effects_of(record).effects[0]
    assert (correlation(effect.scored).n, correlation(effect.early).n) == (8, 20)


def test_for_a_pruner_by_seed_the_first_check_is_the_first_seed() -> None:
    pruner = {"by": "seed", "name": "wilcoxon", "checks": [], "p": 0.1}
    record = study([trial(0, 20.0), trial(1, seeds={100: 50.0})], pruner=pruner)
    checks = [effects.first_check(record, each) for each in record.trials]
    assert checks == [19.0, 50.0]


def test_the_findings_name_effects_and_missing_effects(clear: StudyRecord) -> None:
    sentences = findings(clear, effects.effects_of(clear))
    assert sentences[0] == (
        "`beta_1`. Scored trials: FID rises with the parameter. "
        "First check: FID rises with the parameter."
    )
    assert "no effect is shown" in sentences[1]
    assert sentences[3].count("FID is lower with on than with off (medians ") == 2


def test_the_report_of_a_study_is_a_folder(tmp_path: Path, clear: StudyRecord) -> None:
    folder = write_report(tmp_path, clear)
    files = {path.name for path in folder.iterdir()}
    assert files == PICTURES | {"study.json", "effects.json", "trials.csv", "summary.md"}
    assert read_studies(tmp_path) == [clear]
    assert [e.parameter for e in read_effects(folder).effects] == list(RANGES)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1e6
    for name in PICTURES:
        assert 950 < Image.open(folder / name).width < 1050
    text = (folder / "summary.md").read_text()
    assert all(f"]({name})" in text for name in PICTURES)
    assert clear.best
    assert f"The best trial is trial {clear.best.number}," in text
    assert "The difference in FID, best minus current, is" in text
    assert "`ganvae sweep promote`" in text


@pytest.mark.slow
def test_the_same_record_gives_the_same_bytes(tmp_path: Path, clear: StudyRecord) -> None:
    contents = []
    for root in (tmp_path / "a", tmp_path / "b"):
        folder = write_report(root, clear)
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_files_of_an_earlier_report_are_deleted(tmp_path: Path, clear: StudyRecord) -> None:
    folder = write_report(tmp_path, clear)
    (folder / "old.png").touch()
    write_report(tmp_path, clear)
    assert not (folder / "old.png").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["toy"]


def test_trials_are_written_as_csv(tmp_path: Path) -> None:
    off = trial(1).parameters | {"balance.ratio": None}
    record = study([trial(0, 20.0, current=True), trial(1, parameters=off)])
    folder = write_report(tmp_path, record)
    with (folder / "trials.csv").open() as file:
        first, second = csv.DictReader(file)
    assert (first["fid_judge"], first["seed_100"], first["curve_500"]) == ("20.0", "19.0", "30.0")
    assert (first["current"], second["current"]) == ("True", "")
    assert (second["status"], second["fid_judge"], second["balance.ratio"]) == ("pruned", "", "off")
    assert first["started"] == "2023-11-14T22:13:20+00:00"


def test_two_objectives_have_a_pareto_front(tmp_path: Path) -> None:
    values = [[30.0, 10.0], [20.0, 20.0], [25.0, 25.0], [20.0, 30.0], [10.0, 40.0]]
    trials = [trial(n, pair[0], values=pair) for n, pair in enumerate(values)]
    record = study(trials, objectives=["fid_judge", "train_seconds"], pruner=None)
    assert [t.number for t in pareto_front(record)] == [4, 1, 0]
    folder = write_report(tmp_path, record)
    assert (folder / "pareto.png").exists()
    assert not (folder / "curves.png").exists()
    text = (folder / "summary.md").read_text()
    assert "## Pareto front" in text
    assert "| 1 | 20.00 | 20.00 |" in text
    assert "| 2 | 25.00 |" not in text


@pytest.mark.parametrize(
    "trials",
    [
        [],
        [trial(0, 20.0, current=True)],
        [trial(0)],
        [trial(n) for n in range(12)],
        [trial(0, 20.0), trial(1, 20.0)],
        [trial(0, status="diverged", curve={}, reason="NaN"), trial(1, status="lost", curve={})],
        [trial(0, 20.0, status="collapsed"), *(trial(n, 30.0 + n) for n in range(1, 12))],
    ],
    ids=["none", "one", "one-pruned", "only-pruned", "equal", "failed", "collapsed"],
)
def test_any_study_can_be_reported(tmp_path: Path, trials: list[TrialRecord]) -> None:
    record = study(trials)
    folder = write_report(tmp_path, record)
    text = (folder / "summary.md").read_text()
    assert f"{len(trials)} trial" in text
    assert ("No trial has a score." in text) == (record.best is None)
    assert (folder / "history.png").exists() == (record.best is not None)


def test_findings_at_the_first_check_exist_if_every_trial_was_pruned(tmp_path: Path) -> None:
    record = study([trial(n) for n in range(12)])
    text = (write_report(tmp_path, record) / "summary.md").read_text()
    assert "`beta_1`. Scored trials: too few trials to show a trend. First check: " in text


Make = Callable[[int], str]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Creates a storage with the study ``toy``: this many scored trials, and a running trial."""
    monkeypatch.chdir(tmp_path)
    ranges = {"beta_1": RANGES["beta_1"]}
    settings = {
        "space": "toy-space",
        "sweep": {
            "description": "A toy.",
            "seeds": [100],
            "trials": 9,
            "systems": {"vanilla-gan": ranges},
        },
        "variant": "vanilla-gan",
        "system": "vanilla-gan",
        "profile": "toy",
        "params_file": "params.yaml",
        "dataset": "stripes",
        "base": {},
        "train_sha256": "1",
        "validation_sha256": "2",
        "judge_sha256": "3",
    }
    Settings.model_validate(settings)

    def create(trials: int) -> str:
        url = f"sqlite:///{trials}.db"
        storage = open_storage(url, create=True)
        toy = optuna.create_study(study_name="toy", storage=storage, directions=["minimize"])
        toy.set_user_attr(SETTINGS, settings)
        for number in range(trials):
            asked = toy.ask()
            asked.suggest_float("beta_1", 0.0, 0.9)
            asked.set_user_attr("seeds", {"100": 20.0 - number})
            asked.set_user_attr("current", number == 0)
            toy.tell(asked, [20.0 - number])
        toy.ask().suggest_float("beta_1", 0.0, 0.9)
        toy.enqueue_trial({"beta_1": 0.5})
        return url

    return create


def test_the_status_lists_finished_and_running_trials(make: Make) -> None:
    study_, trials, best, current, running = status_text("toy", make(3)).splitlines()
    assert study_ == "study toy: vanilla-gan of profile toy, toy-space"
    assert trials == "trials: 3 done of 9 (3 completed), 1 running, 1 waiting"
    assert best.startswith("best: trial 2, fid_judge 18.00: beta_1 ")
    assert current.startswith("current: trial 0, fid_judge 20.00: beta_1 ")
    assert running.startswith("running: trial 3 since ")
    assert "beta_1 " in running


def test_the_status_of_a_new_study_has_no_score(make: Make) -> None:
    _, trials, current, _ = status_text("toy", make(0)).splitlines()
    assert trials == "trials: 0 done of 9 (none), 1 running, 1 waiting"
    assert current == "current: no score yet"


def test_a_study_is_reported_from_its_storage_or_from_its_record(make: Make) -> None:
    line = report_study("toy", make(3))
    assert line == "results/sweeps/toy: 3 trials, 3 completed"
    before = {path.name: path.read_bytes() for path in Path("results/sweeps/toy").iterdir()}
    Path("results/sweeps/toy/summary.md").unlink()
    assert "from results/sweeps/toy/study.json, without the storage" in report_study("toy", NOWHERE)
    after = {path.name: path.read_bytes() for path in Path("results/sweeps/toy").iterdir()}
    assert after == before


def test_a_record_is_not_replaced_by_another_study_of_the_same_name(make: Make) -> None:
    report_study("toy", make(3))
    before = read_json(Path("results/sweeps/toy/study.json"))
    with pytest.raises(UserError, match="3 trials that study 'toy' in the storage lacks"):
        report_study("toy", make(2))
    assert read_json(Path("results/sweeps/toy/study.json")) == before


def test_an_unknown_study_is_an_error_in_one_line(make: Make) -> None:
    url = make(1)
    for ask in (status_text, report_study):
        with pytest.raises(
            UserError, match=r"no study 'other' at .* \(existing studies: toy\)"
        ) as error:
            ask("other", url)
        assert "\n" not in str(error.value)
