"""Tables on the changed finalists of a match: what each owes to its choices, and what holds."""

from collections.abc import Sequence
from statistics import geometric_mean

from ganvae.report.matches import Table
from ganvae.report.numbers import listed, significant
from ganvae.scores.matches import FAMILIES, Family, TrainedRecord

UNCHANGED = "unchanged"
HOW = (
    "Each finalist was trained with one change. The cells have the geometric mean and each seed. "
    "The ratio is the FID of the GAN divided by the FID of the VAE: above 1, the VAE has the lower "
    "FID. The second judge is a network that was trained without labels. FIDs of the two judges "
    "cannot be compared. Both judges were trained on the usual training images. Another split "
    "takes most of its validation images from these, so it does not test the judges."
)
LIMITS = (
    "Each row has few seeds, so a ratio near 1 does not show that a choice matters. No other "
    "parameter was tuned again after a change."
)

Fids = Sequence[float | None]
"""The FIDs of training runs with different seeds; None for a run without this FID."""


def varied(why: Sequence[TrainedRecord]) -> bool:
    """Whether any finalist was trained with a change. Without one, there is nothing to compare."""
    return any(run.change != UNCHANGED for run in why)


def owes(why: Sequence[TrainedRecord], family: Family) -> Table:
    """A table of a finalist without each of its choices, with the ratio to the whole finalist."""
    fids = _by_change(why, family)
    whole = _fids(fids.get(UNCHANGED, []))
    rows = [
        [_code(change), _cell(_fids(runs)), _ratio(_fids(runs), whole)]
        for change, runs in fids.items()
        if change == UNCHANGED or change.startswith("without ")
    ]
    return ["finalist", "FID on validation", "ratio to unchanged"], rows


def holds(why: Sequence[TrainedRecord]) -> Table:
    """A table of both finalists under each change that both have, by both judges."""
    gan, vae = (_by_change(why, family) for family in FAMILIES)
    rows = [
        [
            change.replace(" of the steps", " times the steps"),  # records have the longer form
            *_compared(_fids(gan[change]), _fids(vae[change])),
            *_compared(_second_fids(gan[change]), _second_fids(vae[change])),
        ]
        for change in gan
        if change in vae and not change.startswith("without ")
    ]
    heads = ["GAN, FID", "VAE, FID", "ratio"]
    second = ["GAN, second judge", "VAE, second judge", "ratio, second judge"]
    return ["both finalists", *heads, *second], rows


def _by_change(why: Sequence[TrainedRecord], family: Family) -> dict[str, list[TrainedRecord]]:
    """Return the training runs of a finalist by change, the unchanged ones first."""
    runs: dict[str, list[TrainedRecord]] = {}
    for record in sorted(why, key=lambda record: record.change != UNCHANGED):
        if record.family == family:
            runs.setdefault(record.change, []).append(record)
    return runs


def _fids(runs: Sequence[TrainedRecord]) -> Fids:
    return [run.fid_judge for run in runs]


def _second_fids(runs: Sequence[TrainedRecord]) -> Fids:
    return [run.fid_unlabelled for run in runs]


def _compared(gan: Fids, vae: Fids) -> list[str]:
    """The cells of both families and their ratio; empty where nothing was measured."""
    if not any(gan) and not any(vae):
        return ["", "", ""]
    return [_cell(gan), _cell(vae), _ratio(gan, vae)]


def _ratio(first: Fids, second: Fids) -> str:
    above, below = _mean(first), _mean(second)
    return significant(above / below) if above and below else ""


def _mean(values: Fids) -> float | None:
    """Return the geometric mean, or None if there is no value or a training run diverged."""
    known = [value for value in values if value is not None]
    return geometric_mean(known) if known and len(known) == len(values) else None


def _cell(values: Fids) -> str:
    return f"{_value(_mean(values))} ({listed([_value(value) for value in values])})"


def _value(value: float | None) -> str:
    return "diverged" if value is None else significant(value)


def _code(change: str) -> str:
    before, _, name = change.partition("without ")
    return f"without `{name}`" if name else before
