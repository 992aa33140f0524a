"""Test how long a sweep waits for a PostgreSQL server, or for a table that is locked."""

import time
from pathlib import Path

import psycopg
import pytest

from ganvae.core import databases
from ganvae.core.databases import with_limits
from ganvae.sweeps.storage import StorageError, explained, open_storage
from ganvae.sweeps.study import load_study
from toy_study import create, make_profile


def test_other_databases_and_other_drivers_have_no_limits() -> None:
    for url in ("sqlite:///sweeps.db", "postgresql+pg8000://me@host/db", "mysql+pymysql://host/db"):
        assert with_limits(url) == url


def test_parameters_of_a_url_are_kept() -> None:
    given = "postgresql+psycopg://me:a%40b@host/db?connect_timeout=60&options=-c+work_mem%3D1MB"
    limited = with_limits(given)
    assert limited.startswith("postgresql+psycopg://me:a%40b@host/db?connect_timeout=60&")
    assert "options=-c+lock_timeout%3D4000+-c+work_mem%3D1MB" in limited


@pytest.mark.slow
def test_a_locked_table_is_named_in_seconds(
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(databases, "SERVER_SECONDS", 2)
    make_profile()
    create(url=postgres_url)
    study = load_study("toy", postgres_url)[0]
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as other:
        other.execute("LOCK TABLE trials IN ACCESS EXCLUSIVE MODE")
        start = time.monotonic()
        with pytest.raises(StorageError, match="lock timeout") as caught, explained(postgres_url):
            study.ask()
        assert time.monotonic() - start < 10
    assert "\n" not in str(caught.value)
    assert "waiting for sweep storage postgresql+psycopg://" in capsys.readouterr().out
    assert open_storage(postgres_url, create=False).get_all_studies()
