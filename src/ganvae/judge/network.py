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
    """A small convolutional classifier of contract images.

    Every entry of ``channels`` is a stage of two 3 x 3 convolutions with batch norm and ReLU,
    pooled by 2 between stages; the mean over the last stage's positions gives the features, so
    there are ``channels[-1]`` of them at any image size.
    """

    def __init__(self, config: JudgeNetworkConfig, image_channels: int, classes: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        previous = image_channels
        for channels in config.channels:
            if stages:
                stages.append(nn.MaxPool2d(2))
            stages += [_convolution(previous, channels), _convolution(channels, channels)]
            previous = channels
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(config.dropout)
        self.classify = nn.Linear(previous, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features N x ``channels[-1]`` and logits N x classes of contract images."""
        features = self.stages(images * 2 - 1).mean(dim=(2, 3))
        return features, self.classify(self.dropout(features))


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class FrozenJudge:
    """A trained judge: always in eval mode, never differentiated through, never retrained.

    It holds the network but is no module itself, so nothing that contains it can switch its mode.

    Attributes:
        sha256: checksum of the weights file; it travels with every score.
        card: what it was trained on and how well it does (the file's metadata).
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        weights, self.card = load_tensors(path)
        self.sha256 = sha256(path)
        self.device = device
        network = JudgeNetworkConfig(**self.card["network"])
        with torch.device("meta"):  # no initial weights: they would draw from the global generator
            self._network = Judge(network, self.card["image_channels"], self.card["classes"])
        self._network.load_state_dict(weights, assign=True)
        self._network.eval().requires_grad_(False).to(device)

    @torch.inference_mode()
    def __call__(self, images: Tensor, batch_size: int = 125) -> tuple[Tensor, Tensor]:
        """Features and logits, float32 on the CPU, of uint8 images N x C x H x W.

        Raises:
            DataError: the images have another number of channels than the judge was trained on.
        """
        if images.shape[1] != self.card["image_channels"]:
            raise DataError(
                f"the judge reads images of {self.card['image_channels']} channels, "
                f"found {images.shape[1]}: name a judge for this data in params.yaml (judge)."
            )
        batches = [
            self._network(from_uint8(batch.to(self.device))) for batch in images.split(batch_size)
        ]
        features, logits = (torch.cat(parts).cpu() for parts in zip(*batches, strict=True))
        return features, logits
