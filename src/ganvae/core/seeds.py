"""Separate random streams for separate purposes, all derived from one seed.

What a seed decides: a model's initial weights, the order of its data, its training noise and
dropout, and the latents of its pictures. Each has a stream of its own, so changing how much one
of them draws leaves the others as they were.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derive(seed: int, purpose: str, *numbers: int) -> int:
    """A 64-bit seed for ``purpose`` (and further numbers, an epoch say) under ``seed``."""
    entropy = [seed, zlib.crc32(purpose.encode()), *numbers]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])


def generator(seed: int, purpose: str, *numbers: int, device: str = "cpu") -> torch.Generator:
    """A generator of its own for ``purpose``."""
    return torch.Generator(device).manual_seed(derive(seed, purpose, *numbers))


def binarisation(split: str, device: str = "cpu") -> torch.Generator:
    """The stream that draws the binarised images of a split: the same for every model and seed."""
    return generator(0, f"binarised {split}", device=device)


@contextmanager
def global_seed(seed: int, purpose: str) -> Iterator[None]:
    """Seed torch's global generators inside the block and put them back after it.

    For what takes no generator: weight initialisation and dropout.
    """
    with torch.random.fork_rng():
        torch.manual_seed(derive(seed, purpose))
        yield
