"""Separate random streams for separate purposes, all derived from one random seed.

The seed of a training run decides the initial weights, the order of the data, and the noise and
dropout in training. The seed also decides the latents of the pictures. Each of these purposes has
its own random stream. So more draws for one purpose do not change the draws for another purpose.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derive(seed: int, purpose: str, *numbers: int) -> int:
    """Derive a 64-bit seed from ``seed``, ``purpose`` and ``numbers``, such as an epoch."""
    entropy = [seed, zlib.crc32(purpose.encode()), *numbers]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])


def generator(seed: int, purpose: str, *numbers: int, device: str = "cpu") -> torch.Generator:
    """A torch generator on ``device``, seeded with ``derive(seed, purpose, *numbers)``."""
    return torch.Generator(device).manual_seed(derive(seed, purpose, *numbers))


def binarisation(split: str, device: str = "cpu") -> torch.Generator:
    """A random generator that draws the black-and-white copies of a split.

    The copies are the same for every variant and every random seed.
    """
    return generator(0, f"binarised {split}", device=device)


@contextmanager
def global_seed(seed: int, purpose: str) -> Iterator[None]:
    """Seed torch's global generators inside the block, and restore their old states afterwards.

    Weight initialisation and dropout always use the global generators, because torch accepts no
    other generator for them.
    """
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, purpose))
        yield
