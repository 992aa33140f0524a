"""How the models' parameters were chosen, and what that leaves of the answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ganvae.config import Params
from ganvae.report.numbers import listed
from ganvae.report.scores import printed
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Comparison, Row

UNTUNED = (
    "The others have their sources' parameters, scaled down by hand to the time there is; no "
    "search by score."
)
"""Of the models that were not tuned, where some were."""


@dataclass(frozen=True)
class Tuning:
    """How the parameters of a profile's models were chosen.

    ``tuned`` were chosen by scores on a validation split: this data set's, or that of the data set
    named in ``tuned_on``. The ``swept`` ones among them are trials of a sweep, the others were
    found by hand. ``unequal``: how the efforts for the finalists differ, "" if they do not;
    ``outside``: what trials outside the pipeline found.
    """

    tuned: Collection[str] = ()
    swept: Collection[str] = ()
    tuned_on: Mapping[str, str] = field(default_factory=dict)
    unequal: str = ""
    outside: str = ""

    @property
    def mark(self) -> str:
        """What the mark of a tuned model means."""
        chosen = "parameters chosen by FID on the validation split"
        if not self.tuned_on:
            return chosen
        by_data_set: dict[str, list[str]] = {}
        for model, data_set in self.tuned_on.items():
            by_data_set.setdefault(data_set, []).append(f"`{model}`")
        others = [f"those of {listed(names)} on {name}'s" for name, names in by_data_set.items()]
        return f"{chosen} ({', '.join(others)})"


NOT_TUNED = Tuning()


def tuning_of(params: Params) -> Tuning:
    """What a profile's parameters say of it."""
    effort = params.effort
    return Tuning(
        tuned=params.tuned,
        swept=list(params.promoted),
        tuned_on=params.tuned_on,
        unequal=effort.unequal if effort else "",
        outside=effort.outside if effort else "",
    )


def naming(finalists: Collection[str], tuning: Tuning) -> str:
    """How the finalists came to be finalists."""
    if not {*finalists} <= {*tuning.tuned}:
        return "The finalists are named in the profile's parameters, not picked by these scores."
    if {*finalists} & {*tuning.tuned_on}:
        return (
            "The finalists are the tuned GAN and VAE, not the best by these scores. The parameters "
            "of one were chosen on another data set."
        )
    return (
        "The finalists are the GAN and the VAE whose parameters were tuned on the validation "
        "split, not the best by these scores."
    )


def equal_effort(comparison: Comparison, tuning: Tuning) -> str:
    """The best GAN beside the best VAE of equal effort: not tuned, and swept."""
    untuned = {row.variant for row in comparison.rows} - {*tuning.tuned, *comparison.aside}
    pairs = [
        f"{how}, {pair}"
        for how, models in (("not tuned", untuned), ("swept", {*tuning.swept}))
        if (pair := _pair([row for row in comparison.rows if row.variant in models]))
    ]
    if not tuning.tuned or not pairs:
        return ""
    return f"Pairs of equal effort, by FID: {'; '.join(pairs)}."


def _pair(rows: list[Row]) -> str:
    """The best of each family, the better one first; rows are in the order of FID."""
    first: dict[str, Row] = {}
    for row in rows:
        if row.family in ("gan", "vae") and PRIMARY in row.scores:
            first.setdefault(row.family, row)
    if len(first) < 2:
        return ""
    ahead, behind = (
        f"the {row.family.upper()} `{row.variant}` ({printed(PRIMARY, row.scores[PRIMARY].mean)})"
        for row in first.values()
    )
    return f"{ahead} is ahead of {behind}"
