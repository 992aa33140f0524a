"""What pages show of each model: one of its runs, and which of its pictures."""

from dataclasses import dataclass

from ganvae.config import Params
from ganvae.core.paths import ProfilePaths
from ganvae.scores.records import ScoreRecord, read_record, shown_run

STRIP = "progress"
"""Shown of models whose schedule has marks alone; of others the film says the same."""


@dataclass(frozen=True)
class Kind:
    """A picture of a run: its file, its place, and what to say of it.

    ``place``: "lead" stands in the open, "more" behind a click.
    """

    stem: str
    place: str
    title: str
    caption: str

    @property
    def file(self) -> str:
        return f"{self.stem}.webp"


SAMPLES = Kind("samples", "lead", "Samples", "A hundred samples, unselected.")
FILM = Kind(
    "training",
    "lead",
    "Training film",
    "Samples of the same latents from the first step to the last.",
)
KINDS = (
    SAMPLES,
    FILM,
    Kind("losses", "more", "Losses", "By training step, means between reports."),
    Kind(
        STRIP,
        "more",
        "Progress",
        "Samples of the same latents at several steps.",
    ),
    Kind(
        "interpolations",
        "more",
        "Interpolations",
        "Straight ways between two latents, a pair a row.",
    ),
    Kind(
        "reconstructions",
        "more",
        "Reconstructions",
        "Held-out images above what the model makes of them.",
    ),
    Kind(
        "inversions",
        "more",
        "Inverted reconstructions",
        "Held-out images above the nearest that a search of the latents found.",
    ),
    Kind(
        "nearest_neighbours",
        "more",
        "Nearest training images",
        "Samples above the training images nearest to them, by pixels and by the judge's features.",
    ),
    Kind("manifold", "more", "Manifold", "What each point of the latent plane decodes to."),
    Kind(
        "latent_scatter",
        "more",
        "Latent space",
        "Where the encoder puts held-out images, by class; of more than ten classes, those of the "
        "ten with most images are told apart.",
    ),
)


def shown_runs(params: Params) -> dict[str, ScoreRecord]:
    """By model, the run that is shown of it."""
    paths = ProfilePaths(params.profile)
    records = [read_record(paths.run(key).scores) for key in params.runs]
    models = dict.fromkeys(record.variant for record in records)
    return {model: shown_run([r for r in records if r.variant == model]) for model in models}
