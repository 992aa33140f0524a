"""A VAE whose decoder is also the generator of a GAN. The networks are our choice."""

from typing import ClassVar

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import Optimizer

from ganvae.config import Schedule
from ganvae.models.adversary import AdamGANConfig, Adversary, detached, merged
from ganvae.models.base import Family, ImageShape, Likelihood, Optimizers, descend, frozen
from ganvae.models.fitted_prior import FittedPriorConfig
from ganvae.models.layers import (
    Flatten,
    Unflatten,
    downsampling,
    strided_discriminator,
    undoubled_side,
    upsampling,
)
from ganvae.models.losses import (
    bernoulli_cross_entropy,
    gaussian_kl,
    non_saturating_loss,
    real_or_fake_loss,
)
from ganvae.models.optimizers import adam
from ganvae.models.priors import drawn, standard_normal
from ganvae.models.vae import AutoencodingModel, fitted_prior


class VAEGANConfig(AdamGANConfig, FittedPriorConfig):
    """Parameters of the system vae-gan.

    ``learning_rate`` applies to the generator and the encoder. For each entry of ``channels``, the
    encoder has one convolution that halves height and width. The generator has the same channels in
    reverse order. For each entry of ``discriminator_channels``, the discriminator has one
    convolution that halves height and width.
    """

    schedule: Schedule = Schedule(
        unit="epochs", length=100, report_every=1, sample_every=5, checkpoint_every=5
    )
    learning_rate: PositiveFloat = 1e-3
    latent_size: PositiveInt = 20
    channels: list[PositiveInt] = Field([32, 64], min_length=1)
    discriminator_channels: list[PositiveInt] = Field([32, 64], min_length=1)
    adversarial_weight: NonNegativeFloat = 1.0
    real_target: PositiveFloat = Field(0.9, le=1)


class VAEGAN(Adversary, AutoencodingModel):
    """A model with an encoder, a generator G (also the decoder) and a discriminator D.

    BCE is the binary cross-entropy, and z is drawn from N(0, I). The networks minimise:

    - D: BCE(D(x), ``real_target``) + BCE(D(G(z)), 0)
    - encoder: reconstruction + KL
    - generator: reconstruction + KL + ``adversarial_weight`` * BCE(D(G(z)), 1)

    The reconstruction loss is the Bernoulli cross-entropy, summed over pixels. Reconstruction loss
    and KL are means over images. The label ``real_target`` smooths only the real images in the D
    step (1606.03498, section 3.4).

    If the balance rule excludes G from a step, only the adversarial term of G is left out. With
    several D steps, each D step uses its own part of the real images. Reconstruction loss and KL
    use all real images.
    """

    name: ClassVar[str] = "vae-gan"
    family: ClassVar[Family] = "hybrid"
    source: ClassVar[str] = "VAE and GAN in one, after Larsen et al. 2015 (1512.09300)"
    likelihood: ClassVar[Likelihood] = "bernoulli"
    config_class = VAEGANConfig
    d_loss_terms: ClassVar[int] = 2

    config: VAEGANConfig

    def __init__(self, config: VAEGANConfig, image_shape: ImageShape) -> None:
        super().__init__(config, image_shape)
        self.latent_size = config.latent_size
        image_channels, height, width = image_shape
        widths = [image_channels, *config.channels]
        halvings = len(config.channels)
        top = (
            widths[-1],
            undoubled_side(height, halvings, "height"),
            undoubled_side(width, halvings, "width"),
        )
        features = top[0] * top[1] * top[2]
        self.encoder = nn.Sequential(
            downsampling(widths, nn.ReLU),
            Flatten(),
            nn.Linear(features, 2 * config.latent_size),
        )
        self.generator = nn.Sequential(
            nn.Linear(config.latent_size, features),
            nn.ReLU(),
            Unflatten(*top),
            upsampling(widths[::-1], batch_norm=False),
        )
        self.discriminator = strided_discriminator(image_shape, config.discriminator_channels)
        self.fitted_prior = fitted_prior(config, config.latent_size)

    def optimizers(self) -> dict[str, Optimizer]:
        betas = self.config.beta_1, self.config.beta_2
        d_rate, g_rate = self.balance.learning_rates(self.config.learning_rate)
        return {
            "discriminator": adam(self.discriminator, d_rate, *betas),
            "encoder": adam(self.encoder, g_rate, *betas),
            "generator": adam(self.generator, g_rate, *betas),
        }

    def generator_step(
        self, images: Tensor, optimizers: Optimizers, random: torch.Generator, learns: bool
    ) -> dict[str, Tensor]:
        latents = self.sample_prior(self.config.batch_size, random)
        noise = standard_normal(len(images), self.latent_size, random)
        with frozen(self.discriminator):
            losses = self.generator_losses(images, latents, noise)
            objective = losses["reconstruction_loss"] + losses["kl"]
            if learns:
                objective = objective + self.config.adversarial_weight * losses["g_loss"]
            descend(objective, optimizers["encoder"], optimizers["generator"])
        return detached(losses)

    def discriminator_losses(
        self, real: Tensor, latents: Tensor, random: torch.Generator
    ) -> dict[str, Tensor]:
        with torch.no_grad():
            fake = self.generate(latents)
        real_logits, fake_logits = merged(self.discriminator, real, fake)
        return {
            "d_loss_real": real_or_fake_loss(real_logits, self.config.real_target),
            "d_loss_fake": real_or_fake_loss(fake_logits, 0.0),
        }

    def generator_losses(self, images: Tensor, latents: Tensor, noise: Tensor) -> dict[str, Tensor]:
        """Compute ``reconstruction_loss``, ``kl`` and ``g_loss``, each a mean over images.

        Reconstruction loss and KL use ``images`` (contract images: float32, N x C x H x W, in
        [0, 1]). ``noise``, N x latent size, is drawn from N(0, I). The latent of an image is
        mean + standard deviation * noise. ``g_loss`` uses the images generated from ``latents``.
        """
        mean, log_variance = self.encode(images)
        # G can decode both in one pass, because none of its layers mixes the images of a batch.
        both = torch.cat([drawn(mean, log_variance, noise), latents])
        decoded, generated = self.decode_logits(both).split([len(images), len(latents)])
        return {
            "reconstruction_loss": bernoulli_cross_entropy(decoded, images).mean(),
            "kl": gaussian_kl(mean, log_variance).mean(),
            "g_loss": non_saturating_loss(self.discriminator(torch.sigmoid(generated))),
        }
