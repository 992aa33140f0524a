"""The training images and their features. Evaluation looks for copies of these images."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganvae.core.errors import UserError
from ganvae.core.records import Record
from ganvae.core.tensors import read_tensors, save_tensors
from ganvae.data.store import read_split
from ganvae.judge.network import FrozenJudge


@dataclass(frozen=True)
class TrainingSet:
    """Training images, uint8, N x C x H x W, and the judge's features of these images, N x d."""

    images: Tensor
    features: Tensor


class FeaturesRecord(Record):
    """The metadata of a file of features."""

    judge_sha256: str


def make_training_set(split_path: Path, judge: FrozenJudge) -> TrainingSet:
    """Read the training split, and compute the judge's features of its images."""
    images = read_split(split_path).images
    return TrainingSet(images, judge(images)[0])


def write_features(path: Path, train: TrainingSet, judge: FrozenJudge) -> None:
    """Write the features and the judge's checksum atomically. The images are not written."""
    save_tensors(path, {"features": train.features}, {"judge_sha256": judge.sha256})


def read_training_set(split_path: Path, features_path: Path, judge: FrozenJudge) -> TrainingSet:
    """Read the training split, and the features that ``judge`` computed from its images.

    Raises:
        UserError: another judge computed the features.
    """
    tensors, record = read_tensors(features_path, ("features",), FeaturesRecord)
    if record.judge_sha256 != judge.sha256:
        raise UserError(
            f"{features_path} was made with another judge (checksum {record.judge_sha256[:12]}) "
            f"than the current judge (checksum {judge.sha256[:12]}). Run `ganvae repro`, which "
            "runs the reference stage again."
        )
    return TrainingSet(read_split(split_path).images, tensors["features"])
