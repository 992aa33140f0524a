"""The sentences that open the page across data sets."""

from collections.abc import Sequence
from typing import Literal

from ganvae.report.across import DataSet, alike, overall
from ganvae.report.budgets import times, unequal
from ganvae.report.numbers import listed, significant
from ganvae.report.scores import bracketed
from ganvae.report.tuning import tuning_of
from ganvae.report.verdicts import SIDES, excludes_equality, leader
from ganvae.scores.pooled import Pooled
from ganvae.scores.statistics import Difference

Standing = Literal["GAN lower", "VAE lower", "open", "no interval", "no comparison"]
"""The side whose FID is lower by the interval of the ratio, or the reason why neither is."""

OPEN: dict[Standing, str] = {
    "open": "the interval of the ratio includes 1",
    "no interval": "the ratio has no interval",
    "no comparison": "a GAN or a VAE with a score is missing",
}


def headline(sets: Sequence[DataSet]) -> str:
    """Sentences with the data sets where each side is lower, and the ratio over all data sets."""
    sentences = [
        _effort(sets),
        *_by_set(sets),
        _average(alike(sets), overall(sets)),
        _disagreement(alike(sets)),
        _protocols(sets),
        _budgets(sets),
        _diverged(sets),
    ]
    return " ".join(filter(None, sentences))


def standing(difference: Difference | None) -> Standing:
    """The side whose FID is lower on a data set, by the interval of the ratio."""
    if difference is None:
        return "no comparison"
    if difference.low is None:
        return "no interval"
    side = leader(difference) if excludes_equality(difference) else None
    if side is None:
        return "open"
    return "GAN lower" if SIDES[side] == "GAN" else "VAE lower"


def pooled_text(pooled: Pooled) -> str:
    """A ratio over data sets and its interval as text: ``0.512 [0.480, 0.545]``."""
    interval = bracketed(pooled.low, pooled.high, significant)
    return f"{significant(pooled.ratio)} {interval}".rstrip()


def _effort(sets: Sequence[DataSet]) -> str:
    """A sentence that names the data sets with unequal tuning effort; "" if all effort is equal."""
    names = [dataset.name for dataset in sets if tuning_of(dataset.params).unequal]
    if not names:
        return ""
    return (
        "The question is not settled, because the tuning effort was unequal on "
        f"{_whole(sets, names)}."
    )


def _average(sets: Sequence[DataSet], pooled: Pooled | None) -> str:
    if pooled is None:
        return "No data set has a GAN and a VAE to compare."
    tuned = "tuned " if all({*s.params.finalists} <= {*s.params.tuned} for s in sets) else ""
    where = "On one data set" if pooled.sets == 1 else f"On average over {pooled.sets} data sets"
    interval = bracketed(pooled.low, pooled.high, significant)
    bounds = f" (95 % CI {interval})" if interval else ""
    return (
        f"{where}, the FID of the {tuned}GAN is {significant(pooled.ratio)} times the FID of the "
        f"{tuned}VAE{bounds}, at these training budgets."
    )


def _disagreement(sets: Sequence[DataSet]) -> str:
    """A sentence on an average over data sets with different winners; "" if they agree."""
    standings = {standing(dataset.finalists) for dataset in sets}
    if not {"GAN lower", "VAE lower"} <= standings:
        return ""
    return "The data sets disagree, so this average describes none of them."


def _protocols(sets: Sequence[DataSet]) -> str:
    """A sentence on the data sets of another protocol; "" if all have the same protocol."""
    inside = alike(sets)
    others = [
        f"{dataset.name} (protocol {dataset.provenance.protocol_version})"
        for dataset in sets
        if dataset not in inside
    ]
    if not others:
        return ""
    return (
        f"This average leaves out {listed(others)}, since the other data sets were measured by "
        f"protocol {inside[0].provenance.protocol_version}."
    )


def _by_set(sets: Sequence[DataSet]) -> list[str]:
    names: dict[Standing, list[str]] = {}
    for dataset in sets:
        names.setdefault(standing(dataset.finalists), []).append(dataset.name)
    lower = [
        f"The interval shows a lower FID of the {key.split()[0]} on {_whole(sets, names[key])}."
        for key in ("GAN lower", "VAE lower")
        if key in names
    ]
    return lower + [f"On {listed(names[key])}, {OPEN[key]}." for key in OPEN if key in names]


def _budgets(sets: Sequence[DataSet]) -> str:
    names = [dataset.name for dataset in sets if unequal(times(*dataset.rows()))]
    if not names:
        return ""
    return (
        "The training times of the GAN and the VAE differ by more than 10 % on "
        f"{_whole(sets, names)}."
    )


def _whole(sets: Sequence[DataSet], names: list[str]) -> str:
    if len(names) < len(sets):
        return listed(names)
    return "the one data set" if len(sets) == 1 else f"all {len(sets)} data sets"


def _diverged(sets: Sequence[DataSet]) -> str:
    diverged = any(row and row.diverged for dataset in sets for row in dataset.rows())
    return "Diverged runs are left out." if diverged else ""
