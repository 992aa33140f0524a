"""The profiles whose scores are published in the repository."""

from collections.abc import Iterator
from pathlib import Path

from ganvae.config import Params, load_params
from ganvae.core import assets

NOT_PUBLISHED = ("smoke", "full")  # profiles whose scores are not in the repository


def published_profiles() -> Iterator[tuple[Path, Params]]:
    """Yield the path of each published params.yaml, and the parameters in the file.

    Paths are relative to the root of the repository. The laptop profile comes first.
    """
    others = sorted((assets.ROOT / "profiles").glob("*/params.yaml"))
    for path in (assets.ROOT / "params.yaml", *others):
        if path.parent.name not in NOT_PUBLISHED:
            yield path.relative_to(assets.ROOT), load_params(path)


def profile_of(dataset: str) -> Params | None:
    """The parameters of a data set's first published profile, or None without such a profile."""
    profiles = (params for _, params in published_profiles() if params.data.dataset == dataset)
    return next(profiles, None)
