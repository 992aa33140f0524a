"""The table of the log-likelihoods that GANs and VAEs share, beside numbers from a paper."""

import math
from collections.abc import Iterator, Sequence

from ganvae.config import Params
from ganvae.report.numbers import fixed, listed
from ganvae.report.published.tables import PublishedLine, PublishedTable
from ganvae.report.scores import bracketed
from ganvae.scores.annealed import LikelihoodRecord, collect_annealed
from ganvae.scores.intervals import estimate

PAPER = "1611.04273"
DATASET = "mnist"
"""The data set of the published log-likelihoods."""

_HEADS = (
    "log p(x), nats ↑",
    "95 % interval over seeds",
    "gap of the bounds",
    "prior",
    "variance",
    "distributions",
    "seeds",
)
_PUBLISHED = tuple(  # table 2 of the paper
    PublishedLine(label, PAPER, (value, "", gap, "", "", "10,000", ""))
    for label, value, gap in (
        ("VAE-50", "991.4 ± 6.5", "1.540"),
        ("GAN-50", "627.3 ± 8.8", "10.045"),
        ("VAE-10", "705.4 ± 7.4", "0.832"),
        ("GAN-10", "328.8 ± 5.5", "0.934"),
    )
)
_ABOUT_PUBLISHED = (
    "The values of VAE and GAN are quoted from Wu et al. for models with 50 or 10 latents. The "
    "paper used 1,000 test images, 16 chains per image and 10,000 distributions. More "
    "distributions give higher estimates.",
    "Networks and training differ from the paper. So do the test images and their number.",
)


def annealed_of(params: Params) -> list[PublishedTable]:
    """Build the table of `annealed_table` for a profile. Without records, the list is empty."""
    records = collect_annealed(params)
    return [annealed_table(records)] if records else []


def annealed_table(records: Sequence[LikelihoodRecord]) -> PublishedTable:
    """Build the table of log-likelihoods: one line per variant, after the lines of the paper.

    The paper's lines and the remarks on the paper are left out on other data sets.

    Args:
        records: at least one record. All records are of one data set.
    """
    by_variant: dict[str, list[LikelihoodRecord]] = {}
    for record in records:
        by_variant.setdefault(record.variant, []).append(record)
    own = [_line(variant, found) for variant, found in by_variant.items()]
    dataset = records[0].dataset
    compared = dataset == DATASET
    return PublishedTable(
        f"Log-likelihood of continuous {'MNIST' if compared else dataset} by annealed importance "
        "sampling",
        _HEADS,
        (*_PUBLISHED, *own) if compared else tuple(own),
        (
            *_about(records),
            *(_ABOUT_PUBLISHED if compared else ()),
            *_at_an_end(by_variant),
            *_reasons(by_variant),
        ),
    )


def _line(variant: str, records: Sequence[LikelihoodRecord]) -> PublishedLine:
    """The line of a variant. Without any estimate, the cells of the numbers are empty."""
    means = _values(records, "mean")
    cells = [""] * len(_HEADS)
    cells[_HEADS.index("prior")] = _distinct(records, "prior")
    if means:
        over_seeds = estimate(means)
        interval = bracketed(over_seeds.low, over_seeds.high, lambda value: fixed(value, 1))
        # All seeds share the test images, so more seeds do not make this error smaller.
        error = _root_mean_square(_values(records, "standard_error"))
        # Each seed has its own simulated images.
        gaps = _values(records, "gap")
        gap_error = _root_mean_square(_values(records, "gap_standard_error")) / math.sqrt(len(gaps))
        cells = [
            f"{fixed(over_seeds.mean, 1)} ± {fixed(error, 1)}",
            interval,
            f"{fixed(sum(gaps) / len(gaps), 1)} ± {fixed(gap_error, 1)}",
            _distinct(records, "prior"),
            _distinct(records, "variance"),
            _distinct(records, "distributions"),
            str(len(means)),
        ]
    return PublishedLine(f"`{variant}`", "", tuple(cells))


def _about(records: Sequence[LikelihoodRecord]) -> Iterator[str]:
    """Yield remarks on our numbers. There are none if no record has numbers."""
    if not _values(records, "mean"):
        return
    yield (
        f"Our values are means over seeds and over {_distinct(records, 'images')} test images, "
        "which were chosen at random. The number after ± is the standard error over these images. "
        "All seeds use the same images, so more seeds do not reduce this error. The interval over "
        "seeds is a 95 % confidence interval (Student's t)."
    )
    yield (
        "A density exists only with noise. So p(x|z) is a Gaussian around the decoded image, with "
        "one variance for all pixels. For each training run, the variance was chosen on validation "
        "images. Noise from U(0, 1/256) was added to the pixels of the test images, as in the "
        "published code."
    )
    yield (
        "Each estimate is a lower bound in expectation, from "
        f"{_distinct(records, 'chains')} chains per image. The gap is an upper bound minus the "
        f"lower bound, on {_distinct(records, 'simulated')} images that the model has drawn. It "
        "shows how much too low the estimates are on such images. On real images, the error may "
        "be larger."
    )


def _at_an_end(by_variant: dict[str, list[LikelihoodRecord]]) -> Iterator[str]:
    """Yield a remark on each variant whose variance is the smallest or the largest candidate."""
    for variant, records in by_variant.items():
        for name, end in (("smallest", min), ("largest", max)):
            if any(r.candidates and r.variance == end(r.candidates)[0] for r in records):
                yield (
                    f"The variance of `{variant}` is the {name} candidate. So another variance may "
                    "give a higher value."
                )


def _reasons(by_variant: dict[str, list[LikelihoodRecord]]) -> Iterator[str]:
    """Yield a remark on each empty cell and on each seed without numbers."""
    for variant, records in by_variant.items():
        seeds: dict[str, list[str]] = {}
        for record in records:
            if record.reason:
                seeds.setdefault(record.reason, []).append(str(record.seed))
        for reason, without in seeds.items():
            plural = "s" if len(without) > 1 else ""
            yield f"`{variant}`, seed{plural} {listed(without)}: no value, because {reason}."


def _values(records: Sequence[LikelihoodRecord], field: str) -> list[float]:
    """The values of a field, for the records that have one."""
    return [value for record in records if (value := getattr(record, field)) is not None]


def _distinct(records: Sequence[LikelihoodRecord], field: str) -> str:
    """The different values of a field as text, such as ``0.01, 0.02``."""
    values = sorted({getattr(record, field) for record in records} - {None})
    return ", ".join(v if isinstance(v, str) else f"{v:,}" for v in values)


def _root_mean_square(values: Sequence[float]) -> float:
    return math.sqrt(sum(value**2 for value in values) / len(values))
