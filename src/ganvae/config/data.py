"""Parameters of the data set and its splits."""

from typing import Literal

from pydantic import PositiveInt

from ganvae.config.section import Section, Seed

Layout = Literal["idx", "people", "folders"]


class DataConfig(Section):
    """The source of the images, and the sizes of the splits.

    Attributes:
        dataset: a registered name, or any name with ``layout: folders``.
        layout: how the files are arranged. ``idx``: the published files of MNIST-like data sets.
            ``people``: a folder or an archive with one folder of photos per person.
            ``folders``: one folder of images per class.
        directory: the folder that holds the files.
        size: side of the resized square images in pixels, for ``people`` and ``folders``. null
            means the default of the data set, or the size in the files.
        channels: 1 (grey) or 3 (colour), for ``people`` and ``folders``. null means the default
            of the data set, or the channels in the files.
        train_size: number of training images. null means all images outside the validation and
            test splits.
        validation_size: number of validation images.
        test_size: number of test images. null means the whole official test set.
        split_seed: random seed of the splits. The classes have equal proportions in each split.
            Data sets with groups, such as people, divide no group between splits instead.
    """

    dataset: str
    layout: Layout
    directory: str
    size: PositiveInt | None = None
    channels: Literal[1, 3] | None = None
    train_size: PositiveInt | None
    validation_size: PositiveInt
    test_size: PositiveInt | None
    split_seed: Seed


class ByClassConfig(Section):
    """The number of images per class and split in the per-class PNG folders. null means all."""

    per_class: PositiveInt | None
