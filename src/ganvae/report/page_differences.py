"""Build the cells of two kinds of tables on the report page.

One kind compares the scores of two variants. The other kind shows the noise of scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ganvae.report.answer import SIDES
from ganvae.report.numbers import fixed, p_value, significant
from ganvae.report.scores import REFERENCES, arrow, printed, title
from ganvae.report.verdicts import TOO_FEW, sizes, spread, winner
from ganvae.scores.comparison import Row
from ganvae.scores.statistics import Difference


@dataclass(frozen=True)
class Contrast:
    """A comparison of a GAN with a VAE by one score, as table cells.

    Attributes:
        low, mean, high: the lower bound of the difference's interval, the mean difference and the
            upper bound, scaled to [-1, 1]. For every score, negative values favour the GAN and
            positive values favour the VAE. The bounds are None if the interval is not defined.
        ahead: "gan" or "vae"; "" if no side is shown to be ahead.
    """

    score: str
    arrow: str
    gan: str
    vae: str
    difference: str
    interval: str
    low: float | None
    mean: float
    high: float | None
    effect: str
    superiority: str
    p: str
    verdict: str
    ahead: str


def contrasts(differences: Sequence[Difference]) -> list[Contrast]:
    """The lines of a table that compares a GAN with a VAE, one per score."""
    return [_contrast(difference) for difference in differences]


def _contrast(difference: Difference) -> Contrast:
    score, low, mean, high = difference.score, difference.low, difference.mean, difference.high
    widest = max(abs(value or 0.0) for value in (low, high, mean)) or 1.0
    sign = -1 if arrow(score) == "↑" else 1
    mean_text, interval = spread(difference)
    effect, superiority = sizes(difference)
    side = winner(difference)
    return Contrast(
        score=title(score),
        arrow=arrow(score),
        gan=printed(score, difference.mean_first),
        vae=printed(score, difference.mean_second),
        difference=mean_text,
        interval=interval,
        low=None if low is None else sign * low / widest,
        mean=sign * mean / widest,
        high=None if high is None else sign * high / widest,
        effect=effect,
        superiority=superiority,
        p=p_value(difference.p_holm).removeprefix("p = "),
        verdict=f"{SIDES[side]} ahead" if side else difference.verdict,
        ahead=SIDES[side].lower() if side else "",
    )


@dataclass(frozen=True)
class PairCell:
    """A table cell that compares the variant of its row with the variant of its column.

    Attributes:
        detail: the difference, its interval, the p-value and the verdict in words.
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
        smallest_p: the smallest corrected p-value that a pair with too few seeds could reach. "" if
            no pair has too few seeds.
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
    few = [pair.smallest_p_holm for pair in pairs if pair.verdict == TOO_FEW]
    smallest = significant(min(few), 2) if few else ""
    return PairTable(names, lines, len(pairs), len(few), smallest)


def _pair(pair: Difference) -> PairCell:
    difference, interval = spread(pair)
    parts = [
        f"{pair.first} minus {pair.second}: {difference}",
        f"95 % CI {interval}" if interval else "",
        f"{p_value(pair.p_holm)} (corrected)" if pair.p_holm is not None else "",
        pair.verdict,
    ]
    detail = ", ".join(filter(None, parts))
    return PairCell(significant(pair.mean, 2), detail, shown=winner(pair) is not None)


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
