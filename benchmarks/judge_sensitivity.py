"""Measure how the judge's FID responds to known damage of real MNIST images.

FID should rise with the damage, and by more than its own noise. The baseline is the floor: FID of
the same number of undamaged training images.

    python benchmarks/judge_sensitivity.py [--params params.yaml]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from ganvae.config import load_params
from ganvae.core.errors import exit_with_message
from ganvae.core.images import from_uint8, to_uint8
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import StoredSplit, read_split
from ganvae.evaluation.reference import read_reference
from ganvae.judge.network import FrozenJudge
from ganvae.metrics.fid import fid
from results import report, table

N = 10_000


def blurred(images: Tensor, pixels: float) -> Tensor:
    smooth = gaussian_filter(from_uint8(images).numpy(), sigma=(0, 0, pixels, pixels))
    return to_uint8(torch.from_numpy(smooth).clamp(0, 1))


def few_of_each_class(split: StoredSplit, count: int) -> Tensor:
    """``count`` images per class, repeated: perfect quality, little variety."""
    classes = range(len(split.classes))
    firsts = [split.images[split.labels == label][:count] for label in classes]
    return torch.cat(firsts).repeat(N // (count * len(classes)), 1, 1, 1)


def damages(train: StoredSplit, random: torch.Generator) -> Iterator[tuple[str, Tensor]]:
    order = torch.randperm(len(train.images), generator=random)
    real = train.images[order[:N]]
    yield "none (the floor)", real
    for pixels in (0.5, 1.0, 1.5):
        yield f"Gaussian blur, {pixels} pixels", blurred(real, pixels)
    for count in (100, 20):
        yield f"only {count} images of each class", few_of_each_class(train, count)
    yield "one class missing", train.images[order][train.labels[order] != 3][:N]
    yield "uniform noise", torch.randint(0, 256, real.shape, generator=random, dtype=torch.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    params = load_params(parser.parse_args().params)
    paths = ProfilePaths(params.profile)
    judge = FrozenJudge(Path(params.judge))
    real = read_reference(paths.reference, judge, params.evaluation).features
    train = read_split(paths.split("train"))
    floor = None
    rows = []
    for name, images in damages(train, torch.Generator().manual_seed(0)):
        score = fid(real=real, generated=judge(images)[0])
        floor = floor or score
        rows.append((name, f"{score:,.2f}", f"{score / floor:,.1f}"))
    text = (
        f"Judge {judge.sha256[:16]}. {N:,} damaged images are compared with {len(real):,} test "
        "images. This is one draw; the leaderboard's floor is the mean of three.\n\n"
    )
    report(__file__, text + table(("damage", "FID (judge)", "times the floor"), rows))


if __name__ == "__main__":
    exit_with_message(main)
