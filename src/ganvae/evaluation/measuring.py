"""One file that tells how all runs of a profile are measured.

It holds the settings and the checksums of all files that evaluations read. So in DVC a run's
evaluation depends on this one file instead of all those files.
"""

import hashlib
from pathlib import Path
from typing import Any

from ganvae.config import ComputeConfig, EvaluationConfig, Params, Section, parse
from ganvae.core.errors import UserError
from ganvae.core.files import read_json, write_json
from ganvae.core.paths import ProfilePaths


class Measuring(Section):
    """The settings of evaluations, and the MD5 checksums of files by path, as in dvc.lock."""

    judge: str
    compute: ComputeConfig
    evaluation: EvaluationConfig
    md5: dict[str, str]


def write_measuring(params: Params) -> None:
    """Write the profile's settings and the checksums of its files, which must exist."""
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
    """Check that the settings still equal the written ones, which DVC relies on.

    DVC itself checks the files.

    Raises:
        UserError: the settings have changed since they were written, or were never written.
    """
    path = ProfilePaths(params.profile).measuring
    written = parse(Measuring, read_json(path), str(path))
    settings = _settings(params)
    for name in settings:
        if getattr(written, name) != settings[name]:
            raise UserError(
                f"{params.file}: {name} differs from {path}. Run `ganvae repro`, which runs the "
                "reference stage again."
            )


def _settings(params: Params) -> dict[str, Any]:
    """All settings of evaluations. The precision is fixed, because it only affects training."""
    compute = params.compute.model_copy(update={"precision": "fp32"})
    return {"judge": params.judge, "compute": compute, "evaluation": params.evaluation}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return digest.hexdigest()
