"""Which stages of a pipeline are stale, by DVC's status."""

import json
import os
from pathlib import Path
from typing import Any

from ganvae.config import Params
from ganvae.core.paths import ProfilePaths
from ganvae.core.tokens import FOLDER
from ganvae.pipeline.dvc import run_dvc

OF_A_RUN = ("train", "evaluate", "draw")  # stages with one instance per run, in order
ALWAYS = ["always changed"]
"""DVC's status of a project's stage that writes tokens. They are written before the status."""
MISSING = {"changed outs": "not in cache", "changed deps": "deleted"}
"""What DVC's status says of files that git does not have, in a clone that did not make them."""


def behaviour(pipeline: Path, params: Params) -> Path:
    """Return the dvc.yaml that measures how the code behaves; all other pipelines depend on it."""
    return Path(os.path.relpath(pipeline.parent / params.root / FOLDER / "dvc.yaml"))


def stale_stages(pipeline: Path, params: Params, allow_missing: bool) -> set[str]:
    """Return the names of the stale stages, without the path of their dvc.yaml.

    DVC reports only on the dvc.yaml files in its arguments, not on pipelines that these depend on.
    So the arguments include the behaviour pipeline and the judges' pipelines. A judge's pipeline is
    in a folder beside the profile's dvc.yaml.

    Args:
        allow_missing: a stage is not stale if it only lacks files that git does not have. But if
            another stage of the same run is stale and needs the missing weights, so is training.
    """
    judges = pipeline.parent.glob("judge*/dvc.yaml")
    others = [*judges, behaviour(pipeline, params)]
    files = [str(path) for path in (pipeline, *others)]
    status = json.loads(run_dvc("--wait-for-lock", "status", "--json", *files))
    stale = {
        address.rpartition(":")[2]
        for address, findings in status.items()
        if findings != ALWAYS and not (allow_missing and all(map(_is_missing, findings)))
    }
    return stale | _without_weights(params, stale) if allow_missing else stale


def _is_missing(finding: Any) -> bool:
    """Return whether one finding of DVC's status lists nothing but missing files."""
    return isinstance(finding, dict) and all(
        state == MISSING.get(kind) for kind, files in finding.items() for state in files.values()
    )


def stages_of(run: str, stale: set[str], shared: bool) -> list[str]:
    """Return the stages to request for a training run, in order. DVC skips unchanged stages.

    Args:
        run: the training run's key.
        stale: the names of the stale stages.
        shared: whether a stage that all training runs depend on is stale; if so, all are requested.
    """
    stages = [f"{stage}@{run}" for stage in OF_A_RUN]
    found = [stage for stage in stages if stage in stale]
    return stages if shared or stages[0] in found else found


def _without_weights(params: Params, stale: set[str]) -> set[str]:
    """Return the training stages of runs that have a stale stage, and lack the weights for it."""
    paths = ProfilePaths(params.profile)
    runs = {stage.partition("@")[2] for stage in stale} & params.runs.keys()
    return {f"{OF_A_RUN[0]}@{run}" for run in runs if not paths.run(run).weights.exists()}
