"""Importance-weighted bound of a VAE's log-likelihood (Burda et al., 1509.00519, eq. 8)."""

import math

import torch
from torch import Tensor

from ganvae.models.base import evaluating
from ganvae.models.losses import bernoulli_cross_entropy
from ganvae.models.priors import standard_normal
from ganvae.models.vae import AutoencodingModel, drawn

LATENTS_A_PASS = 1000


def importance_weighted_bound(
    model: AutoencodingModel, images: Tensor, *, k: int, random: torch.Generator
) -> Tensor:
    """log (1/k) sum_i p(x, z_i) / q(z_i|x), z_i drawn from q(z|x), of each image: N, in nats.

    On average it is a lower bound of log p(x) that rises with ``k``; k = 1 gives the ELBO.

    Args:
        model: one whose decoder is Bernoulli.
        images: contract images of black and white, N x C x H x W: of grey ones this would bound
            no likelihood.
        random: gives the noise, on the CPU; k draws for one image after another.

    Raises:
        ValueError: another likelihood, or images that are not binary.
    """
    if model.likelihood != "bernoulli" or not bool(((images == 0) | (images == 1)).all()):
        raise ValueError("the bound is of a Bernoulli decoder's likelihood of binary images")
    with evaluating(model):
        bounds = [_bound(model, image, k, random) for image in images.split(1)]
    return torch.cat(bounds).cpu()


def _bound(model: AutoencodingModel, image: Tensor, k: int, random: torch.Generator) -> Tensor:
    image = image.to(model.device)
    mean, log_variance = model.encode(image)
    noise = standard_normal(k, model.latent_size, random).to(model.device)
    weights = []
    for part in noise.split(LATENTS_A_PASS):
        latents = drawn(mean, log_variance, part)
        logits = model.decode_logits(latents)
        log_likelihood = -bernoulli_cross_entropy(logits, image.expand_as(logits))
        weights.append(log_weights(log_likelihood, latents, part, log_variance))
    return log_mean_exp(torch.cat(weights))[None]


def log_weights(
    log_likelihood: Tensor, latents: Tensor, noise: Tensor, log_variance: Tensor
) -> Tensor:
    """log p(x|z) + log p(z) - log q(z|x), k, of latents, k x size, that ``noise`` drew from q.

    The prior is N(0, I), q a Gaussian of this log-variance.
    """
    ratio = (noise.square() + log_variance - latents.square()).sum(dim=1) / 2
    return (log_likelihood + ratio).double()


def log_mean_exp(values: Tensor) -> Tensor:
    """log of the mean of exp, without overflow."""
    return values.logsumexp(dim=0) - math.log(len(values))
