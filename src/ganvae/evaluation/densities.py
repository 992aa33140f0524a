"""The density of a model's latents, so that annealed importance sampling can be applied."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.special import ndtr, ndtri

from ganvae.metrics.ais import Decoder, LatentDensity
from ganvae.models.base import GenerativeModel
from ganvae.models.gan import AdversarialModel
from ganvae.models.mixture import Mixture
from ganvae.models.priors import standard_normal
from ganvae.models.second_stage import SecondStage
from ganvae.models.vae import FITTED_PRIORS, AutoencodingModel


class NoDensity(Exception):  # noqa: N818 (a property of the model, not an error of the program)
    """The samples of a model have no density that can be computed. The text says why."""


def prior_of(model: GenerativeModel) -> str:
    """Name the distribution of the latents of a model's samples, such as "truncated normal"."""
    if isinstance(model, AdversarialModel):
        config = model.config
        return config.prior if config.truncation is None else f"truncated {config.prior}"
    prior = model.fitted_prior if isinstance(model, AutoencodingModel) else None
    return next((name for name, kind in FITTED_PRIORS.items() if type(prior) is kind), "normal")


def decoder_of(model: GenerativeModel, variance: float) -> Decoder:
    """Return the distribution of a model's samples, with Gaussian noise on each pixel.

    Where latents are a function of noise from N(0, I), the noise takes the place of the latents.
    The model must be in eval mode. Its fitted prior, if it has one, must be fitted.

    Raises:
        NoDensity: the density of the samples cannot be computed.
    """
    latents, transform = _sampling(model)
    return Decoder(latents, lambda noise: model.render(transform(noise)), variance)


def _sampling(model: GenerativeModel) -> tuple[LatentDensity, Callable[[Tensor], Tensor]]:
    """Return a distribution, and the function that turns its draws into latents."""
    if isinstance(model, AdversarialModel):
        return _of_gan(model)
    if isinstance(model, AutoencodingModel):
        prior = model.fitted_prior
        if isinstance(prior, Mixture):
            return LatentDensity(prior.sample, prior.log_density), _unchanged
        if isinstance(prior, SecondStage):
            return _normal(2 * model.latent_size), prior.latents
        return _normal(model.latent_size), _unchanged
    raise NoDensity(f"the prior of {model.name} is not known here")


def _of_gan(model: AdversarialModel) -> tuple[LatentDensity, Callable[[Tensor], Tensor]]:
    config, latents = model.config, _normal(model.latent_size)
    if config.rejection is not None:
        raise NoDensity("the discriminator accepts samples, so their density is unknown")
    if config.prior == "uniform":
        return latents, partial(_uniform, largest=config.truncation or 1.0)
    if config.truncation is not None:
        return latents, partial(_truncated, threshold=config.truncation)
    return latents, _unchanged


def _normal(size: int) -> LatentDensity:
    """Return N(0, I) with ``size`` dimensions."""
    return LatentDensity(
        draw=lambda n, random: standard_normal(n, size, random),
        log_density=lambda z: -(z.square().sum(dim=1) + size * math.log(2 * math.pi)) / 2,
    )


def _unchanged(latents: Tensor) -> Tensor:
    return latents


def _uniform(noise: Tensor, largest: float) -> Tensor:
    """Turn noise from N(0, I) into latents from U[-largest, largest]."""
    return largest * torch.erf(noise / math.sqrt(2))


def _truncated(noise: Tensor, threshold: float) -> Tensor:
    """Turn noise from N(0, I) into latents from N(0, I) within ``threshold`` of 0."""
    tail = ndtr(torch.tensor(-threshold, dtype=torch.float64, device=noise.device))
    return ndtri(tail + (1 - 2 * tail) * ndtr(noise.double())).float()
