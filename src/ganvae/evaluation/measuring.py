"""The measuring file of a profile: all facts that determine how training runs are measured.

The measuring file holds the evaluation settings, and the checksums of the images and the judges. So
in DVC the evaluation of a training run depends only on the measuring file and the run's own files.

The judges' features of the images follow from these, but their last bits depend on the processor.
So they have no checksum here, and a clone on another machine does not evaluate all runs again.
"""

import hashlib
from pathlib import Path
from typing import Any

from ganvae.config import ComputeConfig, EvaluationConfig, Params, Section, parse
from ganvae.core.errors import UserError
from ganvae.core.files import read_json, write_json
from ganvae.core.paths import ProfilePaths


class Measuring(Section):
    """The content of the measuring file: evaluation settings and MD5 checksums.

    ``md5`` maps the path of each file to its MD5 checksum, as in dvc.lock.
    """

    judge: str
    compute: ComputeConfig
    evaluation: EvaluationConfig
    md5: dict[str, str]


def write_measuring(params: Params) -> None:
    """Write the measuring file of a profile. All files with a checksum in this file must exist."""
    paths = ProfilePaths(params.profile)
    splits = [paths.split(name) for name in ("train", "validation", "test")]
    second = params.evaluation.unlabelled_judge
    files = [*splits, Path(params.judge), *([Path(second.file)] if second else [])]
    measuring = Measuring(
        **_settings(params),
        md5={str(path): _md5(path) for path in files},
    )
    write_json(paths.measuring, measuring.model_dump())


def check_measuring(params: Params) -> None:
    """Check that the profile's settings equal the settings in the measuring file.

    This function does not compare checksums, because DVC compares the files.

    Raises:
        UserError: a setting differs from the measuring file, or the measuring file is missing.
    """
    path = ProfilePaths(params.profile).measuring
    written = parse(Measuring, read_json(path), str(path))
    settings = _settings(params)
    for name in settings:
        if getattr(written, name) != settings[name]:
            raise UserError(
                f"{params.file}: `{name}` differs from the value in {path}. Run `ganvae repro`, "
                "which runs the reference stage again."
            )


def _settings(params: Params) -> dict[str, Any]:
    """Return all settings of evaluations.

    The precision is always fp32, because the profile's precision affects only training.
    """
    compute = params.compute.model_copy(update={"precision": "fp32"})
    return {"judge": params.judge, "compute": compute, "evaluation": params.evaluation}


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return digest.hexdigest()
