"""Scores of reconstructions: how close reconstructed images come to their originals."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

SSIM_WINDOW = 11
BORDER = SSIM_WINDOW // 2
DARKEST = 0.5 / 255  # replaces 0, whose logarithm is infinite; smaller values round to 0 in uint8


def reconstruction_scores(
    *, original: Tensor, reconstructed: Tensor, batch_size: int = 500
) -> dict[str, float | None]:
    """Compute ``mse``, ``cross_entropy``, and two forms each of PSNR and SSIM, means over images.

    ``psnr_per_image``, in dB, is the mean of the images' PSNRs. The PSNR of a perfect image is
    infinite, so the score is None if any image is perfect. ``psnr_of_mean_mse``, in dB, is computed
    from the mean MSE. The logarithm is concave, so this form is never larger than the other form.
    It is None if all images are perfect.

    ``ssim_valid`` (Wang et al., 2004, section III-C) uses an 11 x 11 Gaussian window with a
    standard deviation of 1.5 pixels. The window is placed only where it lies within the image, as
    in the authors' code. ``ssim_padded`` also places the window at the borders, where the image is
    continued by reflection. The plain borders of digits then move the mean. For images that are
    smaller than the window, both forms are None.

    ``cross_entropy``, in nats, is summed over the pixels of an image. The cross-entropy is minus
    the log probability of the original's pixels. Each pixel has a Bernoulli distribution whose
    mean is the reconstruction's pixel. For grey originals ``cross_entropy`` is not minus a
    log-likelihood.

    Args:
        original: contract images (float32, N x C x H x W, in [0, 1]), rounded to multiples of
            1/255.
        reconstructed: reconstructions of the originals, also contract images rounded to multiples
            of 1/255.
    """
    pairs = zip(original.split(batch_size), reconstructed.split(batch_size), strict=True)
    mse, padded, valid, cross_entropy = [], [], [], []
    fits = min(original.shape[2:]) >= SSIM_WINDOW
    for x, y in pairs:
        mse.append((x - y).square().mean(dim=(1, 2, 3)))
        bits = F.binary_cross_entropy(y.clamp(DARKEST, 1 - DARKEST), x, reduction="none")
        cross_entropy.append(bits.sum(dim=(1, 2, 3)))
        if fits:
            mean, inside = _ssim(x, y)
            padded.append(mean)
            valid.append(inside)
    mean_mse = _mean(mse)
    return {
        "mse": mean_mse,
        "psnr_per_image": _mean_psnr(torch.cat(mse)),
        "psnr_of_mean_mse": -10 * math.log10(mean_mse) if mean_mse else None,
        "ssim_valid": _mean(valid) if fits else None,
        "ssim_padded": _mean(padded) if fits else None,
        "cross_entropy": _mean(cross_entropy),
    }


def _mean_psnr(mse: Tensor) -> float | None:
    return float((-10 * mse.double().log10()).mean()) if bool(mse.all()) else None


def _ssim(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return each image's SSIM over the padded image, and over the positions within it: N, N."""
    mean, similarity = structural_similarity_index_measure(
        y, x, data_range=1.0, reduction="none", return_full_image=True
    )
    inside = similarity[..., BORDER:-BORDER, BORDER:-BORDER]
    return mean, inside.mean(dim=(1, 2, 3))


def _mean(parts: list[Tensor]) -> float:
    return float(torch.cat(parts).double().mean())
