"""Separate random streams for separate purposes, all derived from one random seed.

The seed of a run decides the initial weights, the order of the data, the noise and dropout in
training, and the latents of the pictures. Each purpose has its own stream. So a change in how
much one purpose draws does not affect the others.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derive(seed: int, purpose: str, *numbers: int) -> int:
    """Derive a 64-bit seed from ``seed``, ``purpose`` and further numbers, such as an epoch."""
    entropy = [seed, zlib.crc32(purpose.encode()), *numbers]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])


def generator(seed: int, purpose: str, *numbers: int, device: str = "cpu") -> torch.Generator:
    """A generator on ``device``, seeded by `derive`."""
    return torch.Generator(device).manual_seed(derive(seed, purpose, *numbers))


def binarisation(split: str, device: str = "cpu") -> torch.Generator:
    """The stream that binarises a split's images. It is the same for every variant and seed."""
    return generator(0, f"binarised {split}", device=device)


@contextmanager
def global_seed(seed: int, purpose: str) -> Iterator[None]:
    """Seed torch's global generators inside the block, and restore their states after it.

    This serves weight initialisation and dropout, which accept no generator.
    """
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, purpose))
        yield
