"""Measure FID on the validation split.

Parameters and champions (the best GAN and VAE of a profile) are chosen by this FID. This module
never opens the test split.
"""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganvae.core.errors import UserError
from ganvae.core.files import sha256
from ganvae.core.images import to_uint8
from ganvae.core.records import Record
from ganvae.core.seeds import generator
from ganvae.core.tensors import read_tensors, save_tensors
from ganvae.data.store import read_split
from ganvae.judge.network import FrozenJudge
from ganvae.metrics.classes import class_counts, classes_present
from ganvae.metrics.fid import check_enough, fid
from ganvae.models.base import GenerativeModel


@dataclass(frozen=True)
class ValidationScore:
    """FID to the validation split, and the number of classes that are present among samples.

    A class is present if its share of the samples exceeds 1 / (10 * number of classes). For ten
    classes, this limit is 1 %. A model has collapsed if only one class is present.
    """

    fid_judge: float
    classes: int


@dataclass(frozen=True)
class Validation:
    """A judge, the judge's features of the validation images, N x d, and the split's checksum."""

    judge: FrozenJudge
    features: Tensor
    data_sha256: str

    def check_enough(self, n: int) -> None:
        """Check, before a training, that FID can be computed with ``n`` samples.

        Raises:
            UserError: there are too few samples or validation images for the judge's features.
        """
        real, d = self.features.shape
        check_enough(real, d, "real")
        check_enough(n, d, "generated")

    def score(
        self, model: GenerativeModel, *, n: int, seed: int, batch_size: int = 125
    ) -> ValidationScore:
        """Score ``n`` samples of a model that was trained from ``seed`` (`validation_samples`)."""
        return self.of_images(validation_samples(model, n, seed, batch_size), batch_size)

    def of_images(self, images: Tensor, batch_size: int = 125) -> ValidationScore:
        """Score uint8 images, N x C x H x W."""
        features, logits = self.judge(images, batch_size)
        return ValidationScore(
            fid_judge=fid(real=self.features, generated=features),
            classes=classes_present(class_counts(logits)),
        )


def validation_samples(model: GenerativeModel, n: int, seed: int, batch_size: int = 125) -> Tensor:
    """Draw ``n`` uint8 images from a model that was trained from ``seed``.

    The latents differ from the latents of the samples that are scored on the test split.

    Raises:
        NotFiniteError: the samples contain NaN, because a weight of the model is NaN.
    """
    latents = model.sample_latents(n, generator(seed, "validation samples"))
    return to_uint8(model.decode(latents, batch_size), "generated images")


def write_validation(path: Path, split_path: Path, judge: FrozenJudge) -> None:
    """Compute the judge's features of the validation split, and write the features atomically."""
    features, _ = judge(read_split(split_path).images)
    metadata = {"data_sha256": sha256(split_path), "judge_sha256": judge.sha256}
    save_tensors(path, {"features": features}, metadata)


class ValidationFeaturesRecord(Record):
    """The metadata of a file that `write_validation` wrote."""

    data_sha256: str
    judge_sha256: str


def read_validation(path: Path, judge: FrozenJudge) -> Validation:
    """Read a file that `write_validation` wrote, and check that ``judge`` computed the features.

    Raises:
        DataError: the file is missing or damaged.
        UserError: the file was written with another judge.
    """
    tensors, record = read_tensors(path, ("features",), ValidationFeaturesRecord)
    if record.judge_sha256 != judge.sha256:
        raise UserError(
            f"{path} was made with another judge (checksum {record.judge_sha256[:12]}) than "
            f"the current judge (checksum {judge.sha256[:12]}). Run `ganvae repro`, which runs the "
            "reference stage again."
        )
    return Validation(judge, tensors["features"], record.data_sha256)
