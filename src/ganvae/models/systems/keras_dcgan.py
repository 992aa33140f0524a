"""A DCGAN with the layers and the optimizer of the common Keras implementation for MNIST."""

from math import ceil
from typing import ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import nn
from torch.optim import Optimizer

from ganvae.config import Schedule
from ganvae.models.balance import BalanceConfig
from ganvae.models.base import ImageShape
from ganvae.models.convolution import Conv2d, ConvTranspose2d, UpsampledConvTranspose2d
from ganvae.models.gan import AdversarialModel
from ganvae.models.gan_config import AdversarialConfig, Norm
from ganvae.models.gan_priors import PriorName
from ganvae.models.layers import Dropout, Flatten, SamePadding, Unflatten, undoubled_side
from ganvae.models.optimizers import KerasRMSprop


class TwiceAsFast(BalanceConfig):
    """Parameters of the balance between discriminator (D) and generator (G).

    By default D's learning rate is 2e-4, twice the learning rate of G.
    """

    learning_rate_ratio: PositiveFloat = 2.0


class KerasDCGANConfig(AdversarialConfig):
    """Parameters of the system keras-dcgan.

    The first of ``generator_channels`` is the number of channels that the dense layer returns. The
    others are the output channels of all transposed convolutions except the last.
    ``discriminator_channels`` lists the output channels of each convolution.
    The learning rates decay as ``lr / (1 + decay * step)``.
    """

    schedule: Schedule = Schedule(
        unit="steps",
        length=10_000,
        report_every=100,
        sample_every=500,
        checkpoint_every=500,
        marks=[500, 1_000, 1_500, 2_000, 2_500, 3_000],
    )
    batch_size: int = Field(256, ge=2)
    learning_rate: PositiveFloat = 1e-4
    balance: TwiceAsFast = TwiceAsFast()
    discriminator_decay: NonNegativeFloat = 6e-8
    generator_decay: NonNegativeFloat = 3e-8
    rho: float = Field(0.9, ge=0, lt=1)
    epsilon: PositiveFloat = 1e-7
    prior: PriorName = "uniform"
    latent_size: PositiveInt = 100
    generator_channels: list[PositiveInt] = Field([256, 128, 64, 32], min_length=4, max_length=4)
    discriminator_channels: list[PositiveInt] = Field(
        [64, 128, 256, 512], min_length=4, max_length=4
    )
    discriminator_strides: list[PositiveInt] = Field([2, 2, 2, 1], min_length=4, max_length=4)
    kernel: Literal[3, 5, 7] = 5
    generator_norm: Norm = "batch"
    negative_slope: float = Field(0.2, ge=0, lt=1)
    dropout: float = Field(0.4, ge=0, lt=1)


class KerasDCGAN(AdversarialModel):
    """A GAN with convolutions (SAME padding). By default, latents come from U[-1, 1].

    Kernels are 5 x 5 by default. The D step uses one merged batch: ``batch_size`` real images
    labelled 1, and as many generated images labelled 0. In the D step, G runs in eval mode, like
    ``predict`` of Keras. The G step draws ``batch_size`` new latents and trains G towards label 1.
    """

    name: ClassVar[str] = "keras-dcgan"
    source: ClassVar[str] = "DCGAN in Keras for MNIST, after Radford et al. 2015 (1511.06434)"
    config_class = KerasDCGANConfig
    generates_in_eval_mode: ClassVar[bool] = True

    config: KerasDCGANConfig

    @property
    def latent_size(self) -> int:
        return self.config.latent_size

    def build_generator(self) -> nn.Module:
        return _initialise(_generator(self.config, self.image_shape))

    def build_discriminator(self, shape: ImageShape) -> nn.Module:
        return _initialise(_discriminator(self.config, shape))

    def optimizers(self) -> dict[str, Optimizer]:
        d_rate, g_rate = self.balance.learning_rates(self.config.learning_rate)
        settings = {"rho": self.config.rho, "epsilon": self.config.epsilon}
        return {
            "discriminator": KerasRMSprop(
                self.discriminator.parameters(),
                d_rate,
                self.config.discriminator_decay,
                **settings,
            ),
            "generator": KerasRMSprop(
                self.generator.parameters(), g_rate, self.config.generator_decay, **settings
            ),
        }


def _generator(config: KerasDCGANConfig, image_shape: ImageShape) -> nn.Sequential:
    channels, height, width = image_shape
    top = undoubled_side(height, 2, "height"), undoubled_side(width, 2, "width")
    base, first, second, third = config.generator_channels
    features = base * top[0] * top[1]
    batch_norm = config.generator_norm == "batch"
    return nn.Sequential(
        nn.Linear(config.latent_size, features),
        *([_keras_norm(nn.BatchNorm1d, features)] if batch_norm else []),
        nn.ReLU(),
        Unflatten(base, *top),
        Dropout(config.dropout),
        UpsampledConvTranspose2d(base, first, config.kernel),
        *_norm_and_relu(first, batch_norm),
        UpsampledConvTranspose2d(first, second, config.kernel),
        *_norm_and_relu(second, batch_norm),
        ConvTranspose2d(second, third, config.kernel, padding=config.kernel // 2),
        *_norm_and_relu(third, batch_norm),
        ConvTranspose2d(third, channels, config.kernel, padding=config.kernel // 2),
    )


def _norm_and_relu(channels: int, batch_norm: bool) -> list[nn.Module]:
    return [*([_keras_norm(nn.BatchNorm2d, channels)] if batch_norm else []), nn.ReLU()]


def _discriminator(config: KerasDCGANConfig, image_shape: ImageShape) -> nn.Sequential:
    channels, height, width = image_shape
    layers: list[nn.Module] = []
    strides = config.discriminator_strides
    for outputs, stride in zip(config.discriminator_channels, strides, strict=True):
        layers += [
            SamePadding(config.kernel, stride),
            Conv2d(channels, outputs, config.kernel, stride),
            nn.LeakyReLU(config.negative_slope),
            Dropout(config.dropout),
        ]
        channels, height, width = outputs, ceil(height / stride), ceil(width / stride)
    return nn.Sequential(*layers, Flatten(), nn.Linear(channels * height * width, 1))


def _keras_norm(norm: type[nn.BatchNorm1d] | type[nn.BatchNorm2d], channels: int) -> nn.Module:
    """Create a batch norm with the epsilon of Keras (1e-3).

    The momentum of the running statistics is our choice: 0.1 in the definition of torch, which is
    0.9 in the definition of Keras.
    """
    return norm(channels, eps=1e-3, momentum=0.1)


def _initialise(network: nn.Sequential) -> nn.Sequential:
    """Set the initial weights as Keras does: Glorot uniform (Glorot & Bengio 2010), biases 0."""
    for layer in network:
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    return network
