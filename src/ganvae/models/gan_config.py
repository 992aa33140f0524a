"""Parameters of GANs: objectives, penalties, discriminator (D), prior and sampling."""

from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from ganvae.models.adversary import AdamGANConfig, GANConfig
from ganvae.models.gan_priors import PriorName
from ganvae.models.objectives import OBJECTIVES, LossName

Norm = Literal["batch", "none"]


class AdversarialConfig(GANConfig):
    """Parameters of every GAN. The defaults turn all options off.

    Attributes:
        loss: the name of the losses of D and G (`ganvae.models.objectives.OBJECTIVES`).
        gradient_penalty: the weight of the penalty of ``wgan-gp`` (1704.00028, eq. 3). Other losses
            do not use this weight.
        r1: the weight gamma of the gradient penalty at real images (1801.04406, eq. 9). The value
            0 turns the penalty off.
        r2: the weight gamma of the gradient penalty at generated images (1801.04406, eq. 10).
        penalty_share: the fraction of a batch on which each gradient penalty is computed. A smaller
            fraction saves time, because the gradient of a penalty takes more time than the rest of
            a D step.
        packing: the number of images that D sees at once, joined along channels (1712.04086).
        spectral_norm: whether D's weights are divided by their largest singular values
            (1802.05957).
        prior: ``normal`` draws latents from N(0, I), ``uniform`` from U[-1, 1].
        truncation: the largest absolute value of a component of a sample's latent (1809.11096).
            Components beyond this threshold are drawn again. Training is not truncated.
        rejection: the percentile of discriminator rejection sampling (1810.06758). The sample at
            this percentile of D's logits is accepted with probability 1/2. A higher percentile
            rejects more samples. Null turns the rejection off.
    """

    loss: LossName = "non-saturating"
    gradient_penalty: NonNegativeFloat = 10.0
    r1: NonNegativeFloat = 0.0
    r2: NonNegativeFloat = 0.0
    penalty_share: float = Field(1.0, gt=0, le=1)
    packing: PositiveInt = 1
    spectral_norm: bool = False
    prior: PriorName = "normal"
    truncation: PositiveFloat | None = None
    rejection: float | None = Field(None, gt=0, lt=100)

    @model_validator(mode="after")
    def _rule_needs_cross_entropies(self) -> Self:
        if self.loss != "non-saturating" and self.balance.ratio is not None:
            raise ValueError(
                f"loss is {self.loss}, but the balance rule (balance.ratio is "
                f"{self.balance.ratio:g}) compares the cross-entropies of D and G, which only "
                "non-saturating losses are. Set balance.ratio to off, or set loss to non-saturating"
            )
        return self

    @model_validator(mode="after")
    def _packs_are_full(self) -> Self:
        images = self.real_images_per_d_step
        if images % self.packing:
            raise ValueError(
                f"packing is {self.packing}, but it must divide the number of real images in a "
                f"step of D, {images} at batch_size {self.batch_size}. Change packing or batch_size"
            )
        return self

    @model_validator(mode="after")
    def _rejection_needs_a_density_ratio(self) -> Self:
        if self.rejection is None:
            return self
        if not OBJECTIVES[self.loss].cross_entropy or self.packing > 1:
            reason = f"loss is {self.loss}" if self.packing == 1 else f"packing is {self.packing}"
            raise ValueError(
                f"rejection needs a discriminator that gives the density ratio of single images, "
                f"but {reason}. Set rejection to null, or set loss to non-saturating or minimax, "
                "and packing to 1"
            )
        return self

    @model_validator(mode="after")
    def _truncation_lies_within_the_prior(self) -> Self:
        if self.prior == "uniform" and self.truncation is not None and self.truncation >= 1:
            raise ValueError(
                f"truncation is {self.truncation:g}, but components of the uniform prior are never "
                "above 1. Set truncation below 1, or set it to null"
            )
        return self


class AdamAdversarialConfig(AdversarialConfig, AdamGANConfig):
    """Parameters of a GAN that trains with Adam."""


class NormalisedConfig(AdamAdversarialConfig):
    """Parameters of a GAN whose networks may have batch norms.

    With batch norm, D's logit of an image depends on the whole batch. So gradient penalties need a
    D without batch norm.
    """

    generator_norm: Norm = "batch"
    discriminator_norm: Norm = "none"

    @model_validator(mode="after")
    def _penalties_need_gradients_of_single_images(self) -> Self:
        used = [name for name in ("r1", "r2") if getattr(self, name)]
        if self.loss == "wgan-gp":
            used.append("loss wgan-gp")
        if used and self.discriminator_norm == "batch":
            raise ValueError(
                f"discriminator_norm is batch, but the gradient penalty of {used[0]} is defined "
                "for single images, which batch norm mixes. Set discriminator_norm to none, or "
                "use no gradient penalty"
            )
        return self
