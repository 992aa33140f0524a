"""What the page is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ganvae.config import Promotion
from ganvae.report.findings import Findings
from ganvae.scores.studies import StudyRecord


@dataclass(frozen=True, kw_only=True)
class Report(Findings):
    """A profile's findings, and what the page shows beside them.

    Attributes:
        command: reproduces the profile.
        finalists: the GAN and the VAE that answer the question, if they are named.
        sources: by model, where its system comes from, in one line.
        results: the profile's folder, for the pictures.
        studies: the sweeps to show; their folders are under ``root``.
        promoted: by variant, the trial that its parameters come from.
    """

    command: str
    finalists: tuple[str, str] | None
    sources: Mapping[str, str]
    results: Path
    studies: Sequence[StudyRecord] = ()
    promoted: Mapping[str, Promotion] = field(default_factory=dict)
    root: Path = Path()
