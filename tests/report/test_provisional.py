"""The provisional leaderboard shows the finished runs and names the missing ones."""

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
def unfinished(smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """The smoke profile with three finished runs and no baselines."""
    monkeypatch.chdir(tmp_path)
    template = next(
        r for r in read_records(ROOT / "results/laptop/scores.json") if r.family == "gan"
    )
    for key, fid in DONE.items():
        variant, _, seed = key.rpartition("-")
        scores = template.scores | {"fid_judge": fid}
        scored = template.model_copy(
            update={"variant": variant, "seed": int(seed), "scores": scores}
        )
        write_json(PATHS.run(key).scores, scored.model_dump())
        write_json(PATHS.run(key).timing, {"train_seconds": 2.0})
        outcome = {"system": variant, "images_seen": 55_000, "train_images": 55_000}
        write_json(PATHS.run(key).outcome, outcome)
    return smoke


def test_it_shows_the_finished_runs_and_names_the_missing_ones(unfinished: Params) -> None:
    standings = write_provisional(unfinished, DONE)
    assert [(variant, done, planned) for variant, _, done, planned in standings] == [
        ("dcgan", 1, 1),
        ("vanilla-gan", 2, 2),
    ]
    assert standings[0][1].startswith("30.0")
    assert standings[1][1].startswith("40.99 [")
    text = (PATHS.results / "leaderboard.md").read_text()
    notice = text.splitlines()[2]
    assert notice.startswith(
        f"**This leaderboard is provisional: 3 of {len(unfinished.runs)} runs are done. Missing "
        "runs: dcgan-"
    )
    assert "bernoulli-vae-0" in notice
    assert "dcgan-0" not in notice.replace("keras-dcgan-0", "")
    assert "| `dcgan` | gan | 30.00 |" in text


def test_a_diverged_run_has_no_score(unfinished: Params) -> None:
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
    assert ("dcgan", "none", 1, 1) in write_provisional(unfinished, ["dcgan-0"])
