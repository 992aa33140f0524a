"""Parameters of the data."""

from typing import Literal

from pydantic import Field, PositiveInt

from ganvae.config.section import Section

Layout = Literal["idx", "people", "folders"]


class DataConfig(Section):
    """Where the images come from and how they are split.

    ``dataset`` is a registered name; with ``layout: folders`` any name will do. ``layout`` says how
    the files lie: ``idx``, the published files of MNIST's kind; ``people``, a folder or an archive
    with a folder of photos a person; ``folders``, a folder of images a class.

    ``size`` (pixels a side) and ``channels`` (1 grey, 3 colour) are for layouts of photos; null
    leaves them as they are.

    ``train_size``, ``validation_size`` and ``test_size`` count images; the classes keep their
    proportions, and people are not divided. ``train_size: null`` takes all that validation leaves;
    ``test_size: null`` takes the whole official test set. ``split_seed`` decides what is drawn.
    """

    dataset: str
    layout: Layout
    directory: str
    size: PositiveInt | None = None
    channels: Literal[1, 3] | None = None
    train_size: PositiveInt | None
    validation_size: PositiveInt
    test_size: PositiveInt | None
    split_seed: int = Field(ge=0)


class ByClassConfig(Section):
    """The per-class PNG folders: how many images of each class of each split; null for all."""

    per_class: PositiveInt | None
