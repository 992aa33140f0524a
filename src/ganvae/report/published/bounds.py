"""The table of the bounds on the likelihood of binarised MNIST, beside published bounds."""

import math
from collections.abc import Sequence

from ganvae.report.numbers import fixed
from ganvae.report.published.own import OWN_HEADS, Trainings, estimated, filled, label, own
from ganvae.report.published.tables import PublishedLine, PublishedTable
from ganvae.scores.comparison import Row
from ganvae.scores.intervals import Estimate
from ganvae.scores.records import Provenance, ScoreRecord

BOUND = "importance_bound_binarised"
BOUND_SAMPLES = 5000
"""The k (number of latents per image) of the published importance-weighted bounds."""
LEAST_BOUND_SAMPLES = 1000
"""The smallest k whose bound is tight enough to stand beside the published bounds."""
_PUBLISHED = (  # one stochastic layer of 50 latents
    PublishedLine("VAE", "1509.00519", ("86.76", "", "1")),
    PublishedLine("IWAE", "1509.00519", ("85.54", "", "5")),
    PublishedLine("IWAE", "1509.00519", ("84.78", "", "50")),
    PublishedLine("VAE", "yoonholee/pytorch-vae", ("87.01", "", "1")),
    PublishedLine("IWAE", "yoonholee/pytorch-vae", ("85.18", "", "5")),
    PublishedLine("IWAE", "yoonholee/pytorch-vae", ("84.37", "", "64")),
    PublishedLine("VAE", "nbip/IWAE", ("87.49", "", "1")),
    PublishedLine("IWAE", "nbip/IWAE", ("85.49", "", "5")),
    PublishedLine("IWAE", "nbip/IWAE", ("84.73", "", "50")),
    PublishedLine("VAE with KL warm-up", "nbip/IWAE", ("86.32", "", "1")),
    PublishedLine("IWAE with KL warm-up", "nbip/IWAE", ("85.42", "", "5")),
    PublishedLine("IWAE with KL warm-up", "nbip/IWAE", ("84.69", "", "50")),
    PublishedLine("VAE with the output bias from pixel means", "nbip/IWAE", ("86.31", "", "1")),
)


def bounds_table(
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
        cells = (estimated(negative, 2), error, str(latents))
        ours.append(PublishedLine(label(row), "", (*cells, *own(row, score, trainings))))
    return PublishedTable(
        "Likelihood of black-and-white MNIST",
        (
            "−log p(x), upper bound, nats ↓",
            "standard error over images",
            "k in training",
            *OWN_HEADS,
        ),
        (*filled(_PUBLISHED), *ours),
        (
            "The first three values are quoted from Burda et al., for models with one stochastic "
            "layer. The next ten are those of two repositories with the same models. Our values "
            "are means over seeds with their 95 % confidence interval "
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
