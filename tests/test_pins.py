"""Test that the faults of `make pins` fit the current code."""

import ast
import re
from pathlib import Path

import pytest

from conftest import ROOT
from pins import Fault, node_id, places_of_tests, read_faults

FAULTS = read_faults()


def test_every_pin_has_a_fault() -> None:
    assert {fault.pin for fault in FAULTS} == {*range(1, 16), *range(21, 27)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.pin}: {fault.what}")
def test_a_fault_fits_the_code_and_has_tests_of_its_pin(fault: Fault) -> None:
    changed, path = fault.changed(ROOT), fault.path(ROOT)
    assert changed != path.read_text()
    if path.suffix == ".py":
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(path.read_text()))
    assert fault.tests
    places = places_of_tests(ROOT)
    for test in fault.tests:
        pins = re.search(r"::test_pin_(\d+(?:_and_\d+)*)_", node_id(test, places))
        assert pins is not None
        assert str(fault.pin) in pins[1].split("_and_"), test


def test_a_fault_that_does_not_fit_is_named_in_the_error() -> None:
    first = FAULTS[0]
    for other, message in (
        (first._replace(old="no such text"), "found it 0 times"),
        (first._replace(place="VanillaGAN.gone"), "expected one function VanillaGAN.gone, found 0"),
        (first._replace(place="_mean"), "expected one function _mean, found 3"),
    ):
        with pytest.raises(ValueError, match=f"pin {first.pin}, .*{message}"):
            other.changed(ROOT)
    with pytest.raises(ValueError, match=r"expected one test called test_pin_1_gone.*, found 0"):
        node_id("test_pin_1_gone[dcgan]", places_of_tests(ROOT))


CODE = """
class One:
    def step(self):
        with lock(
            self.a,
            self.b,
        ):  # a comment
            return f(1)
"""


def test_a_fault_fits_in_any_layout_and_any_file(tmp_path: Path) -> None:
    path = tmp_path / "src/ganvae/room/module.py"
    path.parent.mkdir(parents=True)
    path.write_text(CODE)
    fault = FAULTS[0]._replace(place="One.step", old="lock(self.a, self.b)", new="lock(self.b)")
    assert "with lock(self.b):" in fault.changed(tmp_path)
    path = path.rename(tmp_path / "src/ganvae/other.py")
    lines = fault._replace(
        old="with lock(self.a, self.b):\n    return f(1)", new="if True:\n    return f(2)"
    )
    assert lines.path(tmp_path) == path
    assert lines.changed(tmp_path).splitlines()[3:] == [
        "        if True:",
        "            return f(2)",
    ]
