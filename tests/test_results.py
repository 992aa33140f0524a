"""What is claimed of the committed results."""

import csv

from conftest import ROOT

with (ROOT / "results/laptop/leaderboard.csv").open() as file:
    ROWS = {row["model"]: row for row in csv.DictReader(file)}


def test_the_tuned_gan_is_three_times_as_good_in_no_more_steps() -> None:
    tuned, preset = ROWS["dcgan-tuned"], ROWS["dcgan"]
    assert float(tuned["fid_judge"]) <= float(preset["fid_judge"]) / 3
    assert int(tuned["steps"]) <= int(preset["steps"])


def test_every_model_has_three_seeds_that_completed() -> None:
    assert {row["completed"] for row in ROWS.values()} == {"3"}
