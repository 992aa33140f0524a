"""No reader fails on some hundred inputs; `make fuzz` tries some thousand."""

import pytest
from fuzzing import LIMIT_GB, bad, fuzz
from readers import READERS

from ganvae.core.limits import VARIABLE

INPUTS = 300


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.kind)
def test_every_input_is_read_right_or_refused(reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, LIMIT_GB)
    counts = fuzz(reader, INPUTS)
    assert bad(counts) == 0, counts
    assert counts["valid"] >= 0.3 * INPUTS
