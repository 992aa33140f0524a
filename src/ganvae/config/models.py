"""Parameters that every model has."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from ganvae.config.section import Section

Binarization = Literal["none", "static", "dynamic"]


class Schedule(Section):
    """How long a model trains and how often it reports, all in one unit.

    ``unit`` is ``epochs`` (each real image seen once) or ``steps`` (calls of ``train_step``).
    A checkpoint holds weights, optimizers and generators; the newest is kept until the run ends.
    ``marks`` are the moments that the strip of progress shows; where there are none, six moments
    from first to last. Samples are drawn at each mark, after the first epoch and at the end too.
    """

    unit: Literal["epochs", "steps"]
    length: PositiveInt
    report_every: PositiveInt
    sample_every: PositiveInt
    checkpoint_every: PositiveInt
    marks: list[NonNegativeInt] = Field(default=[])


class ModelConfig(Section):
    """What every model's section has; a model adds its own numbers in a subclass.

    ``learning_rate_decay: linear`` lets every learning rate fall in a straight line to 0 at the
    end of the schedule. ``ema`` is the decay of an exponential moving average of the weights
    (1710.10196, section 4): what is drawn and evaluated is then that average; null: the weights.
    ``binarize`` gives the model black and white images, each pixel white with its grey value as
    the probability: ``static`` draws them once, ``dynamic`` anew for every batch (as 1509.00519
    does). On such images a Bernoulli decoder's bounds are bounds of a likelihood.
    """

    schedule: Schedule
    batch_size: int = Field(ge=2)
    learning_rate_decay: Literal["none", "linear"] = "none"
    ema: float | None = Field(None, gt=0, lt=1)
    binarize: Binarization = "none"
