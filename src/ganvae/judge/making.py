"""Functions that make a judge: its weights, and its card.

A judge is a classifier that scores generated images. The card is a mapping that describes the
judge's training and accuracy.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from ganvae.config import (
    ChannelJudgeConfig,
    JudgeConfig,
    UnlabelledChannelConfig,
    UnlabelledTrainingConfig,
)
from ganvae.core.errors import ConfigError
from ganvae.core.files import sha256
from ganvae.core.tensors import read_tensors
from ganvae.data.splits import Split
from ganvae.judge.identities import Photos, chosen_photos, verification_auc
from ganvae.judge.network import ChannelJudge, Judge, JudgeRecord
from ganvae.judge.pretext import train_unlabelled
from ganvae.judge.training import accuracy, train_judge
from ganvae.judge.unlabelled import UnlabelledRecord

Report = Callable[[str], None]


class Made(NamedTuple):
    """The weights of a judge, by name, and the card of the judge."""

    weights: Mapping[str, Tensor]
    card: dict[str, Any]


def make_judge(
    config: JudgeConfig | ChannelJudgeConfig,
    splits: Mapping[str, Split],
    classes: int,
    report: Report = print,
) -> Made:
    """Make a judge from ``config``, a section of judges/params.yaml.

    Args:
        classes: the number of classes of the data set.
        report: a function called with one line of text per epoch of training.

    Raises:
        ConfigError: fewer than two people have enough photos, or the test split is too small for
            face verification. Also raised if the judge in ``channels_of`` does not fit one channel
            of the images, or does not have the right number of classes.
    """
    if isinstance(config, ChannelJudgeConfig):
        return _channel_judge(config, splits, classes)
    if config.identities:
        return _identity_judge(config, splits, report)
    return _class_judge(config, splits, classes, report)


def _class_judge(
    config: JudgeConfig, splits: Mapping[str, Split], classes: int, report: Report
) -> Made:
    train = splits["train"].data
    judge = train_judge(config, train, classes, report)
    card = {
        **_description(config, splits, classes),
        "train_size": len(train),
        "validation_accuracy": accuracy(judge, splits["validation"].data),
        "test_accuracy": accuracy(judge, splits["test"].data),
    }
    return Made(judge.state_dict(), card)


def _identity_judge(config: JudgeConfig, splits: Mapping[str, Split], report: Report) -> Made:
    assert config.identities
    seed = config.training.seed
    photos = chosen_photos(splits["train"].data, config.identities, seed)
    judge = train_judge(config, photos.train, photos.people, report)
    card = {
        **_description(config, splits, photos.people),
        "kind": "identities",
        "chosen": config.identities.model_dump(),
        **_identity_accuracy(judge, photos),
        "verification_auc": verification_auc(judge, splits["test"].data, seed),
    }
    return Made(judge.state_dict(), card)


def _identity_accuracy(judge: Judge, photos: Photos) -> dict[str, Any]:
    return {
        "identities": photos.people,
        "photos": len(photos.train),
        "held_out_photos": len(photos.held_out),
        "held_out_accuracy": accuracy(judge, photos.held_out),
        "chance_accuracy": photos.chance,
    }


def _description(config: JudgeConfig, splits: Mapping[str, Split], classes: int) -> dict[str, Any]:
    """The entries that all cards of trained judges have. Default parameters are left out."""
    return {
        "image_shape": splits["train"].data.image_shape,
        "classes": classes,
        "network": config.network.model_dump(exclude_defaults=True),
        "training": config.training.model_dump(exclude_defaults=True),
        "data": config.data.model_dump(exclude_defaults=True),
    }


def _channel_judge(config: ChannelJudgeConfig, splits: Mapping[str, Split], classes: int) -> Made:
    weights, card = read_tensors(Path(config.channels_of), (), JudgeRecord)
    shape = splits["test"].data.image_shape
    if card.image_shape != (1, *shape[1:]) or card.classes ** shape[0] != classes:
        raise ConfigError(
            f"channels_of is {config.channels_of!r}, a judge of {card.classes} classes and images "
            f"of shape {card.image_shape}. The data has {classes} classes and images of shape "
            f"{shape}. The judge needs images of shape {(1, *shape[1:])}. Its number of classes to "
            "the power of the number of channels must equal the number of classes of the data. "
            "Name another judge."
        )
    judge = Judge(card.network, (1, *shape[1:]), card.classes)
    judge.load_state_dict(weights)
    channel_card = {
        "image_shape": shape,
        "kind": "channels",
        "classes": classes,
        "channels_of": {"sha256": sha256(Path(config.channels_of)), "classes": card.classes},
        "network": card.network.model_dump(exclude_unset=True),
        "data": config.data.model_dump(exclude_defaults=True),
        "test_accuracy": accuracy(ChannelJudge(judge).eval(), splits["test"].data),
    }
    return Made(weights, channel_card)


def make_unlabelled_judge(
    config: UnlabelledTrainingConfig | UnlabelledChannelConfig,
    train: Tensor,
    report: Report = print,
) -> Made:
    """Make a judge that needs no labels from ``config``, a section of judges/params.yaml.

    Args:
        train: the training images, uint8, N x C x H x W.
        report: a function called with one line of text per epoch of training.

    Raises:
        ConfigError: the judge in ``channels_of`` does not fit one channel of the images.
    """
    shape = tuple(train.shape[1:])
    card = {
        "image_shape": shape,
        "kind": "unlabelled",
        "data": config.data.model_dump(exclude_defaults=True),
    }
    if isinstance(config, UnlabelledTrainingConfig):
        judge = train_unlabelled(config, train, report)
        sections = ("network", "tasks", "training")
        card |= {name: getattr(config, name).model_dump(exclude_defaults=True) for name in sections}
        return Made(judge.state_dict(), card | {"train_size": len(train)})
    weights, grey = read_tensors(Path(config.channels_of), (), UnlabelledRecord)
    if grey.each_channel or grey.image_shape != (1, *shape[1:]):
        raise ConfigError(
            f"channels_of is {config.channels_of!r}, a judge of images of shape "
            f"{grey.image_shape}. The data has images of shape {shape}, so the judge needs images "
            f"of shape {(1, *shape[1:])}. Name another judge."
        )
    network = grey.network.model_dump(exclude_unset=True)
    card |= {"tasks": grey.tasks.model_dump()}
    origin = {"each_channel": True, "channels_of": {"sha256": sha256(Path(config.channels_of))}}
    return Made(weights, card | {"network": network} | origin)
