"""Sentences and table cells about a match, for the page and for the match's `report.md`."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Literal

from ganvae.report.match_figure import fids_of
from ganvae.report.numbers import cpu_seconds, duration, fixed, listed, percent, significant
from ganvae.report.sweep_text import range_text, value_text
from ganvae.scores.best_of import BestOf, best_of, chance_ahead
from ganvae.scores.matches import FAMILIES, TOLERANCE, Family, MatchRecord, TrainedRecord
from ganvae.scores.selection import rule_of

NAMES: dict[Family, str] = {"gan": "GANs", "vae": "VAEs"}

MACHINES = (
    "A trial's number of steps is found in the search, and stays the same later. So on another "
    "processor, or with another precision, the same steps take another time. In the stage `why`, "
    "some runs have half or twice the steps."
)

Judge = Literal["fid_judge", "fid_unlabelled"]
"""The field of a trial with its FID by one of the judges."""

Table = tuple[list[str], list[list[str]]]
"""The heads and the rows of a table."""


def intro(record: MatchRecord) -> str:
    """Sentences on what both families had in common."""
    content, rule = record.content, rule_of(record)
    return (
        f"Both families had the same effort: {rule.trials} trials each, and "
        f"{cpu_seconds(content['seconds'])} of training per trial. What a model fits for its "
        "sampling, such as a prior, counts as training. Equal CPU time is not an equal number of "
        "steps, and the search spaces are not equally large. The parameters of each trial were "
        "drawn at random from the family's search space. This space was fixed before the first "
        f"of these trials. All FIDs compare {content.get('n_generated', 5000):,} samples with the "
        f"validation split of {record.dataset}. The test split was not used."
    )


def caption(record: MatchRecord) -> str:
    """Sentences below the figure of the expected best FID."""
    return (
        "Each line shows the FID to expect from the best of so many random trials. The bands are "
        "95 % bootstrap intervals. They end at a third of the trials, because resamples of the "
        "trials say too little about the best of many. In simulations of 60 trials, a band holds "
        "the true value of 20 trials in 87 to 94 % of searches. At the same number of trials, a "
        "lower line means a lower FID. A trial cannot be selected if it diverged, or took over "
        f"{percent(TOLERANCE)} more than its CPU-seconds. Then it counts as noise, whose FID is "
        f"{significant(record.noise_fid)}. The best of many noisy FIDs is too good on average, for "
        "both families alike. The table shows the chance of each family to have the best trial, "
        "if n trials of each are drawn."
    )


def effort(record: MatchRecord, search: Sequence[TrainedRecord]) -> Table:
    """A table of each family's effort and its result, one column per family."""
    content = record.content
    sides = {family: [t for t in search if t.family == family] for family in FAMILIES}
    rows = [
        ["systems", *(str(len(content["families"][family]["systems"])) for family in FAMILIES)],
        ["searched parameters", *(str(record.switches[family]) for family in FAMILIES)],
        ["trials", *(str(len(trials)) for trials in sides.values())],
        *(
            [status, *(str(_count(trials, status)) for trials in sides.values())]
            for status in ("completed", "collapsed", "diverged")
        ),
        ["invalid draws", *(str(sum(t.redraws for t in trials)) for trials in sides.values())],
        [
            f"off the budget by more than {percent(TOLERANCE)}",
            *(str(sum(t.flagged for t in trials)) for trials in sides.values()),
        ],
        ["CPU time of all trials", *(_cpu_time(trials) for trials in sides.values())],
        ["median CPU-seconds per trial", *(_median_seconds(t) for t in sides.values())],
        ["median steps per trial", *(_median_steps(t) for t in sides.values())],
        ["median FID", *(_median_fid(record, search, family) for family in FAMILIES)],
        ["best FID", *(_best_fid(record, search, family) for family in FAMILIES)],
        *_expected(record, search),
        *_ahead(record, search),
    ]
    return ["", *(NAMES[family] for family in FAMILIES)], rows


def _count(trials: Sequence[TrainedRecord], status: str) -> int:
    return Counter(trial.status for trial in trials)[status]  # type: ignore[index]


def _cpu_time(trials: Sequence[TrainedRecord]) -> str:
    return duration(sum(trial.cpu_seconds for trial in trials))


def _median_seconds(trials: Sequence[TrainedRecord]) -> str:
    times = [trial.cpu_seconds for trial in trials if trial.status != "diverged"]
    return fixed(median(times), 1) if times else ""


def _median_steps(trials: Sequence[TrainedRecord]) -> str:
    return f"{median(trial.steps for trial in trials):,.0f}" if trials else ""


def _median_fid(record: MatchRecord, search: Sequence[TrainedRecord], family: Family) -> str:
    fids = fids_of(record, search, family)
    return significant(median(fids)) if fids else ""


def _best_fid(record: MatchRecord, search: Sequence[TrainedRecord], family: Family) -> str:
    fids = fids_of(record, search, family)
    return significant(min(fids)) if fids else ""


def _expected(record: MatchRecord, search: Sequence[TrainedRecord]) -> Iterator[list[str]]:
    curves = {family: best_of(fids_of(record, search, family) or [0.0]) for family in FAMILIES}
    length = min(len(curve.expected) for curve in curves.values())
    for n in (5, 10, 20, 40, 60):
        if n <= length:
            yield [f"expected best FID of {n} trials", *(_banded(c, n) for c in curves.values())]


def _ahead(record: MatchRecord, search: Sequence[TrainedRecord]) -> Iterator[list[str]]:
    """Yield rows with the chance of each family to be ahead, by both judges if both scored."""
    yield from _chances("", chances(search, "fid_judge"))
    if all(trial.fid_unlabelled is not None for trial in search if trial.fid_judge is not None):
        yield from _chances(", second judge", chances(search, "fid_unlabelled"))


def chances(search: Sequence[TrainedRecord], judge: Judge) -> dict[int, float]:
    """Return the chance that the best of n trials is a GAN, for some n up to a third of the trials.

    A trial that cannot be selected is never the best.

    Args:
        judge: the field of the trials with the FID by the judge.
    """
    gan, vae = (
        [getattr(t, judge) if t.selectable else math.inf for t in search if t.family == family]
        for family in FAMILIES
    )
    ahead = chance_ahead(gan, vae)
    return {n: ahead[n - 1] for n in (5, 10, 20) if n <= len(ahead) / 3}


def _chances(judge: str, found: Mapping[int, float]) -> Iterator[list[str]]:
    for n, gan in found.items():
        yield [f"chance to have the best of {n} trials{judge}", percent(gan), percent(1 - gan)]


def _banded(curve: BestOf, n: int) -> str:
    if n > len(curve.low):
        return significant(curve.expected[n - 1])
    ends = f"{significant(curve.low[n - 1])}, {significant(curve.high[n - 1])}"
    return f"{significant(curve.expected[n - 1])} [{ends}]"


def machines(*stages: Sequence[TrainedRecord]) -> Table:
    """A table of the processors and precisions of each stage, one row per combination."""
    runs = [run for stage in stages for run in stage]
    rows = []
    for key in dict.fromkeys((run.stage, run.processor, run.precision) for run in runs):
        same = [run for run in runs if (run.stage, run.processor, run.precision) == key]
        sides = ([run for run in same if run.family == family] for family in FAMILIES)
        rows.append([*key, str(len(same)), *map(_median_seconds, sides)])
    seconds = (f"median CPU-seconds, {NAMES[family]}" for family in FAMILIES)
    return ["stage", "processor", "precision", "runs", *seconds], rows


def by_system(record: MatchRecord, search: Sequence[TrainedRecord]) -> Table:
    """A table of how the trials of each system did, one row per system."""
    rows = []
    for family in FAMILIES:
        for system in record.content["families"][family]["systems"]:
            trials = [trial for trial in search if trial.system == system]
            fids = fids_of(record, trials, family)
            rows.append(
                [
                    f"`{system}`",
                    NAMES[family],
                    str(len(trials)),
                    str(len(trials) - _count(trials, "completed")),
                    significant(median(fids)) if fids else "",
                    significant(min(fids)) if fids else "",
                ]
            )
    return ["system", "family", "trials", "collapsed or diverged", "median FID", "best FID"], rows


def space_table(record: MatchRecord, family: Family) -> Table:
    """A table of a family's search space: the parameter, its systems and its range."""
    space = record.content["families"][family]
    systems = list(space["systems"])
    rows = [["system", "", listed([f"`{system}`" for system in systems])]]
    rows += [[f"`{name}`", "all", _range(r)] for name, r in space.get("parameters", {}).items()]
    for system in systems:
        rows += [[f"`{n}`", f"`{system}`", _range(r)] for n, r in space["systems"][system].items()]
    return ["parameter", "systems", "range"], rows


def _range(values: dict[str, Any]) -> str:
    text = range_text(values)
    for name, allowed in values.get("only", {}).items():
        text += f"; only if `{name}` is {' or '.join(map(value_text, allowed))}"
    return text
