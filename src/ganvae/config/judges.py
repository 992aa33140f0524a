"""Parameters of the judges (judges/params.yaml). A judge is a classifier that scores images."""

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from ganvae.config.data import DataConfig
from ganvae.config.section import Section, Seed


class JudgeNetworkConfig(Section):
    """The network of a judge: convolutions, then a dense layer that outputs the features.

    ``channels`` and ``strides`` have one entry per convolution. ``channels`` lists the output
    channels. ``features`` is the number of features.
    """

    channels: list[PositiveInt] = Field(min_length=1)
    strides: list[PositiveInt] = Field(min_length=1)
    features: int = Field(ge=1, le=128)
    dropout: float = Field(ge=0, lt=1)

    @model_validator(mode="after")
    def _one_stride_per_convolution(self) -> Self:
        if len(self.strides) != len(self.channels):
            raise ValueError(
                f"channels has {len(self.channels)} entries and strides has {len(self.strides)}, "
                "but both lists must have one entry per convolution"
            )
        return self


class JudgeTrainingConfig(Section):
    """The training of a judge.

    Each training image is shifted at random by up to ``max_shift`` pixels along each axis. With
    ``flip``, each training image is also mirrored left to right with probability 0.5.
    """

    epochs: PositiveInt
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    max_shift: int = Field(ge=0)
    flip: bool = False
    seed: Seed
    threads: PositiveInt


class IdentitiesConfig(Section):
    """The choice of people and photos for a judge that distinguishes people.

    The judge trains on people with at least ``min_photos`` photos in the training split. Of each
    person's photos, the fraction ``held_out_share`` is held out, but at least one photo. The
    judge's accuracy is measured on the held-out photos.
    """

    min_photos: int = Field(ge=2)
    held_out_share: float = Field(gt=0, lt=1)


class JudgeConfig(Section):
    """The parameters of a judge, from judges/params.yaml.

    If ``identities`` is given, the judge distinguishes people. Otherwise, the judge distinguishes
    the classes of the data set.
    """

    data: DataConfig
    network: JudgeNetworkConfig
    training: JudgeTrainingConfig
    identities: IdentitiesConfig | None = None


class ChannelJudgeConfig(Section):
    """The parameters of a judge of colour images, from judges/params.yaml.

    The judge of colour images applies a trained judge of grey images to each channel. The file
    ``channels_of`` holds the weights of the judge of grey images.
    """

    data: DataConfig
    channels_of: str


class TasksConfig(Section):
    """The tasks of a judge that is trained without labels.

    Each training image is rotated by a random quarter turn. With probability ``damaged_share``, the
    image is blurred. With the same probability, the image gets noise. The standard deviation of the
    blur is uniform up to ``most_blur`` pixels. That of the noise is uniform up to ``most_noise``,
    where 1 is the range of a pixel. The judge tells the rotation (cross-entropy), and it tells both
    variances as shares of the largest variance (mean squared error, times ``damage_weight``).

    The two told variances are features too, times ``strictness``. A larger value makes FID in the
    judge's features stricter with blur and noise.
    """

    damage_weight: float = Field(ge=0)
    damaged_share: float = Field(ge=0, le=1)
    most_blur: float = Field(gt=0)
    most_noise: float = Field(gt=0)
    strictness: float = Field(ge=0)


class UnlabelledTrainingConfig(Section):
    """The parameters of a judge that is trained without labels, from judges/params.yaml.

    ``labelled`` is the file of the data set's first judge, with which the card compares the judge.
    """

    data: DataConfig
    labelled: str
    network: JudgeNetworkConfig
    tasks: TasksConfig
    training: JudgeTrainingConfig


class UnlabelledChannelConfig(Section):
    """The parameters of a judge of colour images that was trained without labels.

    The judge applies ``channels_of``, such a judge of grey images, to each channel. ``labelled`` is
    the file of the data set's first judge, with which the card compares the judge.
    """

    data: DataConfig
    labelled: str
    channels_of: str
