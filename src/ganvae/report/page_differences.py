"""What the page's tables of differences and of noise say, cell by cell."""

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
    """A GAN against a VAE by one score. ``low``, ``mean`` and ``high`` lie on a line from -1 to 1:

    0 is no difference, left of it the GAN is ahead, right of it the VAE, whichever way the score
    goes; None where there is no interval.
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


def contrasts(differences: Sequence[Difference], unit: str) -> list[Contrast]:
    """The lines of the table that sets a GAN against a VAE.

    Args:
        unit: what a value is of: "seeds" or "models".
    """
    return [_contrast(one, unit) for one in differences]


def _contrast(one: Difference, unit: str) -> Contrast:
    widest = max(abs(value or 0.0) for value in (one.low, one.high, one.mean)) or 1.0
    sign = -1 if arrow(one.score) == "↑" else 1
    difference, interval = spread(one)
    effect, superiority = sizes(one)
    side = winner(one)
    return Contrast(
        score=title(one.score),
        arrow=arrow(one.score),
        gan=printed(one.score, one.mean_first),
        vae=printed(one.score, one.mean_second),
        difference=difference,
        interval=interval,
        low=None if one.low is None else sign * one.low / widest,
        mean=sign * one.mean / widest,
        high=None if one.high is None else sign * one.high / widest,
        effect=effect,
        superiority=superiority,
        p=p_value(one.p_holm).removeprefix("p = "),
        verdict=f"{SIDES[side]} ahead" if side else one.verdict.replace("seeds", unit),
        ahead=SIDES[side].lower() if side else "",
    )


@dataclass(frozen=True)
class PairCell:
    """A model of the row against one of the column; ``shown``: the test finds a difference."""

    text: str
    detail: str
    shown: bool


@dataclass(frozen=True)
class PairTable:
    """``lines``: by model, what stands in the columns 2, 3, …; None left of the diagonal.

    ``too_few`` of ``pairs`` have too few seeds for a test; the least p that any of these could
    have after correction is ``smallest_p``, "" if there are none.
    """

    models: list[str]
    lines: list[tuple[str, list[PairCell | None]]]
    pairs: int
    too_few: int
    smallest_p: str


def pair_table(pairs: Sequence[Difference]) -> PairTable:
    """Every two models by FID; they come in the order of the leaderboard, the better one first."""
    models = list(dict.fromkeys(name for one in pairs for name in (one.first, one.second)))
    found = {(one.first, one.second): _pair(one) for one in pairs}
    lines = [(first, [found.get((first, second)) for second in models]) for first in models]
    few = [one.smallest_p_holm for one in pairs if one.verdict == TOO_FEW]
    smallest = significant(min(few), 2) if few else ""
    return PairTable(models, lines, len(pairs), len(few), smallest)


def _pair(one: Difference) -> PairCell:
    difference, interval = spread(one)
    parts = [
        f"{one.first} minus {one.second}: {difference}",
        f"95 % interval {interval}" if interval else "",
        f"{p_value(one.p_holm)} (corrected)" if one.p_holm is not None else "",
        one.verdict,
    ]
    detail = ", ".join(filter(None, parts))
    return PairCell(significant(one.mean, 2), detail, shown=winner(one) is not None)


@dataclass(frozen=True)
class NoiseLine:
    """A model's noise by score: mean, training noise, evaluation noise, ratio; or ""."""

    label: str
    family: str
    cells: list[tuple[str, str, str, str]]


def noise_lines(rows: Sequence[Row], scores: Sequence[str]) -> list[NoiseLine]:
    """Noise of training and of evaluation, of every row that has one of the scores."""
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
