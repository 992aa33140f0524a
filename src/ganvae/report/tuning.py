"""How the parameters of the variants were chosen, and how that choice limits the answer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ganvae.config import Params, Promotion
from ganvae.config.promotions import Effort
from ganvae.report.budgets import times, unequal
from ganvae.report.numbers import cpu_seconds, listed
from ganvae.report.scores import printed
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Comparison, Row

NOT_SEARCHED = (
    "the parameters of their sources, scaled down by hand to fit the training time. These "
    "parameters were not searched. Some were chosen by hand after a look at results."
)
UNTUNED = f"The other variants use {NOT_SEARCHED}"
"""Sentences about the untuned variants, for profiles that also have tuned variants."""
ABOUT_SUBMITTED = (
    "samples that were handed in. They were measured here, but their model was not trained here: "
    "its data, its training and its tuning are not known."
)
"""What the sign for submitted samples marks."""


@dataclass(frozen=True)
class Tuning:
    """How the parameters of a profile's variants were chosen.

    Attributes:
        tuned: variants whose parameters were chosen by scores on a validation split.
        promoted: the origins of the tuned variants whose parameters come from a trial of a sweep or
            of a match. The other tuned variants were tuned by hand.
        tuned_on: a mapping from variant to the data set on whose validation split the variant was
            tuned. Variants that were tuned on the profile's own data set are left out.
        unequal: how the tuning efforts for the two finalists differ; "" if the efforts are equal.
        outside: the results of trials outside the pipeline; "" if there are none.
    """

    tuned: Collection[str] = ()
    promoted: Mapping[str, Promotion] = field(default_factory=dict)
    tuned_on: Mapping[str, str] = field(default_factory=dict)
    unequal: str = ""
    outside: str = ""

    @property
    def mark(self) -> str:
        """The meaning of the sign that marks tuned variants in tables."""
        chosen = "their parameters were chosen by FID on the validation split"
        here = set(self.tuned) - set(self.tuned_on)
        if here and not self.tuned_on:
            return chosen
        others = [f"those of {each}" for each in self._elsewhere()]
        if here:
            return f"{chosen} of this data set, except {listed(others)}"
        return f"their parameters were chosen by FID on another data set: {listed(others)}"

    @property
    def swept(self) -> set[str]:
        """The tuned variants whose parameters come from a trial of a sweep."""
        return {name for name, origin in self.promoted.items() if not origin.match}

    def match(self, finalists: Collection[str]) -> Promotion | None:
        """The origin of the finalists, if all come from one match; else None."""
        origins = [self.promoted.get(name) for name in finalists]
        first = origins[0] if origins else None
        together = all(o and o.match and first and o.study == first.study for o in origins)
        return first if together else None

    def _elsewhere(self) -> list[str]:
        """Clauses like ```dcgan`, which were chosen on `mnist```, one per other data set."""
        by_data_set: dict[str, list[str]] = {}
        for variant, data_set in self.tuned_on.items():
            by_data_set.setdefault(data_set, []).append(f"`{variant}`")
        return [
            f"{listed(names)}, which were chosen on the validation split of `{data_set}`"
            for data_set, names in by_data_set.items()
        ]


NOT_TUNED = Tuning()


def tuning_of(params: Params) -> Tuning:
    """Collect the tuning that a profile's parameters declare."""
    effort = params.effort
    return Tuning(
        tuned=params.tuned,
        promoted=params.promoted,
        tuned_on=params.tuned_on,
        unequal=effort.unequal if effort else "",
        outside=effort.outside if effort else "",
    )


def naming(finalists: Collection[str], tuning: Tuning) -> str:
    """Sentences that say how the finalists were chosen."""
    if origin := tuning.match(finalists):
        return (
            f"The finalists come from the match `{origin.study}`, which tuned both families with "
            "the same effort. They were selected by FID on the validation split, and are not the "
            "GAN and VAE with the best scores here."
        )
    if not {*finalists} <= {*tuning.tuned}:
        return "The finalists were named in the profile's parameters, not chosen by these scores."
    if {*finalists} & {*tuning.tuned_on}:
        elsewhere = listed(
            [
                f"those of `{name}` on `{tuning.tuned_on[name]}`"
                for name in finalists
                if name in tuning.tuned_on
            ]
        )
        return (
            "The finalists are the tuned GAN and VAE, not the GAN and VAE with the best scores "
            f"here. Not all parameters were chosen on this data set: {elsewhere}."
        )
    return (
        "The finalists are the GAN and the VAE whose parameters were tuned on the validation "
        "split, not the GAN and VAE with the best scores here."
    )


def effort_text(effort: Effort) -> str:
    """The effort of a match in words: ``60 random trials of 60 CPU-seconds``."""
    return f"{effort.trials} random trials of {cpu_seconds(effort.seconds)}"


def other_pairs(comparison: Comparison, tuning: Tuning) -> str:
    """A sentence that compares the GAN and the VAE with the lowest FID, beside the finalists.

    The sentence has one comparison among the untuned variants, and one among the swept variants.
    It is "" if no variant is tuned, or if neither comparison is possible.
    """
    trained = {row.variant for row in comparison.rows if not row.submitted}
    untuned = trained - {*tuning.tuned, *comparison.aside}
    pairs = [
        f"among the {effort} variants, {pair}"
        for effort, variants in (("untuned", untuned), ("swept", tuning.swept))
        if (pair := _pair([row for row in comparison.rows if row.variant in variants]))
    ]
    if not tuning.tuned or not pairs:
        return ""
    return (
        "Beside the finalists, the GAN and the VAE with the lowest FID compare as follows (FID, "
        f"training time per run): {'; '.join(pairs)}."
    )


def _pair(rows: list[Row]) -> str:
    """A clause that compares the best GAN with the best VAE. The better of the two comes first.

    "" if no GAN or no VAE has an FID.

    Args:
        rows: rows of the leaderboard, sorted by FID.
    """
    first: dict[str, Row] = {}
    for row in rows:
        if row.family in ("gan", "vae") and PRIMARY in row.scores:
            first.setdefault(row.family, row)
    if len(first) < 2:
        return ""
    ahead, behind = (
        f"the {row.family.upper()} `{row.variant}` ({_fid_and_time(row)})" for row in first.values()
    )
    longer = unequal(times(*first.values()))
    note = ", with training times that differ by more than 10 %" if longer else ""
    return f"{ahead} is ahead of {behind}{note}"


def _fid_and_time(row: Row) -> str:
    fid = printed(PRIMARY, row.scores[PRIMARY].mean)
    if "train_seconds" not in row.scores:
        return fid
    return f"{fid}, {printed('train_seconds', row.scores['train_seconds'].mean)} s"
