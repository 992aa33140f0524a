"""The reference of a profile: the judge's features of the real images of a split, computed once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvae.config import EvaluationConfig
from ganvae.core.errors import UserError
from ganvae.core.files import sha256
from ganvae.core.records import Record
from ganvae.core.tensors import read_tensors, save_tensors
from ganvae.data.store import read_split
from ganvae.evaluation.divergence import baseline_of
from ganvae.evaluation.inception import Inception
from ganvae.evaluation.training_set import TrainingSet
from ganvae.judge.network import FrozenJudge
from ganvae.judge.unlabelled import UnlabelledJudge
from ganvae.metrics.distances import nearest, pixels


@dataclass(frozen=True)
class Reference:
    """Features of a split's real images, and checksums of the files that determine the features.

    Attributes:
        features: the judge's features of all images of the split, N x d.
        to_train_judge: the distance of each image to its nearest training image, measured in the
            judge's features, N. Empty for the training split.
        to_train_pixels: the distance of each image to its nearest training image, measured in
            pixels, N. Empty for the training split.
        inception: the Inception features of the images, N x d. Empty without an Inception network.
        unlabelled: the second judge's features of the images, N x d. Empty without a second judge.
        data_sha256: the checksum of the split's file.
        fld_baseline: the negative log-likelihood that FLD is compared with, in nats per feature.
            None for the training split.
    """

    features: Tensor
    to_train_judge: Tensor
    to_train_pixels: Tensor
    inception: Tensor
    unlabelled: Tensor
    dataset: str
    split: str
    judge_sha256: str
    data_sha256: str
    inception_sha256: str | None = None
    unlabelled_sha256: str | None = None
    fld_baseline: float | None = None


TENSORS = ("features", "to_train_judge", "to_train_pixels", "inception", "unlabelled")


def make_reference(
    split_path: Path,
    train: TrainingSet,
    judge: FrozenJudge,
    config: EvaluationConfig,
    *,
    inception: Inception | None = None,
    unlabelled: UnlabelledJudge | None = None,
) -> Reference:
    """Compute the features of a split, and the distances of its images to training images.

    Args:
        config: the settings of the scores, which determine the baseline of FLD.
        inception, unlabelled: further networks, whose features the reference then has too.
    """
    split = read_split(split_path)
    features = judge(split.images)[0]
    held_out = slice(0, 0) if split.split == "train" else slice(None)
    return Reference(
        features=features,
        to_train_judge=nearest(features[held_out], train.features)[1],
        to_train_pixels=nearest(pixels(split.images[held_out]), pixels(train.images))[1],
        inception=inception(split.images) if inception else torch.empty(0),
        unlabelled=unlabelled(split.images) if unlabelled else torch.empty(0),
        dataset=split.dataset,
        split=split.split,
        judge_sha256=judge.sha256,
        data_sha256=sha256(split_path),
        inception_sha256=inception.sha256 if inception else None,
        unlabelled_sha256=unlabelled.sha256 if unlabelled else None,
        fld_baseline=_fld_baseline(split.split, train, features, config),
    )


def _fld_baseline(
    split: str, train: TrainingSet, features: Tensor, config: EvaluationConfig
) -> float | None:
    if split == "train":
        return None
    return baseline_of(train.features, features, config)


def write_reference(path: Path, reference: Reference) -> None:
    """Write a reference atomically."""
    fields = vars(reference)
    metadata = {name: value for name, value in fields.items() if name not in TENSORS}
    save_tensors(path, {name: fields[name] for name in TENSORS}, metadata)


class ReferenceRecord(Record):
    """The metadata of a reference's file: all fields of `Reference` except the tensors."""

    dataset: str
    split: str
    judge_sha256: str
    data_sha256: str
    inception_sha256: str | None = None
    unlabelled_sha256: str | None = None
    fld_baseline: float | None = None


def read_reference(path: Path, judge: FrozenJudge, config: EvaluationConfig) -> Reference:
    """Read a reference, and check that ``judge`` and the networks of ``config`` made its features.

    Raises:
        UserError: the reference was made with another judge or another Inception network.
    """
    tensors, record = read_tensors(path, TENSORS, ReferenceRecord)
    fields: dict[str, Any] = {name: tensors[name] for name in TENSORS} | dict(record)
    reference = Reference(**fields)
    if reference.judge_sha256 != judge.sha256:
        raise UserError(
            f"{path} was made with another judge (checksum {reference.judge_sha256[:12]}) than the "
            f"current judge (checksum {judge.sha256[:12]}). Run `ganvae repro`, which runs the "
            "reference stage again."
        )
    for name, made_with, given in (
        ("inception", reference.inception_sha256, config.inception),
        ("unlabelled_judge", reference.unlabelled_sha256, config.unlabelled_judge),
    ):
        if made_with != (given.sha256 if given else None):
            raise UserError(
                f"{path} was made with another network than the network that evaluation.{name} "
                "gives. Run `ganvae repro`, which runs the reference stage again."
            )
    return reference
