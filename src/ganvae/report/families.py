"""The variants of the two families side by side, without any test."""

from itertools import zip_longest

from ganvae.report.numbers import listed
from ganvae.report.scores import cell
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import SIDES, Comparison, Row

Side = tuple[str, str]
"""The name of a variant and its FID with an interval; two empty texts if there is no variant."""


def side_by_side(comparison: Comparison) -> list[tuple[Side, Side]]:
    """Pairs of a GAN and a VAE with the same place in their family, ordered by FID.

    Only variants with an FID are shown. Hybrids, baselines, submitted samples and variants that are
    set aside are not shown.
    """
    gans, vaes = (
        [
            _side(row)
            for row in comparison.rows
            if row.family == family
            and not row.submitted
            and row.variant not in comparison.aside
            and PRIMARY in row.scores
        ]
        for family in SIDES
    )
    return list(zip_longest(gans, vaes, fillvalue=("", "")))


def about_families(comparison: Comparison) -> str:
    """Sentences that say what the two columns show, and why no test compares them."""
    sentences = (
        "Each column lists the variants of one family, the best first. The variants were picked by "
        "hand, and some share a system. So they are not a random sample of all GANs and VAEs, and "
        "no test compares the two columns. Hybrids belong to neither family."
    )
    if comparison.aside:
        names = listed([f"`{variant}`" for variant in comparison.aside])
        sentences += f" Variants that serve only a picture or a likelihood are not shown: {names}."
    return sentences


def _side(row: Row) -> Side:
    return row.variant, " ".join(cell(row, PRIMARY)).rstrip()
