"""Parameters common to all variants."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from ganvae.config.section import Section

Binarization = Literal["none", "static", "dynamic"]


class Schedule(Section):
    """The length of training, and the intervals of loss reports, sample grids and checkpoints.

    Attributes:
        unit: the unit of all other values: ``epochs`` (one pass over the real images) or ``steps``
            (one call of ``train_step``).
        length: length of a training run.
        report_every: interval between two rows of losses.
        sample_every: interval between two sample grids. Sample grids are also drawn at each of the
            ``marks``, after the first epoch and at the end.
        checkpoint_every: interval between two checkpoints. A checkpoint holds the states of the
            weights, the optimizers and the random generators. The newest checkpoint is kept until
            training ends.
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
    """The parameters that every variant has. The subclass of a system adds further parameters.

    Attributes:
        learning_rate_decay: ``linear`` lowers every learning rate linearly. The learning rates
            reach 0 at the end of training. ``staged`` lowers every learning rate in eight stages,
            to a tenth in the last stage. Each stage is three times as long as the stage before
            (1509.00519, section 5).
        ema: the decay of an exponential moving average of the weights (arXiv 1710.10196, section
            4). Samples and scores use the averaged weights. With null, they use the weights of the
            last step.
        ema_warmup: lowers the decay at first, to (1 + t) / (10 + t) after t steps, until that is
            ``ema`` (``num_updates`` of TensorFlow's ``ExponentialMovingAverage``). Otherwise, the
            weights after step 1 keep a share of ``ema`` ** t: 37 % after 1,000 steps with 0.999.
        binarize: trains on black-and-white images. A pixel is white with a probability equal to the
            pixel's grey value in [0, 1]. ``static`` draws the black-and-white images once.
            ``dynamic`` draws new black-and-white images for every batch (arXiv 1509.00519). The
            bounds that a Bernoulli decoder gives are bounds of a likelihood only on black-and-white
            images.
    """

    schedule: Schedule
    batch_size: int = Field(ge=2)
    learning_rate_decay: Literal["none", "linear", "staged"] = "none"
    ema: float | None = Field(None, gt=0, lt=1)
    ema_warmup: bool = False
    binarize: Binarization = "none"


class LogitModelConfig(ModelConfig):
    """The parameters of a variant whose images are the sigmoid of logits.

    Attributes:
        output_scale: a factor on the logits of samples. Training and reconstructions do not use
            this factor. A factor above 1 makes samples sharper.
    """

    output_scale: PositiveFloat = 1.0
