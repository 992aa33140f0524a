"""Record the pictures that the code draws for toy models: a GAN, VAEs, and failed training runs."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image, ImageSequence

from ganvae.config import Params
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import read_split
from ganvae.evaluation.baselines import evaluate_baselines
from ganvae.evaluation.training_set import read_training_set
from ganvae.judge.network import FrozenJudge
from ganvae.models.base import GenerativeModel, ImageShape
from ganvae.pictures import run as drawn
from ganvae.pictures.samples import draw_samples
from ganvae.pipeline.behaviour import REVISIONS
from ganvae.pipeline.behaviour.fixture import sketch
from ganvae.pipeline.behaviour.panel import COLOUR, GREY
from ganvae.pipeline.behaviour.scoring import in_a_folder
from ganvae.pipeline.behaviour.toy_models import ToyGenerator, ToyVAE
from ganvae.pipeline.behaviour.toy_profile import Fate, break_weights, write_outcome, write_profile

RUNS: dict[str, tuple[type[ToyGenerator | ToyVAE], int, ImageShape, Fate]] = {
    "GAN": (ToyGenerator, 5, GREY, "trained"),
    "VAE with a map": (ToyVAE, 2, GREY, "trained"),
    "VAE in colour": (ToyVAE, 5, COLOUR, "trained"),
    "diverged": (ToyGenerator, 5, GREY, "diverged"),
    "broken": (ToyGenerator, 5, GREY, "broken"),
}
"""Toy training runs by title: class of the model, latent size, shape of the images, and fate."""


def pictures() -> dict[str, Any]:
    """Record the pixels of the pictures of all `RUNS`, and of the baselines' sample pictures."""
    recorded: dict[str, Any] = {"revision": REVISIONS["draw"]}
    for title, (model_class, latent_size, shape, fate) in RUNS.items():
        with in_a_folder():
            params = write_profile(shape, "classes")
            model = model_class(shape, latent_size)
            if fate == "broken":
                break_weights(model)
            recorded[title] = _run_pictures(params, model, write_outcome(model, fate))
            if title == "GAN":
                recorded["baselines"] = _baseline_pictures(params)
    return recorded


def _run_pictures(params: Params, model: GenerativeModel, key: str) -> dict[str, Any]:
    paths = ProfilePaths(params.profile)
    judge = FrozenJudge(Path(params.judge))
    train = read_training_set(paths.split("train"), paths.train_features, judge)
    held_out = read_split(paths.split("validation"))
    run = paths.run(key)
    with patch.object(drawn, "load_model", return_value=model):
        drawn.draw_run(run, held_out, train.images, params.evaluation.inversion, (judge, train))
    return {path.name: frames_of(path) for path in sorted(run.pictures.iterdir())}


def _baseline_pictures(params: Params) -> dict[str, Any]:
    pictures = {}
    for record, images in evaluate_baselines(params):
        path = Path(f"{record.variant}.png")
        draw_samples(path, images, record.variant)
        pictures[record.variant] = frames_of(path)
    return pictures


def frames_of(path: Path) -> list[Any]:
    """Return a list per frame of a picture file: shape, duration in ms, `sketch` of its pixels."""
    with Image.open(path) as picture:
        frames = [
            (np.asarray(frame.convert("RGB")), frame.info.get("duration"))
            for frame in ImageSequence.Iterator(picture)
        ]
    return [
        [*pixels.shape, duration, *sketch(torch.from_numpy(pixels.copy()))]
        for pixels, duration in frames
    ]
