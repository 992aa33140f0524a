"""Penalties on the gradient of a discriminator (D) with respect to its inputs.

An input of D is an image, or a pack of images (`ganvae.models.packing`).
"""

import torch
from torch import Tensor


def zero_centred_penalty(logits: Tensor, inputs: Tensor) -> Tensor:
    """Compute the mean of ||grad D(x)||^2 / 2 over inputs x.

    At real images, this is R1: eq. 9 of Mescheder et al. (1801.04406) with gamma 1. At generated
    images, this is R2 (eq. 10).

    Args:
        logits: D's logits of ``inputs``, computed with a gradient graph.
        inputs: inputs of D that require a gradient.
    """
    return _gradients(logits, inputs).square().sum(dim=1).mean() / 2


def one_centred_penalty(logits: Tensor, inputs: Tensor) -> Tensor:
    """Compute the mean of (||grad D(x)|| - 1)^2 over inputs x (WGAN-GP: 1704.00028, eq. 3).

    The arguments are those of `zero_centred_penalty`.
    """
    return (_gradients(logits, inputs).norm(dim=1) - 1).square().mean()


def interpolated(*, real: Tensor, generated: Tensor, random: torch.Generator) -> Tensor:
    """Return epsilon x + (1 - epsilon) G(z) for pairs of real and generated inputs of D.

    Each pair has its own epsilon from U[0, 1], drawn from ``random`` (1704.00028, algorithm 1).
    """
    shape = len(real), *(1 for _ in real.shape[1:])
    epsilon = torch.rand(shape, generator=random, device=random.device).to(real.device)
    return epsilon * real + (1 - epsilon) * generated


def _gradients(logits: Tensor, inputs: Tensor) -> Tensor:
    """Compute the gradient of each logit with respect to its own input: N x features."""
    (gradients,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradients.flatten(start_dim=1)
