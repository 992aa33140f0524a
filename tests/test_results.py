"""What is claimed of the committed results."""

import csv

from conftest import ROOT

with (ROOT / "results/laptop/leaderboard.csv").open() as file:
    ROWS = {row["variant"]: row for row in csv.DictReader(file)}


def test_the_tuned_gan_is_three_times_as_good_in_no_more_steps() -> None:
    tuned, preset = ROWS["dcgan-tuned"], ROWS["dcgan"]
    assert float(tuned["fid_judge"]) <= float(preset["fid_judge"]) / 3
    assert int(tuned["steps"]) <= int(preset["steps"])


def test_every_model_has_three_seeds_or_five_that_completed() -> None:
    models = [row for row in ROWS.values() if row["family"] != "reference"]
    variants = {"bernoulli-vae-2d", "bernoulli-vae-binary"}  # for a picture, and for a likelihood
    assert {row["completed"] for row in models if row["variant"] in variants} == {"1"}
    assert {row["completed"] for row in models if row["variant"] not in variants} == {"3", "5"}
    assert ROWS["dcgan-tuned"]["completed"] == ROWS["bernoulli-vae-swept"]["completed"] == "5"
