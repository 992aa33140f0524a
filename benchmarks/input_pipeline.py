"""Training throughput: images from memory against a DataLoader of single images.

The same model, batch and optimizer; the baseline is the loop that one writes first: a `Dataset`
that converts one image at a time, a shuffling `DataLoader`, and `.item()` on every loss. Both
run in turn in one process; the figures are medians.

    python benchmarks/input_pipeline.py [--params params.yaml] [--steps 100] [--repeats 5]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from ganvae.config import Params, load_params
from ganvae.data.store import read_split
from ganvae.images import from_uint8
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import build_model, model_config
from ganvae.paths import ProfilePaths
from ganvae.training.batches import Batches


class SingleImages(Dataset[Tensor]):
    """One contract image at a time."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return from_uint8(self.images[index])


def in_memory(model: GenerativeModel, images: Tensor, steps: int) -> None:
    batches, optimizers = Batches(images, model.real_images_per_step, 0), model.optimizers()
    noise = torch.Generator().manual_seed(0)
    for step in range(steps):
        model.train_step(batches[step], optimizers, noise)


def one_by_one(model: GenerativeModel, images: Tensor, steps: int) -> None:
    loader = DataLoader(SingleImages(images), model.real_images_per_step, shuffle=True)
    batches, optimizers = endless(loader), model.optimizers()
    noise = torch.Generator().manual_seed(0)
    for _ in range(steps):
        for loss in model.train_step(next(batches), optimizers, noise).values():
            loss.item()


def endless(loader: DataLoader[Tensor]) -> Iterator[Tensor]:
    while True:
        yield from loader


def images_per_second(
    loop: Callable[[GenerativeModel, Tensor, int], None],
    params: Params,
    name: str,
    images: Tensor,
    steps: int,
) -> float:
    system = params.system(name)
    config = model_config(system, params.models[name])
    model = build_model(system, config, tuple(images.shape[1:]), 0)
    loop(model, images, 5)
    start = time.perf_counter()
    loop(model, images, steps)
    return steps * model.real_images_per_step / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    images = read_split(ProfilePaths(params.profile).split("train")).images
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    print("| model | in memory, images/s | one by one, images/s | ratio (min to max) |")
    print("| --- | ---: | ---: | ---: |")
    for name in params.models:
        pairs = [
            tuple(
                images_per_second(loop, params, name, images, arguments.steps)
                for loop in (in_memory, one_by_one)
            )
            for _ in tqdm(range(arguments.repeats), desc=name, leave=False)
        ]
        fast, slow = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratios = sorted(ours / theirs for ours, theirs in pairs)
        print(
            f"| {name} | {fast:,.0f} | {slow:,.0f} "
            f"| {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |"
        )


if __name__ == "__main__":
    main()
