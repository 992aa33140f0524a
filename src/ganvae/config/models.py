"""Parameters that every variant has."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from ganvae.config.section import Section

Binarization = Literal["none", "static", "dynamic"]


class Schedule(Section):
    """How long a variant trains, and how often it reports, draws samples and saves a checkpoint.

    Attributes:
        unit: the unit of all other values: ``epochs`` (one pass over the real images) or
            ``steps`` (one call of ``train_step``).
        length: length of a training run.
        report_every: interval between two rows of losses.
        sample_every: interval between two sample grids. Samples are also drawn at each mark,
            after the first epoch and at the end.
        checkpoint_every: interval between two checkpoints. A checkpoint holds weights,
            optimizers and generators. The newest is kept until the run ends.
        marks: the moments in the strip of progress. If empty, it shows six moments, spread from
            the first to the last.
    """

    unit: Literal["epochs", "steps"]
    length: PositiveInt
    report_every: PositiveInt
    sample_every: PositiveInt
    checkpoint_every: PositiveInt
    marks: list[NonNegativeInt] = Field(default=[])


class ModelConfig(Section):
    """The parameters in every variant's section. Each system adds its own in a subclass.

    Attributes:
        learning_rate_decay: ``linear`` lowers every learning rate linearly to 0 at the end of the
            schedule.
        ema: the decay of an exponential moving average of the weights (1710.10196, section 4).
            Samples and scores then use the average. null: they use the weights.
        binarize: trains on black-and-white images. Each pixel is white with probability equal to
            its grey value. ``static`` draws them once, ``dynamic`` for every batch (1509.00519).
            On such images, the bounds of a Bernoulli decoder are bounds of a likelihood.
    """

    schedule: Schedule
    batch_size: int = Field(ge=2)
    learning_rate_decay: Literal["none", "linear"] = "none"
    ema: float | None = Field(None, gt=0, lt=1)
    binarize: Binarization = "none"
