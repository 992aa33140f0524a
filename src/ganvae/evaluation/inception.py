"""An Inception network that the user supplies.

Scores in the features of this network can be compared with published scores.
"""

from pathlib import Path

import torch
from torch import Tensor

from ganvae.config import InceptionConfig
from ganvae.core.errors import DataError
from ganvae.core.files import sha256

CHANNELS = 3


class Inception:
    """A frozen TorchScript feature extractor: ``network(images, return_features=True)``.

    The network takes uint8 images, N x 3 x H x W, and resizes the images itself. An example is
    NVIDIA's ``inception-2015-12-05.pt``. The parameters give the file's path or URL, and the
    SHA-256 checksum that the file must have. A file with a URL is downloaded once.

    Attributes:
        sha256: the checksum of the file. Every score record contains this checksum.

    Raises:
        DataError: the file is missing, has another checksum, is not TorchScript, or cannot be
            downloaded.
    """

    def __init__(self, config: InceptionConfig, device: str = "cpu") -> None:
        path = _fetched(config) if "://" in config.file else Path(config.file)
        if not path.is_file():
            raise DataError(
                f"evaluation.inception.file is {config.file!r}, but there is no such file. Give "
                "the path or URL of a TorchScript Inception network, or set evaluation.inception "
                "to null."
            )
        self.sha256 = sha256(path)
        if self.sha256 != config.sha256:
            raise DataError(
                f"evaluation.inception.file is {config.file!r}, but the SHA-256 checksum of this "
                f"file is {self.sha256}, and evaluation.inception.sha256 is {config.sha256}. Give "
                "the right file, or give the right checksum."
            )
        self.device = device
        self._file = config.file
        try:
            self._network = torch.jit.load(path, map_location=device).eval()
        except RuntimeError:
            raise DataError(
                f"evaluation.inception.file is {config.file!r}, but this is not a TorchScript "
                "file. Give a TorchScript file such as inception-2015-12-05.pt."
            ) from None

    @torch.inference_mode()
    def __call__(self, images: Tensor, batch_size: int = 125) -> Tensor:
        """Compute the features of uint8 images: N x d, float32, on the CPU.

        Grey images are expanded to three channels.

        Raises:
            DataError: the network fails, or does not return N x d finite numbers.
        """
        return torch.cat([self._embedded(batch) for batch in images.split(batch_size)])

    def _embedded(self, batch: Tensor) -> Tensor:
        colour = batch.expand(-1, CHANNELS, -1, -1).to(self.device)
        try:
            features: object = self._network(colour, return_features=True)
        except (RuntimeError, torch.jit.Error) as error:
            reason = str(error).strip().splitlines()[-1]
            raise DataError(
                f"evaluation.inception.file is {self._file!r}, but this network fails ({reason}). "
                "Give a network that takes uint8 images of shape N x 3 x H x W and the argument "
                "return_features=True."
            ) from None
        if (
            not isinstance(features, Tensor)
            or features.shape[:-1] != (len(batch),)
            or not features.isfinite().all()
        ):
            output = tuple(features.shape) if isinstance(features, Tensor) else type(features)
            raise DataError(
                f"evaluation.inception.file is {self._file!r}, but this network does not return "
                f"one row of finite numbers per image: for {len(batch)} images, its output is "
                f"{output}. Give another network."
            )
        return features.float().cpu()


def _fetched(config: InceptionConfig) -> Path:
    """Download the file at the URL ``config.file`` to torch's cache, and return its path there.

    A file that the cache already has is not downloaded again.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / f"{config.sha256}.pt"
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(
            config.file, str(path), hash_prefix=config.sha256, progress=False
        )
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: wrong checksum
        raise DataError(
            f"evaluation.inception.file is {config.file!r}, but this file cannot be downloaded "
            f"({error}). Check the URL and the checksum."
        ) from None
    return path
