"""Base classes of all models with an encoder and a decoder.

x is an image, z a latent. q(z|x) is the distribution of latents that the encoder returns for x.
p(x|z) is the distribution of images that the decoder returns for z.
"""

import math
from typing import Literal, Self

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn
from torch.optim import Optimizer

from ganvae.core.images import from_uint8
from ganvae.models.base import (
    FitError,
    ImageShape,
    Likelihood,
    LogitModel,
    Optimizers,
    VariationalModel,
    descend,
    evaluating,
)
from ganvae.models.fitted_prior import FittedPrior, FittedPriorConfig
from ganvae.models.layers import with_batch_norm
from ganvae.models.losses import (
    RECONSTRUCTION_LOSSES,
    free_bits_kl,
    gaussian_kl_by_latent,
    gaussian_loss,
)
from ganvae.models.mixture import Mixture
from ganvae.models.optimizers import adam, variational_adam
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

    Attributes:
        likelihood: the family of p(x|z). ``bernoulli`` is a Bernoulli distribution per pixel.
            ``gaussian`` is N(decoder's mean, variance * I).
        gaussian_variance: the variance of the Gaussian likelihood. ``fixed`` is 1/2. ``learned`` is
            one variance for all pixels, which starts at 1/2 and is trained with the networks
            (sigma-VAE, 2006.13202). The Bernoulli likelihood has no variance.
        beta: the weight of the KL in the loss (Higgins et al. 2017, beta-VAE). With ``beta`` 1 the
            loss is -ELBO.
        kl_warmup: the share of the training steps in which the weight of the KL grows linearly
            from 0 to ``beta`` (1511.06349, section 3.1). 0 turns the warm-up off.
        free_bits: the KL per latent, in nats, that costs a constant (`free_bits_kl`). The KL has
            the same weight as without free bits. 0 turns free bits off.
        norm: the normalisation before each activation in encoder and decoder.
        importance_samples: the number k of latents per image. With k above 1 the loss is minus the
            importance-weighted bound (1509.00519, eq. 8).
    """

    batch_size: int = Field(128, ge=2)
    latent_size: PositiveInt = 20
    learning_rate: PositiveFloat = 1e-3
    likelihood: Likelihood = "bernoulli"
    gaussian_variance: Literal["fixed", "learned"] = "fixed"
    beta: PositiveFloat = 1.0
    kl_warmup: float = Field(0.0, ge=0, le=1)
    free_bits: NonNegativeFloat = 0.0
    norm: Literal["none", "batch"] = "none"
    importance_samples: PositiveInt = 1
    beta_1: float = Field(0.9, ge=0, lt=1)
    beta_2: float = Field(0.999, ge=0, lt=1)

    @property
    def real_images_per_step(self) -> int:
        """The number of real images in a training step."""
        return self.batch_size

    @model_validator(mode="after")
    def _bound_has_no_beta(self) -> Self:
        if self.importance_samples > 1 and self.beta != 1:
            raise ValueError(
                f"beta is {self.beta}, but it must be 1 if importance_samples is above 1 (here "
                f"{self.importance_samples}). The importance-weighted bound has no KL that beta "
                "could weight. Set beta to 1, or set importance_samples to 1"
            )
        if self.importance_samples > 1 and self.free_bits:
            raise ValueError(
                f"free_bits is {self.free_bits}, but it must be 0 if importance_samples is above 1 "
                f"(here {self.importance_samples}). The importance-weighted bound has no KL per "
                "latent. Set free_bits to 0, or set importance_samples to 1"
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
        self.log_variance: nn.Parameter | None = None
        """The logarithm of the learned variance of a Gaussian p(x|z), or None."""

    @property
    def density(self) -> str:
        return self.likelihood if self.log_variance is None else f"{self.likelihood}_learned"

    def elbo_terms(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the reconstruction loss and the KL of each image, two tensors of N values.

        Their sum is -ELBO up to a constant. ``noise``, N x latent size, is drawn from N(0, I).
        """
        reconstruction, kl = self.terms_by_latent(images, noise)
        return reconstruction, kl.sum(dim=1)

    def terms_by_latent(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return the terms of `elbo_terms`, but the KL of each latent: N and N x latent size."""
        mean, log_variance = self.encode(images)
        logits = self.decode_logits(drawn(mean, log_variance, noise))
        return self._loss(logits, images), gaussian_kl_by_latent(mean, log_variance)

    def _loss(self, logits: Tensor, images: Tensor) -> Tensor:
        """Return -log p(x|z) - `_constant` of each image: N, in nats."""
        loss = RECONSTRUCTION_LOSSES[self.likelihood](logits, images)
        if self.log_variance is None:
            return loss
        return gaussian_loss(loss, self.log_variance, math.prod(self.image_shape))

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
        ratio, loss = self.weight_terms(images, noise)
        return ratio - loss - self._constant

    def weight_terms(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return log(p(z) / q(z|x)) and the reconstruction loss, the terms of `log_weights`."""
        mean, log_variance = self.encode(images)
        latents = drawn(mean, log_variance, noise)
        logits = self.decode_logits(latents.flatten(end_dim=1))
        originals = images.expand(len(noise), *images.shape).flatten(end_dim=1)
        loss = self._loss(logits, originals).unflatten(0, noise.shape[:2])
        ratio = (noise.square() + log_variance - latents.square()).sum(dim=2) / 2
        return ratio, loss

    @property
    def _constant(self) -> float:
        """The constant difference of -log p(x|z) and the reconstruction loss: 0 for Bernoulli.

        The Gaussian density N(mean, I/2) is pi^(-pixels/2) * exp(-squared error). The constant is
        minus the log of the first factor. The constant does not depend on the variance.
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

    During the warm-up, the KL has a weight w below ``beta``. In the importance-weighted bound, w is
    the weight of log(p(z) / q(z|x)). After the warm-up, w is ``beta``.
    """

    config: VAEConfig

    def __init__(self, config: VAEConfig, image_shape: ImageShape) -> None:
        super().__init__()
        self.config = config
        self.image_shape = image_shape
        self.latent_size = config.latent_size
        self.real_images_per_step = config.real_images_per_step
        self.likelihood = config.likelihood  # type: ignore[misc]  # a class attribute elsewhere
        self.fitted_prior = fitted_prior(config, config.latent_size)
        if config.likelihood == "gaussian" and config.gaussian_variance == "learned":
            self.log_variance = nn.Parameter(torch.tensor(0.5).log())

    def optimizers(self) -> dict[str, Optimizer]:
        rates = self.config.learning_rate, self.config.beta_1, self.config.beta_2
        if self.log_variance is None:
            return {"vae": adam(self, *rates)}
        return {"vae": variational_adam(self, self.log_variance, *rates)}

    def normalised(self, network: nn.Sequential) -> nn.Sequential:
        """Return ``network`` with the normalisation that ``norm`` asks for."""
        return with_batch_norm(network) if self.config.norm == "batch" else network

    @property
    def kl_weight(self) -> float:
        """The weight of the KL in the current step: ``beta``, or less during the warm-up."""
        share = self.config.kl_warmup
        return self.config.beta * min(1.0, self.progress / share) if share else self.config.beta

    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        if self.config.importance_samples > 1:
            return self._importance_weighted_step(images, optimizers, generator)
        noise = standard_normal(len(images), self.latent_size, generator)
        losses, kl_by_latent = self.terms_by_latent(images, noise)
        reconstruction, kl = losses.mean(), kl_by_latent.sum(dim=1).mean()
        free_bits = self.config.free_bits
        penalty = free_bits_kl(kl_by_latent, free_bits) if free_bits else kl
        loss = reconstruction + self.kl_weight * penalty
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
        ratio, losses = self.weight_terms(images, noise.unflatten(0, (k, len(images))))
        weights = self.kl_weight * ratio - losses - self._constant
        loss = -log_mean_exp(weights).mean()
        descend(loss, optimizers["vae"])
        elbo = (weights + (1 - self.kl_weight) * ratio).mean()
        return {"loss": loss.detach(), "elbo": elbo.detach()}
