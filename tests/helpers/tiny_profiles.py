"""The committed profiles, reduced by rules: the same variants on few images, for few steps."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from ruamel.yaml import YAML

from conftest import ROOT
from ganvae.config import Params, load_params, read_yaml
from ganvae.config.promotions import PROMOTED, Promotions, write_promotions
from ganvae.models.registry import system_config
from ganvae.report.published.bounds import LEAST_BOUND_SAMPLES
from toy_faces import write_lfw

SMOKE = read_yaml(ROOT / "profiles/smoke/params.yaml")
SIZES = {"train_size": 300, "validation_size": 100, "test_size": 100}
SAMPLES = 200  # the floor needs as many training images, and FID needs more samples than features
ANNEALING = {"images": 3, "simulated": 2, "chains": 2, "distributions": 10, "variances": [0.05]}
STEPS = 20
BATCH = 16
WIDTH = 8
FEATURES = 16  # of a judge; a judge with three channels has three times as many

FOLDERS = (
    "behaviour",
    "src",
    "stages",
    "data/raw/mnist",
    "results/sweeps",
    "results/matches",
    "results/submitted",
    "results/laptop",
)
FILES = (
    ".dvcignore",
    "requirements.lock",
    "params.yaml",
    "promoted.yaml",
    "results/dvc.yaml",
    "results/params.yaml",
)
LEFT_OUT = ("__pycache__", "*.egg-info", "*.png", "*.webp", "*.avif", "pretrained")

PHOTOS = [12] * 15 + [5] * 30 + [1] * 200
"""Photos per person. People with one photo let every split reach its exact size."""
GARMENTS = {"train": 400, "test": 100}
"""Images per folder. The validation split is taken from the first."""


def profiles() -> list[str]:
    """All profiles except smoke, which is small already, and full, which is a larger laptop."""
    names = {path.parent.name for path in ROOT.glob("profiles/*/params.yaml")}
    return sorted(names - {"smoke", "full"})


def write_clone(folder: Path) -> None:
    """Write the code, the laptop profile's results, all reduced profiles, and their raw data.

    The pipelines of the laptop profile and of the judges are not written.
    """
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    write_yaml(folder / "judges/params.yaml", tiny_judges())
    for profile in profiles():
        params = tiny_profile(profile)
        write_yaml(folder / f"profiles/{profile}/params.yaml", params)
        write_promotions(folder / f"profiles/{profile}" / PROMOTED, Promotions())
        shutil.copy(ROOT / f"profiles/{profile}/dvc.yaml", folder / f"profiles/{profile}")
        match params["data"]["dataset"]:
            case "fashion-mnist":
                write_garments(folder / params["data"]["directory"])
            case "lfw":
                write_faces(folder / params["data"]["directory"])


def write_yaml(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        YAML().dump(values, file)


def tiny_profile(profile: str) -> dict[str, Any]:
    """A profile's parameters with all variants. Finalists have two runs, other variants one."""
    file = ROOT / f"profiles/{profile}/params.yaml"
    params = load_params(file)
    bound = min(params.evaluation.importance_samples, LEAST_BOUND_SAMPLES)
    return read_yaml(file) | {
        "frozen": None,
        "data": tiny_data(params.data.model_dump(exclude_defaults=True)),
        "compute": SMOKE["compute"],
        "evaluation": SMOKE["evaluation"]
        | {"n_generated": SAMPLES, "importance_samples": bound, "unlabelled_judge": None},
        "annealing": {"runs": [next(first_runs(params))], "settings": ANNEALING},
        "runs": {
            key: params.runs[key].model_dump() | {"file": params.file} for key in first_runs(params)
        },
        "variants": {
            variant: tiny_model(params.system(variant), section)
            for variant, section in params.variants.items()
        },
    }


def first_runs(params: Params) -> Iterator[str]:
    """The first two runs of each finalist, for intervals, and the first run of other variants."""
    seen: Counter[str] = Counter()
    for key, run in params.runs.items():
        seen[run.variant] += 1
        if seen[run.variant] <= (2 if run.variant in params.finalists else 1):
            yield key


def tiny_model(system: str, section: dict[str, Any]) -> dict[str, Any]:
    """A variant's section with narrow networks, small batches and few steps."""
    config = system_config(system, section).model_dump()
    widths = {
        key: narrow(value)
        for key, value in config.items()
        if key == "hidden" or key.endswith(("channels", "features"))
    }
    batch = min(BATCH, config["batch_size"])
    return section | widths | {"batch_size": batch, "schedule": short(config["schedule"])}


def narrow(widths: Any) -> Any:
    """Limit widths to `WIDTH`: a single width, or widths in lists or by name."""
    if isinstance(widths, dict):
        return {name: narrow(width) for name, width in widths.items()}
    if isinstance(widths, list):
        return [narrow(width) for width in widths]
    return min(WIDTH, widths)


def short(schedule: dict[str, Any]) -> dict[str, Any]:
    """A schedule of `STEPS` steps, with marks at the same shares of it."""
    every = dict.fromkeys(("report_every", "sample_every", "checkpoint_every"), STEPS // 2)
    marks = [round(STEPS * mark / schedule["length"]) for mark in schedule["marks"]]
    return {"unit": "steps", "length": STEPS, "marks": marks, **every}


def tiny_data(data: dict[str, Any]) -> dict[str, Any]:
    """Fewer images of the same data set. Fashion-MNIST is replaced by drawn garments in folders."""
    layout = "folders" if data["dataset"] == "fashion-mnist" else data["layout"]
    return data | SIZES | {"layout": layout}


def tiny_judges() -> dict[str, Any]:
    """judges/params.yaml with narrow networks and three epochs of training."""
    judges = read_yaml(ROOT / "judges/params.yaml")
    for judge in judges.values():
        judge["data"] = tiny_data(judge["data"])
        if "network" in judge:
            judge["network"]["channels"] = narrow(judge["network"]["channels"])
            judge["network"]["features"] = FEATURES
            judge["training"] |= {"epochs": 3, "batch_size": BATCH, "threads": 1}
    return judges


def write_faces(directory: Path) -> None:
    directory.mkdir(parents=True)
    people = {f"Person_{number:03d}": photos for number, photos in enumerate(PHOTOS)}
    write_lfw(directory / "lfw-toy.tgz", people)


def write_garments(directory: Path) -> None:
    """Write class folders with equally many images of ten kinds."""
    random = np.random.default_rng(0)
    for split, images in GARMENTS.items():
        for number in range(images):
            file = directory / split / f"kind-{number % 10}" / f"{number:04d}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            garment(number % 10, random).save(file)


def garment(kind: int, random: np.random.Generator) -> Image.Image:
    """Draw a grey 28 x 28 image: an ellipse or a rectangle, from narrow to wide, on noise."""
    image = Image.fromarray(random.integers(0, 40, (28, 28), dtype=np.uint8))
    draw = ImageDraw.Draw(image)
    shape = draw.ellipse if kind % 2 else draw.rectangle
    width, height = 4 + kind // 2 * 2, 12 - kind // 2 * 2
    x, y = (int(place) for place in random.integers(13, 16, 2))
    shape((x - width, y - height, x + width, y + height), fill=int(random.integers(150, 256)))
    return image
