"""Scores of reconstructions: how close reconstructed images come to their originals."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

SSIM_WINDOW = 11
DARKEST = 0.5 / 255  # replaces 0, whose logarithm is infinite; smaller values round to 0 in uint8


def reconstruction_scores(
    *, original: Tensor, reconstructed: Tensor, batch_size: int = 500
) -> dict[str, float | None]:
    """Compute ``mse``, ``psnr``, ``ssim`` and ``cross_entropy``, all averaged over images.

    ``psnr``, in dB, is computed from the mean MSE. If every reconstruction is perfect, ``psnr`` is
    None. ``ssim`` (Wang et al., 2004) uses an 11 x 11 Gaussian window. For smaller images, ``ssim``
    is None. ``cross_entropy``, in nats, is summed over the pixels of an image. The cross-entropy is
    minus the log probability of the original's pixels. Each pixel has a Bernoulli distribution
    whose mean is the reconstruction's pixel. For grey originals ``cross_entropy`` is not minus a
    log-likelihood.

    Args:
        original: contract images (float32, N x C x H x W, in [0, 1]), rounded to multiples of
            1/255.
        reconstructed: reconstructions of the originals, also contract images rounded to multiples
            of 1/255.
    """
    pairs = zip(original.split(batch_size), reconstructed.split(batch_size), strict=True)
    mse, ssim, cross_entropy = [], [], []
    fits = min(original.shape[2:]) >= SSIM_WINDOW
    for x, y in pairs:
        mse.append((x - y).square().mean(dim=(1, 2, 3)))
        bits = F.binary_cross_entropy(y.clamp(DARKEST, 1 - DARKEST), x, reduction="none")
        cross_entropy.append(bits.sum(dim=(1, 2, 3)))
        if fits:
            ssim.append(structural_similarity_index_measure(y, x, data_range=1.0, reduction="none"))
    mean_mse = _mean(mse)
    return {
        "mse": mean_mse,
        "psnr": -10 * math.log10(mean_mse) if mean_mse else None,
        "ssim": _mean(ssim) if ssim else None,
        "cross_entropy": _mean(cross_entropy),
    }


def _mean(parts: list[Tensor]) -> float:
    return float(torch.cat(parts).double().mean())
