"""The density of a model's latents, so that annealed importance sampling can be applied."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

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

UNKNOWN = "unknown"
"""The name of a distribution of latents that this module does not know."""
SAMPLING = ("sample_prior", "fit_sampling", "sample_latents", "decode", "sample")
"""The methods that determine how samples are drawn."""


class NoDensity(Exception):  # noqa: N818 (a property of the model, not an error of the program)
    """The samples of a model have no density that can be computed. The text says why."""


def prior_of(model: GenerativeModel) -> str:
    """Name the distribution of the latents of a model's samples, such as "truncated normal"."""
    if isinstance(model, AdversarialModel) and _samples_as(model, AdversarialModel):
        config = model.config
        return config.prior if config.truncation is None else f"truncated {config.prior}"
    if isinstance(model, AutoencodingModel) and _samples_as(model, AutoencodingModel):
        prior = model.fitted_prior
        if prior is None:
            return "normal"
        return next((name for name, kind in FITTED_PRIORS.items() if type(prior) is kind), UNKNOWN)
    return UNKNOWN


def _samples_as(model: GenerativeModel, base: type[Any]) -> bool:
    """Return whether a model draws samples as its base class does, whose density is known."""
    return all(getattr(type(model), name) is getattr(base, name) for name in SAMPLING)


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
    if prior_of(model) == UNKNOWN:
        raise NoDensity(
            f"{model.name} draws its samples in a way of its own, so their density is unknown"
        )
    if isinstance(model, AdversarialModel):
        return _of_gan(model)
    assert isinstance(model, AutoencodingModel)
    return _of_vae(model)


def _of_vae(model: AutoencodingModel) -> tuple[LatentDensity, Callable[[Tensor], Tensor]]:
    prior = model.fitted_prior
    if prior is None:
        return _normal(model.latent_size), _unchanged
    if isinstance(prior, SecondStage):
        return _normal(2 * model.latent_size), prior.latents
    assert isinstance(prior, Mixture)
    return LatentDensity(prior.sample, prior.log_density), _unchanged


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
