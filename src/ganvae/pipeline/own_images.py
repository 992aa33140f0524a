"""The images for `ganvae train`: a registered data set or a folder, split as in the pipeline."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ganvae.config import DataConfig, parse
from ganvae.config.profiles import profile_of
from ganvae.core.errors import ConfigError, DataError
from ganvae.data.places import find_folder
from ganvae.data.registry import dataset_names, get_dataset
from ganvae.data.source import Source
from ganvae.data.splits import load_source, make_splits, reachable_sizes
from ganvae.data.store import StoredSplit

HELD_OUT = 5000  # upper limit of held-out images
HELD_OUT_SHARE = 10  # a small data set holds out one image in this many


def load_images(
    dataset: str,
    directory: Path | None = None,
    train_size: int | None = None,
    image_size: int | None = None,
    channels: int | None = None,
    report: Callable[[str], None] = print,
) -> tuple[StoredSplit, StoredSplit]:
    """Load the training images and the held-out images, split as in the pipeline.

    The test images are not used.

    Args:
        dataset: a registered data set, or a folder with one subfolder per class.
        directory: the folder of a registered data set. None means the folder that
            `ganvae.data.places.find_folder` finds.
        train_size: the number of training images, drawn as in the pipeline; None takes all.
        image_size, channels: the size and the number of channels that photos are converted to, as
            in `ganvae.config.DataConfig`.
        report: receives the remarks on the files, for example on files that were left out.

    Returns:
        The training split and the held-out (validation) split.

    Raises:
        ConfigError: the data set is unknown, a size cannot be met, or the data set's images cannot
            be resized.
        DataError: a file is missing or damaged, or there are too few images to split.
    """
    options = {"size": image_size, "channels": channels, "train_size": train_size}
    sizes = {"validation_size": HELD_OUT, "test_size": None, "split_seed": 0}
    location = _location(dataset, directory)
    config = parse(DataConfig, {"dataset": dataset, **location, **options, **sizes}, "data")
    source = load_source(config)
    for remark in source.remarks:
        report(remark)
    splits = make_splits(source, _holding_out(source, config))
    train, held_out = (
        StoredSplit(
            images=torch.from_numpy(splits[name].data.images),
            labels=torch.from_numpy(splits[name].data.labels),
            index=torch.from_numpy(splits[name].index),
            dataset=dataset,
            split=name,
            official_set=splits[name].official_set,
            classes=source.classes,
        )
        for name in ("train", "validation")
    )
    return train, held_out


def _holding_out(source: Source, config: DataConfig) -> DataConfig:
    """Return ``config`` with the sizes of the validation and test splits.

    The sizes come from the data set's profile. So no model is trained on images that the pipeline
    holds out for scores. Without a profile, or with too few images for the profile, each split gets
    a tenth of the images. Images without groups are drawn by class, so each split gets at least one
    image per class. The validation split gets at most `HELD_OUT` images, or one image per class if
    there are more classes.
    """
    if profile := profile_of(config.dataset):
        held_out = {"validation_size", "test_size", "split_seed"}
        sizes = profile.data.model_dump(include=held_out)
        in_train = profile.data.validation_size + (0 if source.test else sizes["test_size"])
        if in_train < len(source.train):
            return reachable_sizes(source, config.model_copy(update=sizes))
    _refuse_too_few(source, config.directory)
    share = max(1, len(source.train) // HELD_OUT_SHARE)
    if source.groups is None:
        share = max(share, len(source.classes))
    shares = {
        "validation_size": min(share, max(HELD_OUT, len(source.classes))),
        "test_size": share if source.test is None else None,
    }
    return reachable_sizes(source, config.model_copy(update=shares))


def _refuse_too_few(source: Source, directory: str) -> None:
    """Check that every split can get an image of each class or, for grouped images, one group.

    A group is, for example, all photos of one person; no group may be in two splits.

    Raises:
        DataError: a class has too few images, or there are too few groups.
    """
    splits = ["training", "validation"] + (["test"] if source.test is None else [])
    names = f"{', '.join(splits[:-1])} and {splits[-1]}"
    if source.groups is not None:
        n = len(np.unique(source.groups))
        if n < len(splits):
            raise DataError(
                f"{directory}: found photos of {n} {'person' if n == 1 else 'people'}, but the "
                f"{names} splits need photos of at least {len(splits)} people, because no "
                "person may be in two splits. Add photos of other people."
            )
        return
    counts = np.bincount(source.train.labels, minlength=len(source.classes))
    for name, n in zip(source.classes, counts.tolist(), strict=True):
        if n < len(splits):
            raise DataError(
                f"{directory}: found {n} {'image' if n == 1 else 'images'} of class {name!r}, but "
                f"the {names} splits need at least {len(splits)} images of every class. Add images "
                "of this class, or remove the class."
            )


def _location(dataset: str, directory: Path | None) -> dict[str, str]:
    """Return the layout and the folder of a data set's files, as fields of `DataConfig`.

    Raises:
        ConfigError: the data set is neither registered nor a folder.
    """
    if dataset in dataset_names():
        registered = get_dataset(dataset)
        folder = find_folder(registered, directory)
        return {"layout": registered.layout, "directory": str(folder)}
    if Path(dataset).is_dir() and directory:
        raise ConfigError(
            f"--data {directory} is given, but --dataset {dataset} is itself the folder of the "
            "images. Leave --data out."
        )
    if Path(dataset).is_dir():
        return {"layout": "folders", "directory": dataset}
    raise ConfigError(
        f"dataset {dataset!r} is neither a data set nor a folder. Give a folder with one subfolder "
        f"per class, or choose one of these data sets: {', '.join(dataset_names())}."
    )
