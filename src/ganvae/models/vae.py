"""Base classes of all models with an encoder and a decoder.

x is an image, z a latent. q(z|x) is the distribution of latents that the encoder returns for x.
p(x|z) is the distribution of images that the decoder returns for z.
"""

import math
from typing import Self

import torch
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn
from torch.optim import Optimizer

from ganvae.core.images import from_uint8
from ganvae.models.base import (
    FitError,
    ImageShape,
    LogitModel,
    Optimizers,
    VariationalModel,
    descend,
    evaluating,
)
from ganvae.models.fitted_prior import FittedPrior, FittedPriorConfig
from ganvae.models.losses import RECONSTRUCTION_LOSSES, gaussian_kl
from ganvae.models.mixture import Mixture
from ganvae.models.optimizers import adam
from ganvae.models.priors import drawn, standard_normal
from ganvae.models.second_stage import SecondStage

ENCODINGS = 20_000
"""The largest number of training images whose encodings a prior is fitted to."""
ENCODED = 500  # images per pass through the encoder
FITTED_PRIORS: dict[str, type[FittedPrior]] = {
    "mixture": Mixture,
    "second-stage": SecondStage,
}


class VAEConfig(FittedPriorConfig):
    """Parameters of every VAE. With a latent size of 2 the latent space can be drawn as a map.

    ``beta`` is the weight of the KL in the loss (Higgins et al. 2017, beta-VAE). With ``beta`` 1
    the loss is -ELBO. ``importance_samples`` is the number k of latents per image. With k above 1
    the loss is minus the importance-weighted bound (1509.00519, eq. 8).
    """

    batch_size: int = Field(128, ge=2)
    latent_size: PositiveInt = 20
    learning_rate: PositiveFloat = 1e-3
    beta: PositiveFloat = 1.0
    importance_samples: PositiveInt = 1
    beta_1: float = Field(0.9, ge=0, lt=1)
    beta_2: float = Field(0.999, ge=0, lt=1)

    @model_validator(mode="after")
    def _bound_has_no_beta(self) -> Self:
        if self.importance_samples > 1 and self.beta != 1:
            raise ValueError(
                f"beta is {self.beta}, but it must be 1 if importance_samples is above 1 (here "
                f"{self.importance_samples}). The importance-weighted bound has no KL that beta "
                "could weight. Set beta to 1, or set importance_samples to 1"
            )
        return self


class AutoencodingModel(LogitModel, VariationalModel):
    """A model with p(z) = N(0, I), a diagonal Gaussian q(z|x), and a decoder that returns logits.

    The sigmoid of the logits is the mean of p(x|z). Samples and reconstructions show this mean.
    """

    encoder: nn.Module
    """A network from N images to N x (2 * latent size): first the means, then the log-variances."""

    def __init__(self) -> None:
        super().__init__()
        self.fitted_prior: FittedPrior | None = None

    def elbo_terms(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstruction loss and the KL of each image, two tensors of N values.

        Their sum is -ELBO up to a constant. ``noise``, N x latent size, is drawn from N(0, I).
        """
        mean, log_variance = self.encode(images)
        logits = self.decode_logits(drawn(mean, log_variance, noise))
        loss = RECONSTRUCTION_LOSSES[self.likelihood]
        return loss(logits, images), gaussian_kl(mean, log_variance)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance

    def elbo(self, images: Tensor, noise: Tensor) -> Tensor:
        reconstruction, kl = self.elbo_terms(images, noise)
        return -(reconstruction + kl) - self._constant

    def log_weights(self, images: Tensor, noise: Tensor) -> Tensor:
        """Return log(p(x|z) p(z) / q(z|x)) for k latents z of each image x: k x N, in nats.

        `log_mean_exp` of these weights is the importance-weighted bound (1509.00519, eq. 8).

        Args:
            images: contract images (float32, N x C x H x W, in [0, 1]).
            noise: draws from N(0, I), k x N x latent size. A latent is
                mean + standard deviation * noise.
        """
        mean, log_variance = self.encode(images)
        latents = drawn(mean, log_variance, noise)
        logits = self.decode_logits(latents.flatten(end_dim=1))
        originals = images.expand(len(noise), *images.shape).flatten(end_dim=1)
        loss = RECONSTRUCTION_LOSSES[self.likelihood](logits, originals)
        ratio = (noise.square() + log_variance - latents.square()).sum(dim=2) / 2
        return ratio - loss.unflatten(0, noise.shape[:2]) - self._constant

    @property
    def _constant(self) -> float:
        """The constant difference of -log p(x|z) and the reconstruction loss: 0 for Bernoulli.

        The Gaussian density N(mean, I/2) is pi^(-pixels/2) * exp(-squared error). The constant is
        minus the log of the first factor.
        """
        gaussian = self.likelihood == "gaussian"
        return math.prod(self.image_shape) / 2 * math.log(math.pi) if gaussian else 0.0

    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        return standard_normal(n, self.latent_size, generator)

    def fit_sampling(self, images: Tensor, generator: torch.Generator) -> None:
        """Fit the prior to encodings of at most `ENCODINGS` images. N(0, I) needs no fit."""
        if self.fitted_prior is None:
            return
        chosen = torch.randperm(len(images), generator=generator)[:ENCODINGS]
        mean, log_variance = self._encodings(images[chosen.to(images.device)])
        self.fitted_prior.fit(mean, log_variance, generator)

    def _encodings(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of q(z|x) of uint8 images on the CPU, N x latent size each.

        Raises:
            FitError: q(z|x) of an image is not finite.
        """
        with evaluating(self):
            parts = [self.encode(from_uint8(part)) for part in images.split(ENCODED)]
        mean, log_variance = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
        finite = (mean.isfinite() & log_variance.exp().isfinite()).all(dim=1)
        if not finite.all():
            raise FitError(
                f"the encodings of {int((~finite).sum())} of {len(images)} training images are NaN "
                "or infinite, so no prior was fitted"
            )
        return mean, log_variance

    def sample_latents(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw latents from the fitted prior. Before the fit, the latents come from N(0, I)."""
        if self.fitted_prior is None or not self.fitted_prior.fitted:
            return super().sample_latents(n, generator)
        return self.fitted_prior.sample(n, generator)


def fitted_prior(config: FittedPriorConfig, latent_size: int) -> FittedPrior | None:
    """Build the prior that ``config`` asks for, not yet fitted. The result is None for N(0, I)."""
    if config.prior == "normal":
        return None
    return FITTED_PRIORS[config.prior](config, latent_size)


def log_mean_exp(values: Tensor) -> Tensor:
    """The log of the mean of exp(values) over the first dimension, without overflow."""
    return values.logsumexp(dim=0) - math.log(len(values))


class VAE(AutoencodingModel):
    """An autoencoding model that minimises reconstruction loss + beta * KL with Adam.

    With beta 1 the loss is -ELBO (1312.6114, eq. 3). With several importance samples, the loss is
    minus the importance-weighted bound. For one importance sample, this bound would be the ELBO
    with an estimated KL. In this case, the model uses the ELBO with the exact KL instead.
    """

    config: VAEConfig

    def __init__(self, config: VAEConfig, image_shape: ImageShape) -> None:
        super().__init__()
        self.config = config
        self.image_shape = image_shape
        self.latent_size = config.latent_size
        self.real_images_per_step = config.batch_size
        self.fitted_prior = fitted_prior(config, config.latent_size)

    def optimizers(self) -> dict[str, Optimizer]:
        config = self.config
        return {"vae": adam(self, config.learning_rate, config.beta_1, config.beta_2)}

    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        if self.config.importance_samples > 1:
            return self._importance_weighted_step(images, optimizers, generator)
        noise = standard_normal(len(images), self.latent_size, generator)
        reconstruction, kl = (term.mean() for term in self.elbo_terms(images, noise))
        loss = reconstruction + self.config.beta * kl
        descend(loss, optimizers["vae"])
        return {
            "loss": loss.detach(),
            "reconstruction_loss": reconstruction.detach(),
            "kl": kl.detach(),
        }

    def _importance_weighted_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        k = self.config.importance_samples
        noise = standard_normal(k * len(images), self.latent_size, generator)
        weights = self.log_weights(images, noise.unflatten(0, (k, len(images))))
        loss = -log_mean_exp(weights).mean()
        descend(loss, optimizers["vae"])
        return {"loss": loss.detach(), "elbo": weights.detach().mean()}
