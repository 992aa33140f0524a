"""While runs are missing the leaderboard has the others, and says so."""

from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.config import Params
from ganvae.core.files import write_json
from ganvae.core.paths import ProfilePaths
from ganvae.report.provisional import write_provisional
from ganvae.scores.records import read_records

DONE = {"dcgan-0": 30.0, "vanilla-gan-0": 40.0, "vanilla-gan-1": 42.0}
PATHS = ProfilePaths("smoke")


@pytest.fixture
def some(smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """The smoke profile, with three of its runs done, and no baselines."""
    monkeypatch.chdir(tmp_path)
    like = next(r for r in read_records(ROOT / "results/laptop/scores.json") if r.family == "gan")
    for key, fid in DONE.items():
        model, _, seed = key.rpartition("-")
        scored = like.model_copy(
            update={"variant": model, "seed": int(seed), "scores": like.scores | {"fid_judge": fid}}
        )
        write_json(PATHS.run(key).scores, scored.model_dump())
        write_json(PATHS.run(key).timing, {"train_seconds": 2.0})
    return smoke


def test_it_has_the_runs_that_are_done_and_names_the_others(some: Params) -> None:
    standings = write_provisional(some, DONE)
    assert [(model, done, of) for model, _, done, of in standings] == [
        ("dcgan", 1, 1),
        ("vanilla-gan", 2, 2),
    ]
    assert standings[0][1].startswith("30.0")
    assert standings[1][1].startswith("41.00 ±")
    text = (PATHS.results / "leaderboard.md").read_text()
    notice = text.splitlines()[2]
    assert notice.startswith(f"**Provisional: 3 of {len(some.runs)} runs are done. Missing: dcgan-")
    assert "bernoulli-vae-0" in notice
    assert "dcgan-0" not in notice.replace("keras-dcgan-0", "")
    assert "| `dcgan` | gan | 30.00 |" in text


def test_a_run_that_diverged_stands_without_a_score(some: Params) -> None:
    path = PATHS.run("dcgan-0").scores
    record = read_records(ROOT / "results/laptop/scores.json")[-1]
    blank = dict.fromkeys(record.scores)
    diverged = record.model_copy(
        update={
            "variant": "dcgan",
            "seed": 0,
            "status": "diverged",
            "reason": "NaN",
            "scores": blank,
        }
    )
    write_json(path, diverged.model_dump())
    assert ("dcgan", "none", 1, 1) in write_provisional(some, ["dcgan-0"])
