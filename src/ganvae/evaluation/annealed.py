"""Estimate the log-likelihood of test images under one training run (1611.04273).

The estimate needs a density of images. So p(x|z) is a Gaussian around the decoded image, with one
variance for all pixels. The variance is chosen on validation images. Test images have no influence
on it.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvae.config import Params
from ganvae.core import assets, compute
from ganvae.core.errors import ConfigError
from ganvae.core.files import read_json, remove_folder, sha256, write_json
from ganvae.core.paths import ProfilePaths
from ganvae.core.seeds import generator
from ganvae.core.tokens import current_token
from ganvae.data.store import read_split
from ganvae.evaluation.annealing import TUNING_IMAGES, Images, estimate
from ganvae.evaluation.densities import NoDensity, prior_of
from ganvae.evaluation.parts import Parts
from ganvae.metrics import ais
from ganvae.models.weights import load_model
from ganvae.scores.annealed import LikelihoodRecord
from ganvae.training.runs import STATE, planned_run
from ganvae.training.spec import code_files, own_code


def anneal_run(params: Params, key: str) -> LikelihoodRecord:
    """Estimate the log-likelihood of test images under ``params.runs[key]``. Write the record.

    The record has a reason and no numbers if the training run diverged, or if its samples have no
    density. An unfinished estimate of the same training run with the same settings, files and code
    goes on after its last finished part. Any other unfinished estimate is replaced.

    Raises:
        ConfigError: ``params.runs`` has no ``key``, or there are too few test images.
        UserError: a file of the training run or of a split is missing, or a file cannot be written.
    """
    planned_run(params, key)
    paths = ProfilePaths(params.profile)
    run, work = paths.run(key), STATE / f"annealed-{params.profile}-{key}"
    record = _estimated(params, key, work)
    write_json(run.annealed, record.model_dump())
    remove_folder(work)
    return record


def _estimated(params: Params, key: str, work: Path) -> LikelihoodRecord:
    """Estimate the log-likelihood. The finished parts are kept in the folder ``work``."""
    paths, settings = ProfilePaths(params.profile), params.annealing.settings
    run, test, validation = paths.run(key), paths.split("test"), paths.split("validation")
    outcome = read_json(run.outcome)
    model = load_model(run.weights).to(compute.use(params.compute))
    split = read_split(test)
    fields: dict[str, Any] = {
        "variant": outcome["variant"],
        "seed": outcome["seed"],
        "prior": prior_of(model),
        "dataset": split.dataset,
        "weights_sha256": sha256(run.weights),
        "data_sha256": sha256(test),
    }
    images = _images(params, split.images)
    fingerprint = _fingerprint(
        **fields,
        validation_sha256=sha256(validation),
        settings=settings.model_dump(),
        code=_code(outcome["system"]),
        device=str(model.device),
    )
    parts = Parts(work / "parts.safetensors", fingerprint)
    try:
        if outcome["reason"]:
            raise NoDensity(f"the training run diverged: {outcome['reason']}")
        numbers = estimate(
            model, images, settings=settings, seed=outcome["seed"], name=key, parts=parts
        )
    except NoDensity as error:
        return LikelihoodRecord(**fields, reason=str(error))
    return LikelihoodRecord(**fields, **numbers, cpu_seconds=round(parts.cpu_seconds, 1))


def _images(params: Params, test: Tensor) -> Images:
    """Choose the images of both splits, the same for all training runs, and dequantise them.

    Args:
        test: all images of the test split.
    """
    n, seed = params.annealing.settings.images, params.annealing.settings.seed
    if n > len(test):
        path = ProfilePaths(params.profile).split("test")
        raise ConfigError(
            f"{params.file}: annealing.settings.images is {n}, but {path} has only {len(test)} "
            "images. Give a smaller number."
        )
    validation = read_split(ProfilePaths(params.profile).split("validation")).images
    few = chosen(validation, TUNING_IMAGES, seed, "validation")
    return Images(
        validation=dequantised(few, generator(seed, "dequantised validation")),
        test=dequantised(chosen(test, n, seed, "test"), generator(seed, "dequantised test")),
    )


def _fingerprint(**content: Any) -> str:
    """Return a checksum of everything that determines an estimate."""
    content |= {"torch": torch.__version__, "threads": torch.get_num_threads()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _code(system: str) -> list[str]:
    """Return the token of `anneal`, or source checksums if there is no current token.

    The code of a user's system always counts.
    """
    token = current_token(assets.CLONE, "anneal") if assets.CLONE else None
    if token:
        return [token, *own_code(system)]
    files = [*code_files(system), *sorted(Path(__file__).parent.glob("*.py")), Path(ais.__file__)]
    return [*map(sha256, files), *own_code(system)]


def chosen(images: Tensor, n: int, seed: int, split: str) -> Tensor:
    """Choose ``n`` images of a split at random, or all if there are fewer.

    The choice depends only on the other arguments. So it is the same for all training runs of a
    profile. A larger ``n`` keeps the images of a smaller one.
    """
    order = torch.randperm(len(images), generator=generator(seed, f"annealed {split} images"))
    return images[order[:n]]


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
