"""Losses of GANs and VAEs. Networks return logits; the losses apply the sigmoid themselves."""

import torch
import torch.nn.functional as F
from torch import Tensor


def real_or_fake_loss(logits: Tensor, target: float) -> Tensor:
    """Mean Bernoulli cross-entropy between D's logits and one target for all images, in nats.

    ``target`` is 1 for real and 0 for fake. A value between smooths the label (1606.03498, 3.4).
    """
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def non_saturating_loss(logits: Tensor) -> Tensor:
    """L_G = -E log D(G(z)) (Goodfellow et al., 1406.2661, section 3)."""
    return F.softplus(-logits).mean()


def minimax_loss(logits: Tensor) -> Tensor:
    """L_G = E log(1 - D(G(z))), the generator's part of 1406.2661, eq. 1. Always negative."""
    return -F.softplus(logits).mean()


GENERATOR_LOSSES = {"non-saturating": non_saturating_loss, "minimax": minimax_loss}


def r1_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """Mean ||grad D(x)||^2 / 2 at real images (Mescheder et al., 1801.04406, eq. 9, gamma 1).

    Args:
        logits: D's logits of ``images``.
        images: real images that require a gradient.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().flatten(start_dim=1).sum(dim=1).mean() / 2


def bernoulli_cross_entropy(logits: Tensor, images: Tensor) -> Tensor:
    """-log p(x|z) of a Bernoulli decoder, summed over each image's pixels: N, in nats.

    Grey pixels (between 0 and 1) use the same formula, but then p(x|z) is not a density.
    """
    losses = F.binary_cross_entropy_with_logits(logits, images, reduction="none")
    return losses.flatten(start_dim=1).sum(dim=1)


def squared_error(logits: Tensor, images: Tensor) -> Tensor:
    """||x - sigmoid(logits)||^2, summed over each image's pixels: N."""
    return (images - torch.sigmoid(logits)).square().flatten(start_dim=1).sum(dim=1)


RECONSTRUCTION_LOSSES = {"bernoulli": bernoulli_cross_entropy, "gaussian": squared_error}
"""Each loss is the negative log of the named likelihood, up to a constant."""


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, I)) per row: N, in nats (1312.6114, appendix B)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1)
