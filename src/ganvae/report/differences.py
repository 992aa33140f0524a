"""GAN against VAE, every pair of models, and what noise there is: sections in Markdown."""

from collections.abc import Iterable, Sequence

from ganvae.report.numbers import significant
from ganvae.report.scores import heading
from ganvae.report.tuning import Tuning, equal_effort, naming
from ganvae.report.verdicts import noise_remarks, reach, shortages, sizes, spread, verdict
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Comparison, Row
from ganvae.scores.statistics import Difference

HOW = (
    "Differences are first minus second, of means; the intervals are Welch's, 95 %, each by "
    "itself. Hedges' g: in standard deviations. The test is an exact Mann-Whitney test, two-sided, "
    "at 5 %: of FID by itself, of the other scores corrected together (Holm). Tests that could not "
    "succeed after correction, whatever the scores, are not made and not corrected for (Tarone "
    "1990). Bootstrap intervals are in `comparison.json`; of so few values they are too narrow."
)


def markdown_line(cells: Iterable[str]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def differences_markdown(comparison: Comparison, n_generated: int, tuning: Tuning) -> list[str]:
    """The lines below the leaderboard."""
    return [
        *_gan_against_vae(comparison, tuning),
        *_pairs(comparison.pairs),
        *_noise(comparison.rows, n_generated),
    ]


def _gan_against_vae(comparison: Comparison, tuning: Tuning) -> list[str]:
    if not (comparison.finalists or comparison.families):
        return []
    lines = ["## GAN against VAE", "", HOW, ""]
    if tuning.unequal:
        unequal = f"The effort was unequal: {tuning.unequal}."
        said = (unequal, equal_effort(comparison, tuning), tuning.outside)
        lines += [" ".join(filter(None, said)), ""]
    if comparison.finalists:
        one = comparison.finalists[0]
        lines += [
            f"**The finalists**, `{one.first}` against `{one.second}`, a value a seed. "
            f"{naming((one.first, one.second), tuning)}",
            "",
            *_table(comparison.finalists, "seeds"),
            *_listed(noise_remarks(comparison)),
        ]
    if comparison.families:
        one = comparison.families[0]
        lines += [
            f"**The families**, {one.n_first} GANs against {one.n_second} VAEs, a value a model "
            f"(its mean over seeds). {reach(comparison)} Hybrids are in neither.",
            "",
            *_table(comparison.families, "models"),
        ]
    return lines


def _table(differences: Sequence[Difference], unit: str) -> list[str]:
    header = ["score", "difference", "95 % interval", "Hedges' g", "P(GAN higher)", "verdict"]
    return [
        markdown_line(header),
        markdown_line(["---", *["---:"] * 4, "---"]),
        *(
            markdown_line([heading(one.score), *spread(one), *sizes(one), verdict(one, unit)])
            for one in differences
        ),
        "",
        *_listed(shortages(differences, unit)),
    ]


def _listed(sentences: Sequence[str]) -> list[str]:
    lines = [f"- {sentence[:1].upper()}{sentence[1:]}" for sentence in sentences]
    return [*lines, ""] if lines else []


def _pairs(pairs: Sequence[Difference]) -> list[str]:
    if not pairs:
        return []
    tested = sum(one.p_holm is not None for one in pairs)
    lines = [
        "## Every two models",
        "",
        f"{heading(PRIMARY)}, the better model first. Exact Mann-Whitney tests of those pairs "
        f"whose seeds are enough for one to succeed ({tested} of {len(pairs)}), corrected together "
        "(Tarone, Holm). Welch's intervals, each by itself.",
        "",
        markdown_line(["first", "second", "difference", "95 % interval", "verdict"]),
        markdown_line(["---", "---", "---:", "---:", "---"]),
        *(
            markdown_line([f"`{one.first}`", f"`{one.second}`", *spread(one), verdict(one)])
            for one in pairs
        ),
    ]
    return [*lines, "", *_listed(shortages(pairs, "seeds"))]


def _noise(rows: Sequence[Row], n_generated: int) -> list[str]:
    lines = [f"- `{row.variant}`: {text}" for row in rows if (text := _noise_of(row, n_generated))]
    if not lines:
        return []
    about = (
        "How much FID owes to training (standard deviation between seeds, which has the draw of "
        "images in it) and how much to the draw of images alone (standard error, by resampling):"
    )
    return ["## Two kinds of noise", "", about, "", *lines, ""]


def _noise_of(row: Row, n_generated: int) -> str:
    parts = row.noise.get(PRIMARY)
    if parts is None:
        return ""
    training = "one seed"
    if parts.training is not None:
        training = f"{significant(parts.training, 2)} between seeds"
    if parts.evaluation is None:
        return f"{training}; evaluation noise was not measured."
    evaluation = significant(parts.evaluation, 2)
    return f"{training}, {evaluation} between draws of {n_generated:,} images."
