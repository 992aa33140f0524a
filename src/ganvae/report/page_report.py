"""The facts from which the page is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ganvae.config import Promotion
from ganvae.report.findings import Findings
from ganvae.scores.matches import MatchRecord
from ganvae.scores.studies import StudyRecord


@dataclass(frozen=True, kw_only=True)
class Report(Findings):
    """A profile's findings, and the further facts that the page shows.

    Attributes:
        command: the command that reproduces the profile.
        in_project: whether the profile belongs to a user's project, not to the repository.
        finalists: the GAN and the VAE that answer the question, or None.
        sources: a mapping from variant to the origin of its system, in one line.
        results: the profile's folder of results, which holds the pictures.
        studies: the sweeps to show. Their folders are under ``root``.
        promoted: a mapping from variant to the sweep trial that its parameters come from.
        matches: the matches to show. Their folders are under ``root``.
        root: the folder that contains `results/sweeps/` and `results/matches/`.
    """

    command: str
    finalists: tuple[str, str] | None
    sources: Mapping[str, str]
    results: Path
    studies: Sequence[StudyRecord] = ()
    promoted: Mapping[str, Promotion] = field(default_factory=dict)
    matches: Sequence[MatchRecord] = ()
    root: Path = Path()
    in_project: bool = False
