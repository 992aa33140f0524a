"""Test trials: their seeds, their values, and how they end."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
import pytest
import torch
from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from ganvae.core.errors import ConfigError
from ganvae.data.store import read_split
from ganvae.evaluation.validation import Validation, ValidationScore, read_validation
from ganvae.judge.network import FrozenJudge
from ganvae.models.base import GenerativeModel
from ganvae.sweeps import objective
from ganvae.sweeps.objective import Objective, make_objective
from ganvae.sweeps.records import record_of
from ganvae.sweeps.study import Settings, load_study
from ganvae.training.runs import STATE
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train
from toy_study import PATHS, SPACE, URL, create, make_profile

MEDIAN = {"by": "curve", "name": "median", "checks": [0.25, 0.5], "startup_trials": 1}
WILCOXON = {"by": "seed", "name": "wilcoxon", "p": 0.1}


@pytest.fixture(autouse=True)
def _profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_profile()


def run(n: int = 1, **changes: Any) -> tuple[Study, Settings, list[FrozenTrial]]:
    """Create a study and run ``n`` of its trials."""
    create(**changes)
    study, settings = load_study("toy", URL)
    study.optimize(make_objective("toy", settings), n_trials=n)
    return study, settings, study.trials


def scored_as(monkeypatch: pytest.MonkeyPatch, fid: Callable[[int], float]) -> list[int]:
    """Give the ``n``-th scored model, from 0, the FID ``fid(n)``. Return the list of seeds."""
    seeds: list[int] = []

    def score(self: Objective, model: GenerativeModel, seed: int) -> ValidationScore:
        seeds.append(seed)
        return ValidationScore(fid_judge=fid(len(seeds) - 1), classes=10)

    monkeypatch.setattr(Objective, "score", score)
    return seeds


def test_a_trials_value_is_the_mean_over_its_seeds() -> None:
    study, settings, (trial,) = run(seeds=[100, 101])
    assert list(trial.user_attrs["seeds"]) == ["100", "101"]
    assert trial.value == fmean(trial.user_attrs["seeds"].values())
    assert trial.user_attrs["status"] == "completed"
    assert trial.user_attrs["seconds"] > 0
    assert not list(STATE.glob("sweeps/*")), "finished trials leave no state behind"

    toy_objective = make_objective("toy", settings)
    config = objective.applied("bernoulli-vae", settings.base, trial.params)
    images = read_split(PATHS.split("train")).images
    model = train(RunSpec("bernoulli-vae", config, 101), images, Path("alone")).model
    validation = read_validation(PATHS.validation_features, FrozenJudge(Path("judge.safetensors")))
    alone = validation.score(model, n=40, seed=101).fid_judge
    assert alone == trial.user_attrs["seeds"]["101"] == toy_objective.score(model, 101).fid_judge

    record = record_of(study, settings)
    assert record.current is not None
    assert record.current.seeds == {100: record.current.seeds[100], 101: alone}
    assert record.current.curve == {}


def test_two_objectives_are_both_measured() -> None:
    both = ["fid_judge", "train_seconds"]
    study, settings, (trial, _) = run(2, objectives=both, seeds=[100, 101])
    assert study.metric_names == both
    fid, seconds = trial.values
    assert fid == fmean(trial.user_attrs["seeds"].values())
    assert seconds == pytest.approx(trial.user_attrs["seconds"] / 2)
    assert len(record_of(study, settings).scored) == 2


def test_a_trial_that_diverges_is_pruned_and_has_a_reason() -> None:
    study, settings, (trial,) = run(parameters={"learning_rate": {"choices": [1e30]}})
    assert (trial.state, trial.user_attrs["status"]) == (TrialState.PRUNED, "diverged")
    assert "NaN or infinite" in trial.user_attrs["reason"]
    record = record_of(study, settings)
    assert (record.trials[0].status, record.trials[0].values) == ("diverged", [])
    assert not list(STATE.glob("sweeps/*"))


def test_a_trial_whose_weights_become_nan_is_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> Any:
        result = train(*arguments, **options)
        for weights in result.model.parameters():
            torch.nn.init.constant_(weights, float("nan"))
        return result

    monkeypatch.setattr(objective, "train", broken)
    _, _, (trial,) = run()
    assert (trial.state, trial.user_attrs["status"]) == (TrialState.PRUNED, "diverged")
    assert "found nan" in trial.user_attrs["reason"]
    assert trial.user_attrs["seconds"] > 0


def test_a_collapsed_trial_has_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    one_class = ValidationScore(fid_judge=7.0, classes=1)
    monkeypatch.setattr(Objective, "score", lambda self, model, seed: one_class)
    _, _, (trial,) = run()
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 7.0)
    assert trial.user_attrs["status"] == "collapsed"


def test_parameters_that_the_system_rejects_together_are_a_failed_trial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create()
    study, settings = load_study("toy", URL)

    def refused(*arguments: Any, **options: Any) -> None:
        raise ConfigError("these two do not go together")

    monkeypatch.setattr(objective, "applied", refused)
    study.optimize(make_objective("toy", settings), n_trials=1)
    (trial,) = record_of(study, settings).trials
    assert (trial.status, trial.reason) == ("failed", "these two do not go together")


def test_a_trial_whose_curve_falls_behind_is_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = [5.0, 4.0, 3.0, 3.0, 9.0]  # two checks and two seeds of the first trial, and one check
    seeds = scored_as(monkeypatch, lambda n: scores[n])
    study, settings, (first, second) = run(2, seeds=[100, 101], pruner=MEDIAN)
    assert first.intermediate_values == {250: 5.0, 500: 4.0}
    assert first.value == 3.0
    assert second.intermediate_values == {250: 9.0}
    assert (second.state, second.user_attrs["status"]) == (TrialState.PRUNED, "pruned")
    assert seeds == [100, 100, 100, 101, 100], "only the first seed has checks"
    assert [trial.curve for trial in record_of(study, settings).trials] == [
        {250: 5.0, 500: 4.0},
        {250: 9.0},
    ]
    assert not list(STATE.glob("sweeps/*"))


def test_a_trial_whose_seeds_fall_behind_is_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    def fid(n: int) -> float:
        return n + (100.0 if n >= 6 else 0.0)  # the second trial is worse from every seed

    seeds = scored_as(monkeypatch, fid)
    study, settings, (first, second) = run(2, seeds=list(range(100, 106)), pruner=WILCOXON)
    assert first.intermediate_values == {n: float(n) for n in range(6)}
    assert (second.state, second.user_attrs["status"]) == (TrialState.PRUNED, "pruned")
    assert 2 < len(second.user_attrs["seeds"]) < 6
    assert len(seeds) == 6 + len(second.user_attrs["seeds"])
    assert [trial.curve for trial in record_of(study, settings).trials] == [{}, {}]


def test_no_trial_is_pruned_after_the_last_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    # better from the first seed, worse from the others: p falls below 0.1 at the fifth seed
    values = [10.0, 11.0, 12.0, 13.0, 14.0, 9.5, 111.0, 112.0, 113.0, 114.0]
    scored_as(monkeypatch, lambda n: values[n])
    _, _, (_, second) = run(2, seeds=[1, 2, 3, 4, 5], pruner=WILCOXON)
    assert (second.state, second.value) == (TrialState.COMPLETE, 91.9)


@pytest.mark.parametrize("model", ["bernoulli-vae", "vanilla-gan"])
def test_checks_change_no_weight(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[dict[str, torch.Tensor]] = []

    def noted(*arguments: Any, **options: Any) -> Any:
        result = train(*arguments, **options)
        ends.append({name: weight.clone() for name, weight in result.model.state_dict().items()})
        return result

    monkeypatch.setattr(objective, "train", noted)
    ema = {"ema": {"choices": [0.9]}, "learning_rate": {"choices": [1e-3]}}
    create(variant=model, parameters=ema, pruner=MEDIAN)
    study, settings = load_study("toy", URL)
    toy_objective = make_objective("toy", settings)
    plain = settings.model_copy(
        update={"sweep": settings.sweep.model_copy(update={"pruner": None})}
    )
    study.optimize(toy_objective, n_trials=1)
    study.optimize(replace(toy_objective, settings=plain), n_trials=1)
    watched, unwatched = study.trials
    assert watched.intermediate_values
    assert not unwatched.intermediate_values
    assert watched.value == unwatched.value
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def interrupted_after(monkeypatch: pytest.MonkeyPatch, last: int) -> None:
    """Interrupt the next training run after step ``last``, like Ctrl-C."""

    def interrupted(*arguments: Any) -> Any:
        *training, watch = arguments

        def watch_and_stop(step: int, *shown: Any) -> None:
            if watch:
                watch(step, *shown)
            if step == last:
                raise KeyboardInterrupt

        return train(*training, watch_and_stop)

    monkeypatch.setattr(objective, "train", interrupted)


def test_values_of_an_earlier_attempt_are_not_measured_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    create(pruner=MEDIAN)
    study, settings = load_study("toy", URL)
    toy_objective = make_objective("toy", settings)
    with monkeypatch.context() as patch:
        interrupted_after(patch, 10)
        with pytest.raises(KeyboardInterrupt):
            study.optimize(toy_objective, n_trials=1)
    optuna.storages.RetryHeartbeatStaleTrialCallback()(study, study.trials[0])
    scored: list[int] = []
    score = Objective.score
    monkeypatch.setattr(
        Objective, "score", lambda *arguments: scored.append(1) or score(*arguments)
    )
    capsys.readouterr()
    study.optimize(toy_objective, n_trials=1)
    assert "trial 1, bernoulli-vae-100: step 10 of 20" in capsys.readouterr().out
    stopped, again = study.trials
    assert again.intermediate_values == stopped.intermediate_values
    assert list(again.intermediate_values) == [250, 500]
    assert scored == [1], "only the end is scored again"
    lost, record = record_of(study, settings).trials
    assert (lost.status, lost.values, record.retry_of) == ("lost", [], 0)
    assert record.current


def test_the_scores_of_a_lost_trial_count_only_in_its_retry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fid(n: int) -> float:
        if n == 1:
            raise KeyboardInterrupt
        return 5.0

    scored_as(monkeypatch, fid)
    create(seeds=list(range(100, 106)), pruner=WILCOXON)
    study, settings = load_study("toy", URL)
    with pytest.raises(KeyboardInterrupt):
        study.optimize(make_objective("toy", settings), n_trials=1)
    optuna.storages.RetryHeartbeatStaleTrialCallback()(study, study.trials[0])
    assert list(study.trials[0].user_attrs["seeds"].values()) == [5.0]
    (lost,) = record_of(study, settings).trials
    assert (lost.status, lost.seeds) == ("lost", {})


def test_a_study_that_is_created_again_uses_no_state_of_the_old_study(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        interrupted_after(patch, 10)
        with pytest.raises(KeyboardInterrupt):
            run(pruner=MEDIAN)
    Path("sweeps.db").unlink()
    sizes: list[int] = []
    score = Validation.score

    def noted(self: Any, model: GenerativeModel, *, n: int, seed: int) -> ValidationScore:
        sizes.append(n)
        scored: ValidationScore = score(self, model, n=n, seed=seed)
        return scored

    monkeypatch.setattr(Validation, "score", noted)
    _, _, (trial,) = run(pruner=MEDIAN, n_generated=SPACE["n_generated"] + 10)
    assert sizes == [50, 50, 50], "two checks and the end"
    assert list(trial.intermediate_values) == [250, 500]
