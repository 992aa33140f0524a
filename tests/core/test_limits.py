"""Limits: what needs more memory than there is gets refused before it is allocated."""

from types import SimpleNamespace

import psutil
import pytest

from ganvae.core.errors import ConfigError, DataError
from ganvae.core.limits import VARIABLE, check_memory, check_unpacked, unpack_limit


def test_the_unpack_limit_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1.5")
    assert unpack_limit() == 1_500_000_000
    check_unpacked(1_500_000_000, "a.gz")
    with pytest.raises(DataError, match=r"^a\.gz unpacks to 1\.5 GB or more, but .*_GB=2\.$"):
        check_unpacked(1_500_000_001, "a.gz")


@pytest.mark.parametrize("text", ["", "much", "-1", "0", "nan", "inf"])
def test_an_unpack_limit_that_is_no_number_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ConfigError, match=f"{VARIABLE} is '{text}', but it must be a positive num"):
        unpack_limit()


def test_memory_is_compared_with_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=3 * 10**9))
    check_memory(3 * 10**9, "this", "do that")
    with pytest.raises(ConfigError) as error:
        check_memory(4 * 10**9, "this", "do that")
    assert str(error.value) == (
        "this needs about 4.0 GB of memory, but this machine has 3.0 GB free: do that."
    )
