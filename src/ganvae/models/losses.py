"""Losses of GANs and VAEs. Networks return logits; the loss functions apply the sigmoid.

D is a discriminator, G a generator. x is an image, z a latent.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def real_or_fake_loss(logits: Tensor, target: float) -> Tensor:
    """Mean Bernoulli cross-entropy between D's logits and ``target``, in nats.

    ``target`` is the label of all images: 1 for real, 0 for generated. A value between 0 and 1
    smooths the label (1606.03498, section 3.4).
    """
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def non_saturating_loss(logits: Tensor) -> Tensor:
    """Compute G's loss -E log D(G(z)) (Goodfellow et al., 1406.2661, section 3).

    ``logits`` are D's logits of generated images. The loss is the mean of softplus(-logit).
    """
    return F.softplus(-logits).mean()


def minimax_loss(logits: Tensor) -> Tensor:
    """Compute G's loss E log(1 - D(G(z))), which is always negative (1406.2661, eq. 1).

    ``logits`` are D's logits of generated images.
    """
    return -F.softplus(logits).mean()


def bernoulli_cross_entropy(logits: Tensor, images: Tensor) -> Tensor:
    """Compute -log p(x|z) of a Bernoulli decoder for each image: N values, in nats.

    A value is a sum over the image's pixels. Grey pixels (between 0 and 1) use the same formula,
    but then p(x|z) is not a density.
    """
    losses = F.binary_cross_entropy_with_logits(logits, images, reduction="none")
    return losses.flatten(start_dim=1).sum(dim=1)


def squared_error(logits: Tensor, images: Tensor) -> Tensor:
    """Compute ||x - sigmoid(logits)||^2 for each image x: N values, summed over pixels."""
    return (images - torch.sigmoid(logits)).square().flatten(start_dim=1).sum(dim=1)


def gaussian_loss(squared_errors: Tensor, log_variance: Tensor, pixels: int) -> Tensor:
    """Compute -log N(x; mean, variance * I) of each image x, up to a constant: N values, in nats.

    With one learned variance for all pixels, this is the loss of the sigma-VAE (2006.13202).

    The constant is log(pi) / 2 per pixel. So with variance 1/2 the loss is the squared error.

    Args:
        squared_errors: ||x - mean||^2 of each image, summed over pixels.
        log_variance: the logarithm of the variance, a scalar.
        pixels: the number of values of an image.
    """
    return squared_errors / (2 * log_variance.exp()) + pixels / 2 * (log_variance + math.log(2))


RECONSTRUCTION_LOSSES = {"bernoulli": bernoulli_cross_entropy, "gaussian": squared_error}
"""A mapping from likelihood to reconstruction loss.

A reconstruction loss is minus the log-likelihood, up to a constant.
"""


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Compute KL(N(mean, variance) || N(0, I)) of each row: N values, in nats.

    ``mean`` and ``log_variance`` are N x latent size. The formula is from 1312.6114, appendix B.
    """
    return gaussian_kl_by_latent(mean, log_variance).sum(dim=1)


def gaussian_kl_by_latent(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Compute KL(N(mean, variance) || N(0, 1)) of each component: N x latent size, in nats."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp())


def free_bits_kl(kl: Tensor, free_bits: float) -> Tensor:
    """Compute sum_j max(``free_bits``, mean over images of KL_j): a scalar, in nats.

    A latent whose KL is below ``free_bits`` gets no gradient from the KL. The source is 1606.04934,
    appendix C.8.

    Args:
        kl: the KL of each image and each latent, N x latent size, in nats.
        free_bits: lambda in the paper, in nats per latent.
    """
    return kl.mean(dim=0).clamp(min=free_bits).sum()
