"""An Inception network of the user's own, for scores that compare with published tables."""

from pathlib import Path

import torch
from torch import Tensor

from ganvae.config import InceptionConfig
from ganvae.core.errors import DataError
from ganvae.core.files import sha256

CHANNELS = 3


class Inception:
    """A frozen TorchScript feature extractor: ``network(images, return_features=True)``.

    Its images are uint8, N x 3 x H x W, and it resizes them itself: the form of NVIDIA's
    ``inception-2015-12-05.pt``. The file is given by path, or by a URL that it is fetched from
    once; either way its SHA-256 decides. Nothing is fetched that the parameters do not name.

    Attributes:
        sha256: checksum of the file; it travels with every score.
    """

    def __init__(self, config: InceptionConfig, device: str = "cpu") -> None:
        path = _fetched(config) if "://" in config.file else Path(config.file)
        if not path.is_file():
            raise DataError(
                f"evaluation.inception.file = {config.file!r}: there is no such file. Give the "
                "path or URL of a TorchScript Inception, or null to do without."
            )
        self.sha256 = sha256(path)
        if self.sha256 != config.sha256:
            raise DataError(
                f"evaluation.inception.file = {config.file!r}: expected sha256 {config.sha256}, "
                f"found {self.sha256}. Give the right file, or the right checksum."
            )
        self.device = device
        self._file = config.file
        try:
            self._network = torch.jit.load(path, map_location=device).eval()
        except RuntimeError:
            raise DataError(
                f"evaluation.inception.file = {config.file!r}: not a TorchScript file. "
                "Give one, inception-2015-12-05.pt say."
            ) from None

    @torch.inference_mode()
    def __call__(self, images: Tensor, batch_size: int = 125) -> Tensor:
        """Features, N x d float32 on the CPU, of uint8 images; grey ones get three channels.

        Raises:
            DataError: the network cannot be called so, or its answer is not N x d finite numbers.
        """
        features = torch.cat([self._embedded(batch) for batch in images.split(batch_size)])
        if features.ndim != 2 or len(features) != len(images) or not features.isfinite().all():
            raise DataError(
                f"evaluation.inception.file = {self._file!r}: of {len(images)} images it gives "
                f"{tuple(features.shape)} numbers, not all finite or not a row an image."
            )
        return features

    def _embedded(self, batch: Tensor) -> Tensor:
        colour = batch.expand(-1, CHANNELS, -1, -1).to(self.device)
        try:
            features: Tensor = self._network(colour, return_features=True)
        except (RuntimeError, torch.jit.Error) as error:
            what = str(error).strip().splitlines()[-1]
            raise DataError(
                f"evaluation.inception.file = {self._file!r}: it is called with uint8 images "
                f"N x 3 x H x W and return_features=True, and fails ({what})."
            ) from None
        return features.float().cpu()


def _fetched(config: InceptionConfig) -> Path:
    """The file of a URL, in torch's own cache."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / f"{config.sha256}.pt"
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(
            config.file, str(path), hash_prefix=config.sha256, progress=False
        )
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: another checksum
        raise DataError(
            f"evaluation.inception.file = {config.file!r}: cannot be fetched ({error})."
        ) from None
    return path
