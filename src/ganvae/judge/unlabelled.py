"""Judges that were trained without labels. They compute features, and no classes.

Such a judge learned two tasks on real images: to tell by which quarter turn an image was rotated
(Gidaris et al., 1803.07728), and how much the image was blurred and how noisy it was made. The
answers to both are known without labels.
"""

from pathlib import Path
from typing import Literal

import torch
from pydantic import ConfigDict, PositiveInt
from torch import Tensor

from ganvae.config import JudgeNetworkConfig, TasksConfig
from ganvae.core.errors import DataError
from ganvae.core.files import sha256
from ganvae.core.images import from_uint8
from ganvae.core.records import Record
from ganvae.core.tensors import ADVICE, read_tensors
from ganvae.judge.network import Judge

TURNS = 4
DAMAGES = 2
OUTPUTS = TURNS + DAMAGES
"""The outputs of the network: the logits of four rotations, the blur and the noise."""


class UnlabelledRecord(Record):
    """The metadata of such a judge's file. Further keys describe the training of the judge.

    ``each_channel`` says that the network takes grey images, and is applied to every channel.
    """

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())

    image_shape: tuple[PositiveInt, PositiveInt, PositiveInt]
    network: JudgeNetworkConfig
    tasks: TasksConfig
    kind: Literal["unlabelled"]
    each_channel: bool = False


class UnlabelledJudge:
    """A trained judge without labels, always in eval mode and without gradients.

    Attributes:
        sha256: SHA-256 of the weights file. Every file of scores records this checksum.
        card: the training data, the parameters and the tasks of the judge, from the file.
        device: the device that computes.
        image_shape: the required channels, height and width of images.

    Raises:
        DataError: the file is missing, damaged, or has another kind of judge.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        weights, card = read_tensors(path, (), UnlabelledRecord)
        self.card = card.model_dump(mode="json", exclude_unset=True)
        self.sha256 = sha256(path)
        self.device = device
        self.image_shape = card.image_shape
        shape = (1, *card.image_shape[1:]) if card.each_channel else card.image_shape
        try:
            with torch.device("meta"):  # initial weights would draw from the global generator
                network = Judge(card.network, shape, OUTPUTS)
            network.load_state_dict(weights, assign=True)
        except (RuntimeError, ValueError) as error:
            raise DataError(
                f"{path}: its weights do not fit the network in its metadata. {ADVICE}"
            ) from error
        self._each_channel, self._strictness = card.each_channel, card.tasks.strictness
        self._network = network.eval().requires_grad_(False).to(device)

    @torch.inference_mode()
    def __call__(self, images: Tensor, batch_size: int = 125) -> Tensor:
        """Compute the features of uint8 images, N x C x H x W: N x d, float32, on the CPU.

        The features are those of the network's last layer but one, and the told amounts of blur and
        noise, times ``strictness``. If the network is applied to each channel, the channels'
        features are concatenated.

        Raises:
            DataError: the judge was trained on images of another shape.
        """
        if tuple(images.shape[1:]) != self.image_shape:
            raise DataError(
                f"the images have shape {tuple(images.shape[1:])}, but the second judge was "
                f"trained on images of shape {self.image_shape}. Set evaluation.unlabelled_judge "
                "in params.yaml to a judge that was trained on this data set, or to null."
            )
        return torch.cat([self._features(batch) for batch in images.split(batch_size)])

    def _features(self, batch: Tensor) -> Tensor:
        images = from_uint8(batch.to(self.device))
        shape = images.shape[:2]
        if self._each_channel:
            images = images.flatten(end_dim=1)[:, None]
        hidden, outputs = self._network(images)
        features = torch.cat([hidden, self._strictness * outputs[:, TURNS:]], dim=1)
        if self._each_channel:
            features = features.unflatten(0, shape).flatten(start_dim=1)
        return features.cpu()
