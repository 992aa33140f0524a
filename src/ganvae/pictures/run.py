"""Draw all pictures of one training run."""

import csv
from pathlib import Path
from typing import Any

from torch import Tensor

from ganvae.config import InversionConfig
from ganvae.core.files import read_json, replacing
from ganvae.core.images import NotFiniteError, to_uint8
from ganvae.core.paths import RunPaths
from ganvae.core.seeds import generator
from ganvae.data.store import StoredSplit
from ganvae.metrics.inversion import has_gradient
from ganvae.models.base import GenerativeModel, VariationalModel
from ganvae.models.weights import load_model
from ganvae.pictures.latents import (
    draw_class_means,
    draw_interpolations,
    draw_latent_scatter,
    draw_manifold,
    draw_reconstructions,
)
from ganvae.pictures.nearest import (
    Judged,
    draw_inversions,
    draw_nearest_neighbours,
)
from ganvae.pictures.samples import SHOWN, draw_samples
from ganvae.pictures.training import (
    draw_film,
    draw_first_and_last_epoch,
    draw_losses,
    draw_strip,
    read_frames,
)
from ganvae.training.history import Row


def draw_run(
    paths: RunPaths,
    held_out: StoredSplit,
    train: Tensor,
    inversion: InversionConfig,
    judged: Judged | None = None,
) -> None:
    """Draw all pictures of a finished training run into the folder ``paths.pictures``.

    A diverged training run gets the pictures of its training, and a text in place of samples.

    Args:
        paths: the paths of the training run's files.
        held_out: the split with the held-out images to reconstruct and to search for. This split is
            never the test split, which only evaluation opens.
        train: the training images, uint8, among which the samples' nearest neighbours are found.
        inversion: the settings of the search for held-out images in latent space.
        judged: a judge (a classifier), and the training images with the judge's features. With
            ``judged``, nearest neighbours by these features are drawn too.
    """
    outcome = read_json(paths.outcome)
    title = f"{outcome['variant']}, seed {outcome['seed']}"
    with replacing(paths.pictures) as folder:
        folder.mkdir()
        _draw_training(folder, paths, outcome, title)
        model = load_model(paths.weights)
        samples = None if outcome["reason"] else _samples(model, outcome["seed"])
        draw_samples(folder / "samples.png", samples, title)
        if samples is not None:
            draw_nearest_neighbours(
                folder / "nearest_neighbours.png", samples, train, title, judged
            )
            if has_gradient(model):
                random = generator(outcome["seed"], "inversions")
                path = folder / "inversions.png"
                draw_inversions(path, model, held_out, inversion, random, title)
            _draw_latents(folder, model, held_out, outcome["seed"], title)


def _samples(model: GenerativeModel, seed: int) -> Tensor | None:
    """Draw samples, uint8. Return None if a weight became NaN or infinite after the last report."""
    try:
        return to_uint8(model.sample(SHOWN, generator(seed, "samples")), "samples")
    except NotFiniteError:
        return None


def _draw_training(folder: Path, paths: RunPaths, outcome: dict[str, Any], title: str) -> None:
    frames = read_frames(paths.progress, outcome["images_per_step"] / outcome["train_images"])
    if len(frames) > 1:
        draw_film(folder / "training.gif", frames, title)
        draw_strip(folder / "progress.png", frames, outcome["mark_steps"], title)
        draw_first_and_last_epoch(
            folder / "first_and_last_epoch.png", frames, outcome["first_epoch_step"], title
        )
    rows = _read_history(paths.history)
    if rows:
        draw_losses(folder / "losses.png", rows, title)


def _read_history(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _draw_latents(
    folder: Path, model: GenerativeModel, held_out: StoredSplit, seed: int, title: str
) -> None:
    random = generator(seed, "interpolations")
    draw_interpolations(folder / "interpolations.png", model, random, title)
    if isinstance(model, VariationalModel):
        draw_reconstructions(folder / "reconstructions.png", model, held_out, title)
        draw_class_means(folder / "class_means.png", model, held_out, title)
        draw_latent_scatter(folder / "latent_scatter.png", model, held_out, title)
        if model.latent_size == 2:
            draw_manifold(folder / "manifold.png", model, title)
