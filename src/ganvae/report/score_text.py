"""One score record as plain text for a terminal."""

from collections.abc import Iterator

from ganvae.scores.catalogue import better
from ganvae.scores.records import ScoreRecord

HEADER = ("score", "value", "95 % interval", "better")
INTERVAL = (
    "interval: of what the score would be on average over draws of so many samples of this one "
    "training; other trainings differ by more"
)


def score_text(record: ScoreRecord) -> str:
    """What was scored against what, every score that it has, and why it may not be ranked."""
    provenance = record.provenance
    return "\n".join(
        [
            f"{record.variant} ({record.family}), seed {record.seed}: "
            f"{provenance.n_generated:,} samples against {provenance.n_real:,} "
            f"{provenance.split} images of {provenance.dataset}",
            f"judge {provenance.judge_sha256[:12]}, protocol {provenance.protocol_version}",
            "",
            *_table(record),
            "",
            *([INTERVAL] if record.noise else []),
            *([f"{record.status}: {record.reason}"] if record.reason else []),
            *(f"flag: {flag}" for flag in record.flags),
        ]
    ).rstrip()


def _table(record: ScoreRecord) -> Iterator[str]:
    lines = [HEADER, *_lines(record)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for name, value, interval, way in lines:
        cells = (name.ljust(widths[0]), value.rjust(widths[1]), interval.ljust(widths[2]), way)
        yield "  ".join(cells).rstrip()


def _lines(record: ScoreRecord) -> Iterator[tuple[str, str, str, str]]:
    for name, value in record.scores.items():
        if value is not None:
            noise = record.noise.get(name)
            interval = f"{noise.low:.4g} to {noise.high:.4g}" if noise else ""
            yield name, f"{value:.4g}", interval, better(name) or ""
