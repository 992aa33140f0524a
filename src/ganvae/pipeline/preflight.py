"""Checks before the first training run, so that a fault is reported once and early."""

import os
from pathlib import Path

from ganvae.config import Params
from ganvae.core.errors import ConfigError, UserError
from ganvae.report.numbers import listed


def check_models(params: Params, root: Path) -> None:
    """Check all variants before the first training run, to report a fault only once.

    The models of users are tried out in two training steps. The judge tells the shape of images. If
    the pipeline will train the judge first, they are not tried out.

    Raises:
        ConfigError: a variant's section is invalid, a user's model breaks a rule, or the finalists
            are no GAN and VAE.
    """
    # These import torch: only if there is work.
    from ganvae.judge.network import FrozenJudge
    from ganvae.models.registry import system_names
    from ganvae.pipeline.contract import check_model
    from ganvae.training.runs import model_configs

    configs = model_configs(params)
    check_finalists(params)
    judge = root / params.judge
    own = [name for name in configs if params.system(name) not in system_names()]
    if own and judge.exists():
        shape = FrozenJudge(judge).image_shape
        for name in own:
            bf16 = params.compute.precision != "fp32"
            check_model(params.system(name), configs[name], shape, name, bf16=bf16)


def check_finalists(params: Params) -> None:
    """Check that the finalists are a GAN and a VAE.

    Raises:
        ConfigError: they are not, or a system is unknown.
    """
    from ganvae.models.registry import system_class  # imports torch: only if there is work
    from ganvae.training.runs import system_of

    families = [str(system_class(system_of(params, name)).family) for name in params.finalists]
    if families not in ([], ["gan", "vae"]):
        raise ConfigError(
            f"{params.file}: finalists are {listed(params.finalists)}, whose families are "
            f"{listed(families)}. Give a GAN first, and then a VAE."
        )


def check_data(params: Params, pipeline: Path) -> None:
    """Check that the images exist; DVC's own message could not say where to get them.

    Raises:
        UserError: the data set's folder is missing or empty.
    """
    data = params.data
    directory = pipeline.parent / params.root / data.directory
    if directory.is_dir() and any(directory.iterdir()):
        return
    here = os.path.relpath(directory)
    fetch = f"Run `ganvae fetch {data.dataset} --directory {here}`, or set"
    raise UserError(
        f"{here} has no files of {data.dataset}. "
        f"{'Set' if data.layout == 'folders' else fetch} data.directory in {params.file} to the "
        "folder of these files."
    )
