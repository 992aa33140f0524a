"""How close reconstructions come to their originals."""

import torch
from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)


def reconstruction_scores(
    *, original: Tensor, reconstructed: Tensor, batch_size: int = 500
) -> dict[str, float]:
    """Mean over images of MSE, PSNR (dB) and SSIM (Wang et al., 2004; 11 x 11 Gaussian window).

    Args:
        original, reconstructed: contract images, N x C x H x W, already quantised. PSNR is the
            mean of the images' own values, so a perfect reconstruction would make it infinite.
    """
    mse, psnr, ssim = [], [], []
    for x, y in zip(original.split(batch_size), reconstructed.split(batch_size), strict=True):
        mse.append((x - y).square().mean(dim=(1, 2, 3)))
        psnr.append(peak_signal_noise_ratio(y, x, data_range=1.0, reduction="none", dim=(1, 2, 3)))
        ssim.append(structural_similarity_index_measure(y, x, data_range=1.0, reduction="none"))
    return {
        "reconstruction_mse": _mean(mse),
        "reconstruction_psnr": _mean(psnr),
        "reconstruction_ssim": _mean(ssim),
    }


def _mean(parts: list[Tensor]) -> float:
    return float(torch.cat(parts).double().mean())
