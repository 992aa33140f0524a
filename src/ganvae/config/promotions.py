"""The file of promoted variants, next to a profile's params.yaml.

`ganvae sweep promote` rewrites the whole file. `load_params` and dvc.yaml merge it with
params.yaml. So no program ever edits a file that people write.
"""

import io
import sys
from pathlib import Path
from typing import Any

from pydantic import Field, NonNegativeInt
from ruamel.yaml import YAML

from ganvae.config.section import Section, parse
from ganvae.config.yaml import read_yaml
from ganvae.core.errors import ConfigError
from ganvae.core.files import write_text

HEADER = "# Variants promoted from sweeps. `ganvae sweep promote` rewrites this file.\n"


class RunConfig(Section):
    """One training run: a variant trained from one random seed.

    dvc.yaml needs two facts about the variant. ``system`` is its system. ``file`` is the file
    that has its section under ``variants``, relative to the repository's root.
    """

    variant: str
    system: str
    seed: int = Field(ge=0)
    file: str


class Promotion(Section):
    """The trial of a study that a promoted variant's parameters come from.

    ``fid_judge_validation`` is the trial's score: the mean over its ``seeds`` of the FID on the
    validation split.
    """

    study: str
    trial: NonNegativeInt
    fid_judge_validation: float
    seeds: list[NonNegativeInt] = Field(min_length=1)


class Promotions(Section):
    """The file of promoted variants: runs, parameters and origin of each variant."""

    runs: dict[str, RunConfig] = Field(default={})
    variants: dict[str, dict[str, Any]] = Field(default={})
    promoted: dict[str, Promotion] = Field(default={})


def read_promotions(path: Path) -> Promotions:
    """Read the promoted variants. A missing file means that no variant was promoted.

    Raises:
        ConfigError: the file is unreadable, or a value is unknown, missing or invalid.
    """
    return parse(Promotions, read_yaml(path), str(path)) if path.exists() else Promotions()


def write_promotions(path: Path, promotions: Promotions) -> None:
    """Write the promoted variants, atomically, with one line per run and per parameter."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    yaml.width = sys.maxsize
    text = io.StringIO()
    yaml.dump(promotions.model_dump(), text)
    write_text(path, HEADER + text.getvalue())


def merge(values: dict[str, Any], promotions: Promotions, path: Path) -> dict[str, Any]:
    """Add the promoted variants to the values of a params.yaml, and mark them as tuned.

    Args:
        values: the values of the params.yaml. They stay unchanged.
        path: the file of promoted variants, for messages.

    Raises:
        ConfigError: a promoted run or variant is in params.yaml too.
    """
    promoted = promotions.model_dump()
    merged = dict(values)
    for section in ("runs", "variants"):
        given = values.get(section)
        if not isinstance(given, dict):
            continue  # the validation of params.yaml reports this
        if twice := sorted(given.keys() & promoted[section].keys()):
            raise ConfigError(
                f"{path}: {section}.{twice[0]} is in params.yaml too. Delete it from one of them."
            )
        merged[section] = given | promoted[section]
    if promoted["promoted"]:
        merged["promoted"] = promoted["promoted"]
        merged["tuned"] = list(dict.fromkeys([*values.get("tuned", []), *promoted["promoted"]]))
    return merged
