"""The file of promoted variants, promoted.yaml, next to a profile's params.yaml.

A promoted variant has parameters that a sweep found. `ganvae sweep promote` rewrites the whole
file, but never edits params.yaml. `load_params` and dvc.yaml merge promoted.yaml with params.yaml.
"""

import io
import re
import sys
from pathlib import Path
from typing import Any, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML

from ganvae.config.section import NAME, PATH, SYSTEM, Section, Seed, parse
from ganvae.config.yaml import read_yaml
from ganvae.core.errors import ConfigError
from ganvae.core.files import write_text

PROMOTED = "promoted.yaml"
HEADER = "# Variants promoted from sweeps. `ganvae sweep promote` rewrites this file.\n"


class RunConfig(Section):
    """One training run: a variant trained from one random seed.

    ``system`` is the name of the variant's system, or the path of a Python file with a model of the
    user, relative to the repository's root. ``file`` is the path of the parameter file that
    contains the variant's parameters, relative to the repository's root. dvc.yaml needs ``system``
    and ``file``.
    """

    variant: str = Field(pattern=NAME)
    system: str
    seed: Seed
    file: str = Field(pattern=PATH)

    @field_validator("system")
    @classmethod
    def _is_a_name_or_a_path_inside(cls, system: str) -> str:
        if not re.match(SYSTEM, system):
            inside = system.removeprefix("./")
            remedy = ". Write the path without ./" if re.match(SYSTEM, inside) else ""
            raise ValueError(
                f"{system!r} is neither the name of a system nor the path of a Python file inside "
                f"the project, such as models/my_model.py (letters, digits, - and _){remedy}"
            )
        return system


class Effort(Section):
    """The effort of a match for each family: random trials, and CPU-seconds of training each."""

    trials: PositiveInt
    seconds: PositiveFloat


class Promotion(Section):
    """The origin of a promoted variant's parameters: trial number ``trial`` of a sweep or match.

    A trial is one choice of parameters that was trained and scored. The score
    ``fid_judge_validation`` is the mean FID on the validation split over the trial's ``seeds``.
    ``study`` is the name of the sweep or match. ``match`` is None for a sweep.
    """

    study: str
    trial: NonNegativeInt
    fid_judge_validation: float
    seeds: list[Seed] = Field(min_length=1)
    match: Effort | None = Field(default=None, exclude_if=lambda effort: effort is None)


class Promotions(Section):
    """The contents of promoted.yaml: each variant's training runs, parameters and origin."""

    runs: dict[str, RunConfig] = Field(default={})
    variants: dict[str, dict[str, Any]] = Field(default={})
    promoted: dict[str, Promotion] = Field(default={})

    @model_validator(mode="after")
    def _every_variant_has_an_origin(self) -> Self:
        for name in sorted(self.variants.keys() ^ self.promoted.keys()):
            has, lacks = (
                ("variants", "promoted") if name in self.variants else ("promoted", "variants")
            )
            raise ValueError(f"{name} has a section under {has}, but no section under {lacks}")
        return self


def read_promotions(path: Path) -> Promotions:
    """Read a file of promoted variants. Return empty sections if the file is missing.

    Raises:
        ConfigError: the file is unreadable, or a value is unknown, missing or invalid.
    """
    return parse(Promotions, read_yaml(path), str(path)) if path.exists() else Promotions()


def write_promotions(path: Path, promotions: Promotions) -> None:
    """Write the promoted variants, atomically. The innermost mappings take one line each."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    yaml.width = sys.maxsize
    text = io.StringIO()
    yaml.dump(promotions.model_dump(), text)
    write_text(path, HEADER + text.getvalue())


def merge(values: dict[str, Any], promotions: Promotions, path: Path) -> dict[str, Any]:
    """Return the values of a params.yaml together with the promoted variants.

    The promoted variants are added to the list ``tuned`` too.

    Args:
        values: the values of the params.yaml. This mapping stays unchanged.
        path: the file of promoted variants, for messages.

    Raises:
        ConfigError: params.yaml has the key ``promoted``, or contains a promoted variant or a
            training run of a promoted variant.
    """
    if "promoted" in values:
        raise ConfigError(f"params.yaml has the key promoted. Move its entries to {path}.")
    promoted = promotions.model_dump()
    merged = dict(values)
    for section in ("runs", "variants"):
        given = values.get(section)
        if not isinstance(given, dict):
            continue  # the validation of params.yaml reports this
        if twice := sorted(given.keys() & promoted[section].keys()):
            raise ConfigError(
                f"{path}: {section}.{twice[0]} is in params.yaml too. Delete one of the two."
            )
        merged[section] = given | promoted[section]
    if promoted["promoted"]:
        merged["promoted"] = promoted["promoted"]
        tuned = values.get("tuned", [])
        if isinstance(tuned, list):  # the validation of params.yaml reports anything else
            added = [variant for variant in promoted["promoted"] if variant not in tuned]
            merged["tuned"] = [*tuned, *added]
    return merged
