"""The judge: the classifier whose features and logits all judge scores are computed from."""

from pathlib import Path

import torch
from torch import Tensor, nn

from ganvae.config import JudgeNetworkConfig
from ganvae.errors import DataError
from ganvae.files import sha256
from ganvae.images import from_uint8
from ganvae.tensors import load_tensors


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


class FrozenJudge:
    """A trained judge: always in eval mode, never differentiated through, never retrained.

    It holds the network but is no module itself, so nothing that contains it can switch its mode.

    Attributes:
        sha256: checksum of the weights file; it travels with every score.
        card: what it was trained on and how well it does (the file's metadata).
        image_shape: channels, height and width of the images that it reads.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        weights, self.card = load_tensors(path)
        self.sha256 = sha256(path)
        self.device = device
        self.image_shape: tuple[int, int, int] = tuple(self.card["image_shape"])
        network = JudgeNetworkConfig(**self.card["network"])
        with torch.device("meta"):  # no initial weights: they would draw from the global generator
            self._network = Judge(network, self.image_shape, self.card["classes"])
        self._network.load_state_dict(weights, assign=True)
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
