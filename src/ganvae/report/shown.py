"""The shown run of each variant (the training run whose pictures pages show), and its pictures."""

from dataclasses import dataclass

from ganvae.config import Params
from ganvae.core.paths import ProfilePaths
from ganvae.scores.records import ScoreRecord, read_record, shown_run

INDEX = "index.json"
"""A file beside published weights or pictures. It says which run the files of a variant are of."""
STRIP = "progress"
"""The file name, without its ending, of a picture with samples at the schedule's marked steps.

Pages show this picture only for variants whose schedule marks steps. Other variants have a film of
training, which is enough.
"""


@dataclass(frozen=True)
class Kind:
    """A kind of picture of a training run: file, place on the page, title and caption.

    Attributes:
        stem: the file's name without its ending.
        place: "lead" for pictures that are always visible, "more" for pictures behind a click.
        suffix: the file's ending. It names the format that needs the fewest bytes for such
            pictures.
    """

    stem: str
    place: str
    title: str
    caption: str
    suffix: str = ".webp"

    @property
    def file(self) -> str:
        return f"{self.stem}{self.suffix}"


SAMPLES = Kind("samples", "lead", "Samples", "A hundred uncurated samples.")
FILM = Kind(
    "training",
    "lead",
    "Training film",
    "Samples from the same latents, from the first training step to the last.",
    ".avif",
)
KINDS = (
    SAMPLES,
    FILM,
    Kind(
        "losses",
        "more",
        "Losses",
        "Losses by training step. Each point is the mean since the previous point.",
    ),
    Kind(
        STRIP,
        "more",
        "Progress",
        "Samples from the same latents at several training steps.",
    ),
    Kind(
        "first_and_last_epoch",
        "more",
        "First and last epoch",
        "Samples from the same latents after the first epoch and at the end of training.",
        ".avif",
    ),
    Kind(
        "interpolations",
        "more",
        "Interpolations",
        "Samples along the straight line between two latents. Each row has its own pair.",
    ),
    Kind(
        "reconstructions",
        "more",
        "Reconstructions",
        "Each held-out image is above its reconstruction by the model.",
    ),
    Kind(
        "class_means",
        "more",
        "Class means",
        "The mean held-out image of each class is above its reconstruction by the model.",
    ),
    Kind(
        "inversions",
        "more",
        "Inverted reconstructions",
        "Each held-out image is above the closest sample that a search in latent space found.",
    ),
    Kind(
        "nearest_neighbours",
        "more",
        "Nearest training images",
        "Each sample is above its nearest training images, by pixels and by the judge's features.",
    ),
    Kind("manifold", "more", "Manifold", "Samples whose two latent numbers lie on a grid."),
    Kind(
        "latent_scatter",
        "more",
        "Latent space",
        "Held-out images in latent space, as the encoder places them, coloured by class. With more "
        "than ten classes, only the ten largest have a colour.",
    ),
)


def shown_runs(params: Params) -> dict[str, ScoreRecord]:
    """A mapping from variant to the score record of its shown run."""
    paths = ProfilePaths(params.profile)
    records = [read_record(paths.run(key).scores) for key in params.runs]
    variants = dict.fromkeys(record.variant for record in records)
    return {name: shown_run([r for r in records if r.variant == name]) for name in variants}


def origin(record: ScoreRecord) -> dict[str, int | str | None]:
    """The entry of a run in an index of published files: its seed, and its weights' checksum."""
    return {"seed": record.seed, "weights_sha256": record.provenance.weights_sha256}
