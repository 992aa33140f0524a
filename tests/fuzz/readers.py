"""All readers of files, with valid inputs, damage, and another way to read each format."""

import gzip
import io
import json
import struct
import tarfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
import torch
from fuzzing import Random, Reader, damage_bytes
from PIL import Image, ImageOps
from ruamel.yaml import YAML

import provenance
from conftest import ROOT
from ganvae.config import load_params, parse, read_yaml
from ganvae.core.files import read_json
from ganvae.core.images import to_uint8
from ganvae.data.people import load_people
from ganvae.data.photos import Form, read_image
from ganvae.data.samples import read_samples
from ganvae.models.registry import build_model, system_config
from ganvae.models.weights import load_model, save_model
from ganvae.scores.records import ScoreRecord, as_score_record, complete_scores
from ganvae.sweeps.space import Sweep
from ganvae.training.checkpoint import TrainingState
from ganvae.training.history import History

SHAPE = (1, 4, 6)


def digits(random: Random) -> np.ndarray:
    images = random.integers(0, 256, (int(random.integers(1, 6)), *SHAPE), dtype=np.uint8)
    images[0, 0, 0, 0] = 255  # not too dark
    return images


def listed(images: Any) -> list:
    return np.asarray(images).tolist()


# IDX, plain and gzipped


def write_idx(random: Random, path: Path) -> list:
    images = digits(random)
    content = struct.pack(">4I", 0x803, len(images), *SHAPE[1:]) + images.tobytes()
    path.write_bytes(gzip.compress(content, mtime=0) if random.random() < 0.5 else content)
    return listed(images)


def samples(path: Path) -> list:
    return listed(read_samples(path, SHAPE).images)


def reference_idx(path: Path) -> list:
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    magic, n, height, width = struct.unpack(">4I", content[:16])
    assert magic == 0x803
    assert (1, height, width) == SHAPE
    assert len(content) == 16 + n * height * width
    return listed(np.frombuffer(content[16:], np.uint8).reshape(n, *SHAPE))


# .npy and .npz


def write_array(random: Random, path: Path) -> list:
    images = digits(random)
    stored = images if random.random() < 0.5 else (images / 255).astype(np.float32)
    match int(random.integers(4)):
        case 0:
            stored = stored[:, 0]
        case 1:
            stored = stored.transpose(0, 2, 3, 1)
        case 2:
            stored = np.asfortranarray(stored)
    with path.open("wb") as file:
        match int(random.integers(3)):
            case 0:
                np.save(file, stored)
            case 1:
                np.savez(file, images=stored, labels=np.arange(3))
            case 2:
                np.savez_compressed(file, x=stored)
    return listed(images)


def reference_array(path: Path) -> list:
    with path.open("rb") as file:
        array = np.load(file, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            array = array["images" if "images" in array.files else array.files[0]]
        else:
            assert not file.read(1)
    if array.ndim == 3:
        array = array[:, np.newaxis]
    if array.shape[1:] != SHAPE:
        array = array.transpose(0, 3, 1, 2)
    assert array.shape[1:] == SHAPE
    if array.dtype == np.uint8:
        return listed(array)
    return listed(to_uint8(torch.from_numpy(array.astype(np.float32))))


# Image files

KINDS = ("PNG", "JPEG", "BMP", "TIFF", "PPM", "WEBP")


def write_image(random: Random, path: Path) -> list:
    pixels = random.integers(2, 256, SHAPE[1:], dtype=np.uint8)
    image = Image.fromarray(pixels)
    if random.random() < 0.3:
        image = image.convert("RGB")
    image.save(path, str(random.choice(KINDS)))
    return reference_image(path)


def image(path: Path) -> list:
    return listed(read_image(path))


def reference_image(path: Path) -> list:
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened)
        pixels = np.asarray(upright.convert("L" if upright.mode in ("1", "L", "LA") else "RGB"))
    return listed(pixels[np.newaxis] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))


# Archives of photos


def write_archive(random: Random, path: Path) -> list:
    """An archive of two people with one or two photos each."""
    people = []
    with (
        gzip.GzipFile(path, "wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as tar,
    ):
        for person in range(2):
            for photo in range(int(random.integers(1, 3))):
                pixels = random.integers(2, 256, SHAPE[1:], dtype=np.uint8)
                content = io.BytesIO()
                Image.fromarray(pixels).save(content, "PNG")
                member = tarfile.TarInfo(f"top/person-{person}/{photo}.png")
                member.size = len(content.getvalue())
                content.seek(0)
                tar.addfile(member, content)
                people.append((person, pixels.tolist()))
    path.with_suffix(".expected").write_text(json.dumps(people))
    return [tuple(photo) for photo in people]


def archive(path: Path) -> list:
    form = Form()
    source = load_people(path.parent, "toy", form)
    images = source.train.images[:, 0].tolist()
    return list(zip(source.train.labels.tolist(), images, strict=True))


def reference_archive(path: Path) -> list:
    """What was written: the checksum of gzip covers all of it."""
    gzip.decompress(path.read_bytes())
    return [tuple(photo) for photo in json.loads(path.with_suffix(".expected").read_text())]


# Weights of models

SMALL = {"hidden": [3], "batch_size": 2}


def write_weights(random: Random, path: Path) -> dict:
    config = system_config("vanilla-gan", SMALL)
    model = build_model("vanilla-gan", config, SHAPE, int(random.integers(5)))
    save_model(path, model, config, 1)
    return reference_weights(path)


def weights(path: Path) -> dict:
    """The weights as text, in which NaN equals NaN."""
    model = load_model(path)
    return {name: str(value.tolist()) for name, value in model.state_dict().items()}


def reference_weights(path: Path) -> dict:
    stored = safetensors.numpy.load_file(path)
    return {name: str(value.tolist()) for name, value in stored.items()}


# Checkpoints


def _state() -> TrainingState:
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    noise = torch.Generator()
    return TrainingState(model, {"all": optimizer}, noise, History())  # type: ignore[arg-type]


def write_checkpoint(random: Random, path: Path) -> tuple:
    state = _state()
    state.step = int(random.integers(100))
    state.save(path, path.parent / "samples")
    path.with_suffix(".whole").write_bytes(path.read_bytes())
    return reference_checkpoint(path)


def checkpoint(path: Path) -> tuple:
    state = _state()
    if not state.restore(path, path.parent / "samples"):
        return (False, 0)
    return (True, state.step)


def reference_checkpoint(path: Path) -> tuple:
    """A checkpoint with any change is not restored: training starts again."""
    if path.read_bytes() != path.with_suffix(".whole").read_bytes():
        return (False, 0)
    return (True, torch.load(io.BytesIO(path.read_bytes()[32:]), weights_only=True)["step"])


# Parameter files, sweep spaces and records: structured text


def paths_in(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of every value inside a tree of mappings and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in items:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from paths_in(child, (*path, key))


def changed(tree: Any, random: Random, junk: Any) -> Any:
    """A copy of a tree with one value replaced, removed or added."""
    tree = deepcopy(tree)
    places = list(paths_in(tree))
    *parents, key = places[int(random.integers(len(places)))]
    inner = tree
    for part in parents:
        inner = inner[part]
    match int(random.integers(4)):
        case 0:
            del inner[key]
        case 1 if isinstance(inner, dict):
            inner[str(junk)[:20]] = junk
        case _:
            inner[key] = junk
    return tree


def damage_text(random: Random, path: Path, junk: Any) -> None:
    """Change one value of a YAML or JSON file; or its bytes, one time in four."""
    if random.random() < 0.25:
        damage_bytes(random, path, junk)
        return
    if path.suffix == ".json":
        tree = changed(json.loads(path.read_text()), random, junk)
        path.write_text(json.dumps(tree), errors="surrogatepass")
    else:
        dump(path, changed(YAML(typ="safe").load(path), random, junk))


def dump(path: Path, tree: Any) -> None:
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    try:
        yaml.dump(tree, stream)
    except Exception:  # ruamel cannot write some junk; then JSON, which is YAML
        stream = io.StringIO(json.dumps(tree, default=str))
    path.write_text(stream.getvalue(), errors="surrogatepass")


PARAMS = read_yaml(ROOT / "profiles/smoke/params.yaml")


def write_params(random: Random, path: Path) -> dict:
    values = deepcopy(PARAMS)
    values["data"]["split_seed"] = int(random.integers(2**32))
    values["evaluation"]["seed"] = int(random.integers(100))
    values["by_class"]["per_class"] = int(random.integers(1, 10))
    dump(path, values)
    return values


def params(path: Path) -> dict:
    return load_params(path).model_dump(exclude_unset=True)


def reference_yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


SPACE = {
    "description": "A toy.",
    "seeds": [100, 101],
    "trials": 5,
    "pruner": {"by": "curve", "name": "median", "checks": [0.25, 0.5]},
    "parameters": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}},
    "systems": {"dcgan": {"balance.ratio": {"low": 1.0, "high": 4.0, "or_off": True}}},
}


def write_space(random: Random, path: Path) -> dict:
    values = deepcopy(SPACE)
    values["trials"] = int(random.integers(1, 100))
    dump(path, values)
    return values


def space(path: Path) -> dict:
    return parse(Sweep, read_yaml(path), str(path)).model_dump(exclude_unset=True)


def write_score(random: Random, path: Path) -> dict:
    record = ScoreRecord(
        variant="gan",
        family="gan",
        seed=int(random.integers(100)),
        status="completed",
        reason=None,
        scores=complete_scores({"fid_judge": float(random.uniform(0, 100))}),
        class_counts=[5, 5],
        fid_curve=[(10, 3.0), (20, 2.0)],
        provenance=provenance.PROVENANCE,
    )
    values = json.loads(record.model_dump_json(exclude_unset=True))
    path.write_text(json.dumps(values))
    return values


def score(path: Path) -> dict:
    record = as_score_record(read_json(path), path)
    return json.loads(record.model_dump_json(exclude_unset=True))


def reference_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


READERS = (
    Reader("IDX", write_idx, samples, reference_idx, damage_bytes),
    Reader("arrays", write_array, samples, reference_array, damage_bytes),
    Reader("images", write_image, image, reference_image, damage_bytes, "input.png"),
    Reader("archives", write_archive, archive, reference_archive, damage_bytes, "input.tgz"),
    Reader("weights", write_weights, weights, reference_weights, damage_bytes),
    Reader("checkpoints", write_checkpoint, checkpoint, reference_checkpoint, damage_bytes),
    Reader("params", write_params, params, reference_yaml, damage_text, "params.yaml"),
    Reader("spaces", write_space, space, reference_yaml, damage_text, "space.yaml"),
    Reader("records", write_score, score, reference_json, damage_text, "record.json"),
)
