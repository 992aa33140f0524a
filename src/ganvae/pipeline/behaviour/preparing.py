"""Record how image files become splits, and how the files of a training run are published."""

import gzip
import hashlib
import io
import struct
import tarfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image

from ganvae.config import DataConfig, Params, parse
from ganvae.core.files import sha256, write_json
from ganvae.core.paths import ProfilePaths
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.data.by_class import write_by_class
from ganvae.data.datasets import stacked_mnist
from ganvae.data.idx import IdxFile, IdxFiles, load_published
from ganvae.data.source import Source
from ganvae.data.splits import load_source, make_splits
from ganvae.data.store import read_split
from ganvae.evaluation.baselines import evaluate_baselines
from ganvae.pipeline.behaviour import REVISIONS
from ganvae.pipeline.behaviour.drawing import frames_of
from ganvae.pipeline.behaviour.fixture import drawings, filled, labels, sketch
from ganvae.pipeline.behaviour.panel import GREY
from ganvae.pipeline.behaviour.scoring import in_a_folder
from ganvae.pipeline.behaviour.toy_profile import KEY, SEED, write_profile
from ganvae.pipeline.pretrained import publish
from ganvae.report.publishing import publish_pictures

RAW = Path("raw")
SIZES = {"train": 300, "test": 100}
SMALL_IMAGE = (1, 12, 12)
PEOPLE = [9, 7, 5, 4, *[3] * 4, *[2] * 6, *[1] * 20]  # photos per person


def prepared() -> dict[str, Any]:
    """Record the splits of each file layout, and the images by class of the folder layout."""
    return {
        "revision": REVISIONS["prepare"],
        "files as published": _idx_splits(),
        "people": _people_splits(),
        "folders": _folder_splits(),
    }


def published() -> dict[str, Any]:
    """Record the published files of a toy training run: its weights and some of its pictures."""
    with in_a_folder():
        params = write_profile(GREY, "classes")
        run = ProfilePaths(params.profile).run(KEY)
        tensors = filled({
            "balance.losses": torch.zeros(2),  # keeps its precision, as it is not a weight
            "generator.weight": torch.zeros(6, 5),
            "steps": torch.zeros(1, dtype=torch.int64),
        })  # fmt: skip
        save_tensors(run.weights, tensors, {"model": "toy", "image_shape": GREY})
        baseline, _ = evaluate_baselines(params)[0]
        weights = sha256(run.weights)
        provenance = baseline.provenance.model_copy(update={"weights_sha256": weights})
        scored = {"variant": "model", "seed": SEED, "provenance": provenance}
        write_json(run.scores, baseline.model_copy(update=scored).model_dump())
        write_json(run.outcome, {"mark_steps": [0]})
        _draw(run.pictures)
        return {
            "revision": REVISIONS["prepare"],
            "files": {path.name: _tensors(path) for path in publish(params)},
            "pictures": _pictures(publish_pictures(params)[0]),
        }


def _draw(folder: Path) -> None:
    """Draw five pictures that are published: two grey, one of noise, one coloured, and a film."""
    folder.mkdir(parents=True)
    grey, colour = drawings(1, (1, 60, 90))[0, 0].numpy(), drawings(1, (3, 60, 90))[0]
    Image.fromarray(grey).save(folder / "samples.png")
    Image.fromarray(grey).save(folder / "class_means.png")
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "progress.png")
    Image.fromarray(colour.permute(1, 2, 0).numpy()).save(folder / "losses.png")
    images = drawings(14, (1, 30, 30))
    frames = [Image.fromarray(image[0].numpy()).resize((62, 86)) for image in images]
    frames[0].save(folder / "training.gif", save_all=True, append_images=frames[1:])


def _pictures(folder: Path) -> dict[str, Any]:
    return {path.name: frames_of(path) for path in sorted(folder.iterdir())}


def _tensors(path: Path) -> dict[str, Any]:
    tensors, metadata = load_tensors(path)
    sketches = {name: [str(tensor.dtype), *sketch(tensor)] for name, tensor in tensors.items()}
    return {"tensors": sketches, "model": metadata["model"], "shape": metadata["image_shape"]}


def _idx_splits() -> dict[str, Any]:
    with in_a_folder():
        files = _write_idx()
        config = _config(dataset="mnist", layout="idx", train_size=200)
        grey = _described(load_published(files, config), config)
        with patch.object(stacked_mnist, "FILES", files):
            stacked = _described(stacked_mnist.load(config), config)
        return {"grey": grey, "stacked": stacked}


def _people_splits() -> dict[str, Any]:
    with in_a_folder():
        RAW.mkdir()
        with tarfile.open(RAW / "lfw.tgz", "w:gz") as archive:
            for person, photos in enumerate(PEOPLE):
                for photo in range(photos):
                    member = tarfile.TarInfo(f"lfw/{person:02d}/{person:02d}_{photo:04d}.jpg")
                    content = _photo(person * 10 + photo)
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
        splits = {}
        for title, form in (("grey", {}), ("colour", {"size": 20, "channels": 3})):
            config = _config(dataset="lfw", layout="people", validation_size=8, test_size=8, **form)
            splits[title] = _described(load_source(config), config)
        return splits


def _folder_splits() -> dict[str, Any]:
    with in_a_folder():
        for split, size in SIZES.items():
            for number in range(size):
                path = RAW / split / f"kind {number % 10}" / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                image = drawings(1, SMALL_IMAGE, number)[0, 0].numpy()
                Image.fromarray(image).save(path)
        config = _config(dataset="mine", layout="folders", test_size=50, size=10)
        source = load_source(config)
        params = write_profile(GREY, "classes")
        return _described(source, config) | {"by class": _by_class(params)}


def _by_class(params: Params) -> list[str]:
    paths = ProfilePaths(params.profile)
    write_by_class(paths.by_class, [read_split(paths.split("test"))], per_class=2)
    files = sorted(path for path in paths.by_class.rglob("*") if path.is_file())
    return [f"{path.relative_to(paths.by_class)} {_pixels_of(path)}" for path in files]


def _pixels_of(path: Path) -> str:
    with Image.open(path) as image:
        return hashlib.sha256(image.tobytes()).hexdigest()[:16]


def _config(**values: Any) -> DataConfig:
    usual = {
        "directory": str(RAW),
        "train_size": None,
        "validation_size": 100,
        "test_size": None,
        "split_seed": 5,
    }
    return parse(DataConfig, usual | values, "data")


def _described(source: Source, config: DataConfig) -> dict[str, Any]:
    return {
        name: {
            "shape": list(split.data.images.shape),
            "images": sketch(torch.from_numpy(split.data.images.copy())),
            "labels": sketch(torch.from_numpy(split.data.labels.copy())),
            "index": sketch(torch.from_numpy(split.index.copy())),
            "official set": split.official_set,
            "classes": len(source.classes),
        }
        for name, split in make_splits(source, config).items()
    }


def _write_idx() -> IdxFiles:
    """Write images and labels in MNIST's format; only the training set's files are compressed."""
    RAW.mkdir()
    files = []
    for name, size in SIZES.items():
        images = drawings(size, SMALL_IMAGE).numpy()[:, 0]
        for kind, values in (("images", images), ("labels", labels(size).numpy())):
            content = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
            content += values.astype(np.uint8).tobytes()
            if name == "train":
                content = gzip.compress(content, mtime=0)
            (RAW / f"{name}-{kind}").write_bytes(content)
            files.append(IdxFile(f"{name}-{kind}", hashlib.sha256(content).hexdigest()))
    return IdxFiles(
        dataset="mnist",
        classes=tuple("0123456789"),
        shape="1 x 12 x 12",
        train_images=files[0],
        train_labels=files[1],
        test_images=files[2],
        test_labels=files[3],
        mirrors=(),
    )


def _photo(number: int) -> bytes:
    pixels = drawings(1, (3, 50, 50), number)[0].permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()
