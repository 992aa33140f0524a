"""Describe a promoted variant, and write it to the promotions file of a profile.

A promoted variant is a system with the parameters of a sweep's trial. A promotions file
(promoted.yaml) lists a profile's promoted variants and their training runs.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvae.config import ModelConfig, Params, Promotion, RunConfig, parse, read_yaml
from ganvae.config.promotions import (
    PROMOTED,
    Promotions,
    merge,
    read_promotions,
    write_promotions,
)
from ganvae.core.lock import LOCKS, in_turn


@dataclass(frozen=True)
class Variant:
    """A system with the parameters of a trial, and the seeds of its training runs."""

    name: str
    system: str
    config: ModelConfig
    seeds: Sequence[int]
    promotion: Promotion

    @property
    def section(self) -> dict[str, Any]:
        """The variant's parameters that differ from the system's defaults."""
        return self.config.model_dump(exclude_defaults=True)

    def runs(self, file: str) -> dict[str, RunConfig]:
        """Return the variant's training runs by key, one training run per seed.

        Args:
            file: the path of the promotions file that holds the variant's section.
        """
        return {
            f"{self.name}-{seed}": RunConfig(
                variant=self.name, system=self.system, seed=seed, file=file
            )
            for seed in self.seeds
        }


def turn_to_promote(params_file: Path) -> AbstractContextManager[bool]:
    """Let only this process change a profile's promotions file inside the `with` block.

    Args:
        params_file: the profile's params.yaml.
    """
    busy = f"Another command writes {params_file.with_name(PROMOTED)}. This command waits for it."
    return in_turn(LOCKS / f"promoted-{params_file.parent.name}.lock", busy)


def write_variant(params_file: Path, variant: Variant) -> bool:
    """Write a variant into a profile's promotions file, in place of a variant of the same name.

    The caller holds the lock of `turn_to_promote` while it checks the profile and writes variants.

    Args:
        params_file: the profile's params.yaml, which is not changed.

    Returns:
        Whether the promotions file has changed.

    Raises:
        ConfigError: the profile would be invalid with this variant.
    """
    path = params_file.with_name(PROMOTED)
    values, before = read_yaml(params_file), read_promotions(path)
    after = _with(before, variant, values["promotions"])
    if after == before:
        return False
    parse(Params, merge(values, after, path), str(path))
    write_promotions(path, after)
    return True


def _with(before: Promotions, variant: Variant, file: str) -> Promotions:
    name = variant.name
    others = {key: run for key, run in before.runs.items() if run.variant != name}
    return Promotions(
        runs=others | variant.runs(file),
        variants=before.variants | {name: variant.section},
        promoted=before.promoted | {name: variant.promotion},
    )
