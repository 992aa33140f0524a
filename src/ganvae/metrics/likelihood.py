"""Importance-weighted bound of a VAE's log-likelihood (Burda et al., 1509.00519, eq. 8)."""

import torch
from torch import Tensor

from ganvae.models.base import evaluating
from ganvae.models.priors import standard_normal
from ganvae.models.vae import AutoencodingModel, log_mean_exp

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
    noise = standard_normal(k, model.latent_size, random).to(model.device)[:, None]
    weights = [model.log_weights(image, part) for part in noise.split(LATENTS_A_PASS)]
    return log_mean_exp(torch.cat(weights).double())
