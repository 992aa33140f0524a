"""Test claims about the committed results."""

import csv

from conftest import ROOT
from ganvae.config import load_params
from ganvae.scores.matches import FAMILIES, MATCHES, RECORD, read_match_record, read_stage
from ganvae.scores.selection import finalist, rule_of

PARAMS = load_params(ROOT / "params.yaml")

with (ROOT / "results/laptop/leaderboard.csv").open() as file:
    ROWS = {row["variant"]: row for row in csv.DictReader(file)}


def test_the_tuned_gan_has_a_third_of_the_fid_in_no_more_steps() -> None:
    tuned, preset = ROWS["dcgan-tuned"], ROWS["dcgan"]
    assert float(tuned["fid_judge"]) <= float(preset["fid_judge"]) / 3
    assert int(tuned["steps"]) <= int(preset["steps"])


def test_every_variant_has_three_completed_seeds_and_the_finalists_ten() -> None:
    rows = [row for row in ROWS.values() if row["family"] != "reference"]
    variants = {"bernoulli-vae-2d", "bernoulli-vae-binary"}  # for pictures and likelihoods
    finalists = set(PARAMS.finalists)
    assert {row["completed"] for row in rows if row["variant"] in variants} == {"1"}
    assert {row["completed"] for row in rows if row["variant"] in finalists} == {"10"}
    others = {row["completed"] for row in rows if row["variant"] not in variants | finalists}
    assert others == {"3"}


def test_the_finalists_are_those_of_the_committed_match() -> None:
    """With the parameters of the record, from the seeds of the match file."""
    record = read_match_record(ROOT / MATCHES / "mnist" / RECORD)
    search, selection = (read_stage(ROOT, "mnist", stage) for stage in ("search", "selection"))
    for family, name in zip(FAMILIES, PARAMS.finalists, strict=True):
        winner, _ = finalist(rule_of(record), search, selection, family)
        promotion = PARAMS.promoted[name]
        assert (promotion.study, promotion.trial) == ("mnist", winner.trial)
        seeds = sorted(run.seed for run in PARAMS.runs.values() if run.variant == name)
        assert seeds == record.content["finalist_seeds"]
