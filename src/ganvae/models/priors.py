"""Distributions that latents are drawn from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_share = ContextVar("_share", default=(0, 1))  # number of the share, and how many there are


def standard_normal(n: int, size: int, generator: torch.Generator) -> Tensor:
    """N(0, I): ``n`` x ``size``, on the generator's device."""
    return _rows(torch.randn, n, size, generator)


def uniform(n: int, size: int, generator: torch.Generator) -> Tensor:
    """U[-1, 1] in every component: ``n`` x ``size``, on the generator's device."""
    return _rows(torch.rand, n, size, generator) * 2 - 1


@contextmanager
def drawing_share(number: int, shares: int) -> Iterator[None]:
    """Inside the block ``n`` rows are every ``shares``-th, from ``number`` on, of ``n * shares``.

    So processes whose generators are in the same state draw together what one would draw, and
    their generators stay in the same state.
    """
    token = _share.set((number, shares))
    try:
        yield
    finally:
        _share.reset(token)


def _rows(draw: Callable[..., Tensor], n: int, size: int, generator: torch.Generator) -> Tensor:
    number, shares = _share.get()
    rows = draw(n * shares, size, generator=generator, device=generator.device)
    return rows[number::shares]
