"""The faults that `make pins` puts in still fit the code that they are aimed at."""

import ast
import re

import pytest

from conftest import ROOT
from pins import Fault, node_id, places_of_tests, read_faults

FAULTS = read_faults()


def test_every_pin_has_a_fault() -> None:
    assert {fault.pin for fault in FAULTS} == set(range(1, 14))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.pin}: {fault.what}")
def test_a_fault_can_be_put_in_and_tests_of_its_pin_are_to_notice(fault: Fault) -> None:
    changed = fault.changed(ROOT)
    assert changed != (ROOT / fault.file).read_text()
    if fault.file.endswith(".py"):
        ast.parse(changed)
    assert fault.tests
    places = places_of_tests(ROOT)
    for test in fault.tests:
        pins = re.search(r"::test_pin_(\d+(?:_and_\d+)*)_", node_id(test, places))
        assert pins is not None
        assert str(fault.pin) in pins[1].split("_and_"), test


def test_a_fault_that_no_longer_fits_is_named() -> None:
    twice = FAULTS[0]._replace(old="import")
    with pytest.raises(ValueError, match=f"pin {twice.pin}, .* found it [0-9]+ times"):
        twice.changed(ROOT)
    with pytest.raises(ValueError, match=r"expected one test called test_pin_1_gone.*, found 0"):
        node_id("test_pin_1_gone[dcgan]", places_of_tests(ROOT))
