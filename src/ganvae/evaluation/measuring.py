"""How all runs of a profile are measured, in one file: what DVC has evaluations depend on.

It has the settings and the checksum of every file that measuring reads. So a run's evaluation
depends on this file, and not on each of those.
"""

import hashlib
from pathlib import Path

from ganvae.config import ComputeConfig, EvaluationConfig, Params, Section, parse
from ganvae.files import read_json, write_json
from ganvae.paths import ProfilePaths


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
        judge=params.judge,
        compute=params.compute.model_copy(update={"precision": "fp32"}),  # which training alone has
        evaluation=params.evaluation,
        md5={str(path): _md5(path) for path in files},
    )
    write_json(paths.measuring, measuring.model_dump())


def as_measured(params: Params) -> Params:
    """The parameters with the settings that were written down, whatever they have become since.

    Raises:
        UserError: nothing was written down, or something else.
    """
    path = ProfilePaths(params.profile).measuring
    written = parse(Measuring, read_json(path), str(path))
    settings = {name: getattr(written, name) for name in ("judge", "compute", "evaluation")}
    return params.model_copy(update=settings)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return digest.hexdigest()
