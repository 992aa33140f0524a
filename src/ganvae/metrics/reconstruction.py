"""How close reconstructions come to their originals."""

import math

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

SSIM_WINDOW = 11


def reconstruction_scores(
    *, original: Tensor, reconstructed: Tensor, batch_size: int = 500
) -> dict[str, float | None]:
    """MSE and SSIM (Wang et al., 2004; 11 x 11 Gaussian window) averaged over images, and PSNR.

    PSNR, in dB, is that of the mean MSE; null where every image is perfect. SSIM is null for
    images smaller than its window.

    Args:
        original, reconstructed: contract images, N x C x H x W, already quantised.
    """
    pairs = zip(original.split(batch_size), reconstructed.split(batch_size), strict=True)
    mse, ssim = [], []
    fits = min(original.shape[2:]) >= SSIM_WINDOW
    for x, y in pairs:
        mse.append((x - y).square().mean(dim=(1, 2, 3)))
        if fits:
            ssim.append(structural_similarity_index_measure(y, x, data_range=1.0, reduction="none"))
    mean_mse = _mean(mse)
    return {
        "reconstruction_mse": mean_mse,
        "reconstruction_psnr": -10 * math.log10(mean_mse) if mean_mse else None,
        "reconstruction_ssim": _mean(ssim) if ssim else None,
    }


def _mean(parts: list[Tensor]) -> float:
    return float(torch.cat(parts).double().mean())
