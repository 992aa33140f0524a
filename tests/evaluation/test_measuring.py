"""The file that tells how runs are measured, and the check against it."""

import hashlib
from pathlib import Path

import pytest

from ganvae.config import Params
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import read_json, write_json
from ganvae.core.paths import ProfilePaths
from ganvae.evaluation.measuring import check_measuring, write_measuring

PATHS = ProfilePaths("smoke")
FILES = [
    *(PATHS.split(name) for name in ("train", "validation", "test")),
    Path("judges/mnist-unlabelled.safetensors"),
]


@pytest.fixture
def measured(smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    monkeypatch.chdir(tmp_path)
    params = smoke.model_copy(update={"judge": "judge.safetensors"})
    for path in (*FILES, Path(params.judge)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    write_measuring(params)
    return params


def test_the_file_names_the_images_and_the_judges(measured: Params) -> None:
    written = read_json(PATHS.measuring)["md5"]
    assert written.keys() == {str(path) for path in (*FILES, Path(measured.judge))}
    for path, checksum in written.items():
        assert checksum == hashlib.md5(Path(path).read_bytes()).hexdigest()


def test_another_file_or_setting_changes_the_written_file(measured: Params) -> None:
    before = PATHS.measuring.read_bytes()
    write_measuring(measured)
    assert PATHS.measuring.read_bytes() == before
    evaluation = measured.evaluation.model_copy(update={"seed": 1})
    write_measuring(measured.model_copy(update={"evaluation": evaluation}))
    assert PATHS.measuring.read_bytes() != before
    PATHS.split("test").write_text("another")
    write_measuring(measured)
    assert PATHS.measuring.read_bytes() != before


def test_features_of_another_processor_change_nothing(measured: Params) -> None:
    before = PATHS.measuring.read_bytes()
    for path in (PATHS.reference, PATHS.train_features, PATHS.validation_features):
        path.write_text("equal but for the last bits")
    write_measuring(measured)
    assert PATHS.measuring.read_bytes() == before


def test_the_training_precision_changes_nothing(measured: Params) -> None:
    before = PATHS.measuring.read_bytes()
    compute = measured.compute.model_copy(update={"precision": "bf16"})
    other = measured.model_copy(update={"compute": compute})
    check_measuring(other)
    write_measuring(other)
    assert PATHS.measuring.read_bytes() == before


def test_changed_settings_are_refused(measured: Params) -> None:
    """Without this check, DVC would keep results of the old settings."""
    check_measuring(measured)
    evaluation = measured.evaluation.model_copy(update={"n_generated": 7777})
    with pytest.raises(
        UserError, match=r"params\.yaml: `evaluation` differs from the value in .*measuring\.json"
    ):
        check_measuring(measured.model_copy(update={"evaluation": evaluation}))
    with pytest.raises(UserError, match=r"params\.yaml: `judge` differs from"):
        check_measuring(measured.model_copy(update={"judge": "another.safetensors"}))


def test_a_missing_or_damaged_file_is_named(measured: Params) -> None:
    write_json(PATHS.measuring, read_json(PATHS.measuring) | {"evaluation": {"n_generated": "x"}})
    with pytest.raises(ConfigError, match=r"measuring\.json: evaluation\.n_generated is 'x'"):
        check_measuring(measured)
    PATHS.measuring.unlink()
    with pytest.raises(UserError, match=r"measuring\.json is missing\. Run the stage"):
        check_measuring(measured)
