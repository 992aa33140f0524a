"""How all runs of a profile are measured, in one file: what DVC has evaluations depend on.

It has the settings and the checksum of every file that measuring reads. So a run's evaluation
depends on this file, and not on each of those.
"""

import hashlib
from pathlib import Path
from typing import Any

from ganvae.config import ComputeConfig, EvaluationConfig, Params, Section, parse
from ganvae.core.errors import UserError
from ganvae.core.files import read_json, write_json
from ganvae.core.paths import ProfilePaths


class Measuring(Section):
    """Settings, and MD5 by path, as dvc.lock has it."""

    judge: str
    compute: ComputeConfig
    evaluation: EvaluationConfig
    md5: dict[str, str]


def write_measuring(params: Params) -> None:
    """Write down the profile's settings and files, which have to be there."""
    paths = ProfilePaths(params.profile)
    splits = [paths.split(name) for name in ("train", "validation", "test")]
    features = [paths.reference, paths.train_features, paths.validation_features]
    files = [*splits, *features, Path(params.judge)]
    measuring = Measuring(
        **_settings(params),
        md5={str(path): _md5(path) for path in files},
    )
    write_json(paths.measuring, measuring.model_dump())


def check_measuring(params: Params) -> None:
    """See that the settings are those that were written down, which DVC goes by.

    The files' checksums are DVC's business.

    Raises:
        UserError: they have changed since, or nothing was written down.
    """
    path = ProfilePaths(params.profile).measuring
    written = parse(Measuring, read_json(path), str(path))
    settings = _settings(params)
    for name in settings:
        if getattr(written, name) != settings[name]:
            raise UserError(
                f"{params.file}: {name} is not what {path} says: run the reference stage again "
                "(`ganvae repro` does so)."
            )


def _settings(params: Params) -> dict[str, Any]:
    """All but the precision, which training alone has."""
    compute = params.compute.model_copy(update={"precision": "fp32"})
    return {"judge": params.judge, "compute": compute, "evaluation": params.evaluation}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return digest.hexdigest()
