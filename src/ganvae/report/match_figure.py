"""The figure of a match: the expected best FID of each family against the number of trials."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ganvae.report.vector import COLOURS, MARKERS, plain_ticks
from ganvae.scores.best_of import best_of
from ganvae.scores.matches import FAMILIES, MatchRecord, TrainedRecord


def fids_of(record: MatchRecord, search: Sequence[TrainedRecord], family: str) -> list[float]:
    """Return the FID of each trial of a family on the validation split.

    A trial that cannot be selected counts as noise, with the FID of the ceiling: it has diverged,
    or has taken too long.
    """
    return [
        trial.fid_judge if trial.selectable and trial.fid_judge is not None else record.noise_fid
        for trial in search
        if trial.family == family
    ]


def draw_expected_best(
    canvas: Figure, record: MatchRecord, search: Sequence[TrainedRecord]
) -> None:
    """Draw the expected best FID of 1 to N trials per family, with its bootstrap band."""
    ax = canvas.subplots()
    for family in FAMILIES:
        if not (fids := fids_of(record, search, family)):
            continue
        band = best_of(fids)
        numbers = range(1, len(fids) + 1)
        colour = COLOURS[family]
        banded = numbers[: len(band.low)]
        ax.fill_between(banded, band.low, band.high, color=colour, alpha=0.18, linewidth=0)
        label = {"gan": "GANs", "vae": "VAEs"}[family]
        every = max(1, len(fids) // 10)
        ax.plot(
            numbers, band.expected, color=colour, marker=MARKERS[family], markevery=every, ms=4,
            lw=1.6, label=label,
        )  # fmt: skip
    ax.set_yscale("log")
    plain_ticks(ax, "y")
    ax.set_xlabel("number of trials")
    ax.set_ylabel("expected best FID on validation")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=True, which="both", axis="y")
    ax.legend(frameon=False)
