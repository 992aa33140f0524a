"""Parameters of the data set and its splits."""

from typing import Literal

from pydantic import PositiveInt

from ganvae.config.section import Section, Seed

Layout = Literal["idx", "people", "folders"]


class DataConfig(Section):
    """The source of the images, and the sizes of the splits.

    Attributes:
        dataset: the name of a registered data set. With ``layout: folders``, any name is allowed.
        layout: how the files are arranged. ``idx``: the published files of MNIST-like data sets.
            ``people``: a folder or an archive with one folder of photos per person. ``folders``:
            one folder of images per class.
        directory: the folder that holds the files.
        size: side of the resized square images in pixels, for ``people`` and ``folders``. null
            means the data set's default size for ``people``, and the size of the files for
            ``folders``.
        channels: 1 (grey) or 3 (colour), for ``people`` and ``folders``. null means the data set's
            default for ``people``, and the channels of the files for ``folders``.
        train_size: number of training images. null means all images outside the validation and test
            splits.
        validation_size: number of validation images.
        test_size: number of test images. null means the whole official test set.
        split_seed: random seed of the splits. Each class has the same proportion in every split. If
            the data set has groups, for example one group per person, each whole group is in one
            split instead.
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
    """The number of images per class and split to write as PNG files. null means all images."""

    per_class: PositiveInt | None
