"""A comparison as plain text for a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from ganvae.report.numbers import p_value
from ganvae.report.scores import cell, failures, geometric_means, measured, title
from ganvae.report.verdicts import probability, shortages, spread, verdict
from ganvae.scores.catalogue import HEADLINE, SCORES
from ganvae.scores.comparison import Comparison, Row
from ganvae.scores.records import ScoreRecord
from ganvae.scores.statistics import Difference

SHOWN = [name for name in HEADLINE if SCORES[name].group in ("samples", "modes")]


def comparison_text(comparison: Comparison, remarks: Sequence[str]) -> str:
    """Format a comparison: leaderboard, differences, unranked records and ``remarks``."""
    return "\n".join(
        [
            *_leaderboard(comparison.rows),
            *_differences("FID of every pair, the better variant first", comparison.pairs),
            *_differences("The finalists (each value is one seed's score)", comparison.finalists),
            *(f"\nnot ranked: {_flagged(record)}" for record in comparison.unranked),
            *(f"\nnote: {remark}." for remark in remarks),
        ]
    )


def _leaderboard(rows: Sequence[Row]) -> Iterator[str]:
    shown = measured(rows, SHOWN)
    cells = [["variant", "family", *map(title, shown), "seeds"]]
    cells += [
        [row.variant, row.family, *(_mean(row, name) for name in shown), _seeds(row)]
        for row in rows
    ]
    yield from _aligned(cells)
    yield "means over seeds [95 % CI, Student's t]; lower FID is better"
    yield from filter(None, [geometric_means(rows)])


def _mean(row: Row, name: str) -> str:
    return " ".join(cell(row, name, none="-")).rstrip()


def _seeds(row: Row) -> str:
    """The number of a variant's training runs; failures follow in parentheses."""
    return f"{row.seeds} ({failed})" if (failed := failures(row)) else str(row.seeds)


def _differences(about: str, differences: Sequence[Difference]) -> Iterator[str]:
    if not differences:
        return
    yield f"\n{about}:"
    yield from _aligned([_cells(difference) for difference in differences])
    yield (
        "columns: first against second, score, ratio (of FID and other scores on a log scale) or "
        "difference, 95 % CI (Welch), probability that a run of the first is better, 95 % CI, p of "
        "an exact rank test (Holm, except for the finalists' FID), verdict"
    )
    yield from shortages(differences)


def _cells(difference: Difference) -> list[str]:
    effect, bounds = spread(difference)
    better, ends = probability(difference)
    return [
        f"{difference.first} : {difference.second}",
        title(difference.score),
        effect or "-",
        bounds or "no CI",
        better,
        ends or "no CI",
        p_value(difference.p) or "-",
        verdict(difference),
    ]


def _flagged(record: ScoreRecord) -> str:
    return f"{record.variant}, seed {record.seed}: {'; '.join(record.flags)}"


def _aligned(lines: Sequence[Sequence[str]]) -> Iterable[str]:
    """Format lines of cells as text whose columns are aligned, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(padded).rstrip()
