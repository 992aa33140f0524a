"""Tables on the changed finalists of a match: what each owes to its choices, and what holds."""

from collections.abc import Sequence
from statistics import fmean

from ganvae.report.matches import Table
from ganvae.report.numbers import listed, significant
from ganvae.scores.matches import FAMILIES, Family, TrainedRecord

UNCHANGED = "unchanged"


def owes(why: Sequence[TrainedRecord], family: Family) -> Table:
    """A table of a finalist without each of its choices, with the ratio to the whole finalist."""
    fids = _fids(why, family)
    whole = _mean(fids.get(UNCHANGED, []))
    rows = []
    for change, values in fids.items():
        if change == UNCHANGED or change.startswith("without "):
            mean = _mean(values)
            ratio = significant(mean / whole) if mean and whole else ""
            rows.append([_code(change), _cell(values), ratio])
    return ["finalist", "FID on validation", "ratio to unchanged"], rows


def holds(why: Sequence[TrainedRecord]) -> Table:
    """A table of both finalists under each change that both have, and which has the lower mean."""
    gan, vae = (_fids(why, family) for family in FAMILIES)
    rows = [
        _compared(change, gan[change], vae[change])
        for change in gan
        if change in vae and not change.startswith("without ")
    ]
    seconds = [_second_fids(why, family) for family in FAMILIES]
    if all(any(fids) for fids in seconds):
        rows.append(_compared("unchanged, second judge", *seconds))
    return ["both finalists", "GAN, FID", "VAE, FID", "lower mean"], rows


def _compared(change: str, gan: Sequence[float | None], vae: Sequence[float | None]) -> list[str]:
    shown = change.replace(" of the steps", " times the steps")  # records have the longer form
    return [shown, _cell(gan), _cell(vae), _ahead(_mean(gan), _mean(vae))]


def _second_fids(why: Sequence[TrainedRecord], family: Family) -> list[float | None]:
    """Return the FIDs of the unchanged finalist in the features of the second judge."""
    whole = [run for run in why if (run.family, run.change) == (family, UNCHANGED)]
    return [run.fid_unlabelled for run in whole]


def _fids(why: Sequence[TrainedRecord], family: Family) -> dict[str, list[float | None]]:
    """Return the FIDs of a finalist by change; None for a diverged training run."""
    fids: dict[str, list[float | None]] = {UNCHANGED: []}
    for record in why:
        if record.family == family:
            fids.setdefault(record.change, []).append(record.fid_judge)
    return fids


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean, or None if there is no value or a training run diverged."""
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _cell(values: Sequence[float | None]) -> str:
    mean = _mean(values)
    each = listed([_value(value) for value in values])
    return f"{_value(mean)} ({each})" if values else ""


def _value(value: float | None) -> str:
    return "diverged" if value is None else significant(value)


def _ahead(gan: float | None, vae: float | None) -> str:
    if gan is None or vae is None:
        return ""
    return "GAN" if gan < vae else "VAE"


def _code(change: str) -> str:
    before, _, name = change.partition("without ")
    return f"without `{name}`" if name else before
