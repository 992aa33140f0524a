"""Parameters common to all variants."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from ganvae.config.section import Section

Binarization = Literal["none", "static", "dynamic"]


class Schedule(Section):
    """The length of training, and the intervals of loss reports, sample grids and checkpoints.

    Attributes:
        unit: the unit of all other values: ``epochs`` (one pass over the real images) or
            ``steps`` (one call of ``train_step``).
        length: length of a training run.
        report_every: interval between two rows of losses.
        sample_every: interval between two sample grids. Sample grids are also drawn at each of
            the ``marks``, after the first epoch and at the end.
        checkpoint_every: interval between two checkpoints. A checkpoint holds weights,
            optimizers and generators. The newest checkpoint is kept until training ends.
        marks: the times whose sample grids form the progress picture. If ``marks`` is empty, the
            progress picture has six sample grids, spread from the first to the last.
    """

    unit: Literal["epochs", "steps"]
    length: PositiveInt
    report_every: PositiveInt
    sample_every: PositiveInt
    checkpoint_every: PositiveInt
    marks: list[NonNegativeInt] = Field(default=[])


class ModelConfig(Section):
    """The parameters in every variant's section. Each system's subclass adds further parameters.

    Attributes:
        learning_rate_decay: ``linear`` lowers every learning rate linearly to 0 at the end of the
            schedule.
        ema: the decay of an exponential moving average of the weights (arXiv 1710.10196,
            section 4). Samples and scores use the averaged weights, or with null the last weights.
        binarize: trains on black-and-white images. A pixel is white with a probability equal to
            the pixel's grey value in [0, 1]. ``static`` draws black-and-white images once,
            ``dynamic`` for every batch (arXiv 1509.00519). On black-and-white images, the bounds
            of a Bernoulli decoder are bounds of a likelihood.
    """

    schedule: Schedule
    batch_size: int = Field(ge=2)
    learning_rate_decay: Literal["none", "linear"] = "none"
    ema: float | None = Field(None, gt=0, lt=1)
    binarize: Binarization = "none"
