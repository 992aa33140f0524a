"""FID on the validation split: what parameters and champions are chosen by. Never opens test."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganvae.core.errors import UserError
from ganvae.core.files import sha256
from ganvae.core.images import to_uint8
from ganvae.core.seeds import generator
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.data.store import read_split
from ganvae.judge.network import FrozenJudge
from ganvae.metrics.classes import class_counts, classes_present
from ganvae.metrics.fid import fid
from ganvae.models.base import GenerativeModel


@dataclass(frozen=True)
class ValidationScore:
    """``classes``: how many have more than a tenth of an even share; one is a collapse."""

    fid_judge: float
    classes: int


@dataclass(frozen=True)
class Validation:
    """The judge and its features of the validation images, N x d."""

    judge: FrozenJudge
    features: Tensor
    data_sha256: str

    def score(
        self, model: GenerativeModel, *, n: int, seed: int, batch_size: int = 125
    ) -> ValidationScore:
        """Score ``n`` samples of a model that was trained from ``seed``.

        They are not those that the test score is of: they have latents of their own.

        Raises:
            ImageError: the model draws NaN, since a weight of it is.
        """
        latents = model.sample_prior(n, generator(seed, "validation samples"))
        images = to_uint8(model.decode(latents, batch_size), "generated images")
        features, logits = self.judge(images, batch_size)
        return ValidationScore(
            fid_judge=fid(real=self.features, generated=features),
            classes=classes_present(class_counts(logits)),
        )


def write_validation(path: Path, split_path: Path, judge: FrozenJudge) -> None:
    """Embed the prepared validation split with the judge and write the features, atomically."""
    features, _ = judge(read_split(split_path).images)
    metadata = {"data_sha256": sha256(split_path), "judge_sha256": judge.sha256}
    save_tensors(path, {"features": features}, metadata)


def read_validation(path: Path, judge: FrozenJudge) -> Validation:
    """Read what `write_validation` wrote with the same judge.

    Raises:
        DataError: missing or damaged.
        UserError: it was written with another judge.
    """
    tensors, metadata = load_tensors(path)
    if metadata["judge_sha256"] != judge.sha256:
        raise UserError(
            f"{path} was made with another judge: run the reference stage again (`dvc repro`)."
        )
    return Validation(judge, tensors["features"], metadata["data_sha256"])
