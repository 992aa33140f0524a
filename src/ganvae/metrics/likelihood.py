"""Importance-weighted bound on a VAE's log-likelihood (Burda et al., 1509.00519, eq. 8)."""

import torch
from torch import Tensor

from ganvae.metrics.watch import Watch, unwatched
from ganvae.models.base import evaluating
from ganvae.models.priors import standard_normal
from ganvae.models.vae import AutoencodingModel, log_mean_exp

LATENTS_A_PASS = 500
"""With more, the activations of a convolutional decoder leave the processor's cache.

``benchmarks/metrics.py`` measures what this saves.
"""


def importance_weighted_bound(
    model: AutoencodingModel,
    images: Tensor,
    *,
    k: int,
    random: torch.Generator,
    watch: Watch = unwatched,
) -> Tensor:
    """Return log (1/k) sum_i p(x, z_i) / q(z_i|x) for each image x: N values, in nats.

    The ``k`` latents z_i are drawn from q(z|x). The expectation of the result is a lower bound of
    log p(x). This bound rises with ``k``. For k = 1, the bound is the ELBO.

    Args:
        model: a model with a Bernoulli decoder.
        images: contract images (float32, N x C x H x W, in [0, 1]) whose pixels are all 0 or 1. For
            grey images the result would not bound a likelihood.
        random: the random generator of the noise, on the CPU. The k latents of the first image are
            drawn first, then the k latents of the next image.
        watch: called after each image.

    Raises:
        ValueError: the decoder is not Bernoulli, or a pixel is neither 0 nor 1.
    """
    if model.likelihood != "bernoulli" or not bool(((images == 0) | (images == 1)).all()):
        raise ValueError(
            "the importance-weighted bound needs a Bernoulli decoder and binary images: use a "
            "model with likelihood bernoulli, and binarise the images"
        )
    with evaluating(model):
        bounds = []
        for image in images.split(1):
            bounds.append(_bound(model, image, k, random))
            watch()
    return torch.cat(bounds).cpu()


def _bound(model: AutoencodingModel, image: Tensor, k: int, random: torch.Generator) -> Tensor:
    image = image.to(model.device)
    noise = standard_normal(k, model.latent_size, random).to(model.device)[:, None]
    weights = [model.log_weights(image, part) for part in noise.split(LATENTS_A_PASS)]
    return log_mean_exp(torch.cat(weights).double())
