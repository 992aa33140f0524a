"""Build the cells of two kinds of tables on the report page.

One kind compares the scores of two variants. The other kind shows the noise of scores.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganvae.report.numbers import fixed, p_value, significant
from ganvae.report.scores import REFERENCES, arrow, printed, title
from ganvae.report.verdicts import (
    SIDES,
    TOO_FEW,
    probability,
    shown_from,
    spread,
    tested,
    verdict,
    winner,
)
from ganvae.scores.comparison import Row
from ganvae.scores.statistics import Difference


@dataclass(frozen=True)
class Contrast:
    """A comparison of a GAN with a VAE by one score, as table cells.

    Attributes:
        effect: the difference, or "ratio" and the ratio.
        low, mean, high: the lower bound of the effect's interval, the effect and the upper bound,
            scaled to [-1, 1], for ratios on a log scale. For every score, negative values favour
            the GAN and positive values favour the VAE. The bounds are None if the interval is not
            defined, and all are None if the effect is not defined.
        better, better_interval: the probability that the GAN is better.
        power: for an undecided comparison, the smallest effect that could have been shown.
        ahead: "gan" or "vae"; "" if no side is shown to be ahead.
    """

    score: str
    arrow: str
    gan: str
    vae: str
    effect: str
    interval: str
    low: float | None
    mean: float | None
    high: float | None
    better: str
    better_interval: str
    p: str
    verdict: str
    power: str
    ahead: str


def contrasts(differences: Sequence[Difference]) -> list[Contrast]:
    """The lines of a table that compares a GAN with a VAE, one per score."""
    return [_contrast(difference) for difference in differences]


def _contrast(difference: Difference) -> Contrast:
    score = difference.score
    low, mean, high = _positions(difference)
    effect, interval = spread(difference)
    better, better_interval = probability(difference)
    side = winner(difference)
    return Contrast(
        score=title(score),
        arrow=arrow(score),
        gan=printed(score, difference.mean_first),
        vae=printed(score, difference.mean_second),
        effect=f"ratio {effect}" if effect and difference.scale == "log" else effect,
        interval=interval,
        low=low,
        mean=mean,
        high=high,
        better=better,
        better_interval=better_interval,
        p=tested(difference),
        verdict=f"{SIDES[side]} better" if side else difference.verdict,
        power=shown_from(difference) if difference.verdict == "undecided" else "",
        ahead=SIDES[side].lower() if side else "",
    )


def _positions(difference: Difference) -> tuple[float | None, float | None, float | None]:
    """The places of an effect and of its interval's ends in a small plot, as in `Contrast`."""
    sign = -1 if arrow(difference.score) == "↑" else 1
    ends = [difference.low, difference.effect, difference.high]
    if difference.scale == "log":
        ends = [None if end is None else math.log(end) for end in ends]
    widest = max(abs(end or 0.0) for end in ends) or 1.0
    low, mean, high = (None if end is None else sign * end / widest for end in ends)
    return low, mean, high


@dataclass(frozen=True)
class PairCell:
    """A table cell that compares the variant of its row with the variant of its column.

    Attributes:
        detail: the ratio of the FIDs, its interval, the p-value and the verdict in words.
        shown: whether the test shows a difference.
    """

    text: str
    detail: str
    shown: bool


@dataclass(frozen=True)
class PairTable:
    """A table that compares every pair of variants.

    Attributes:
        lines: the name and the cells of each row. Cells on and left of the diagonal are None.
        pairs: the number of pairs.
        too_few: the number of pairs with too few seeds for a test.
        smallest_p: the smallest p-value that a pair with too few seeds could reach. "" if no pair
            has too few seeds.
    """

    models: list[str]
    lines: list[tuple[str, list[PairCell | None]]]
    pairs: int
    too_few: int
    smallest_p: str


def pair_table(pairs: Sequence[Difference]) -> PairTable:
    """Compare every pair of variants by FID. Rows and columns have the order of the leaderboard."""
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.first, pair.second)))
    cells = {(pair.first, pair.second): _pair(pair) for pair in pairs}
    lines = [(first, [cells.get((first, second)) for second in names]) for first in names]
    few = [pair.smallest_p for pair in pairs if pair.verdict == TOO_FEW]
    smallest = significant(min(few), 2) if few else ""
    return PairTable(names, lines, len(pairs), len(few), smallest)


def _pair(pair: Difference) -> PairCell:
    ratio, interval = spread(pair)
    parts = [
        f"{pair.first} divided by {pair.second}: {ratio or 'no ratio'}",
        f"95 % CI {interval}" if interval else "",
        p_value(pair.p),
        verdict(pair),
    ]
    detail = ", ".join(filter(None, parts))
    return PairCell(ratio, detail, shown=winner(pair) is not None)


@dataclass(frozen=True)
class NoiseLine:
    """The noise of one variant, as table cells.

    Attributes:
        cells: per score, the mean, the noise between seeds, the noise between draws of images, and
            the first noise divided by the second. A text is "" if its number was not measured.
    """

    label: str
    family: str
    cells: list[tuple[str, str, str, str]]


def noise_lines(rows: Sequence[Row], scores: Sequence[str]) -> list[NoiseLine]:
    """The noise of every variant or baseline whose noise was measured for at least one score."""
    return [
        NoiseLine(
            REFERENCES.get(row.variant, row.variant),
            row.family,
            [_noise(row, name) for name in scores],
        )
        for row in rows
        if any(name in row.noise for name in scores)
    ]


def _noise(row: Row, score: str) -> tuple[str, str, str, str]:
    if score not in row.noise:
        return "", "", "", ""
    parts, mean = row.noise[score], row.scores[score].mean
    both = parts.training is not None and parts.evaluation
    return (
        printed(score, mean),
        "" if parts.training is None else printed(score, parts.training),
        "" if parts.evaluation is None else printed(score, parts.evaluation),
        fixed((parts.training or 0.0) / (parts.evaluation or 1.0), 1) if both else "",
    )
