"""Scores of this project beside numbers from papers, and what keeps the two apart."""

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
from ganvae.report.scores import REFERENCES, TIMES
from ganvae.scores.comparison import Row
from ganvae.scores.records import Provenance, ScoreRecord
from ganvae.scores.statistics import Estimate

HEADING = "Beside published numbers"

MODES, KL, BOUND = "modes_judge", "mode_kl_judge", "importance_bound_binarised"
N_MODES = 1000
MODES_SAMPLES = 26_000
"""How many samples the published counts of modes are of."""
BOUND_SAMPLES = 5000
"""The k of the bounds that are published."""
LEAST_BOUND_SAMPLES = 1000
"""A bound of a smaller k is too loose to stand beside those."""


class Training(NamedTuple):
    """How a model was trained.

    ``images``: the size of the training set; ``latents``: how many a VAE drew for each image of a
    step, which is one but for an importance-weighted bound.
    """

    images: int
    latents: int


Trainings = Callable[[str], Training]
"""Of a model, by name; asked for those alone that a table shows."""


@dataclass(frozen=True)
class PublishedLine:
    """A model; ``source`` is the paper's arXiv number, empty for a model of this project."""

    label: str
    source: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class PublishedTable:
    """``heads`` are those of the cells; ``remarks`` what differs, sentences with `backticks`."""

    title: str
    heads: tuple[str, ...]
    lines: tuple[PublishedLine, ...]
    remarks: tuple[str, ...]


_OWN_HEADS = ("seeds", "steps", "training images", "parameters")
_MODES_PUBLISHED = (  # as 1705.07761 has them, but for the last
    PublishedLine("DCGAN", "1705.07761", ("99.0", "3.40")),
    PublishedLine("ALI", "1705.07761", ("16.0", "5.40")),
    PublishedLine("Unrolled GAN", "1705.07761", ("48.7", "4.32")),
    PublishedLine("VEEGAN", "1705.07761", ("150.0", "2.95")),
    PublishedLine("PacDCGAN2", "1712.04086", ("1,000.0", "0.06")),
)
_BOUNDS_PUBLISHED = (  # its table 1, one stochastic layer
    PublishedLine("VAE", "1509.00519", ("86.76", "", "1")),
    PublishedLine("IWAE", "1509.00519", ("85.54", "", "5")),
    PublishedLine("IWAE", "1509.00519", ("84.78", "", "50")),
)


def published_of(
    params: Params, rows: Sequence[Row], records: Sequence[ScoreRecord]
) -> list[PublishedTable]:
    """`published_tables` of a profile."""
    return published_tables(rows, records, partial(_training_of, params))


def _training_of(params: Params, model: str) -> Training:
    """What the outcome of a model's first run says; all its runs are trained alike."""
    key = next(key for key, run in params.runs.items() if run.variant == model)
    outcome = read_json(ProfilePaths(params.profile).run(key).outcome)
    return Training(outcome["train_images"], outcome["config"].get("importance_samples", 1))


def published_tables(
    rows: Sequence[Row], records: Sequence[ScoreRecord], trainings: Trainings
) -> list[PublishedTable]:
    """The tables that the scores allow: none for most profiles.

    Args:
        rows: of a leaderboard, and so measured alike.
        records: what they are made from; flagged ones do not count.
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
    """The section's lines; none without a table."""
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
    as_there = "as many as" if n == MODES_SAMPLES else f"and not the {MODES_SAMPLES:,} of"
    bias = (N_MODES - 1) / (2 * n)
    return PublishedTable(
        f"Modes of stacked digits, of {N_MODES:,}",
        (f"modes of {N_MODES:,} ↑", "KL from uniform, nats ↓", *_OWN_HEADS),
        (*_filled(_MODES_PUBLISHED), *ours),
        (
            "DCGAN, ALI, Unrolled GAN and VEEGAN as Srivastava et al. report them, PacDCGAN2 as "
            "Lin et al. do. Ours: means over seeds ± half of the 95 % Student t interval.",
            f"Ours are counted in {n:,} samples, {as_there} the published ones: of more samples "
            "more modes are found.",
            "Another classifier says which digits a sample shows: here this project's judge, "
            f"SHA-256 `{provenance.judge_sha256[:16]}…`.",
            "Networks, training steps and training sets differ; those of ours are in the table.",
            f"The KL of {n:,} draws from the uniform distribution is not 0 but, on average, about "
            f"({N_MODES:,} − 1) / (2{TIMES}{n:,}) = {fixed(bias, 3)}; and real digits are not "
            "uniform: the floor is what real images score.",
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
        negative = Estimate(-score.mean, score.margin, score.n)
        error = _error_over_images([record for record in records if record.variant == row.variant])
        cells = (_estimated(negative, 2), error, str(latents))
        ours.append(PublishedLine(_label(row), "", (*cells, *_own(row, score, trainings))))
    return PublishedTable(
        "Likelihood of black and white MNIST",
        (
            "−log p(x), nats, at most ↓",
            "standard error over images",
            "k in training",
            *_OWN_HEADS,
        ),
        (*_filled(_BOUNDS_PUBLISHED), *ours),
        (
            "Burda et al. with one stochastic layer. Ours: means over seeds ± half of the 95 % "
            f"Student t interval; the standard error is that of a mean over the "
            f"{provenance.n_real:,} test images, which are the same for every seed.",
            f"Importance-weighted bounds of k = {provenance.importance_samples:,} here and "
            f"{BOUND_SAMPLES:,} there; a larger k gives a tighter one.",
            "Our test images are made black and white by one fixed draw, the same for every model; "
            "it is not the published one.",
            "Ours are trained on the images that validation leaves, as many as the table says: "
            "validation is kept for choosing.",
            "Networks, optimizer and length of training differ.",
        ),
    )


def _filled(lines: Sequence[PublishedLine]) -> list[PublishedLine]:
    """With nothing in the columns that are known of our models alone."""
    empty = ("",) * len(_OWN_HEADS)
    return [PublishedLine(line.label, line.source, (*line.cells, *empty)) for line in lines]


def _own(row: Row, score: Estimate, trainings: Trainings) -> tuple[str, ...]:
    """The cells below `_OWN_HEADS`; a baseline has its number of draws alone."""
    if row.family == "reference":
        return str(score.n), "", "", ""
    steps = f"{row.steps:,}" if row.steps else ""
    parameters = fixed(row.scores["parameters"].mean, 0)
    return str(score.n), steps, f"{trainings(row.variant).images:,}", parameters


def _label(row: Row) -> str:
    return REFERENCES.get(row.variant, f"`{row.variant}`")


def _estimated(score: Estimate, decimals: int) -> str:
    margin = f" ± {fixed(score.margin, decimals)}" if score.margin else ""
    return fixed(score.mean, decimals) + margin


def _error_over_images(records: Sequence[ScoreRecord]) -> str:
    """Root mean square of a model's standard errors, empty where none was measured.

    It does not shrink with the number of seeds: their images are the same.
    """
    errors = [record.noise[BOUND].standard_error for record in records if BOUND in record.noise]
    if not errors:
        return ""
    return fixed(math.sqrt(sum(error**2 for error in errors) / len(errors)), 2)
