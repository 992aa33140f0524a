"""The file of promoted variants, beside a profile's params.yaml.

`ganvae sweep promote` writes it, whole. `load_params` and dvc.yaml merge it with params.yaml, so
that no program ever edits what people wrote.
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

    ``system`` and ``file`` are facts of the variant that dvc.yaml needs to know: which system it
    is, and which file has its section under ``variants`` (relative to the repository's root).
    """

    variant: str
    system: str
    seed: int = Field(ge=0)
    file: str


class Promotion(Section):
    """The trial of a study that a promoted variant's parameters come from.

    ``fid_judge_validation`` is the trial's score: FID on the validation split, the mean over its
    ``seeds``.
    """

    study: str
    trial: NonNegativeInt
    fid_judge_validation: float
    seeds: list[NonNegativeInt] = Field(min_length=1)


class Promotions(Section):
    """The whole file: runs, parameters and origin of each promoted variant."""

    runs: dict[str, RunConfig] = Field(default={})
    variants: dict[str, dict[str, Any]] = Field(default={})
    promoted: dict[str, Promotion] = Field(default={})


def read_promotions(path: Path) -> Promotions:
    """Read the file; no file means that nothing was promoted.

    Raises:
        ConfigError: it cannot be read, or something is wrong in it.
    """
    return parse(Promotions, read_yaml(path), str(path)) if path.exists() else Promotions()


def write_promotions(path: Path, promotions: Promotions) -> None:
    """Write the file, atomically: one line per run and parameter."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    yaml.width = sys.maxsize
    text = io.StringIO()
    yaml.dump(promotions.model_dump(), text)
    write_text(path, HEADER + text.getvalue())


def merge(values: dict[str, Any], promotions: Promotions, path: Path) -> dict[str, Any]:
    """A params.yaml's values with the promoted variants among them; these count as tuned.

    Args:
        path: the promotions' file, for messages.

    Raises:
        ConfigError: a promoted run or variant is in params.yaml too.
    """
    found = promotions.model_dump()
    merged = dict(values)
    for section in ("runs", "variants"):
        given = values.get(section)
        if not isinstance(given, dict):
            continue  # the reader of params.yaml says what is wrong
        if twice := sorted(given.keys() & found[section].keys()):
            raise ConfigError(f"{path}: {section}.{twice[0]} is in params.yaml too: delete one.")
        merged[section] = given | found[section]
    if found["promoted"]:
        merged["promoted"] = found["promoted"]
        merged["tuned"] = list(dict.fromkeys([*values.get("tuned", []), *found["promoted"]]))
    return merged
