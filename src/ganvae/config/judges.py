"""Parameters of the judges (judges/params.yaml)."""

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from ganvae.config.data import DataConfig
from ganvae.config.section import Section


class JudgeNetworkConfig(Section):
    """The judge's network: convolutions, then a dense layer that gives the features."""

    channels: list[PositiveInt] = Field(min_length=1)
    strides: list[PositiveInt] = Field(min_length=1)
    features: int = Field(ge=1, le=128)
    dropout: float = Field(ge=0, lt=1)

    @model_validator(mode="after")
    def _one_stride_a_convolution(self) -> Self:
        if len(self.strides) != len(self.channels):
            raise ValueError("channels and strides must have the same length")
        return self


class JudgeTrainingConfig(Section):
    """How a judge is trained.

    Images are moved by up to ``max_shift`` pixels and, with ``flip``, mirrored left to right half
    of the times.
    """

    epochs: PositiveInt
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    max_shift: int = Field(ge=0)
    flip: bool = False
    seed: int = Field(ge=0)
    threads: PositiveInt


class IdentitiesConfig(Section):
    """Whom a judge of people is trained on.

    Those with at least ``min_photos`` photos in the training split; ``held_out_share`` of each
    one's photos, at least one, are kept for its accuracy.
    """

    min_photos: int = Field(ge=2)
    held_out_share: float = Field(gt=0, lt=1)


class JudgeConfig(Section):
    """A judge of judges/params.yaml that is trained: on classes, with ``identities`` on people."""

    data: DataConfig
    network: JudgeNetworkConfig
    training: JudgeTrainingConfig
    identities: IdentitiesConfig | None = None


class ChannelJudgeConfig(Section):
    """A judge of judges/params.yaml that is another one, of grey images, at work on each channel.

    ``channels_of`` is the other's weights file.
    """

    data: DataConfig
    channels_of: str
