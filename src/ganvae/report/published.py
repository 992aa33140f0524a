"""Tables with this project's scores beside numbers from papers, and remarks on the differences."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from ganvae.config import Params
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.report.differences import markdown_line
from ganvae.report.numbers import fixed
from ganvae.report.scores import REFERENCES, TIMES, bracketed
from ganvae.scores.comparison import Row
from ganvae.scores.intervals import Estimate
from ganvae.scores.records import Provenance, ScoreRecord

HEADING = "Beside published numbers"

MODES, KL, BOUND = "modes_judge", "mode_kl_judge", "importance_bound_binarised"
N_MODES = 1000
MODES_SAMPLES = 26_000
"""The number of samples behind the published counts of modes."""
BOUND_SAMPLES = 5000
"""The k (number of latents per image) of the published importance-weighted bounds."""
LEAST_BOUND_SAMPLES = 1000
"""The smallest k whose bound is tight enough to stand beside the published bounds."""


class Training(NamedTuple):
    """How a variant was trained.

    Attributes:
        images: the size of the training set.
        latents: the number of latents that a VAE drew per image in each step. The number is 1
            unless the VAE trains on an importance-weighted bound.
    """

    images: int
    latents: int


Trainings = Callable[[str], Training]
"""A function from a variant's name to its training, called only for variants that a table shows."""


@dataclass(frozen=True)
class PublishedLine:
    """One line of a table that shows published numbers.

    Attributes:
        label: the name of the published model or of the variant.
        source: the paper's arXiv number; "" for a variant of this project.
        cells: the cells after the label.
    """

    label: str
    source: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class PublishedTable:
    """A table with numbers from papers and scores of this project.

    Attributes:
        heads: the column titles of the cells.
        remarks: sentences on how the numbers differ, with code in `backticks`.
    """

    title: str
    heads: tuple[str, ...]
    lines: tuple[PublishedLine, ...]
    remarks: tuple[str, ...]


_OWN_HEADS = ("seeds", "steps", "training images", "parameters")
_MODES_PUBLISHED = (  # all but the last as reported in 1705.07761
    PublishedLine("DCGAN", "1705.07761", ("99.0", "3.40")),
    PublishedLine("ALI", "1705.07761", ("16.0", "5.40")),
    PublishedLine("Unrolled GAN", "1705.07761", ("48.7", "4.32")),
    PublishedLine("VEEGAN", "1705.07761", ("150.0", "2.95")),
    PublishedLine("PacDCGAN2", "1712.04086", ("1,000.0", "0.06")),
)
_BOUNDS_PUBLISHED = (  # table 1 of 1509.00519, one stochastic layer
    PublishedLine("VAE", "1509.00519", ("86.76", "", "1")),
    PublishedLine("IWAE", "1509.00519", ("85.54", "", "5")),
    PublishedLine("IWAE", "1509.00519", ("84.78", "", "50")),
)


def published_of(
    params: Params, rows: Sequence[Row], records: Sequence[ScoreRecord]
) -> list[PublishedTable]:
    """Build the tables of `published_tables` for a profile."""
    return published_tables(rows, records, partial(_training_of, params))


def _training_of(params: Params, variant: str) -> Training:
    """Read how a variant was trained, from its first training run.

    All training runs of a variant use the same settings.
    """
    key = next(key for key, run in params.runs.items() if run.variant == variant)
    outcome = read_json(ProfilePaths(params.profile).run(key).outcome)
    return Training(outcome["train_images"], outcome["config"].get("importance_samples", 1))


def published_tables(
    rows: Sequence[Row], records: Sequence[ScoreRecord], trainings: Trainings
) -> list[PublishedTable]:
    """Build the tables with published numbers, for the data sets and scores that papers report.

    The list of tables is empty for most profiles.

    Args:
        rows: the rows of one leaderboard, all measured with the same settings.
        records: the records behind the rows. Flagged records are ignored.
        trainings: returns how a variant was trained.
    """
    ranked = [record for record in records if not record.flags]
    if not ranked:
        return []
    provenance = ranked[0].provenance
    tables = []
    with_modes = [row for row in rows if {MODES, KL} <= row.scores.keys()]
    if provenance.dataset == "stacked-mnist" and any(
        row.family != "reference" for row in with_modes
    ):
        tables.append(_modes_table(with_modes, provenance, trainings))
    with_bound = [row for row in rows if BOUND in row.scores]
    tight = provenance.importance_samples >= LEAST_BOUND_SAMPLES
    if with_bound and tight and provenance.dataset == "mnist":
        tables.append(_bounds_table(with_bound, ranked, provenance, trainings))
    return tables


def published_markdown(tables: Sequence[PublishedTable]) -> list[str]:
    """The leaderboard's section with published numbers, as Markdown lines; empty without tables."""
    lines = [f"## {HEADING}", ""] if tables else []
    for table in tables:
        heads = ["model", *table.heads]
        lines += [f"**{table.title}**", "", markdown_line(heads)]
        lines.append(markdown_line(["---", *["---:"] * len(table.heads)]))
        lines += [markdown_line([_cited(line), *line.cells]) for line in table.lines]
        lines += ["", *(f"- {remark}" for remark in table.remarks), ""]
    return lines


def _cited(line: PublishedLine) -> str:
    link = f" ([{line.source}](https://arxiv.org/abs/{line.source}))"
    return line.label + (link if line.source else "")


def _modes_table(
    rows: Sequence[Row], provenance: Provenance, trainings: Trainings
) -> PublishedTable:
    ours = [
        PublishedLine(
            _label(row),
            "",
            (
                _estimated(row.scores[MODES], 1),
                _estimated(row.scores[KL], 3),
                *_own(row, row.scores[MODES], trainings),
            ),
        )
        for row in rows
        if row.variant != "ceiling"
    ]
    n = provenance.n_generated
    theirs = "and the published modes in as many"
    if n != MODES_SAMPLES:
        theirs = f"and the published modes in {MODES_SAMPLES:,}"
    bias = (N_MODES - 1) / (2 * n)
    return PublishedTable(
        f"Modes of stacked digits, of {N_MODES:,}",
        (f"modes of {N_MODES:,} ↑", "KL from uniform, nats ↓", *_OWN_HEADS),
        (*_filled(_MODES_PUBLISHED), *ours),
        (
            "The scores of DCGAN, ALI, Unrolled GAN and VEEGAN are quoted from Srivastava et al., "
            "and the scores of PacDCGAN2 from Lin et al. Our scores are means over seeds ± half "
            "the width of the 95 % confidence interval (Student's t).",
            f"Our modes are counted in {n:,} samples, {theirs}. More samples show more modes.",
            "The classifier that recognises the digits differs. Our scores use this project's "
            f"judge (SHA-256 `{provenance.judge_sha256[:16]}…`).",
            "Networks, training steps and training sets differ. The table gives these numbers only "
            "for our models.",
            f"Even {n:,} draws from the uniform distribution have a KL above 0, on average about "
            f"({N_MODES:,} − 1) / (2{TIMES}{n:,}) = {fixed(bias, 3)}. Real digits are not "
            "uniform, either: the floor is the score of real images.",
        ),
    )


def _bounds_table(
    rows: Sequence[Row],
    records: Sequence[ScoreRecord],
    provenance: Provenance,
    trainings: Trainings,
) -> PublishedTable:
    ours = []
    for row in rows:
        score, latents = row.scores[BOUND], trainings(row.variant).latents
        negative = _negative(score)
        error = _error_over_images([record for record in records if record.variant == row.variant])
        cells = (_estimated(negative, 2), error, str(latents))
        ours.append(PublishedLine(_label(row), "", (*cells, *_own(row, score, trainings))))
    return PublishedTable(
        "Likelihood of black-and-white MNIST",
        (
            "−log p(x), upper bound, nats ↓",
            "standard error over images",
            "k in training",
            *_OWN_HEADS,
        ),
        (*_filled(_BOUNDS_PUBLISHED), *ours),
        (
            "The values of VAE and IWAE are quoted from Burda et al., for models with one "
            "stochastic layer. Our values are means over seeds with their 95 % confidence interval "
            "(Student's t). The standard error over images is the uncertainty "
            f"from having only {provenance.n_real:,} test images. All seeds use the same images, "
            "so more seeds do not reduce this error.",
            "The number of latents per image in the importance-weighted bounds is k = "
            f"{provenance.importance_samples:,} here and {BOUND_SAMPLES:,} in the paper. A larger "
            "k gives a tighter bound.",
            "Our test images were made black-and-white by one fixed random draw, which all "
            "variants share. The paper used another draw.",
            "Our variants train without the validation images, which are held out to choose "
            "parameters. "
            "The table gives the number of training images.",
            "Networks, optimizers and lengths of training differ from the paper.",
        ),
    )


def _filled(lines: Sequence[PublishedLine]) -> list[PublishedLine]:
    """The published lines, with empty cells in the columns of `_OWN_HEADS`."""
    empty = ("",) * len(_OWN_HEADS)
    return [PublishedLine(line.label, line.source, (*line.cells, *empty)) for line in lines]


def _own(row: Row, score: Estimate, trainings: Trainings) -> tuple[str, ...]:
    """The cells of the columns `_OWN_HEADS` for one row.

    The row of a baseline fills only the first column, with its number of draws.
    """
    if row.family == "reference":
        return str(score.n), "", "", ""
    steps = f"{row.steps:,}" if row.steps else ""
    parameters = fixed(row.scores["parameters"].mean, 0)
    return str(score.n), steps, f"{trainings(row.variant).images:,}", parameters


def _label(row: Row) -> str:
    return REFERENCES.get(row.variant, f"`{row.variant}`")


def _estimated(score: Estimate, decimals: int) -> str:
    low, high = score.low, score.high
    interval = "" if low == high else bracketed(low, high, lambda value: fixed(value, decimals))
    return f"{fixed(score.mean, decimals)} {interval}".rstrip()


def _negative(score: Estimate) -> Estimate:
    low, high = (None if end is None else -end for end in (score.high, score.low))
    return Estimate(-score.mean, low, high, tuple(-value for value in score.values))


def _error_over_images(records: Sequence[ScoreRecord]) -> str:
    """Root mean square of a variant's standard errors over images; "" if no error was measured.

    The value does not shrink with the number of seeds, because all seeds share the images.
    """
    errors = [record.noise[BOUND].standard_error for record in records if BOUND in record.noise]
    if not errors:
        return ""
    return fixed(math.sqrt(sum(error**2 for error in errors) / len(errors)), 2)
