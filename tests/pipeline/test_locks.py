"""Frozen results are checked against their own lock, and are not run again by accident."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from conftest import ROOT
from ganvae.config import Params, parse, read_yaml
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import write_json
from ganvae.pipeline import dvc, locks
from ganvae.pipeline.locks import check_frozen, check_locks, frozen_params
from ganvae.pipeline.reproduction import reproduce
from ganvae.report.notes import frozen_notice

COMMIT = "abc1234"
PIPELINE = Path("profiles/smoke/dvc.yaml")
STAND_IN = """
import sys
from pathlib import Path

with open("log.txt", "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if "status" in sys.argv:
    print(Path("status.json").read_text())
if "--dry" in sys.argv:
    print(Path("plan.txt").read_text())
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The frozen smoke profile, and a stand-in for `dvc` with prepared answers."""
    values = read_yaml(ROOT / "profiles/smoke/params.yaml")
    values["frozen"] = {"protocol": 2, "commit": COMMIT}
    monkeypatch.chdir(tmp_path)
    PIPELINE.parent.mkdir(parents=True)
    PIPELINE.touch()
    with PIPELINE.with_name("params.yaml").open("w") as file:
        YAML().dump(values, file)
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.setattr(dvc, "DVC", (sys.executable, "stand_in.py"))
    monkeypatch.setattr(locks, "_committed_locks", lambda root: [PIPELINE.with_name("dvc.lock")])
    prepare_answers({})
    return tmp_path


def prepare_answers(changed: dict[str, str]) -> None:
    """Let DVC report these outputs as changed, and a plan in which a stage would run."""
    status = {"profiles/smoke/dvc.yaml:compare": [{"changed outs": changed}, "changed command"]}
    Path("status.json").write_text(json.dumps(status))
    Path("plan.txt").write_text("Running stage 'train@dcgan-0':\n")


def params() -> Params:
    frozen = frozen_params(PIPELINE)
    assert frozen
    return frozen


def test_a_frozen_profile_is_only_run_again_with_thaw(project: Path) -> None:
    timing = project / "results/smoke/runs/dcgan-0/timing.json"
    write_json(timing, {"train_seconds": 600.0})
    with pytest.raises(UserError) as refused:
        reproduce(PIPELINE, 1)
    message = str(refused.value)
    assert f"protocol 2, commit {COMMIT}" in message
    assert f"takes {len(params().runs)} training runs (10 core-minutes last time)" in message
    assert "ganvae repro profiles/smoke/dvc.yaml --thaw" in message
    assert not Path("log.txt").exists()


def test_a_frozen_profile_is_up_to_date_with_any_code(project: Path) -> None:
    lines = list(check_locks(Path()))
    assert lines == [
        "profiles/smoke/dvc.lock: the profile is frozen, and its results are unchanged"
    ]
    assert Path("log.txt").read_text().startswith("repro behaviour/dvc.yaml\n")


def test_a_lock_that_is_not_frozen_must_match_the_code(project: Path) -> None:
    values = read_yaml(PIPELINE.with_name("params.yaml")) | {"frozen": None}
    with PIPELINE.with_name("params.yaml").open("w") as file:
        YAML().dump(values, file)
    with pytest.raises(UserError, match=r"(?s)train@dcgan-0.*dvc.lock is stale"):
        list(check_locks(Path()))
    Path("plan.txt").write_text("Stage 'train@dcgan-0' didn't change\n")
    assert list(check_locks(Path())) == ["profiles/smoke/dvc.lock is up to date"]


def test_a_page_across_profiles_is_checked_without_its_frozen_profiles(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("results").mkdir()
    Path("results/params.yaml").write_text("profiles: [profiles/smoke/params.yaml]\n")
    page = Path("results/dvc.lock")
    monkeypatch.setattr(locks, "_committed_locks", lambda root: [page])
    Path("plan.txt").write_text("Stage 'across' didn't change\n")
    assert list(check_locks(Path())) == ["results/dvc.lock is up to date"]
    plan = Path("log.txt").read_text().splitlines()[-1]
    assert plan == "repro --dry --allow-missing --single-item results/dvc.yaml"


def test_the_message_names_a_changed_result_of_a_frozen_profile(project: Path) -> None:
    prepare_answers({"artifacts/smoke/dcgan-0/weights.safetensors": "deleted"})
    check_frozen(Path(), PIPELINE, params())  # kept by DVC, not by git
    prepare_answers({"results/smoke/scores.json": "modified"})
    with pytest.raises(UserError, match=r"differ from its lock: results/smoke/scores\.json"):
        check_frozen(Path(), PIPELINE, params())


def test_the_laptop_profile_cannot_be_frozen() -> None:
    values: dict[str, Any] = read_yaml(ROOT / "params.yaml")
    values["frozen"] = {"protocol": 2, "commit": COMMIT}
    with pytest.raises(ConfigError, match="frozen is set, but the results of the laptop"):
        parse(Params, values, "params.yaml")


def test_pages_of_frozen_results_have_a_notice(project: Path) -> None:
    notice = frozen_notice(params())
    assert notice.startswith(
        "These results are frozen: they were made with protocol 2 at commit abc1234, not"
    )
    assert frozen_notice(params().model_copy(update={"frozen": None})) == ""
