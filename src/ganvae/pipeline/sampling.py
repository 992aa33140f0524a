"""Draw samples from stored weights, and write the samples as a picture or as an array."""

from math import ceil, prod, sqrt
from pathlib import Path

import numpy as np
from torch import Tensor

from ganvae.core.errors import ConfigError
from ganvae.core.files import replacing
from ganvae.core.images import check_images, grid, to_uint8, write_png
from ganvae.core.limits import check_memory
from ganvae.core.seeds import generator
from ganvae.core.tensors import load_tensors
from ganvae.models.own_code import find_file, is_file, refuse_outside
from ganvae.models.weights import load_model

PNG_SCALE = 2
MOST_IN_GRID = 10_000  # images
PER_VALUE = 8  # bytes: a float32 and its copy in a batch or a file


def sample_to_file(weights: Path, n: int, seed: int, out: Path) -> None:
    """Draw ``n`` images from the model in a weights file and write the images to the file ``out``.

    A ``.png`` file holds a grid of the images. An ``.npz`` file holds an array of the images under
    the key ``images``: float32, N x C x H x W, in [0, 1]. Equal weights, seeds and ``n`` give equal
    images.

    Raises:
        ConfigError: ``out`` has another suffix or is a folder, or this machine has too little
            memory for the images.
        DataError: the weights file is missing or damaged.
    """
    if out.suffix not in WRITERS:
        raise ConfigError(f"--out {out}: the name must end in {' or '.join(WRITERS)}.")
    if out.is_dir():
        raise ConfigError(f"--out {out} is a folder. Give the name of a file.")
    if out.suffix == ".png" and n > MOST_IN_GRID:
        raise ConfigError(
            f"--n {n:,} images do not fit into one picture, but at most {MOST_IN_GRID:,} do. Give "
            "an .npz file as --out."
        )
    WRITERS[out.suffix](out, draw_samples(weights, n, seed))


def code_of(weights: Path) -> Path | None:
    """The Python file that `draw_samples` imports, or None if the model is no Python file.

    Raises:
        ConfigError: the Python file does not exist.
        DataError: the weights file is missing or damaged, or names a file outside of the project.
    """
    _, metadata = load_tensors(weights)
    name = metadata.get("model")
    if not (isinstance(name, str) and is_file(name)):
        return None
    refuse_outside(name, weights)
    return find_file(name)


def draw_samples(weights: Path, n: int, seed: int) -> Tensor:
    """Draw ``n`` contract images, N x C x H x W, from the model in a weights file.

    Equal weights, seeds and ``n`` give equal images.

    Raises:
        ConfigError: this machine has too little memory for the images.
        DataError: the weights file is missing or damaged.
    """
    model = load_model(weights)
    size = n * PER_VALUE * prod(model.image_shape)
    check_memory(size, f"drawing {n:,} samples", "give a smaller n")
    return check_images(model.sample(n, generator(seed, "samples")), "samples")


def _write_grid(path: Path, images: Tensor) -> None:
    write_png(path, grid(to_uint8(images), ceil(sqrt(len(images)))), PNG_SCALE)


def _write_npz(path: Path, images: Tensor) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, images=images.numpy())


WRITERS = {".png": _write_grid, ".npz": _write_npz}
