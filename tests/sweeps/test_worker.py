"""Test workers that are killed or interrupted, and many at once. None opens the test split."""

import importlib.util
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from optuna import Study, Trial
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import create_engine, text

from conftest import ROOT
from ganvae.core.errors import ConfigError
from ganvae.core.files import sha256
from ganvae.data.store import read_split
from ganvae.evaluation.validation import read_validation
from ganvae.judge.network import FrozenJudge
from ganvae.sweeps import retries, storage, worker
from ganvae.sweeps.objective import make_objective, suggested
from ganvae.sweeps.records import record_of
from ganvae.sweeps.retries import ForgottenTrials
from ganvae.sweeps.storage import StorageError, explained, open_storage
from ganvae.sweeps.study import CURRENT, load_study
from toy_study import (
    PATHS,
    URL,
    create,
    done,
    finish,
    ganvae,
    make_profile,
    start_worker,
    trials,
    wait_for,
    write_space,
    write_toy_split,
)
from toy_worker import GO, halted

COMPLETE, FAIL, RUNNING, WAITING = (
    TrialState.COMPLETE, TrialState.FAIL, TrialState.RUNNING, TrialState.WAITING
)  # fmt: skip
MEDIAN = {"by": "curve", "name": "median", "checks": [0.25, 0.5]}


@pytest.fixture(autouse=True)
def _profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_profile()


@pytest.fixture
def study() -> Study:
    create()
    return load_study("toy", URL)[0]


def nothing(study: Study, trial: FrozenTrial) -> None:
    pass


def run_one(study: Study, objective: Any, wanted: int = 9, after: Any = nothing) -> bool:
    return worker._run_one(study, objective, wanted, after)


def states(study: Study) -> list[TrialState]:
    return [trial.state for trial in study.trials]


def constant(trial: Trial) -> list[float]:
    return [trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)]


def interrupted(trial: Trial) -> list[float]:
    constant(trial)
    raise KeyboardInterrupt


def test_if_two_workers_start_the_last_trial_one_gives_it_back(study: Study) -> None:
    other = load_study("toy", URL)[0]
    other.ask()
    assert not run_one(study, constant, wanted=1)
    assert states(study) == [RUNNING, FAIL]
    assert record_of(*load_study("toy", URL)).trials == []
    assert run_one(study, constant, wanted=2)
    assert states(study) == [RUNNING, FAIL, COMPLETE]


def test_the_worker_with_the_lower_number_continues(study: Study) -> None:
    other = load_study("toy", URL)[0]

    def joined_too_late(trial: Trial) -> list[float]:
        assert not run_one(other, constant, wanted=1)
        return constant(trial)

    assert run_one(study, joined_too_late, wanted=1)
    assert states(study) == [COMPLETE, FAIL]


def test_a_queued_trial_that_is_given_back_is_queued_again(study: Study) -> None:
    assert run_one(study, constant)
    study.enqueue_trial({"learning_rate": 2e-3})
    assert not run_one(study, constant, wanted=1)
    assert states(study) == [COMPLETE, FAIL, WAITING]
    assert run_one(study, constant)
    assert study.trials[-1].values == [2e-3]


@pytest.mark.parametrize("value", [99.0, "fast", None])
def test_a_queued_value_outside_the_space_is_named(study: Study, value: object) -> None:
    settings = load_study("toy", URL)[1]
    study.ask()  # the current value, which is queued first
    study.enqueue_trial({"learning_rate": value})
    with pytest.raises(ConfigError, match=r"learning_rate .* outside the searched range"):
        list(suggested(study.ask(), settings))


def test_an_interrupted_trial_is_queued_again_after_every_interrupt(study: Study) -> None:
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            run_one(study, interrupted)
    assert states(study) == [*[FAIL] * 5, WAITING]
    assert run_one(study, constant)
    (last,) = done(study)
    assert last.user_attrs[CURRENT]
    assert last.params == study.trials[0].params


def test_a_trial_that_ended_before_the_interrupt_is_not_queued_again(study: Study) -> None:
    def after(study: Study, trial: FrozenTrial) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_one(study, constant, after=after)
    assert states(study) == [COMPLETE]


@pytest.mark.parametrize("late", ["in the middle", "at the end"])
def test_a_worker_continues_after_a_trial_was_taken_from_it(
    study: Study, late: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def slept(trial: Trial) -> list[float]:
        values = constant(trial)
        other = load_study("toy", URL)[0]
        other.tell(trial.number, state=FAIL)
        RetryHeartbeatStaleTrialCallback()(other, other.trials[trial.number])
        if late == "in the middle":
            trial.set_user_attr("seeds", {})
        return values

    assert not run_one(study, slept)
    assert "trial 0 was taken from this worker" in capsys.readouterr().out
    assert states(study) == [FAIL, WAITING]


def test_an_error_in_the_program_keeps_its_traceback(study: Study) -> None:
    def faulty(trial: Trial) -> list[float]:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        run_one(study, faulty)


def lost_between(study: Study) -> None:
    """Fail a trial like a worker that is killed before it queues the trial again."""
    constant(study.ask())
    study.tell(len(study.trials) - 1, state=FAIL)


def test_a_trial_that_a_killed_worker_did_not_queue_is_queued_once(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = [ForgottenTrials(load_study("toy", URL)[0]) for _ in range(2)]
    lost_between(study)
    assert [worker.queue() for worker in workers] == [1, 1], "the other worker may still queue it"
    assert states(study) == [FAIL]
    monkeypatch.setattr(retries, "FORGOTTEN_SECONDS", 0.0)
    assert [worker.queue() for worker in workers] == [0, 0]
    assert states(study) == [FAIL, WAITING]
    assert study.trials[1].params == study.trials[0].params


def test_a_trial_that_two_workers_queue_at_once_runs_once(study: Study) -> None:
    lost_between(study)
    for _ in range(2):
        RetryHeartbeatStaleTrialCallback()(study, study.trials[0])
    assert run_one(study, constant)
    assert not run_one(study, constant)
    assert states(study) == [FAIL, COMPLETE, FAIL]


def test_a_forgotten_trial_has_a_limited_number_of_retries(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "FORGOTTEN_SECONDS", 0.0)
    monkeypatch.setattr(retries, "RETRIES", 2)
    for _ in range(5):
        if WAITING in states(study) or not study.trials[0].params:
            lost_between(study)
        assert ForgottenTrials(study).queue() == 0
    assert states(study) == [FAIL] * 3


def test_a_trial_that_an_error_in_the_program_ended_is_not_queued_again(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(trial: Trial) -> list[float]:
        constant(trial)
        raise ValueError("a fault")

    monkeypatch.setattr(retries, "FORGOTTEN_SECONDS", 0.0)
    with pytest.raises(ValueError, match="a fault"):
        run_one(study, faulty)
    assert ForgottenTrials(study).queue() == 0
    assert states(study) == [FAIL]


@pytest.mark.parametrize("lock", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_storage_that_is_locked_during_a_trial_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lock: str
) -> None:
    def locked(trial: Trial) -> list[float]:
        values = constant(trial)
        other.execute(f"BEGIN {lock}")
        trial.set_user_attr("seconds", 1.0)
        return values

    monkeypatch.setattr(storage, "SQLITE_SECONDS", 0.1)
    create()
    study = load_study("toy", URL)[0]
    with (
        closing(sqlite3.connect("sweeps.db")) as other,
        pytest.raises(StorageError, match="database is locked") as caught,
        explained(URL),
    ):
        run_one(study, locked)
    assert "\n" not in str(caught.value)
    waiting = "waiting for sweep storage sqlite:///sweeps.db: database is locked\n"
    assert waiting in capsys.readouterr().out


def test_a_trial_is_given_back_if_the_storage_answers_again(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(**_: object) -> None:
        raise StorageInternalError("locked")

    def locked(trial: Trial) -> list[float]:
        constant(trial)
        patch.setattr(worker.optuna.study._optimize, "_tell_with_warning", unreachable)
        return [1.0]

    with monkeypatch.context() as patch, pytest.raises(AssertionError):
        run_one(study, locked)
    assert states(study) == [FAIL, WAITING]


def test_a_worker_that_died_before_its_first_heartbeat_is_noticed(study: Study) -> None:
    study.ask()  # like a worker before its first heartbeat
    fail_stale_trials(study)
    assert states(study) == [RUNNING], "its first heartbeat may follow"
    with create_engine(URL).begin() as connection:
        connection.execute(text("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'"))
    fail_stale_trials(study)
    assert states(study) == [FAIL, WAITING]


def test_heartbeats_continue_after_a_failed_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def missed(self: RDBStorage, trial_id: int) -> None:
        raise StorageInternalError("the server is starting")

    create()
    monkeypatch.setattr(RDBStorage, "record_heartbeat", missed)
    open_storage(URL, create=False).record_heartbeat(1)


@pytest.mark.slow
def test_pin_4_a_sweep_opens_no_test_images_and_nothing_made_of_them() -> None:
    """All other tests here run without test images, because `make_profile` writes none."""
    write_toy_split("test", 60)
    shutil.copy(PATHS.validation_features, PATHS.reference)
    write_space(trials=2, pruner=MEDIAN | {"startup_trials": 1})
    noting = ("--opened", "opened.txt")
    finish(ganvae("sweep", "create", "--study", "toy", "--space", "toy.yaml", options=noting))
    finish(start_worker(*noting))
    assert len(done(trials())) == 2
    opened = {Path(line) for line in Path("opened.txt").read_text().splitlines()}
    assert {path for path in opened if path.is_relative_to(PATHS.data)} == {
        PATHS.split("train"),
        PATHS.validation_features,
    }
    assert not [path for path in opened if "t10k" in path.name]


def test_pin_4_what_a_sweep_compares_with_is_of_the_validation_split() -> None:
    write_toy_split("test", 60)
    PATHS.validation_features.unlink()
    spec = importlib.util.spec_from_file_location("reference", ROOT / "stages/reference.py")
    assert spec is not None
    assert spec.loader is not None
    stage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stage)
    stage.main("params.yaml")
    judge = FrozenJudge(Path("judge.safetensors"))
    validation = read_validation(PATHS.validation_features, judge)
    assert validation.data_sha256 == sha256(PATHS.split("validation"))
    images = read_split(PATHS.split("validation")).images
    assert torch.equal(validation.features, judge(images)[0])


def value_of_a_straight_run(**changes: Any) -> float:
    """The value of the first trial without an interruption."""
    create("straight", **changes)
    study, settings = load_study("straight", URL)
    study.optimize(make_objective("straight", settings), n_trials=1)
    return study.trials[0].values[0]


@pytest.mark.slow
def test_after_kill_9_the_next_worker_continues_the_trial() -> None:
    create(pruner=MEDIAN)
    killed = start_worker("--halt", "1:15")
    wait_for(halted(killed.pid), killed)
    killed.kill()
    killed.communicate()
    (before,) = trials()
    assert before.state == RUNNING

    output = finish(ganvae("sweep", "worker", "--study", "toy", "--trials", "1"))
    assert "trial 1, bernoulli-vae-100: step 15 of 20" in output
    assert ": step 0 of" not in output
    assert output.endswith("1 trials run by this worker\n")
    lost, again = trials()
    assert (lost.state, again.state) == (FAIL, COMPLETE)
    assert again.params == lost.params
    assert again.intermediate_values == before.intermediate_values
    assert list(again.intermediate_values) == [250, 500]
    assert again.value == value_of_a_straight_run(pruner=MEDIAN)
    record = record_of(*load_study("toy", URL))
    assert [trial.retry_of for trial in record.trials] == [None, 0]
    assert record.current == record.trials[1]


@pytest.mark.slow
def test_ctrl_c_and_sigterm_lose_no_training_step() -> None:
    create()
    for step, number in ((5, signal.SIGTERM), (10, signal.SIGINT)):
        process = start_worker("--halt", f"1:{step}")
        wait_for(halted(process.pid), process)
        process.send_signal(number)
        _, errors = process.communicate()
        assert process.returncode == 130
        assert "Traceback" not in errors
    assert [trial.state for trial in trials()] == [FAIL, FAIL, WAITING]
    output = finish(ganvae("sweep", "worker", "--study", "toy", "--trials", "1"))
    assert "trial 2, bernoulli-vae-100: step 10 of 20" in output
    assert trials()[-1].value == value_of_a_straight_run()


@pytest.mark.slow
def test_two_workers_on_postgresql_finish_the_study_if_one_is_killed(postgres_url: str) -> None:
    create(url=postgres_url, trials=6)
    pair = [start_worker("--halt", "2:10", url=postgres_url) for _ in range(2)]
    for process in pair:
        wait_for(halted(process.pid), process)
    killed, survivor = pair
    killed.kill()
    outputs = [killed.communicate()[0]]
    GO.touch()
    outputs.append(finish(survivor))
    assert [output.count(": completed, ") for output in outputs] == [1, 5]

    stored = trials(postgres_url)
    assert [len(done(stored)), len(stored)] == [6, 7]
    history = RetryHeartbeatStaleTrialCallback.retry_history
    (lost,) = (trial for trial in stored if trial.state == FAIL)
    (again,) = (trial for trial in stored if lost.number in history(trial))
    assert again.state == COMPLETE
    assert again.params == lost.params
    assert len({tuple(trial.params.items()) for trial in done(stored)}) == 6, "no trial runs twice"
    assert sum(trial.user_attrs.get(CURRENT, False) for trial in done(stored)) == 1


@pytest.mark.slow
def test_four_workers_that_start_at_once_run_the_wanted_number_of_trials(
    postgres_url: str,
) -> None:
    create(url=postgres_url, trials=3)
    outputs = [finish(each) for each in [start_worker(url=postgres_url) for _ in range(4)]]
    assert sum(output.count(": completed, ") for output in outputs) == 3
    stored = trials(postgres_url)
    assert len(done(stored)) == 3
    assert {trial.state for trial in stored} <= {COMPLETE, FAIL}
    numbers = [trial.number for trial in stored]
    assert numbers == list(range(len(stored)))
