"""Judges: classifiers whose features and logits score generated images.

Contract images are float32, N x C x H x W, in [0, 1].
"""

from pathlib import Path

import torch
from pydantic import ConfigDict, PositiveInt
from torch import Tensor, nn

from ganvae.config import JudgeNetworkConfig
from ganvae.core.errors import DataError
from ganvae.core.files import sha256
from ganvae.core.images import from_uint8
from ganvae.core.records import Record
from ganvae.core.tensors import ADVICE, read_tensors
from ganvae.judge.kinds import JudgeKind


class Judge(nn.Module):
    """A small convolutional classifier. The inputs are contract images of one fixed size.

    The network begins with 3 x 3 convolutions with batch norm and ReLU. A dense layer with batch
    norm and ReLU outputs the features. Another dense layer outputs the logits. The features are
    not averaged over the image, so the features encode the positions of strokes.
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
        """Compute features, N x ``config.features``, and logits, N x classes, from ``images``."""
        features = self.features(images * 2 - 1)
        return features, self.classify(features)


class ChannelJudge(nn.Module):
    """A judge of colour images that applies a judge of grey images to every channel.

    The features of the channels are concatenated. The classes are all combinations of the channels'
    classes. The first channel's class is the leading digit of a combination's number: with ten
    classes per channel, the classes 1, 2 and 3 form the combination 123.
    """

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute features, N x (C d), and logits, N x classes^C, of contract images.

        ``d`` and ``classes`` are the numbers of features and classes of the judge of grey images.
        The channels are judged independently. So each logit is the log-probability of a
        combination: the sum of the channels' log-probabilities.
        """
        features, logits = self.judge(images.flatten(end_dim=1)[:, None])
        first, *rest = logits.log_softmax(dim=1).unflatten(0, images.shape[:2]).unbind(dim=1)
        joint = first
        for channel in rest:
            joint = (joint[:, :, None] + channel[:, None, :]).flatten(start_dim=1)
        return features.unflatten(0, images.shape[:2]).flatten(start_dim=1), joint


class ChannelsOf(Record):
    """The judge of grey images that a judge of the kind ``channels`` applies to each channel."""

    sha256: str
    classes: PositiveInt


class JudgeRecord(Record):
    """The metadata of a judge's file. Further keys describe the training of the judge."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())

    image_shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    classes: PositiveInt
    network: JudgeNetworkConfig
    kind: JudgeKind = "classes"
    channels_of: ChannelsOf | None = None


class FrozenJudge:
    """A trained judge, always in eval mode and without gradients.

    This class is not a torch module. So no outer module can switch the network to training mode.

    Attributes:
        sha256: SHA-256 of the weights file. Every file of scores records this checksum.
        card: the training data, parameters and accuracy of the judge, from the file's metadata.
        device: the device that computes.
        kind: the kind of the judge's classes. Some scores need a certain kind.
        image_shape: the required channels, height and width of images.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        weights, card = read_tensors(path, (), JudgeRecord)
        self.card = card.model_dump(mode="json", exclude_unset=True)
        self.sha256 = sha256(path)
        self.device = device
        self.image_shape = card.image_shape
        self.kind = card.kind
        try:
            self._network = _network(card, weights)
        except (RuntimeError, ValueError) as error:
            raise DataError(
                f"{path}: its weights do not fit the network in its metadata. {ADVICE}"
            ) from error
        self._network.eval().requires_grad_(False).to(device)

    @torch.inference_mode()
    def __call__(self, images: Tensor, batch_size: int = 125) -> tuple[Tensor, Tensor]:
        """Compute features and logits, float32 on the CPU, of uint8 images, N x C x H x W.

        Raises:
            DataError: the judge was trained on images of another shape.
        """
        if tuple(images.shape[1:]) != self.image_shape:
            raise DataError(
                f"the images have shape {tuple(images.shape[1:])}, but the judge was trained on "
                f"images of shape {self.image_shape}. Set `judge` in params.yaml to a judge that "
                "was trained on this data set."
            )
        batches = [
            self._network(from_uint8(batch.to(self.device))) for batch in images.split(batch_size)
        ]
        features, logits = (torch.cat(parts).cpu() for parts in zip(*batches, strict=True))
        return features, logits


def _network(card: JudgeRecord, weights: dict[str, Tensor]) -> Judge | ChannelJudge:
    """Build the network that ``card`` describes, and load ``weights`` into the network.

    Raises:
        RuntimeError, ValueError: the weights do not fit the network that ``card`` describes.
    """
    shape, classes = card.image_shape, card.classes
    if card.channels_of:
        shape, classes = (1, *shape[1:]), card.channels_of.classes
    with torch.device("meta"):  # initial weights would draw from the global generator
        judge = Judge(card.network, shape, classes)
    judge.load_state_dict(weights, assign=True)
    return ChannelJudge(judge) if card.channels_of else judge
