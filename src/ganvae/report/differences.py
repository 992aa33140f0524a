"""The leaderboard's sections on differences between variants and on noise, in Markdown."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ganvae.report.families import about_families, side_by_side
from ganvae.report.numbers import significant
from ganvae.report.scores import heading
from ganvae.report.tuning import Tuning, naming, other_pairs
from ganvae.report.verdicts import (
    noise_remarks,
    probability,
    shortages,
    spread,
    tested,
    verdict,
)
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Comparison, Row
from ganvae.scores.statistics import Difference

HOW = (
    "For FID and other scores on a log scale, the effect is a ratio: the geometric mean of the GAN "
    "divided by that of the VAE. For the other scores, the effect is a difference: the mean of the "
    "GAN minus that of the VAE. P(GAN better) is the probability "
    "that a random run of the GAN has a better score than a random run of the VAE. p is the "
    "p-value of an exact two-sided Mann-Whitney rank test. The p-value of FID is not corrected. "
    "The p-values of the other scores are corrected together (Tarone, Holm)."
)
READING = "../../docs/reading-the-numbers.md"
"""The page on all numbers, from the folder of a leaderboard. A user's project has no such page."""
MORE = (
    f" [Reading the numbers]({READING}#when-is-one-variant-better-than-another) explains the "
    "methods and the verdicts."
)


def markdown_line(cells: Iterable[str]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def differences_markdown(comparison: Comparison, n_generated: int, tuning: Tuning) -> list[str]:
    """The lines below the leaderboard: GAN against VAE, every pair of variants, and noise."""
    return [
        *_gan_against_vae(comparison, tuning),
        *_families(comparison),
        *_pairs(comparison.pairs),
        *_noise(comparison.rows, n_generated),
    ]


def _gan_against_vae(comparison: Comparison, tuning: Tuning) -> list[str]:
    if not comparison.finalists:
        return []
    finalists = comparison.finalists[0]
    more = MORE if Path(READING.removeprefix("../../")).exists() else ""
    lines = ["## GAN against VAE", "", HOW + more, ""]
    how = f"{tuning.unequal[:1].upper()}{tuning.unequal[1:]}"
    unequal = f"The tuning effort was unequal. {how}." if how else ""
    if effort := [*filter(None, [unequal, other_pairs(comparison, tuning), tuning.outside])]:
        lines += [" ".join(effort), ""]
    return [
        *lines,
        f"**The finalists**: `{finalists.first}` is compared with `{finalists.second}`. "
        "Each value is the score of one seed. "
        f"{naming((finalists.first, finalists.second), tuning)}",
        "",
        *_table(comparison.finalists),
        *_listed(noise_remarks(comparison)),
    ]


def _families(comparison: Comparison) -> list[str]:
    pairs = side_by_side(comparison)
    if not pairs:
        return []
    return [
        "## The families",
        "",
        about_families(comparison),
        "",
        markdown_line(["place", "GAN", "FID ↓", "VAE", "FID ↓"]),
        markdown_line(["---:", "---", "---:", "---", "---:"]),
        *(
            markdown_line([str(place), _code(gan[0]), gan[1], _code(vae[0]), vae[1]])
            for place, (gan, vae) in enumerate(pairs, start=1)
        ),
        "",
    ]


def _code(name: str) -> str:
    return f"`{name}`" if name else ""


def _table(differences: Sequence[Difference]) -> list[str]:
    header = ["score", "effect [95 % CI]", "P(GAN better) [95 % CI]", "p", "verdict"]
    body = [
        [
            heading(each.score),
            _effect(each),
            " ".join(probability(each)).rstrip(),
            tested(each),
            verdict(each),
        ]
        for each in differences
    ]
    return [
        markdown_line(header),
        markdown_line(["---", *["---:"] * 3, "---"]),
        *map(markdown_line, body),
        "",
        *_listed(shortages(differences)),
    ]


def _effect(difference: Difference) -> str:
    size = " ".join(spread(difference)).rstrip()
    return f"ratio {size}" if size and difference.scale == "log" else size


def _listed(sentences: Sequence[str]) -> list[str]:
    lines = [f"- {sentence[:1].upper()}{sentence[1:]}" for sentence in sentences]
    return [*lines, ""] if lines else []


def _pairs(pairs: Sequence[Difference]) -> list[str]:
    if not pairs:
        return []
    made = sum(pair.p is not None for pair in pairs)
    lines = [
        "## Every pair of variants",
        "",
        f"The pairs are compared by {heading(PRIMARY)}. The better variant comes first. The ratio "
        "is the FID of the first variant divided by that of the second. Brackets show Welch's 95 % "
        "confidence intervals of the ratio, not corrected for multiple comparisons. P is the "
        "probability that a random run of the first variant has the lower FID. Exact Mann-Whitney "
        f"tests were made for the pairs with enough seeds ({made} of {len(pairs)}). The p-values "
        "are corrected together (Tarone, Holm), except for the finalists: their test was planned "
        "in advance.",
        "",
        markdown_line(["first", "second", "ratio [95 % CI]", "P [95 % CI]", "p", "verdict"]),
        markdown_line(["---", "---", *["---:"] * 3, "---"]),
        *map(_pair, pairs),
    ]
    return [*lines, "", *_listed(shortages(pairs))]


def _pair(pair: Difference) -> str:
    names = (f"`{pair.first}`", f"`{pair.second}`")
    effects = (" ".join(texts).rstrip() for texts in (spread(pair), probability(pair)))
    return markdown_line([*names, *effects, tested(pair), verdict(pair)])


def _noise(rows: Sequence[Row], n_generated: int) -> list[str]:
    lines = [f"- `{row.variant}`: {text}" for row in rows if (text := _noise_of(row, n_generated))]
    if not lines:
        return []
    about = (
        "FID differs between the random seeds of a variant, and between draws of images from one "
        "training run. In each line, the first number is the standard deviation between seeds, "
        "which includes the noise of the draw. The second number is the standard error of one draw "
        "of images, measured by resampling."
    )
    return ["## Two kinds of noise", "", about, "", *lines, ""]


def _noise_of(row: Row, n_generated: int) -> str:
    noise = row.noise.get(PRIMARY)
    if noise is None:
        return ""
    training = "only one seed"
    if noise.training is not None:
        training = f"{significant(noise.training, 2)} between seeds"
    if noise.evaluation is None:
        return f"{training}; evaluation noise was not measured."
    evaluation = significant(noise.evaluation, 2)
    return f"{training}, {evaluation} between draws of {n_generated:,} images."
