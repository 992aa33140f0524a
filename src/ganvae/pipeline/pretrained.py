"""Publish trained weights that are small enough for git, so that anybody can sample from them."""

import shutil
from pathlib import Path

from ganvae.config import Params
from ganvae.config.profiles import published_profiles
from ganvae.core import assets
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import read_json, replacing, sha256, write_json
from ganvae.core.paths import ProfilePaths
from ganvae.report.shown import INDEX, origin, shown_runs

PROFILE = "laptop"
"""The profile whose variants `find_weights` finds by the variant's name alone."""
FAMILIES = ("gan", "vae")
"""The short names of a profile's two finalists, in the order of ``finalists`` in params.yaml."""


def publish(params: Params) -> list[Path]:
    """Copy the weights of each variant's shown run to ``pretrained``.

    ``pretrained`` is a folder of the profile's results. A variant's shown run is the training run
    whose pictures the pages show: the first completed run, not the best. Variants without a
    completed run are left out. ``params.published`` names the variants that are published.
    ``index.json`` holds each shown run's seed and the checksum of its weights. The scores were
    measured with exactly these weights.

    Returns:
        The paths of the written weights files.

    Raises:
        UserError: the scored weights are missing or have changed.
    """
    paths = ProfilePaths(params.profile)
    runs = {
        variant: run
        for variant, run in shown_runs(params).items()
        if run.status == "completed" and variant in params.published
    }
    weights = {variant: paths.run(f"{variant}-{run.seed}").weights for variant, run in runs.items()}
    for variant, path in weights.items():
        _check(path, runs[variant].provenance.weights_sha256)
    with replacing(paths.pretrained) as folder:
        folder.mkdir()
        for variant, path in weights.items():
            shutil.copyfile(path, folder / f"{variant}.safetensors")
        write_json(folder / INDEX, {name: origin(run) for name, run in runs.items()})
    return [paths.pretrained / f"{variant}.safetensors" for variant in runs]


def restore(params: Params) -> None:
    """Give published weights back to their training runs, where this clone lacks these weights."""
    paths = ProfilePaths(params.profile)
    paths.drawn.mkdir(parents=True, exist_ok=True)  # DVC cannot publish without it
    index = paths.pretrained / INDEX
    for variant, run in (read_json(index) if index.exists() else {}).items():
        published = paths.pretrained / f"{variant}.safetensors"
        weights = paths.run(f"{variant}-{run['seed']}").weights
        if weights.exists() or not published.exists():
            continue
        if sha256(published) == run["weights_sha256"]:
            with replacing(weights) as copy:
                shutil.copyfile(published, copy)


def _check(weights: Path, scored: str | None) -> None:
    if not weights.exists():
        raise UserError(
            f"{weights} is missing. Run `dvc pull`, or `ganvae repro` without --allow-missing."
        )
    if sha256(weights) != scored:
        raise UserError(
            f"{weights} does not hold the weights that were scored. Run `ganvae repro`."
        )


def find_weights(model: str) -> Path:
    """Return the path of a weights file: ``model`` itself, or the file of a pretrained variant.

    Args:
        model: a path that ends in ``.safetensors``, a variant of the laptop profile, or
            ``PROFILE/MODEL`` for a variant of another profile. ``gan`` and ``vae`` stand for the
            finalists of the profile.

    Raises:
        ConfigError: there is no such pretrained variant, or the path is that of another file. A
            wheel has fewer variants than a clone.
    """
    if model.endswith(".safetensors"):
        return Path(model)
    if Path(model).is_file():
        raise ConfigError(
            f"{model} is no weights file. Give a file whose name ends in .safetensors."
        )
    profile, _, name = model.rpartition("/")
    folder = assets.ROOT / ProfilePaths(profile or PROFILE).pretrained
    path = folder / f"{_finalist(profile or PROFILE, name)}.safetensors"
    if not path.exists():
        names = ", ".join(sorted(path.stem for path in folder.glob("*.safetensors"))) or "none"
        profiles = sorted(path.parent.name for path in assets.ROOT.glob("results/*/pretrained"))
        raise ConfigError(
            f"there is no pretrained model {model!r}. Profile {profile or PROFILE} has these "
            f"models: {names}. Give one of these models, PROFILE/MODEL for another profile "
            f"(profiles: {', '.join(profiles)}), or a weights file (*.safetensors).{_more()}"
        )
    return path


def _finalist(profile: str, name: str) -> str:
    """Return the variant that ``gan`` or ``vae`` stands for, and any other name unchanged."""
    if name not in FAMILIES:
        return name
    finalists = (
        params.finalists for _, params in published_profiles() if params.profile == profile
    )
    return dict(zip(FAMILIES, next(finalists, []), strict=False)).get(name, name)


def _more() -> str:
    return "" if assets.CLONE else " A clone of the repository has the weights of more models."
