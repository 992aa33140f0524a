"""Pictures of the latent space: decoded latents and encoded images."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from scipy.stats import norm
from torch import Tensor

from ganvae.core.images import from_uint8, to_uint8
from ganvae.data.store import StoredSplit
from ganvae.models.base import GenerativeModel, VariationalModel, evaluating
from ganvae.pictures.canvas import figure, show_images
from ganvae.pictures.classes import MOST, of_classes, shown_classes
from ganvae.pictures.rows import draw_rows

INTERPOLATIONS = 6
INTERPOLATION_STEPS = 9
RECONSTRUCTED_PER_CLASS = 2
MANIFOLD_SIDE = 20
OTHERS = "0.8"  # colour of all other classes: light grey
SCATTERED = 5000  # more points would hide one another
BATCH = 125


def draw_interpolations(
    path: Path, model: GenerativeModel, random: torch.Generator, title: str
) -> None:
    """Draw rows of images that lead from one latent to another.

    Each row decodes latents on the straight line between the latents of two samples.
    """
    start = model.sample_latents(INTERPOLATIONS, random)
    end = model.sample_latents(INTERPOLATIONS, random)
    shares = torch.linspace(0, 1, INTERPOLATION_STEPS, device=start.device)
    latents = torch.stack([torch.lerp(start, end, float(share)) for share in shares], dim=1)
    images = to_uint8(model.decode(latents.flatten(0, 1)), "interpolations")
    with figure(path, 0.5 * INTERPOLATION_STEPS + 0.4, 0.5 * INTERPOLATIONS + 0.8) as canvas:
        ax = canvas.subplots()
        show_images(ax, images, INTERPOLATION_STEPS)
        cell = images.shape[3] + 1
        centres = [cell * (number + 0.5) for number in range(INTERPOLATION_STEPS)]
        ax.set_xticks(centres, [f"{float(share):.3g}" for share in shares])
        ax.tick_params(length=0)
        ax.set_xlabel("share of the way from one latent to another")
        ax.set_title(f"{title}: interpolations, a pair of latents a row", fontsize=9)


def draw_reconstructions(
    path: Path, model: VariationalModel, split: StoredSplit, title: str
) -> None:
    """Draw the first two held-out images of each shown class above their reconstructions.

    ``split`` has the held-out images.
    """
    firsts = [indices[:RECONSTRUCTED_PER_CLASS] for indices in shown_classes(split).values()]
    chosen = torch.cat(firsts)
    originals = split.images[chosen]
    reconstructions = to_uint8(model.reconstruct(from_uint8(originals)), "reconstructions")
    names = [split.classes[label] for label in split.labels[chosen]]
    rows = {"held-out image": originals, "reconstruction": reconstructions}
    what = of_classes(split, "held-out images, named by class")
    draw_rows(path, rows, f"{title}: {what}", names)


def draw_class_means(path: Path, model: VariationalModel, split: StoredSplit, title: str) -> None:
    """Draw the mean held-out image of each shown class above the reconstruction of this mean.

    ``split`` has the held-out images.
    """
    classes = shown_classes(split)
    means = torch.stack([from_uint8(split.images[i]).mean(dim=0) for i in classes.values()])
    reconstructions = to_uint8(model.reconstruct(means), "reconstructions")
    rows = {"mean of the class": to_uint8(means), "its reconstruction": reconstructions}
    names = [split.classes[label] for label in classes]
    what = of_classes(split, "mean held-out image of each class")
    draw_rows(path, rows, f"{title}: {what}", names)


def draw_latent_scatter(
    path: Path, model: VariationalModel, split: StoredSplit, title: str
) -> None:
    """Draw the posterior means (encoder means) of held-out images as points, coloured by class.

    The ten classes with most images are coloured. Other classes are grey. Means with more than two
    dimensions are projected onto their first two principal components.
    """
    means = _posterior_means(model, from_uint8(split.images[:SCATTERED]))
    labels = split.labels[:SCATTERED].numpy()
    points, names = _plane(means)
    size = float(np.clip(20_000 / len(points), 4, 30))
    shown = list(shown_classes(split))
    style: dict[str, Any] = {"s": size, "lw": 0, "alpha": 0.6}
    colours = mpl.colormaps["tab10"]
    with figure(path, 5.6, 4.8) as canvas:
        ax = canvas.subplots()
        others = points[~np.isin(labels, shown)]
        if len(others):
            ax.scatter(*others.T, **style, color=OTHERS, label="others")
        for place, label in enumerate(shown):
            of_class = points[labels == label]
            ax.scatter(*of_class.T, **style, color=colours(place), label=split.classes[label])
        legend = ax.legend(
            title=f"the {MOST} classes\nwith most images" if len(others) else "class",
            loc="center left",
            bbox_to_anchor=(1, 0.5),
            markerscale=8 / size**0.5,
            frameon=False,
        )
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_alpha(1)
        ax.set_aspect("equal", adjustable="datalim")
        ax.set_xlabel(names[0])
        ax.set_ylabel(names[1])
        ax.set_title(f"{title}: {len(points):,} held-out images in latent space", fontsize=9)


def _posterior_means(model: VariationalModel, images: Tensor) -> np.ndarray:
    with evaluating(model):
        parts = [model.encode(part.to(model.device))[0].cpu() for part in images.split(BATCH)]
    return torch.cat(parts).double().numpy()


def _plane(means: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return points, N x 2, and the names of both axes.

    If d is 1 or 2, the points are the posterior means, N x d. If d is larger, the points are the
    first two principal components of the posterior means.
    """
    if means.shape[1] == 2:
        return means, ["$z_1$", "$z_2$"]
    if means.shape[1] == 1:
        return np.hstack([means, np.zeros_like(means)]), ["$z_1$", ""]
    centred = means - means.mean(axis=0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    shares = lengths**2 / (lengths**2).sum()
    names = [f"principal component {i + 1} ({shares[i]:.0%} of variance)" for i in range(2)]
    return centred @ directions[:2].T, names


def draw_manifold(path: Path, model: GenerativeModel, title: str) -> None:
    """Draw the decoded images of a grid of two-dimensional latents.

    Both coordinates of the grid are quantiles of N(0, 1) at equal steps of probability. So every
    cell stands for the same share of the prior, as in figure 4 of 1312.6114.
    """
    quantiles = (np.arange(MANIFOLD_SIDE) + 0.5) / MANIFOLD_SIDE
    values = norm.ppf(quantiles)
    rows = [[first, second] for second in values[::-1] for first in values]
    images = to_uint8(model.decode(torch.tensor(rows, dtype=torch.float32)), "manifold")
    with figure(path, 6, 6.2) as canvas:
        ax = canvas.subplots()
        show_images(ax, images, MANIFOLD_SIDE)
        cell = images.shape[3] + 1
        shown = range(0, MANIFOLD_SIDE, 3)
        centres = [cell * (number + 0.5) for number in shown]
        ax.set_xticks(centres, [f"{values[number]:.2f}" for number in shown])
        cell = images.shape[2] + 1
        centres = [cell * (MANIFOLD_SIDE - number - 0.5) for number in shown]
        ax.set_yticks(centres, [f"{values[number]:.2f}" for number in shown])
        ax.set_xlabel("$z_1$, at equal steps of probability")
        ax.set_ylabel("$z_2$")
        ax.set_title(f"{title}: what each point of latent space decodes to", fontsize=9)
