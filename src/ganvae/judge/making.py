"""Making a judge of each kind: its weights, and the card that says what it is made of."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from ganvae.config import ChannelJudgeConfig, JudgeConfig, JudgeNetworkConfig
from ganvae.core.errors import ConfigError
from ganvae.core.files import sha256
from ganvae.core.tensors import load_tensors
from ganvae.data.splits import Split
from ganvae.judge.identities import Photos, chosen_photos, verification_auc
from ganvae.judge.network import ChannelJudge, Judge
from ganvae.judge.training import accuracy, train_judge

Report = Callable[[str], None]


class Made(NamedTuple):
    """A judge's weights by name, and its card (`ganvae.judge.network.FrozenJudge`)."""

    weights: Mapping[str, Tensor]
    card: dict[str, Any]


def make_judge(
    config: JudgeConfig | ChannelJudgeConfig,
    splits: Mapping[str, Split],
    classes: int,
    report: Report = print,
) -> Made:
    """Make a judge of the kind that its section of judges/params.yaml asks for.

    Args:
        classes: how many the data set has.

    Raises:
        ConfigError: nobody has photos enough, or the judge of channels is not one of grey images.
    """
    if isinstance(config, ChannelJudgeConfig):
        return _of_channels(config, splits, classes)
    if config.identities:
        return _of_identities(config, splits, report)
    return _of_classes(config, splits, classes, report)


def _of_classes(
    config: JudgeConfig, splits: Mapping[str, Split], classes: int, report: Report
) -> Made:
    train = splits["train"].data
    judge = train_judge(config, train, classes, report)
    card = {
        **_described(config, splits, classes),
        "train_size": len(train),
        "validation_accuracy": accuracy(judge, splits["validation"].data),
        "test_accuracy": accuracy(judge, splits["test"].data),
    }
    return Made(judge.state_dict(), card)


def _of_identities(config: JudgeConfig, splits: Mapping[str, Split], report: Report) -> Made:
    assert config.identities
    seed = config.training.seed
    photos = chosen_photos(splits["train"].data, config.identities, seed)
    judge = train_judge(config, photos.train, photos.people, report)
    card = {
        **_described(config, splits, photos.people),
        "kind": "identities",
        "chosen": config.identities.model_dump(),
        **_people_told_apart(judge, photos),
        "verification_auc": verification_auc(judge, splits["test"].data, seed),
    }
    return Made(judge.state_dict(), card)


def _people_told_apart(judge: Judge, photos: Photos) -> dict[str, Any]:
    return {
        "identities": photos.people,
        "photos": len(photos.train),
        "held_out_photos": len(photos.held_out),
        "held_out_accuracy": accuracy(judge, photos.held_out),
        "chance_accuracy": photos.chance,
    }


def _described(config: JudgeConfig, splits: Mapping[str, Split], classes: int) -> dict[str, Any]:
    """What every trained judge was made from; parameters at their defaults are left out."""
    return {
        "image_shape": splits["train"].data.image_shape,
        "classes": classes,
        "network": config.network.model_dump(exclude_defaults=True),
        "training": config.training.model_dump(exclude_defaults=True),
        "data": config.data.model_dump(exclude_defaults=True),
    }


def _of_channels(config: ChannelJudgeConfig, splits: Mapping[str, Split], classes: int) -> Made:
    weights, card = load_tensors(Path(config.channels_of))
    shape = splits["test"].data.image_shape
    if card["image_shape"] != [1, *shape[1:]] or card["classes"] ** shape[0] != classes:
        raise ConfigError(
            f"channels_of = {config.channels_of!r}: it tells {card['classes']} classes of images "
            f"of shape {tuple(card['image_shape'])} apart, which does not give {classes} classes "
            f"of images of shape {shape}: name a judge of one channel of them."
        )
    judge = Judge(JudgeNetworkConfig(**card["network"]), (1, *shape[1:]), card["classes"])
    judge.load_state_dict(weights)
    made = {
        "image_shape": shape,
        "kind": "channels",
        "classes": classes,
        "channels_of": {"sha256": sha256(Path(config.channels_of)), "classes": card["classes"]},
        "network": card["network"],
        "data": config.data.model_dump(exclude_defaults=True),
        "test_accuracy": accuracy(ChannelJudge(judge).eval(), splits["test"].data),
    }
    return Made(weights, made)
