"""Test claims about the committed results."""

import csv

from conftest import ROOT

with (ROOT / "results/laptop/leaderboard.csv").open() as file:
    ROWS = {row["variant"]: row for row in csv.DictReader(file)}


def test_the_tuned_gan_has_a_third_of_the_fid_in_no_more_steps() -> None:
    tuned, preset = ROWS["dcgan-tuned"], ROWS["dcgan"]
    assert float(tuned["fid_judge"]) <= float(preset["fid_judge"]) / 3
    assert int(tuned["steps"]) <= int(preset["steps"])


def test_every_variant_has_three_or_five_completed_seeds() -> None:
    rows = [row for row in ROWS.values() if row["family"] != "reference"]
    variants = {"bernoulli-vae-2d", "bernoulli-vae-binary"}  # for pictures and likelihoods
    assert {row["completed"] for row in rows if row["variant"] in variants} == {"1"}
    assert {row["completed"] for row in rows if row["variant"] not in variants} == {"3", "5"}
    assert ROWS["dcgan-tuned"]["completed"] == ROWS["bernoulli-vae-swept"]["completed"] == "5"
