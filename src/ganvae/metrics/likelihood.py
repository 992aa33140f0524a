"""Importance-weighted bound on a VAE's log-likelihood (Burda et al., 1509.00519, eq. 8)."""

import torch
from torch import Tensor

from ganvae.models.base import evaluating
from ganvae.models.priors import standard_normal
from ganvae.models.vae import AutoencodingModel, log_mean_exp

LATENTS_A_PASS = 1000


def importance_weighted_bound(
    model: AutoencodingModel, images: Tensor, *, k: int, random: torch.Generator
) -> Tensor:
    """log (1/k) sum_i p(x, z_i) / q(z_i|x) per image, with z_i drawn from q(z|x): N, in nats.

    Its expectation is a lower bound of log p(x) that rises with ``k``. k = 1 gives the ELBO.

    Args:
        model: a model with a Bernoulli decoder.
        images: black and white contract images, N x C x H x W. For grey images the result would
            not bound a likelihood.
        random: the generator of the noise, on the CPU. It draws k latents for one image after
            another.

    Raises:
        ValueError: the likelihood is not Bernoulli, or the images are not binary.
    """
    if model.likelihood != "bernoulli" or not bool(((images == 0) | (images == 1)).all()):
        raise ValueError(
            "the importance-weighted bound needs a Bernoulli decoder and binary images: use a "
            "model with likelihood bernoulli, and binarise the images"
        )
    with evaluating(model):
        bounds = [_bound(model, image, k, random) for image in images.split(1)]
    return torch.cat(bounds).cpu()


def _bound(model: AutoencodingModel, image: Tensor, k: int, random: torch.Generator) -> Tensor:
    image = image.to(model.device)
    noise = standard_normal(k, model.latent_size, random).to(model.device)[:, None]
    weights = [model.log_weights(image, part) for part in noise.split(LATENTS_A_PASS)]
    return log_mean_exp(torch.cat(weights).double())
