"""Base classes of all GANs: what D and G minimise, and how samples are drawn."""

from abc import abstractmethod
from math import ceil
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from ganvae.models.adversary import Adversary, detached, learning, merged
from ganvae.models.base import Family, ImageShape, Optimizers, descend, evaluating, frozen
from ganvae.models.gan_config import AdamAdversarialConfig, AdversarialConfig
from ganvae.models.gan_priors import PRIORS, truncated
from ganvae.models.objectives import OBJECTIVES, Objective
from ganvae.models.optimizers import adam
from ganvae.models.packing import packed, packed_shape
from ganvae.models.penalties import interpolated, one_centred_penalty, zero_centred_penalty
from ganvae.models.rejection import DRAWS, Rejection
from ganvae.models.spectral import normalise_spectrally, settle

JUDGED_AT_ONCE = 125  # images, the batch size of `GenerativeModel.decode`


class AdversarialModel(Adversary):
    """A GAN. A subclass defines the networks, the latent size and the optimizers.

    A subclass may also change how D sees images (`real_inputs`, `fake_inputs`). This class computes
    the losses that ``config`` names (`ganvae.models.objectives`), the penalties, and the samples.
    """

    family: ClassVar[Family] = "gan"
    generates_in_eval_mode: ClassVar[bool] = False
    """Whether G is in eval mode while it generates the images of a D step."""

    config: AdversarialConfig

    def __init__(self, config: AdversarialConfig, image_shape: ImageShape) -> None:
        super().__init__(config, image_shape)
        self.generator = self.build_generator()
        self.discriminator = self.build_discriminator(packed_shape(image_shape, config.packing))
        if config.spectral_norm:
            normalise_spectrally(self.discriminator)
        self.rejection = None if config.rejection is None else Rejection(config.rejection)

    @property
    @abstractmethod
    def latent_size(self) -> int:
        """The number of components of a latent."""

    @abstractmethod
    def build_generator(self) -> nn.Module:
        """Build G: a network from latents, N x latent size, to the logits of images."""

    @abstractmethod
    def build_discriminator(self, shape: ImageShape) -> nn.Module:
        """Build D: a network from packs of images, N x ``shape``, to N x 1 logits."""

    def real_inputs(self, images: Tensor) -> Tensor:
        """Prepare contract images for D. By default, D sees contract images."""
        return images

    def fake_inputs(self, latents: Tensor) -> Tensor:
        """Generate images from latents as D sees them."""
        return self.generate(latents)

    @property
    def objective(self) -> Objective:
        """The losses that ``config.loss`` names."""
        return OBJECTIVES[self.config.loss]

    def discriminator_losses(
        self, real: Tensor, latents: Tensor, random: torch.Generator
    ) -> dict[str, Tensor]:
        inputs = packed(self.real_inputs(real), self.config.packing)
        with evaluating(self.generator) if self.generates_in_eval_mode else torch.no_grad():
            generated = packed(self.fake_inputs(latents), self.config.packing)
        real_logits, fake_logits = self._logits_of_both(inputs, generated)
        loss = self.objective.discriminator_loss(real=real_logits, generated=fake_logits)
        if self.objective.cross_entropy:
            loss = self.d_loss_terms * loss
        return {"d_loss": loss} | self._penalties(inputs, generated, random)

    def _logits_of_both(self, real: Tensor, generated: Tensor) -> tuple[Tensor, Tensor]:
        # D's batch norms must not see real and generated images in one batch.
        if any(isinstance(layer, _BatchNorm) for layer in self.discriminator.modules()):
            return self.discriminator(real), self.discriminator(generated)
        return merged(self.discriminator, real, generated)

    def _penalties(
        self, real: Tensor, generated: Tensor, random: torch.Generator
    ) -> dict[str, Tensor]:
        config, penalties = self.config, {}
        share = ceil(len(real) * config.penalty_share)
        real, generated = real[:share], generated[:share]
        if config.r1:
            inputs = real.detach().requires_grad_()
            penalties["r1"] = config.r1 * zero_centred_penalty(self.discriminator(inputs), inputs)
        if config.r2:
            inputs = generated.detach().requires_grad_()
            penalties["r2"] = config.r2 * zero_centred_penalty(self.discriminator(inputs), inputs)
        if config.loss == "wgan-gp":
            between = interpolated(real=real, generated=generated, random=random)
            inputs = between.detach().requires_grad_()
            penalty = one_centred_penalty(self.discriminator(inputs), inputs)
            penalties["gradient_penalty"] = config.gradient_penalty * penalty
        return penalties

    def generator_loss(self, latents: Tensor, real: Tensor) -> Tensor:
        """Compute G's loss on the images that G generates from ``latents``.

        Args:
            latents: N x latent size.
            real: contract images. Only a paired loss compares with them. If there are fewer real
                than generated images, each real image is in several pairs.
        """
        generated = packed(self.fake_inputs(latents), self.config.packing)
        logits = self.discriminator(generated)
        if self.objective.paired:
            with torch.no_grad():  # these logits do not depend on G
                inputs = packed(self.real_inputs(real[: len(latents)]), self.config.packing)
                real_logits = self.discriminator(inputs)
            repeats = ceil(len(logits) / len(real_logits))
            logits = logits - real_logits.repeat(repeats, 1)[: len(logits)]
        return self.objective.generator_loss(logits)

    def generator_step(
        self, images: Tensor, optimizers: Optimizers, random: torch.Generator, learns: bool
    ) -> dict[str, Tensor]:
        latents = self.sample_prior(self.config.batch_size, random)
        with frozen(self.discriminator), learning(self.generator, learns):
            loss = self.generator_loss(latents, images)
            if learns:
                descend(loss, optimizers["generator"])
        return detached({"g_loss": loss})

    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        return PRIORS[self.config.prior](n, self.latent_size, generator)

    def fit_sampling(self, images: Tensor, generator: torch.Generator) -> None:
        """Fit the bound of the rejection, if rejection is on, from D's logits of new samples.

        With averaged weights, D is the averaged D. Its spectral norms are settled first.
        """
        if self.rejection is not None:
            settle(self.discriminator)
            self.rejection.fit(self._judge(self._propose(DRAWS, generator)))

    def sample_latents(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw the latents of ``n`` samples: truncated and accepted by D, if these options are on.

        Before `fit_sampling`, nothing is rejected. D judges the images as in training, without
        ``output_scale``. A latent depends on the other latents only by rounding.
        """
        if self.rejection is None or not self.rejection.fitted:
            return self._propose(n, generator)
        return self.rejection.sample(n, generator, self._propose, self._judge)

    def _propose(self, n: int, generator: torch.Generator) -> Tensor:
        threshold = self.config.truncation
        if threshold is None:
            return self.sample_prior(n, generator)
        return truncated(self.config.prior, n, self.latent_size, threshold, generator)

    def _judge(self, latents: Tensor) -> Tensor:
        """Compute D's logits of the images generated from N latents, in eval mode: N values."""
        with evaluating(self):
            logits = [
                self.discriminator(self.fake_inputs(part.to(self.device)))
                for part in latents.split(JUDGED_AT_ONCE)
            ]
        return torch.cat(logits).flatten()


class AdamGAN(AdversarialModel):
    """A GAN that trains both networks with Adam."""

    config: AdamAdversarialConfig

    def optimizers(self) -> dict[str, Optimizer]:
        betas = self.config.beta_1, self.config.beta_2
        d_rate, g_rate = self.balance.learning_rates(self.config.learning_rate)
        return {
            "discriminator": adam(self.discriminator, d_rate, *betas),
            "generator": adam(self.generator, g_rate, *betas),
        }
