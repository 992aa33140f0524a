"""Leaderboard and tables."""

import csv
from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.comparison import departures, estimate, leaderboard
from ganvae.config import Params, load_params
from ganvae.errors import UserError
from ganvae.evaluation.records import (
    Provenance,
    ScoreRecord,
    blank_scores,
    read_records,
    write_records,
)
from ganvae.report.tables import write_leaderboard_csv, write_leaderboard_markdown

PROVENANCE = Provenance(
    protocol_version=1,
    dataset="mnist",
    split="test",
    n_real=100,
    n_generated=100,
    judge_sha256="a" * 64,
    data_sha256="b" * 64,
    weights_sha256=None,
    training_seed=0,
    evaluation_seed=0,
    inception_score_splits=10,
    training_steps=7,
    training_precision="fp32",
)


def record(model: str, seed: int, fid: float | None, **provenance: object) -> ScoreRecord:
    return ScoreRecord(
        model=model,
        family="reference" if model in ("floor", "ceiling") else "gan",
        seed=seed,
        status="diverged" if fid is None else "completed",
        reason="d_loss was NaN" if fid is None else None,
        scores=blank_scores() | {"fid_judge": fid},
        provenance=PROVENANCE.model_copy(update=provenance),
    )


def test_interval_is_students() -> None:
    three = estimate([1.0, 2.0, 6.0])
    assert three.mean == 3
    assert three.margin == pytest.approx(4.302653 * 7**0.5 / 3**0.5, rel=1e-6)  # t, 2 d.o.f.
    assert estimate([5.0]).margin is None


def test_rows_stand_from_floor_to_ceiling_best_model_first() -> None:
    records = [
        record("worse", 0, 30.0),
        record("ceiling", 0, 25.0),
        record("better", 0, 9.0),
        record("broken", 0, None),
        record("floor", 0, 0.5),
    ]
    names = [row.model for row in leaderboard(records)]
    assert names == ["floor", "better", "worse", "broken", "ceiling"]


def test_a_diverged_run_is_counted_and_enters_no_mean() -> None:
    row = leaderboard([record("gan", 0, 10.0), record("gan", 1, None), record("gan", 2, 12.0)])[0]
    assert (row.completed, row.diverged) == (2, 1)
    assert row.scores["fid_judge"].mean == 11
    assert row.scores["fid_judge"].n == 2
    assert "elbo_bernoulli" not in row.scores


def test_scores_of_a_diverged_run_are_not_used_even_if_it_has_some() -> None:
    broken = record("gan", 0, 99.0).model_copy(update={"status": "diverged", "reason": "NaN"})
    row = leaderboard([broken, record("gan", 1, 11.0)])[0]
    assert row.scores["fid_judge"].mean == 11


def test_the_steps_are_those_of_a_run_that_completed() -> None:
    early = record("gan", 0, None, training_steps=3)
    assert leaderboard([early, record("gan", 1, 11.0)])[0].steps == 7


@pytest.mark.parametrize(
    "difference",
    [
        {"protocol_version": 2},
        {"dataset": "fashion-mnist"},
        {"split": "train"},
        {"data_sha256": "c" * 64},
        {"n_real": 50},
        {"n_generated": 50},
        {"judge_sha256": "c" * 64},
        {"evaluation_seed": 1},
        {"inception_score_splits": 5},
    ],
)
def test_what_was_measured_otherwise_is_not_ranked_together(difference: dict[str, object]) -> None:
    with pytest.raises(UserError, match="cannot stand in one ranking"):
        leaderboard([record("a", 0, 1.0), record("b", 0, 1.0, **difference)])


def test_tables(tmp_path: Path) -> None:
    records = [record("gan", 0, 10.0), record("gan", 1, 14.0), record("gan", 2, None)]
    records.append(record("floor", 0, 0.25))
    rows = leaderboard(records)
    write_leaderboard_csv(tmp_path / "x.csv", rows)
    with (tmp_path / "x.csv").open() as file:
        floor, gan = csv.DictReader(file)
    assert (gan["model"], gan["fid_judge"], gan["fid_judge_n"]) == ("gan", "12.0", "2")
    assert float(gan["fid_judge_ci95"]) == pytest.approx(12.706205 * 8**0.5 / 2**0.5, rel=1e-6)
    assert (floor["fid_judge_ci95"], floor["elbo_bernoulli"]) == ("", "")

    changed = {"gan": {"schedule": ("9 steps", "4 epochs"), "hidden": ([8], [64, 8])}}
    notes = {"gan": "Its own rate is too low for so few steps."}
    write_leaderboard_markdown(tmp_path / "x.md", "laptop", rows, records, changed, notes, ["gan"])
    text = (tmp_path / "x.md").read_text()
    assert "| `gan` † | gan | 12.00 ± 25.41 |" in text
    assert "- †: tuned, that is, its parameters were chosen by FID on the validation split." in text
    assert "- Networks trained in fp32, weights and losses kept in fp32" in text
    assert "| floor (real training images) | reference | 0.25 |" in text
    assert "gan, seed 2, diverged: d_loss was NaN" in text
    assert "| schedule 9 steps (4 epochs); hidden [8] ([64, 8]) |" in text
    assert "- `gan`: Its own rate is too low for so few steps.\n" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1


def test_departures_are_what_the_profile_changes(smoke: Params) -> None:
    changed = departures(smoke)["dcgan"]
    assert changed.keys() == {
        "schedule", "batch_size", "generator_channels", "discriminator_channels"
    }  # fmt: skip
    assert changed["generator_channels"] == ([16, 8], [128, 64])
    assert changed["schedule"] == ("40 steps", "90 epochs")
    assert departures(smoke)["vanilla-gan"]["hidden.generator"] == ([64], [256, 512, 1024])
    full = load_params(ROOT / "profiles/full/params.yaml")
    for model, changes in departures(full).items():
        is_variant = full.system(model) != model
        assert bool(changes) == is_variant, "the full profile runs every system's defaults"


def test_records_survive_the_disk(tmp_path: Path) -> None:
    records = [record("gan", 0, 10.0), record("gan", 1, None)]
    write_records(tmp_path / "scores.json", records)
    assert read_records(tmp_path / "scores.json") == records


def test_a_file_that_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text('[{"model": "gan"}]')
    with pytest.raises(UserError, match=r"not a score record \(family: Field required\)"):
        read_records(tmp_path / "scores.json")
