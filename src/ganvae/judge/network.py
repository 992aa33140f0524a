"""The judge: the classifier whose features and logits all judge scores are computed from."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganvae.config import JudgeNetworkConfig
from ganvae.core.errors import DataError
from ganvae.core.files import sha256
from ganvae.core.images import from_uint8
from ganvae.core.tensors import load_tensors
from ganvae.judge.kinds import JudgeKind

"""What a judge tells apart: the classes of the data, people, or the classes of each channel."""


class Judge(nn.Module):
    """A small convolutional classifier of contract images of one size.

    3 x 3 convolutions with batch norm and ReLU, then a dense layer, likewise normalised, that
    gives the features, and a dense layer that gives the logits. The features are not averaged
    over the image, so they know where a stroke is.
    """

    def __init__(
        self, config: JudgeNetworkConfig, image_shape: tuple[int, int, int], classes: int
    ) -> None:
        super().__init__()
        channels, height, width = image_shape
        layers: list[nn.Module] = []
        for outputs, stride in zip(config.channels, config.strides, strict=True):
            layers += [
                nn.Conv2d(channels, outputs, 3, stride=stride, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
            ]
            channels, height, width = outputs, -(-height // stride), -(-width // stride)
        self.features = nn.Sequential(
            *layers,
            nn.Flatten(),
            nn.Dropout(config.dropout),
            nn.Linear(channels * height * width, config.features, bias=False),
            nn.BatchNorm1d(config.features),
            nn.ReLU(),
        )
        self.classify = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(config.features, classes)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features, N x ``config.features``, and logits, N x classes, of contract images."""
        features = self.features(images * 2 - 1)
        return features, self.classify(features)


class ChannelJudge(nn.Module):
    """A judge of grey images at work on every channel of others.

    Its features are the channels', one after the other. Its classes are all combinations of the
    channels' classes; the first channel's is the leading figure of a combination's number.
    """

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features, N x (C d), and logits, N x classes^C, of contract images.

        The channels are judged apart, so that the logarithm of a combination's probability is the
        sum of the channels'; these are the logits.
        """
        features, logits = self.judge(images.flatten(end_dim=1)[:, None])
        first, *others = logits.log_softmax(dim=1).unflatten(0, images.shape[:2]).unbind(dim=1)
        joint = first
        for other in others:
            joint = (joint[:, :, None] + other[:, None, :]).flatten(start_dim=1)
        return features.unflatten(0, images.shape[:2]).flatten(start_dim=1), joint


class FrozenJudge:
    """A trained judge: always in eval mode, never differentiated through, never retrained.

    It holds the network but is no module itself, so nothing that contains it can switch its mode.

    Attributes:
        sha256: checksum of the weights file; it travels with every score.
        card: what it was trained on and how well it does (the file's metadata).
        kind: what it tells apart, and so which scores can be taken by it.
        image_shape: channels, height and width of the images that it reads.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        weights, self.card = load_tensors(path)
        self.sha256 = sha256(path)
        self.device = device
        self.image_shape: tuple[int, int, int] = tuple(self.card["image_shape"])
        self.kind: JudgeKind = self.card.get("kind", "classes")
        self._network = _network(self.card, weights)
        self._network.eval().requires_grad_(False).to(device)

    @torch.inference_mode()
    def __call__(self, images: Tensor, batch_size: int = 125) -> tuple[Tensor, Tensor]:
        """Features and logits, float32 on the CPU, of uint8 images N x C x H x W.

        Raises:
            DataError: the images have another shape than the judge was trained on.
        """
        if tuple(images.shape[1:]) != self.image_shape:
            raise DataError(
                f"this judge reads images of shape {self.image_shape}, found "
                f"{tuple(images.shape[1:])}: name a judge for this data in params.yaml (judge)."
            )
        batches = [
            self._network(from_uint8(batch.to(self.device))) for batch in images.split(batch_size)
        ]
        features, logits = (torch.cat(parts).cpu() for parts in zip(*batches, strict=True))
        return features, logits


def _network(card: dict[str, Any], weights: dict[str, Tensor]) -> Judge | ChannelJudge:
    """The network that a judge's card describes, with its weights."""
    channels, height, width = card["image_shape"]
    classes = card["classes"]
    of_channels = card.get("channels_of")
    if of_channels:
        channels, classes = 1, of_channels["classes"]
    config = JudgeNetworkConfig(**card["network"])
    with torch.device("meta"):  # no initial weights: they would draw from the global generator
        judge = Judge(config, (channels, height, width), classes)
    judge.load_state_dict(weights, assign=True)
    return ChannelJudge(judge) if of_channels else judge
