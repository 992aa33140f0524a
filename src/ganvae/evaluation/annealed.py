"""Estimate the log-likelihood of test images under one training run (1611.04273).

The estimate needs a density of images. So p(x|z) is a Gaussian around the decoded image, with one
variance for all pixels. The variance is chosen on validation images. Test images have no influence
on it.
"""

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvae.config import Params
from ganvae.core import compute
from ganvae.core.errors import ConfigError
from ganvae.core.files import read_json, sha256
from ganvae.core.paths import ProfilePaths
from ganvae.core.seeds import generator
from ganvae.data.store import read_split
from ganvae.evaluation.annealing import TUNING_IMAGES, estimate
from ganvae.evaluation.densities import NoDensity, prior_of
from ganvae.models.weights import load_model
from ganvae.scores.annealed import LikelihoodRecord
from ganvae.training.runs import planned_run


def anneal_run(params: Params, key: str) -> LikelihoodRecord:
    """Estimate the log-likelihood of test images under the training run ``params.runs[key]``.

    The record has a reason and no numbers if the training run diverged, or if its samples have no
    density.

    Raises:
        ConfigError: ``params.runs`` has no ``key``, or there are too few test images.
        UserError: a file of the training run or of a split is missing.
    """
    start = time.process_time()
    planned_run(params, key)
    paths = ProfilePaths(params.profile)
    run, test_path = paths.run(key), paths.split("test")
    outcome = read_json(run.outcome)
    model = load_model(run.weights).to(compute.use(params.compute))
    test = read_split(test_path)
    fields: dict[str, Any] = {
        "variant": outcome["variant"],
        "seed": outcome["seed"],
        "prior": prior_of(model),
        "dataset": test.dataset,
        "weights_sha256": sha256(run.weights),
        "data_sha256": sha256(test_path),
    }
    images = _first(test.images, params, test_path)
    held_out = read_split(paths.split("validation")).images[:TUNING_IMAGES]
    try:
        if outcome["reason"]:
            raise NoDensity(f"the training run diverged: {outcome['reason']}")
        settings = params.annealing.settings
        numbers = estimate(
            model,
            validation=dequantised(held_out, generator(settings.seed, "dequantised validation")),
            test=dequantised(images, generator(settings.seed, "dequantised test")),
            settings=settings,
            seed=outcome["seed"],
            name=key,
        )
    except NoDensity as error:
        return LikelihoodRecord(**fields, reason=str(error))
    return LikelihoodRecord(**fields, **numbers, cpu_seconds=round(time.process_time() - start, 1))


def dequantised(images: Tensor, random: torch.Generator) -> Tensor:
    """Turn grey values x into (x + u) / 256 with u from U(0, 1), as in the published code.

    Without u, all images would lie on a grid, where a density can become as high as you like
    (1511.01844, section 3.1).

    Args:
        images: uint8, of any shape.

    Returns:
        float32 images of the same shape, in [0, 1].
    """
    return (images + torch.rand(images.shape, generator=random)) / 256


def _first(images: Tensor, params: Params, path: Path) -> Tensor:
    """Return the first test images. Their number is in ``annealing.settings.images``."""
    n = params.annealing.settings.images
    if n > len(images):
        raise ConfigError(
            f"{params.file}: annealing.settings.images is {n}, but {path} has only {len(images)} "
            "images. Give a smaller number."
        )
    return images[:n]
