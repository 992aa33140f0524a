"""The README says what is so."""

import csv
import json
import re
from itertools import dropwhile, takewhile

import pytest

from conftest import ROOT

README = (ROOT / "README.md").read_text()
LEADERBOARD = (ROOT / "results/laptop/leaderboard.md").read_text()


QUOTED = ["fid_judge", "modes_judge", "mode_kl_judge", "importance_bound_binarised"]
CLOCK = {"training, s"}  # another run of the pipeline may change these


def table(text: str) -> list[list[str]]:
    """The cells of the first Markdown table, without what the clock decides."""
    below = dropwhile(lambda line: not line.startswith("|"), text.splitlines())
    lines = [line.split("|") for line in takewhile(lambda line: line.startswith("|"), below)]
    kept = [column for column, title in enumerate(lines[0]) if title.strip() not in CLOCK]
    return [[line[column] for column in kept] for line in lines]


def test_the_leaderboard_is_the_real_one() -> None:
    section = README.split("<!-- leaderboard")[1].split("<!-- end of leaderboard -->")[0]
    assert table(section) == table(LEADERBOARD), "run `make readme`"


@pytest.mark.parametrize("profile", ["fashion", "faces", "stacked", "likelihood"])
def test_figures_of_other_data_sets_are_their_scores(profile: str) -> None:
    item = README.split(f"**](results/{profile}/leaderboard.md")[1].split("\n- ")[0]
    figures = re.findall(r"(\d+\.\d+)\s±\s(\d+\.\d+)", item.split("\n\n")[0])
    with (ROOT / f"results/{profile}/leaderboard.csv").open() as file:
        scores = [
            (abs(float(row[score])), float(row[f"{score}_ci95"]))
            for row in csv.DictReader(file)
            for score in QUOTED
            if row[score] and row[f"{score}_ci95"]
        ]
    assert len(figures) >= 2
    for mean, half in figures:
        digits = len(mean.partition(".")[2])
        assert (mean, half) in {(f"{a:.{digits}f}", f"{b:.{digits}f}") for a, b in scores}


def test_every_make_target_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z-]+)\b", README)) - set(targets) == set()


def test_every_linked_file_exists() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("http") or (ROOT / link).exists(), link


def test_judge_figures_are_the_cards() -> None:
    card = json.loads((ROOT / "judges/mnist.json").read_text())
    assert f"{card['test_accuracy']:.2%}".replace("%", " %") in README
