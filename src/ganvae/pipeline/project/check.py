"""Check a profile in seconds: parameters, paths, disk, judges, images and models."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from ganvae.config import Params, load_params
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.limits import gigabytes
from ganvae.data.source import Source
from ganvae.data.splits import load_source, make_splits
from ganvae.evaluation.second_judge import second_judge
from ganvae.judge.network import FrozenJudge
from ganvae.metrics.fid import check_enough
from ganvae.models.base import shape_of
from ganvae.models.registry import system_config
from ganvae.pipeline.contract import check_model
from ganvae.pipeline.preflight import check_data, check_finalists
from ganvae.pipeline.project.paths import path_faults, root_of
from ganvae.training.runs import system_of

NEEDED_DISK = 2 * 10**9
"""The bytes that must be free on the disk, for checkpoints, weights and DVC's cache."""


class Finding(NamedTuple):
    """The result of one check: what was checked, what was found, and whether that is right.

    If it is not right, ``found`` says what to do.
    """

    what: str
    found: str
    right: bool


def check(folder: Path) -> Iterator[Finding]:
    """Check the profile whose params.yaml is in ``folder``. Wrong models do not end the checks.

    Raises:
        UserError: params.yaml is missing or invalid.
    """
    params = load_params(folder / "params.yaml")
    pipeline = folder.resolve() / "dvc.yaml"
    with chdir(root_of(folder, params)):
        runs = f"{len(params.variants)} variants, {len(params.runs)} runs"
        yield Finding("parameters", runs, True)
        yield from _paths(pipeline.parent, params)
        yield _finding("disk", _disk)
        images: list[Source] = []
        yield _finding("images", partial(_images, params, pipeline, images))
        yield _finding("judge", partial(_judges, params, pipeline, images))
        yield _finding("finalists", partial(_finalists, params))
        if not images:
            yield Finding("models", "not checked, because there are no images", False)
        for variant in params.variants if images else ():
            yield _finding(variant, partial(_model, params, variant, images[0]))


def _finding(what: str, examine: Callable[[], str]) -> Finding:
    try:
        return Finding(what, examine(), True)
    except UserError as error:
        return Finding(what, str(error), False)


def _paths(folder: Path, params: Params) -> Iterator[Finding]:
    faults = list(path_faults(folder, params))
    for fault in faults:
        yield Finding("paths", fault, False)
    if not faults:
        yield Finding("paths", f"all lead to {params.file}", True)


def _disk() -> str:
    free = shutil.disk_usage(".").free
    if free < NEEDED_DISK:
        raise UserError(
            f"{gigabytes(free)} are free, but a profile may need {gigabytes(NEEDED_DISK)}. Delete "
            "files."
        )
    return f"{gigabytes(free)} free"


def _images(params: Params, pipeline: Path, images: list[Source]) -> str:
    """Read the images and draw the splits. Append the images to ``images``."""
    check_data(params, pipeline)
    source = load_source(params.data)
    splits = make_splits(source, params.data)
    images.append(source)
    sizes = ", ".join(f"{len(split.index):,} {name}" for name, split in splits.items())
    return f"{sizes}, of shape {shape_of(source.train.images)}"


def _judges(params: Params, pipeline: Path, images: list[Source]) -> str:
    """Load both judges, and check that the first fits the images."""
    path = Path(params.judge)
    if not path.exists() and any(pipeline.parent.glob("judge*/dvc.yaml")):
        return f"{path} will be trained by the pipeline"
    judge = FrozenJudge(path)
    second_judge(params.evaluation, "cpu")
    if images and judge.image_shape != shape_of(images[0].train.images):
        raise ConfigError(
            f"{path} is for images of shape {judge.image_shape}, but {params.data.directory} has "
            f"images of shape {shape_of(images[0].train.images)}. Give the judge of this data set "
            f"in {params.file}."
        )
    features, _ = judge(torch.zeros(1, *judge.image_shape, dtype=torch.uint8))
    check_enough(params.evaluation.n_generated, features.shape[1], "generated")
    return f"{path}, for images of shape {judge.image_shape}"


def _finalists(params: Params) -> str:
    check_finalists(params)
    return " and ".join(params.finalists) or "none"


def _model(params: Params, variant: str, source: Source) -> str:
    system = system_of(params, variant)
    section = f"{params.file}: variants.{variant}"
    config = system_config(system, params.variants[variant], section)
    shape, bf16 = shape_of(source.train.images), params.compute.precision != "fp32"
    checked = check_model(system, config, shape, variant, bf16=bf16)
    found = f"trains, draws and is saved; {checked.size:,} parameters"
    missing = "" if checked.invertible else "; no gradient for latents, so no inverted scores"
    return found + missing
