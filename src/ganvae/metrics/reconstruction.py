"""Scores of reconstructions: how close they come to their originals."""

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

    PSNR, in dB, is computed from the mean MSE. It is None if every image is perfect. SSIM (Wang et
    al., 2004; 11 x 11 Gaussian window) is None for images smaller than its window. The
    cross-entropy, in nats, is summed over the pixels of an image. The original's pixels are
    scored under Bernoulli distributions whose means are the reconstruction's pixels. For grey
    pixels it is not a likelihood.

    Args:
        original, reconstructed: contract images, N x C x H x W, already quantised.
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
