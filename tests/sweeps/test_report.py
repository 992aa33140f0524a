"""What is kept of a study says what its trials show, how sure that is, and nothing more."""

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
    """FID rises with beta_1, and is 15 higher where the ratio is off; nothing else matters."""
    return 20 + 30 * parameters["beta_1"] + (15 if parameters["balance.ratio"] is None else 0)


@pytest.fixture(scope="module")
def clear() -> StudyRecord:
    return searched(40, slope_and_switch)


@pytest.fixture(scope="module")
def found(clear: StudyRecord) -> dict[str, Effect]:
    return {one.parameter: one for one in effects.effects_of(clear).effects}


def correlation(relation: Relation) -> Measured:
    assert relation.correlation
    return relation.correlation


def interval(contrast: Contrast) -> tuple[float, float]:
    assert contrast.low is not None
    assert contrast.high is not None
    return contrast.low, contrast.high


def test_a_parameter_that_matters_is_shown_to(found: dict[str, Effect]) -> None:
    for relation in (found["beta_1"].scored, found["beta_1"].early):
        one = correlation(relation)
        assert one.n == 40
        assert 0 < one.low < one.value < one.high < 1
        assert relation.contrasts == []


def test_one_that_does_not_matter_is_not(found: dict[str, Effect]) -> None:
    one = correlation(found["batch_size"].scored)
    assert one.low < 0 < one.high
    (contrast,) = found["learning_rate_decay"].scored.contrasts
    low, high = interval(contrast)
    assert (contrast.first, contrast.second) == ("linear", "none")
    assert low < 0 < high
    assert found["learning_rate_decay"].scored.correlation is None


def test_on_against_off_finds_the_difference(found: dict[str, Effect]) -> None:
    relation = found["balance.ratio"].scored
    (contrast,) = relation.contrasts
    low, high = interval(contrast)
    assert contrast.n_first + contrast.n_second == 40
    assert low < -15 < high < 0
    assert contrast.p is not None
    assert contrast.p < 0.01
    assert correlation(relation).n == contrast.n_first  # a value only where it is on
    (early,) = found["balance.ratio"].early.contrasts
    assert interval(early)[1] < 0


def test_importances_are_shares_and_those_that_matter_lead(found: dict[str, Effect]) -> None:
    shares = {name: one.importance.value for name, one in found.items() if one.importance}
    assert sum(shares.values()) == pytest.approx(1)
    assert set(sorted(shares, key=lambda name: -shares[name])[:2]) == {"beta_1", "balance.ratio"}


def test_a_study_of_noise_shows_no_effect_more_often_than_its_intervals_allow() -> None:
    values = np.random.default_rng(0).normal(size=(200, 2, 12))
    wrong = 0
    for x, y in values:
        range_ = effects.Range(low=-9.0, high=9.0)
        one = effects._correlation(list(zip(x.tolist(), y.tolist(), strict=True)), range_)
        assert one
        wrong += one.is_shown
    assert wrong <= 20  # 10 are expected; more than 20 come once in a thousand


def test_the_interval_of_a_shift_is_that_of_the_exact_test() -> None:
    # Of 5 and 5 values the two-sided exact test at 5 % refuses U <= 2: the third difference stays
    assert effects._cut(5, 5) == 2
    a, b = [1.0, 2, 3, 4, 5], [11.0, 13, 15, 17, 19]
    one = effects._contrast("on", a, "off", b)
    shifts = sorted(x - y for x in a for y in b)
    assert (one.low, one.high) == (shifts[2], shifts[-3])
    assert one.shift == np.median(shifts)
    assert one.p == pytest.approx(2 / 252)


def test_few_trials_get_no_number() -> None:
    few = effects.effects_of(searched(7, slope_and_switch))
    for one in few.effects:
        assert (one.importance, one.scored.correlation, one.early.correlation) == (None,) * 3
        assert all(contrast.p is None for contrast in one.scored.contrasts)
    assert "Too few trials" in findings(searched(7, slope_and_switch), few)[0]


def test_trials_given_up_count_at_the_first_check_alone() -> None:
    record = study([trial(n, 20.0 + n if n < 8 else None) for n in range(20)])
    one = effects.effects_of(record).effects[0]
    assert (correlation(one.scored).n, correlation(one.early).n) == (8, 20)


def test_where_a_pruner_looks_at_seeds_the_first_check_is_the_first_seed() -> None:
    pruner = {"by": "seed", "name": "wilcoxon", "checks": [], "p": 0.1}
    record = study([trial(0, 20.0), trial(1, seeds={100: 50.0})], pruner=pruner)
    checks = [effects.first_check(record, one) for one in record.trials]
    assert checks == [19.0, 50.0]


def test_the_findings_say_what_is_shown_and_what_is_not(clear: StudyRecord) -> None:
    said = findings(clear, effects.effects_of(clear))
    assert said[0] == (
        "`beta_1`: among the scored trials FID rises with it; at the first check FID rises with it."
    )
    assert "no effect shown" in said[1]
    assert said[3].count("on against off FID is lower (medians ") == 2


def test_a_study_becomes_a_folder(tmp_path: Path, clear: StudyRecord) -> None:
    folder = write_report(tmp_path, clear)
    files = {path.name for path in folder.iterdir()}
    assert files == PICTURES | {"study.json", "effects.json", "trials.csv", "summary.md"}
    assert read_studies(tmp_path) == [clear]
    assert [one.parameter for one in read_effects(folder).effects] == list(RANGES)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1e6
    for name in PICTURES:
        assert 950 < Image.open(folder / name).width < 1050
    text = (folder / "summary.md").read_text()
    assert all(f"]({name})" in text for name in PICTURES)
    assert clear.best
    assert f"Best: trial {clear.best.number}," in text
    assert "Best minus current:" in text
    assert "`ganvae sweep promote`" in text


@pytest.mark.slow
def test_the_same_record_gives_the_same_bytes(tmp_path: Path, clear: StudyRecord) -> None:
    contents = []
    for root in (tmp_path / "a", tmp_path / "b"):
        folder = write_report(root, clear)
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_what_an_earlier_report_left_is_gone(tmp_path: Path, clear: StudyRecord) -> None:
    folder = write_report(tmp_path, clear)
    (folder / "old.png").touch()
    write_report(tmp_path, clear)
    assert not (folder / "old.png").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["toy"]


def test_trials_are_a_table(tmp_path: Path) -> None:
    off = trial(1).parameters | {"balance.ratio": None}
    record = study([trial(0, 20.0, current=True), trial(1, parameters=off)])
    folder = write_report(tmp_path, record)
    with (folder / "trials.csv").open() as file:
        first, second = csv.DictReader(file)
    assert (first["fid_judge"], first["seed_100"], first["curve_500"]) == ("20.0", "19.0", "30.0")
    assert (first["current"], second["current"]) == ("True", "")
    assert (second["status"], second["fid_judge"], second["balance.ratio"]) == ("pruned", "", "off")
    assert first["started"] == "2023-11-14T22:13:20+00:00"


def test_two_objectives_have_a_front(tmp_path: Path) -> None:
    values = [[30.0, 10.0], [20.0, 20.0], [25.0, 25.0], [20.0, 30.0], [10.0, 40.0]]
    trials = [trial(n, one[0], values=one) for n, one in enumerate(values)]
    record = study(trials, objectives=["fid_judge", "train_seconds"], pruner=None)
    assert [one.number for one in pareto_front(record)] == [4, 1, 0]
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


def test_early_findings_stand_where_every_trial_was_given_up(tmp_path: Path) -> None:
    record = study([trial(n) for n in range(12)])
    text = (write_report(tmp_path, record) / "summary.md").read_text()
    assert "`beta_1`: among the scored trials too few to say; at the first check " in text


Make = Callable[[int], str]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a storage with the study ``toy`` of so many scored trials, and one that runs."""
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

    def made(trials: int) -> str:
        url = f"sqlite:///{trials}.db"
        storage = open_storage(url, create=True)
        made = optuna.create_study(study_name="toy", storage=storage, directions=["minimize"])
        made.set_user_attr(SETTINGS, settings)
        for number in range(trials):
            asked = made.ask()
            asked.suggest_float("beta_1", 0.0, 0.9)
            asked.set_user_attr("seeds", {"100": 20.0 - number})
            asked.set_user_attr("current", number == 0)
            made.tell(asked, [20.0 - number])
        made.ask().suggest_float("beta_1", 0.0, 0.9)
        made.enqueue_trial({"beta_1": 0.5})
        return url

    return made


def test_the_status_says_what_is_done_and_what_runs(make: Make) -> None:
    study_, trials, best, current, running = status_text("toy", make(3)).splitlines()
    assert study_ == "study toy: vanilla-gan of profile toy, toy-space"
    assert trials == "trials: 3 done of 9 (3 completed), 1 running, 1 waiting"
    assert best.startswith("best: trial 2, fid_judge 18.00: beta_1 ")
    assert current.startswith("current: trial 0, fid_judge 20.00: beta_1 ")
    assert running.startswith("running: trial 3 since ")
    assert "beta_1 " in running


def test_the_status_of_a_new_study_says_that_there_is_nothing(make: Make) -> None:
    _, trials, current, _ = status_text("toy", make(0)).splitlines()
    assert trials == "trials: 0 done of 9 (none), 1 running, 1 waiting"
    assert current == "current: no score yet"


def test_a_study_is_reported_from_its_storage_and_then_without(make: Make) -> None:
    said = report_study("toy", make(3))
    assert said == "results/sweeps/toy: 3 trials, 3 completed"
    before = {path.name: path.read_bytes() for path in Path("results/sweeps/toy").iterdir()}
    Path("results/sweeps/toy/summary.md").unlink()
    assert "from results/sweeps/toy/study.json alone" in report_study("toy", NOWHERE)
    after = {path.name: path.read_bytes() for path in Path("results/sweeps/toy").iterdir()}
    assert after == before


def test_a_record_is_not_replaced_by_another_study_of_its_name(make: Make) -> None:
    report_study("toy", make(3))
    before = read_json(Path("results/sweeps/toy/study.json"))
    with pytest.raises(UserError, match="3 trials that the storage's study 'toy' has not"):
        report_study("toy", make(2))
    assert read_json(Path("results/sweeps/toy/study.json")) == before


def test_an_unknown_study_is_one_line(make: Make) -> None:
    url = make(1)
    for ask in (status_text, report_study):
        with pytest.raises(UserError, match=r"no study 'other' at .*; there are: toy") as error:
            ask("other", url)
        assert "\n" not in str(error.value)
