"""Fully connected GAN (Goodfellow et al., 1406.2661). The default hidden layers are our choice."""

from math import prod
from typing import Any, ClassVar, Literal

from pydantic import Field, PositiveInt, field_validator
from torch import Tensor, nn

from ganvae.config import Schedule, Section
from ganvae.models.base import ImageShape
from ganvae.models.gan import AdamGAN
from ganvae.models.gan_config import AdamAdversarialConfig
from ganvae.models.gan_priors import PriorName
from ganvae.models.layers import mlp


class HiddenSizes(Section):
    """The sizes of the hidden layers of each network, from input to output."""

    generator: list[PositiveInt] = Field(min_length=1)
    discriminator: list[PositiveInt] = Field(min_length=1)


class VanillaGANConfig(AdamAdversarialConfig):
    """Parameters of the system vanilla-gan.

    ``batch_size`` must be even, because a batch of the discriminator has equally many real images
    and generated images. ``hidden`` may also be a single list of sizes for both networks.

    Attributes:
        activation: the activation of the hidden layers of both networks.
        negative_slope: the slope of LeakyReLU below 0. Tanh does not use it.
    """

    schedule: Schedule = Schedule(
        unit="epochs", length=400, report_every=1, sample_every=10, checkpoint_every=10
    )
    batch_size: int = Field(128, ge=2, multiple_of=2)
    prior: PriorName = "uniform"
    encoding_dims: PositiveInt = 100
    activation: Literal["leaky-relu", "tanh"] = "leaky-relu"
    negative_slope: float = Field(0.2, ge=0, lt=1)
    hidden: HiddenSizes = HiddenSizes(generator=[256, 512, 1024], discriminator=[512, 256])

    @property
    def real_images_per_d_step(self) -> int:
        return self.batch_size // 2

    @field_validator("hidden", mode="before")
    @classmethod
    def _one_list_for_both(cls, value: Any) -> Any:
        if isinstance(value, list):
            return {"generator": value, "discriminator": value}
        if not isinstance(value, dict | HiddenSizes):
            raise ValueError(
                "hidden must be a list of sizes such as [128], or a list for each of generator and "
                "discriminator"
            )
        return value


class VanillaGAN(AdamGAN):
    """A GAN with a dense generator G and a dense discriminator D.

    By default, latents come from U[-1, 1]. With a batch size of B, a D step uses one merged batch:
    B/2 real images labelled 1, and B/2 generated images labelled 0. A G step draws B latents and
    trains G towards label 1.
    """

    name: ClassVar[str] = "vanilla-gan"
    source: ClassVar[str] = "fully connected GAN, Goodfellow et al. 2014 (1406.2661)"
    config_class = VanillaGANConfig

    config: VanillaGANConfig

    @property
    def latent_size(self) -> int:
        return self.config.encoding_dims

    def build_generator(self) -> nn.Module:
        sizes = [self.latent_size, *self.config.hidden.generator, prod(self.image_shape)]
        return mlp(sizes, self._activation)

    def build_discriminator(self, shape: ImageShape) -> nn.Module:
        sizes = [prod(shape), *self.config.hidden.discriminator, 1]
        return nn.Sequential(nn.Flatten(), mlp(sizes, self._activation))

    def _activation(self) -> nn.Module:
        if self.config.activation == "tanh":
            return nn.Tanh()
        return nn.LeakyReLU(self.config.negative_slope)

    def decode_logits(self, latents: Tensor) -> Tensor:
        return super().decode_logits(latents).unflatten(1, self.image_shape)
