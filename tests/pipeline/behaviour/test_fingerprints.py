"""A token changes if and only if behaviour does."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganvae.core.errors import UserError
from ganvae.core.tokens import LOCKED, current_token, record_path, token_path
from ganvae.pipeline.behaviour import fingerprints
from ganvae.pipeline.behaviour.fingerprints import differences, refresh
from ganvae.pipeline.stage import run_stage

NAME = "train/toy"
BEHAVIOUR = {"revision": 1, "options": {"plain": {"losses": [["loss", 0.5], ["loss", 0.25]]}}}
HERE, ELSEWHERE = "AMD, AVX512, torch 2", "Intel, AVX2, torch 2"


def changed(loss: float, **more: Any) -> dict[str, Any]:
    """The behaviour with another last loss and further options."""
    options = {"plain": {"losses": [["loss", 0.5], ["loss", loss]]}, **more}
    return {"revision": 1, "options": options}


Measure = Callable[..., str]


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measure:
    """A function that refreshes a fingerprint and returns the verdict.

    Its arguments are the measured behaviour and the kind of processor.
    """
    (tmp_path / LOCKED).write_text("torch==2.13.0\n    # via ganvae\nruff==1.0\n")
    (tmp_path / "src").mkdir()

    def measure(behaviour: dict[str, Any], machine: str = HERE) -> str:
        monkeypatch.setattr(fingerprints, "measure", lambda: {NAME: behaviour})
        monkeypatch.setattr(fingerprints, "processor", lambda threads: machine)
        (finding,) = refresh(tmp_path)
        return finding.verdict

    return measure


def files(root: Path) -> tuple[bytes, bytes]:
    return (root / token_path(NAME)).read_bytes(), (root / record_path(NAME)).read_bytes()


def test_the_same_behaviour_leaves_both_files_unchanged(tmp_path: Path, measured: Measure) -> None:
    assert measured(BEHAVIOUR) == "new"
    before = files(tmp_path)
    assert measured(BEHAVIOUR) == "same"
    assert files(tmp_path) == before


def test_a_change_of_the_last_digit_moves_the_token(tmp_path: Path, measured: Measure) -> None:
    measured(BEHAVIOUR)
    before = files(tmp_path)
    assert measured(changed(0.25000000000000006)) == "moved"
    assert files(tmp_path)[0] != before[0]
    assert measured(BEHAVIOUR) == "moved"
    assert files(tmp_path) == before, "after a revert, the earlier results are fresh again"


def test_a_new_option_is_recorded_and_makes_nothing_stale(
    tmp_path: Path, measured: Measure
) -> None:
    measured(BEHAVIOUR)
    token, record = files(tmp_path)
    more = changed(0.25, penalty={"losses": [["loss", 3.0]]})
    assert measured(more) == "grown"
    assert files(tmp_path)[0] == token
    assert files(tmp_path)[1] != record
    assert measured(changed(0.25, penalty={"losses": [["loss", 4.0]]})) == "moved"


def test_a_removed_option_makes_results_stale(measured: Measure) -> None:
    measured(changed(0.25, penalty={"losses": [["loss", 3.0]]}))
    assert measured(BEHAVIOUR) == "moved"


def test_a_raised_revision_makes_results_stale(measured: Measure) -> None:
    measured(BEHAVIOUR)
    assert measured(BEHAVIOUR | {"revision": 2}) == "moved"


def test_without_git_another_processor_may_differ_within_the_tolerance(
    tmp_path: Path, measured: Measure
) -> None:
    measured(BEHAVIOUR)
    before = files(tmp_path)
    assert measured(changed(0.25001), ELSEWHERE) == "alike"
    assert files(tmp_path) == before
    assert measured(changed(0.26), ELSEWHERE) == "moved"


def test_the_tolerance_requires_the_same_libraries(tmp_path: Path, measured: Measure) -> None:
    measured(BEHAVIOUR)
    (tmp_path / LOCKED).write_text("torch==2.14.0\nruff==1.0\n")
    assert measured(changed(0.25001), ELSEWHERE) == "moved"


def test_the_version_of_a_library_without_numbers_is_ignored(
    tmp_path: Path, measured: Measure
) -> None:
    measured(BEHAVIOUR)
    (tmp_path / LOCKED).write_text("torch==2.13.0\nruff==2.0\n")
    assert measured(changed(0.25001), ELSEWHERE) == "alike"


def commit(root: Path) -> None:
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)


def write_old_code(root: Path, behaviour: dict[str, Any]) -> None:
    """Write a package whose measurement gives ``behaviour`` on every processor."""
    package = root / "src/ganvae/pipeline/behaviour"
    package.mkdir(parents=True)
    (root / "src/ganvae/__init__.py").touch()
    (package / "__init__.py").touch()
    text = json.dumps({NAME: behaviour})
    (package / "__main__.py").write_text(
        f"import sys\nfrom pathlib import Path\nPath(sys.argv[1]).write_text('''{text}''')\n"
    )


def test_with_git_the_old_code_is_measured_on_this_processor(
    tmp_path: Path, measured: Measure
) -> None:
    write_old_code(tmp_path, changed(0.2))  # how the old code rounds on this processor
    measured(BEHAVIOUR)
    commit(tmp_path)
    before = files(tmp_path)
    assert measured(changed(0.2), ELSEWHERE) == "same on this processor"
    assert files(tmp_path) == before
    assert measured(changed(0.25001), ELSEWHERE) == "moved", "no tolerance if git has the old code"


def test_reverting_an_edit_restores_the_committed_token(tmp_path: Path, measured: Measure) -> None:
    """Results of the edited code must be stale, and results from before the edit fresh."""
    measured(BEHAVIOUR)
    grown = changed(0.25, penalty={"losses": [["loss", 3.0]]})
    measured(grown)
    commit(tmp_path)
    before = files(tmp_path)
    assert measured(changed(0.3)) == "moved"
    assert measured(grown) == "restored"
    assert files(tmp_path) == before


def test_reverting_an_edit_restores_the_token_on_another_processor(
    tmp_path: Path, measured: Measure
) -> None:
    write_old_code(tmp_path, changed(0.2))
    measured(BEHAVIOUR)
    commit(tmp_path)
    before = files(tmp_path)
    assert measured(changed(0.3), ELSEWHERE) == "moved"
    assert measured(changed(0.2), ELSEWHERE) == "same on this processor"
    assert files(tmp_path) == before


def test_a_raised_revision_moves_the_token_even_if_the_old_code_does_the_same(
    tmp_path: Path, measured: Measure
) -> None:
    write_old_code(tmp_path, BEHAVIOUR)
    measured(BEHAVIOUR)
    commit(tmp_path)
    before = files(tmp_path)
    assert measured(BEHAVIOUR | {"revision": 2}) == "moved"
    assert files(tmp_path)[0] != before[0]


def test_a_change_of_an_uncommitted_option_moves_the_token(
    tmp_path: Path, measured: Measure
) -> None:
    """A run may have been trained with this option already."""
    measured(BEHAVIOUR)
    commit(tmp_path)
    assert measured(changed(0.25, penalty={"losses": [["loss", 3.0]]})) == "grown"
    assert measured(changed(0.25, penalty={"losses": [["loss", 4.0]]})) == "moved"


def test_a_record_can_grow_on_another_processor(tmp_path: Path, measured: Measure) -> None:
    write_old_code(tmp_path, changed(0.2))
    measured(BEHAVIOUR)
    commit(tmp_path)
    token, _ = files(tmp_path)
    more = changed(0.2, penalty={"losses": [["loss", 3.0]]})
    assert measured(more, ELSEWHERE) == "same on this processor"
    assert files(tmp_path)[0] == token
    assert json.loads(files(tmp_path)[1])["behaviour"] == more
    assert measured(changed(0.2, penalty={"losses": [["loss", 4.0]]}), ELSEWHERE) == "moved"


def test_committed_code_without_its_own_records_is_not_measured(
    tmp_path: Path, measured: Measure
) -> None:
    """A commit that changes code without measuring it cannot stand for the earlier behaviour."""
    measured(BEHAVIOUR)
    write_old_code(tmp_path, changed(0.2))
    commit(tmp_path)
    assert measured(changed(0.2), ELSEWHERE) == "moved"


def test_an_edit_during_the_measurement_is_an_error(
    tmp_path: Path, measured: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit_and_measure() -> dict[str, Any]:
        (tmp_path / "src/new.py").write_text("")
        return {NAME: BEHAVIOUR}

    measured(BEHAVIOUR)
    before = files(tmp_path)
    monkeypatch.setattr(fingerprints, "measure", edit_and_measure)
    with pytest.raises(UserError, match="was edited while the behaviour"):
        refresh(tmp_path)
    assert files(tmp_path) == before


def test_a_stage_under_dvc_refuses_code_that_was_not_measured(
    tmp_path: Path, measured: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["stage"])
    ran: list[int] = []
    measured(BEHAVIOUR)
    monkeypatch.setenv("DVC_STAGE", "train@dcgan-0")
    run_stage(lambda: ran.append(1), None, by_behaviour=True)
    (tmp_path / "src/new.py").write_text("")
    with pytest.raises(SystemExit):
        run_stage(lambda: ran.append(2), None, by_behaviour=True)
    run_stage(lambda: ran.append(3), None)
    monkeypatch.delenv("DVC_STAGE")
    run_stage(lambda: ran.append(4), None, by_behaviour=True)
    assert ran == [1, 3, 4]


def test_the_fingerprint_of_a_removed_system_is_deleted(tmp_path: Path, measured: Measure) -> None:
    measured(BEHAVIOUR)
    other = tmp_path / token_path("train/gone")
    other.write_text("{}")
    measured(BEHAVIOUR)
    assert not other.exists()
    assert (tmp_path / token_path(NAME)).exists()


def test_a_token_is_current_until_the_next_edit(tmp_path: Path, measured: Measure) -> None:
    source = tmp_path / "src/one.py"
    source.write_text("one")
    assert current_token(tmp_path, NAME) is None
    measured(BEHAVIOUR)
    token = current_token(tmp_path, NAME)
    assert token
    source.write_text("two")
    assert current_token(tmp_path, NAME) is None
    measured(BEHAVIOUR)
    assert current_token(tmp_path, NAME) == token
    (tmp_path / LOCKED).write_text("torch==2.14.0\n")
    assert current_token(tmp_path, NAME) is None


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1, "b": 2}, {"a": 1}, ["b"]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["a.b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["a"]),
        ({"a": float("nan")}, {"a": float("nan")}, []),
        ({"a": None}, {"a": 0}, ["a"]),
        ({"a": "x"}, {"a": 1.0}, ["a"]),
    ],
)
def test_differences(old: Any, new: Any, found: list[str]) -> None:
    assert list(differences(old, new)) == found
