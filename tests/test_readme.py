"""The README says what is so."""

import json
import re
from itertools import dropwhile, takewhile

from conftest import ROOT

README = (ROOT / "README.md").read_text()
LEADERBOARD = (ROOT / "results/laptop/leaderboard.md").read_text()


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


def test_every_make_target_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z-]+)\b", README)) - set(targets) == set()


def test_every_linked_file_exists() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("http") or (ROOT / link).exists(), link


def test_judge_figures_are_the_cards() -> None:
    card = json.loads((ROOT / "judges/mnist.json").read_text())
    assert f"{card['test_accuracy']:.2%}".replace("%", " %") in README
