"""A score record as plain text for a terminal."""

from collections.abc import Iterator

from ganvae.scores.catalogue import better
from ganvae.scores.records import Provenance, ScoreRecord

HEADER = ("score", "value", "95 % CI", "better")
INTERVAL = (
    "95 % CI: the confidence interval of the score. It covers only the noise between draws of this "
    "many samples from one training run. Scores of different training runs differ by more."
)


def score_text(record: ScoreRecord) -> str:
    """Format a score record: its samples and real images, every score, flags and remarks.

    A flag is a reason why the record cannot be ranked.
    """
    provenance = record.provenance
    return "\n".join(
        [
            f"{record.variant} ({record.family}), seed {record.seed}: "
            f"{provenance.n_generated:,} samples against {provenance.n_real:,} "
            f"{provenance.split} images of {provenance.dataset}",
            f"judge {provenance.judge_sha256[:12]}, {_second(provenance)}"
            f"protocol {provenance.protocol_version}",
            "",
            *_table(record),
            "",
            *([INTERVAL] if record.noise else []),
            *([f"{record.status}: {record.reason}"] if record.reason else []),
            *(f"flag: {flag}" for flag in record.flags),
            *(f"remark: {remark}" for remark in record.remarks),
        ]
    ).rstrip()


def _second(provenance: Provenance) -> str:
    digest = provenance.unlabelled_judge_sha256
    return f"second judge {digest[:12]}, " if digest else ""


def _table(record: ScoreRecord) -> Iterator[str]:
    lines = [HEADER, *_lines(record)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for name, value, interval, direction in lines:
        padded = (name.ljust(widths[0]), value.rjust(widths[1]), interval.ljust(widths[2]))
        cells = (*padded, direction)
        yield "  ".join(cells).rstrip()


def _lines(record: ScoreRecord) -> Iterator[tuple[str, str, str, str]]:
    for name, value in record.scores.items():
        if value is not None:
            noise = record.noise.get(name)
            interval = f"{noise.low:.4g} to {noise.high:.4g}" if noise else ""
            yield name, f"{value:.4g}", interval, better(name) or ""
