"""README and docs say what is so: commands, links and figures."""

import contextlib
import csv
import json
import math
import re
import runpy
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain, pairwise
from pathlib import Path
from statistics import fmean, geometric_mean
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from conftest import ROOT
from ganvae.cli import commands as ganvae
from ganvae.config import load_params
from ganvae.core.errors import UserError
from ganvae.data.registry import dataset_names
from ganvae.models.registry import system_names
from ganvae.report.match_figure import fids_of
from ganvae.scores.best_of import expected_best
from ganvae.scores.matches import FAMILIES, MATCHES, RECORD, read_match_record, read_stage
from ganvae.scores.power import smallest_p
from ganvae.scores.records import PROTOCOL_VERSION
from ganvae.scores.selection import means, rule_of
from ganvae.sweeps.storage import GRACE_SECONDS
from ganvae.tracking.follower import SECONDS as FOLLOWER_SECONDS
from pages import (
    NUMBER,
    PAGES,
    SIGNED,
    anchors,
    commands,
    links,
    name,
    prints_as,
    sections,
    sentences,
    tables,
    without_code,
)

README = (ROOT / "README.md").read_text(encoding="utf-8")
BENCHMARKS = (ROOT / "benchmarks/RESULTS.md").read_text(encoding="utf-8")
DATASETS = (ROOT / "docs/datasets.md").read_text(encoding="utf-8")
sys.path.insert(0, str(ROOT / "docs"))  # the scripts import each other
WRITER = runpy.run_path(str(ROOT / "docs/make_results.py"))
README_WRITER = runpy.run_path(str(ROOT / "docs/make_readme.py"))
PROFILES = sorted(path.parent.name for path in ROOT.glob("results/*/leaderboard.csv"))
MAX_README_BYTES = 8000
CLOCK = "training, s"
"""Columns that another run of the pipeline on the same code may change."""

INTERVAL = re.compile(rf"(?<![\w.])({SIGNED})\s\[({SIGNED}),\s({SIGNED})\]")
P_VALUE = re.compile(r"\bp\s?=\s?(0\.\d+)")
DECIMAL = re.compile(r"(?<![\w.,/−+-])\d[\d,]*\.\d+(?![\w%])")

each_page = pytest.mark.parametrize("page", PAGES, ids=name)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


# Size and generated parts


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= MAX_README_BYTES


def test_the_answer_begins_with_the_effort_and_names_the_side_that_is_ahead() -> None:
    answer = " ".join(README.split("## The answer so far")[1].split("\n\n")[1].split())
    start = (
        "**With the same tuning effort for both families, the VAE is ahead on digits, stacked "
        "digits and clothing. On faces, the GAN is ahead, but the search missed better VAEs.**"
    )
    assert answer.startswith(start)
    (found,) = (
        float(row["fid_judge"]) for row in leaderboard("faces") if row["variant"] == "vae-finalist"
    )
    assert challenges("fid_judge")["faces-vae"] < found
    winners = dict.fromkeys(("laptop", "fashion", "stacked"), "second better")
    winners["faces"] = "first better"
    for profile, verdict in winners.items():  # the GAN is first
        match = WRITER["params_of"](profile).promoted["gan-finalist"].match
        assert match
        assert f"{match.trials} random trials of {match.seconds:g} CPU-seconds" in answer
        fid = read_json(ROOT / f"results/{profile}/comparison.json")["finalists"][0]
        assert (fid["score"], fid["verdict"]) == ("fid_judge", verdict)


def without_clock(text: str) -> list[Any]:
    """The page's tables without times of training, and its other lines."""
    kept = []
    for table in tables(text):
        columns = [column for column, title in enumerate(table[0]) if CLOCK not in title]
        kept.append([[row[column] for column in columns] for row in table])
    return [*kept, [line for line in text.splitlines() if not line.startswith("|")]]


def test_the_readme_has_the_real_tables() -> None:
    written = README_WRITER["readme"](README)
    assert without_clock(README) == without_clock(written), "run `make docs`"


def test_the_results_page_is_what_the_script_writes() -> None:
    page = text_of(ROOT / "docs/results.md")
    assert without_clock(page) == without_clock(WRITER["results_page"]()), "run `make docs`"


# Commands


def check_make(words: list[str]) -> None:
    makefile = text_of(ROOT / "Makefile")
    targets = re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE)
    for word in words:
        variable, assigned, _ = word.partition("=")
        known = f"$({variable})" in makefile if assigned else word in targets
        assert known, f"make {word}"


def check_ganvae(words: list[str]) -> None:
    """Every command, option and number of arguments exists."""
    command: Any = typer.main.get_command(ganvae)
    left = list(words)
    while left and left[0] in getattr(command, "commands", {}):
        command = command.commands[left.pop(0)]
    options = {opt: param for param in command.params for opt in param.opts if opt[0] == "-"}
    arguments = []
    while left:
        word, assigned, _ = left.pop(0).partition("=")
        if word == "--help":
            continue
        if not word.startswith("-"):
            arguments.append(word)
            continue
        assert word in options, f"ganvae {' '.join(words)}: {word}"
        if not assigned and not options[word].is_flag:
            del left[: options[word].nargs]
    places = [param.nargs for param in command.params if param.param_type_name == "argument"]
    assert -1 in places or len(arguments) <= sum(places), f"ganvae {' '.join(words)}"


@each_page
def test_every_command_exists(page: Path) -> None:
    for program, *words in commands(text_of(page)):
        if words:
            (check_make if program == "make" else check_ganvae)(words)


@each_page
def test_names_in_commands_exist(page: Path) -> None:
    """Systems, data sets, variants and search spaces, but not the reader's own `my-...`."""
    if page.name == "extending.md":
        return  # its recipes make up names
    params = load_params(ROOT / "params.yaml")
    known = {
        "train": set(system_names()),
        "fetch": set(dataset_names()),
        "--space": {path.stem for path in ROOT.glob("sweeps/*.yaml")},
        "--variant": set(params.variants),
        "--dataset": set(dataset_names()),
    }
    for program, *words in commands(text_of(page)):
        for before, word in pairwise(words):
            if program == "ganvae" and before in known and re.match("[a-z](?!y-)", word):
                assert word in known[before], f"{before} {word}"
    for run in re.findall(r"\b(?:train|evaluate|draw)@([a-z][\w-]+)", text_of(page)):
        assert run in params.runs, run


# Links


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(text_of(page)):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(text_of(target)), link


@pytest.mark.parametrize("page", PAGES[1:], ids=name)
def test_the_readme_links_every_page(page: Path) -> None:
    assert f"(docs/{page.name})" in README


# Figures


def leaderboard(profile: str) -> Iterator[dict[str, str]]:
    with (ROOT / f"results/{profile}/leaderboard.csv").open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def estimates(profile: str) -> Iterator[tuple[float, float, float]]:
    """Every mean of a score with the ends of its interval."""
    for row in leaderboard(profile):
        for column, value in row.items():
            if column.endswith("_low") and value:
                score = column.removesuffix("_low")
                yield float(row[score]), float(value), float(row[f"{score}_high"])


def comparisons() -> Iterator[dict[str, Any]]:
    for profile in PROFILES:
        found = read_json(ROOT / f"results/{profile}/comparison.json")
        yield from chain(found["pairs"], found["finalists"])


def differences() -> Iterator[tuple[float, float, float]]:
    """Every effect, probability, correlation and shift with the ends of its interval."""
    for pair in comparisons():
        if pair["low"] is not None:
            yield pair["effect"], pair["low"], pair["high"]
            yield pair["better"], pair["better_low"], pair["better_high"]
            yield 1 - pair["better"], 1 - pair["better_high"], 1 - pair["better_low"]
            if pair["scale"] == "log":
                yield 1 / pair["effect"], 1 / pair["high"], 1 / pair["low"]
    for path in ROOT.glob("results/sweeps/*/effects.json"):
        for effect in read_json(path)["effects"]:
            for trials in filter(None, (effect["scored"], effect["early"])):
                shifts = [shift | {"value": shift["shift"]} for shift in trials["contrasts"]]
                for one in filter(None, (trials["correlation"], *shifts)):
                    yield one["value"], one["low"], one["high"]


def final_fids() -> Iterator[float]:
    """Every mean FID on the test split, by both judges, in the results and in bench-quality."""
    for profile in PROFILES:
        for score in ("fid_judge", "fid_unlabelled"):
            yield from (float(row[score]) for row in leaderboard(profile) if row.get(score))
    with (ROOT / "benchmarks/quality.csv").open(encoding="utf-8") as file:
        points = list(csv.DictReader(file))
    for score in ("fid_judge", "fid_unlabelled"):
        groups: dict[tuple[str, str], list[float]] = {}
        for point in points:
            groups.setdefault((point["variant"], point["budget"]), []).append(float(point[score]))
        yield from map(geometric_mean, groups.values())


def trial_fids() -> Iterator[float]:
    """Every FID of a sweep's trial on the validation split."""
    for path in ROOT.glob("results/sweeps/*/study.json"):
        for trial in read_json(path)["trials"]:
            yield from (*trial["values"], *trial["seeds"].values())


def match_fids() -> Iterator[float]:
    """The FIDs of each match: of its trials, the best to expect, and means of further runs."""
    for path in sorted((ROOT / MATCHES).glob(f"*/{RECORD}")):
        record = read_match_record(path)
        search = read_stage(ROOT, record.name, "search")
        yield from (trial.fid_judge or math.inf for trial in search)
        selection = read_stage(ROOT, record.name, "selection")
        for family in FAMILIES:
            yield from expected_best(fids_of(record, search, family) or [math.inf])
            with contextlib.suppress(UserError):  # the selection has only begun
                yield from means(rule_of(record), selection, family).values()
        candidates: dict[tuple[str, int], list[float]] = {}
        for run in selection:
            of_trial = candidates.setdefault((run.family, run.trial), [])
            of_trial.append(run.fid_unlabelled or math.inf)
        yield from map(fmean, candidates.values())
        changed: dict[tuple[str, ...], list[float]] = {}
        for run in read_stage(ROOT, record.name, "why"):
            for judge in ("fid_judge", "fid_unlabelled"):
                fids = changed.setdefault((run.family, run.change, judge), [])
                fids.append(getattr(run, judge) or math.inf)
        yield from map(geometric_mean, changed.values())


def challenges(score: str) -> dict[str, float]:
    """The mean score of each configuration that was chosen by hand, on validation images."""
    with (ROOT / "benchmarks/challenge.csv").open(encoding="utf-8") as file:
        runs = list(csv.DictReader(file))
    tried = {run["name"] for run in runs}
    return {each: fmean(float(r[score]) for r in runs if r["name"] == each) for each in tried}


RESULTS = "\n".join(
    text_of(page) for page in (*ROOT.glob("results/*/leaderboard.md"), ROOT / "results/across.md")
)
"""The committed pages of the results."""
ESTIMATES = {profile: list(estimates(profile)) for profile in PROFILES}
DIFFERENCES = list(differences())
FINAL_FIDS = list(final_fids())
TRIAL_FIDS = [*trial_fids(), *match_fids()]
TRIAL_FIDS += [
    fid for score in ("fid_judge", "fid_unlabelled") for fid in challenges(score).values()
]
OUTSIDE = set(DECIMAL.findall(" ".join(sentences(RESULTS))))
"""The decimal numbers in the sentences of the results' pages."""


@each_page
def test_every_interval_is_in_results(page: Path) -> None:
    """A section that links to profiles quotes the means of these profiles."""
    for section in sections(text_of(page)):
        linked = set(re.findall(r"results/(\w+)/", section)) & set(PROFILES)
        known = [triple for profile in linked or PROFILES for triple in ESTIMATES[profile]]
        for found in INTERVAL.findall(section):
            value, low, high = found
            quoted = f"{value} [{low}, {high}]" in RESULTS
            shown = any(all(map(prints_as, found, one)) for one in (*known, *DIFFERENCES))
            assert quoted or shown, found


def test_intervals_are_found_in_text() -> None:
    said = "5.27 [4.89, 5.69], ratio 0.572 [0.530, 0.616] and −0.093 [−0.103,\n−0.084]."
    assert INTERVAL.findall(said) == [
        ("5.27", "4.89", "5.69"),
        ("0.572", "0.530", "0.616"),
        ("−0.093", "−0.103", "−0.084"),
    ]


def test_the_coverage_of_intervals_is_as_measured() -> None:
    measured = {row[0]: row for table in tables(BENCHMARKS) for row in table}
    quoted = next(
        table
        for table in tables(text_of(ROOT / "docs/reading-the-numbers.md"))
        if table[0][0] == "distribution"
    )
    assert len(quoted) == 5
    for row in quoted[1:]:
        assert row[1:] == measured[row[0]][1::2]


def test_the_report_of_a_match_quotes_how_often_its_bands_hold() -> None:
    measured = next(table for table in tables(BENCHMARKS) if table[0][0] == "FIDs of the trials")
    shares = sorted(round(100 * float(row[-1])) for row in measured[1:])
    text = text_of(ROOT / MATCHES / "mnist/report.md")
    assert f"the true value of 20 trials in {shares[0]} to {shares[-1]} % of searches" in text


@each_page
def test_every_p_value_is_in_results(page: Path) -> None:
    names = ("p", "smallest_p")
    known = {pair[key] for pair in comparisons() for key in names} - {None}
    known |= {smallest_p(pair["n_first"], pair["n_second"]) for pair in comparisons()}
    for p in P_VALUE.findall(text_of(page)):
        assert any(prints_as(p, value) for value in known), p


def fid_texts(text: str) -> Iterator[str]:
    """The sentences that mention FID, and the cells of columns that are headed FID."""
    yield from (sentence for sentence in sentences(text) if "FID" in sentence)
    for head, *rows in tables(text):
        for row in rows:
            yield from (cell for title, cell in zip(head, row, strict=True) if "FID" in title)


@each_page
def test_every_fid_is_in_results(page: Path) -> None:
    for text in fid_texts(text_of(page)):
        of_trials = re.search("trial|validation", text)
        known = [*FINAL_FIDS, *(TRIAL_FIDS if of_trials else [])]
        bare = INTERVAL.sub("", P_VALUE.sub("", text))
        for number in DECIMAL.findall(re.sub(r"\b\d{4}\.\d{4,5}\b", "", bare)):
            found = number in OUTSIDE or any(prints_as(number, fid) for fid in known)
            assert found, f"{number} in: {text}"


@each_page
def test_every_number_of_seconds_is_measured_or_set_in_the_code(page: Path) -> None:
    trained = {
        f"{float(row['train_seconds']):.0f}"
        for row in chain.from_iterable(map(leaderboard, PROFILES))
        if row["train_seconds"]
    }
    settings = {f"{seconds:.0f}" for seconds in (GRACE_SECONDS, FOLLOWER_SECONDS)}
    for seconds in re.findall(rf"({NUMBER})\s+seconds", without_code(text_of(page))):
        assert seconds in trained | settings, seconds


def test_the_judges_figures_are_their_cards() -> None:
    accuracies = [
        card[key]
        for card in map(read_json, ROOT.glob("judges/*.json"))
        for key in ("test_accuracy", "held_out_accuracy", "chance_accuracy")
        if key in card
    ]
    judges = DATASETS.split("## Judges")[1].split("\n## ")[0]
    reading = text_of(ROOT / "docs/reading-the-numbers.md")
    figures = re.findall(r"([\d.]+) %", judges) + re.findall(r"(\d\d\.\d\d) %", reading)
    assert len(figures) >= 6
    for figure in figures:
        assert any(prints_as(figure, 100 * accuracy) for accuracy in accuracies), figure


def test_the_number_of_runs_and_their_cost_are_right() -> None:
    runs = re.search(r"trains (\d+) runs", README)
    seconds = re.search(r"some (\d+)\s+core-seconds", README)
    assert runs and seconds
    assert int(runs[1]) == len(load_params(ROOT / "params.yaml").runs)
    bench = text_of(ROOT / "benchmarks/RESULTS.md").split("## `stages.py`")[1]
    trained = re.search(r"^\| train \| (\d+)", bench, flags=re.MULTILINE)
    total = re.search(r"^\| all \|\s*\|\s*\| (\d+)", bench, flags=re.MULTILINE)
    assert trained and total
    assert int(seconds[1]) == pytest.approx(int(total[1]) / int(trained[1]), rel=0.05)


# Packaging


def test_the_citation_has_the_version_and_licence_of_the_package() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    citation = YAML(typ="safe").load(ROOT / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]


def test_the_changes_describe_every_protocol_version() -> None:
    versions = re.findall(r"^### Version (\d+) ", text_of(ROOT / "CHANGES.md"), re.MULTILINE)
    assert versions == [str(number) for number in range(PROTOCOL_VERSION, 0, -1)]


def test_the_licences_of_all_data_sets_are_named() -> None:
    licences = DATASETS.split("## Sources and licences")[1]
    for name_of_images in set(dataset_names()) - {"folders"}:
        assert f"| `{name_of_images}` |" in licences
