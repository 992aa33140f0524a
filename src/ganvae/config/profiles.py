"""Whose parameters a data set's published scores were taken by."""

from collections.abc import Iterator
from pathlib import Path

from ganvae.config import Params, load_params
from ganvae.core.paths import CHECKOUT

NOT_PUBLISHED = ("smoke", "full")  # profiles whose scores are not in the repository


def published_profiles() -> Iterator[tuple[Path, Params]]:
    """The files in this clone, from its root, and what they say; the laptop profile's first."""
    others = sorted((CHECKOUT / "profiles").glob("*/params.yaml"))
    for path in (CHECKOUT / "params.yaml", *others):
        if path.parent.name not in NOT_PUBLISHED:
            yield path.relative_to(CHECKOUT), load_params(path)


def profile_of(dataset: str) -> Params | None:
    """The first profile of a data set, if there is one."""
    found = (params for _, params in published_profiles() if params.data.dataset == dataset)
    return next(found, None)
