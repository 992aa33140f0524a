"""Test that studies are created once, and that errors are one line."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from ganvae.cli import app
from ganvae.core.errors import ConfigError, UserError
from ganvae.sweeps import storage, study
from ganvae.sweeps.records import record_of
from toy_study import (
    PATHS,
    SPACE,
    URL,
    create,
    edit_params,
    finish,
    ganvae,
    make_profile,
    trials,
    write_space,
    write_toy_split,
)

ROLLED = {"balance.ratio": {"low": 1.0, "high": 8.0, "or_off": True}}


@pytest.fixture(autouse=True)
def _profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_profile()


def stored() -> dict[str, Any]:
    """The content of the study that another ``create`` must not change."""
    toy, settings = study.load_study("toy", URL)
    waiting = [(t.state, t.user_attrs, t.system_attrs) for t in toy.trials]
    return {"settings": settings, "names": toy.metric_names, "trials": waiting}


def test_a_study_is_created_once() -> None:
    assert "is created. `ganvae sweep worker`" in create()
    before = stored()
    assert create().endswith(
        "of variant bernoulli-vae (search space toy) at sqlite:///sweeps.db exists already"
    )
    assert stored() == before
    assert before["names"] == ["fid_judge"]
    assert len(before["trials"]) == 1


def test_too_few_samples_for_the_judge_are_refused_before_a_training() -> None:
    with pytest.raises(UserError, match=r"needs more than 8 generated images, but found 8: incr"):
        create(n_generated=8)
    assert not Path("sweeps.db").exists()


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"variant": "vanilla-gan"}, "variant, system, base"),
        ({"trials": 7}, "sweep"),
        ({"parameters": {"batch_size": {"choices": [16, 32]}}}, "sweep"),
    ],
)
def test_another_study_of_the_same_name_is_refused(
    options: dict[str, Any], difference: str
) -> None:
    create()
    before = stored()
    with pytest.raises(
        UserError, match=rf"'toy' exists already.* of variant bern.* in: {difference}\."
    ):
        create(**options)
    assert stored() == before


def test_a_study_with_the_same_name_and_other_data_is_refused() -> None:
    create()
    before = stored()
    write_toy_split("train", 210)
    with pytest.raises(UserError, match=r"differ in: train_sha256\. Give another --study"):
        create()
    assert stored() == before


def test_the_first_trial_has_the_current_parameters() -> None:
    create(
        variant="vanilla-gan",
        parameters=SPACE["parameters"]
        | ROLLED
        | {
            "batch_size": {"low": 8, "high": 32},
            "learning_rate_decay": {"choices": ["none", "linear"]},
        },
    )
    (first,) = trials()
    assert first.state == TrialState.WAITING
    assert first.user_attrs == {study.CURRENT: True}
    assert first.system_attrs["fixed_params"] == {
        "learning_rate": 2e-4,
        "balance.ratio?": False,
        "batch_size": 16,
        "learning_rate_decay": "none",
    }


def test_for_a_parameter_that_is_on_the_value_and_the_switch_are_fixed() -> None:
    edit_params(lambda values: values["variants"]["vanilla-gan"].update(balance={"ratio": 2.0}))
    create(variant="vanilla-gan", parameters=ROLLED)
    fixed = trials()[0].system_attrs["fixed_params"]
    assert fixed == {"balance.ratio?": True, "balance.ratio": 2.0}


def test_a_first_trial_that_draws_a_value_is_not_marked_as_current(
    capsys: pytest.CaptureFixture[str],
) -> None:
    create(parameters=SPACE["parameters"] | {"batch_size": {"choices": [32, 64]}})
    note = (
        "note: the current value of batch_size, 16, is outside the searched range. So the first "
        "trial draws a value from the range.\n"
    )
    assert capsys.readouterr().out == note
    (first,) = trials()
    assert first.system_attrs["fixed_params"] == {"learning_rate": 1e-3}
    assert first.user_attrs == {study.CURRENT: False}


@pytest.mark.parametrize("killed_in", ["set_metric_names", "enqueue_trial", "set_user_attr"])
def test_an_incomplete_study_is_completed_by_the_next_create(
    killed_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, killed_in, killed)
        with pytest.raises(KeyboardInterrupt):
            create()
    with pytest.raises(UserError, match="or its creation did not finish"):
        trials()
    monkeypatch.setattr(study, "MAKING_SECONDS", 0.0)
    assert "is created" in create()
    completed = stored()
    assert completed["names"] == ["fid_judge"]
    assert [state for state, _, _ in completed["trials"]] == [TrialState.WAITING]


@pytest.mark.parametrize("fault", ["its trials", "its direction"])
def test_a_study_of_another_program_is_not_changed(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "MAKING_SECONDS", 0.0)
    direction = "maximize" if fault == "its direction" else "minimize"
    other = optuna.create_study(study_name="toy", storage=URL, direction=direction)
    if fault == "its trials":
        other.enqueue_trial({"x": 1})
    with pytest.raises(UserError, match=r"was not created by `ganvae sweep create`\. Give another"):
        create()
    assert study.SETTINGS not in other.user_attrs


@pytest.mark.parametrize("name", ["a/b", "../up", "", ".", "a b"])
def test_a_name_that_cannot_be_a_folders_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="Use only letters, digits, dots"):
        create(name)


def test_a_study_without_finished_trials_has_a_record() -> None:
    create()
    record = record_of(*study.load_study("toy", URL))
    assert (record.trials, record.best, record.current) == ([], None, None)


@pytest.fixture
def error_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The error message of a command that must fail: one line, without a traceback."""

    def error(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["ganvae", "sweep", *arguments])
        with pytest.raises(SystemExit) as exited:
            app()
        message = str(exited.value.code)  # Python prints it and exits with status 1
        assert message.startswith("error: ")
        assert "\n" not in message
        return message

    yield error


def test_the_error_for_an_unknown_study_lists_the_studies(error_of: Any) -> None:
    assert "there is no sweep storage at sqlite:///sweeps.db" in error_of("worker", "--study", "a")
    assert not Path("sweeps.db").exists()
    create()
    assert "no study 'a' at sqlite:///sweeps.db (existing studies: toy)." in error_of(
        "worker", "--study", "a"
    )


def test_a_storage_that_cannot_be_used_is_an_error_in_one_line(error_of: Any) -> None:
    cases = {
        "postgresql+psycopg://me:secret@127.0.0.1:1/db": "me:***@127.0.0.1:1/db: connection failed",
        "postgresql//me:secret@host/db": "--storage is not the URL of a database. Give a URL such",
        "postgresql://me:secret@host:port/db": "--storage is not the URL of a database",
        "nonsense://me:secret@host/db": "Can't load plugin: sqlalchemy.dialects:nonsense",
        "postgresql+pg8000://me:secret@host/db": "No module named 'pg8000'",
        "sqlite:///no/such/folder/x.db": "unable to open database file",
        "sqlite:///toy.yaml": "file is not a database",
    }
    write_space()
    for url, message in cases.items():
        found = error_of("create", "--study", "toy", "--space", "toy.yaml", "--storage", url)
        assert message in found
        assert "secret" not in found


def test_an_empty_database_has_no_studies(error_of: Any) -> None:
    sqlite3.connect("empty.db").close()
    Path("empty.db").touch()
    found = error_of("worker", "--study", "toy", "--storage", "sqlite:///empty.db")
    assert "there is no sweep storage at sqlite:///empty.db" in found


def test_a_locked_database_is_an_error_in_one_line(
    error_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create()
    monkeypatch.setattr(storage, "SQLITE_SECONDS", 0.1)
    with closing(sqlite3.connect("sweeps.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "database is locked" in error_of("worker", "--study", "toy")
        assert "database is locked" in error_of("create", "--study", "b", "--space", "toy.yaml")


def test_a_worker_refuses_a_study_of_another_program_in_one_line(error_of: Any) -> None:
    optuna.create_study(study_name="theirs", storage=URL)
    assert "'theirs' was not created by `ganvae sweep create`" in error_of(
        "worker", "--study", "theirs"
    )


def test_a_worker_refuses_other_data_in_one_line(error_of: Any) -> None:
    create()
    write_toy_split("train", 210)
    found = error_of("worker", "--study", "toy")
    assert f"{PATHS.split('train')} has changed since study 'toy' was created" in found


def move_params(values: dict[str, Any], file: str) -> None:
    values["file"] = file
    for run in values["runs"].values():
        run["file"] = file


@pytest.mark.parametrize("params", ["params.yaml", "profiles/toy/params.yaml"])
def test_the_error_for_missing_data_names_the_command_that_prepares_them(
    error_of: Any, params: str
) -> None:
    edit_params(lambda values: move_params(values, params))
    stage = "reference" if params == "params.yaml" else "profiles/toy/dvc.yaml:reference"
    for path in (PATHS.validation_features, PATHS.split("train")):
        path.unlink()
        write_space()
        found = error_of("create", "--study", "toy", "--space", "toy.yaml")
        assert (
            f"{path} is missing. Run `dvc repro {stage}`, which prepares data for sweeps" in found
        )


def test_a_worker_names_this_command_as_well(error_of: Any) -> None:
    create()
    PATHS.validation_features.unlink()
    assert "is missing. Run `dvc repro reference`, which" in error_of("worker", "--study", "toy")


@pytest.mark.slow
def test_four_processes_that_create_a_study_at_once_create_one(postgres_url: str) -> None:
    write_space()
    command = ("create", "--study", "toy", "--space", "toy.yaml", "--storage", postgres_url)
    outputs = [finish(process) for process in [ganvae("sweep", *command) for _ in range(4)]]
    assert sum("is created" in output for output in outputs) == 1
    assert sum("exists already" in output for output in outputs) == 3
    assert [t.state for t in trials(postgres_url)] == [TrialState.WAITING]
