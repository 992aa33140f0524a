"""A variant of a model as entries of params.yaml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ganvae.config import ModelConfig, Params, Promotion, parse, read_yaml
from ganvae.core.errors import ConfigError
from ganvae.core.files import write_text
from ganvae.sweeps.editing import append_item, block, flow, put_entries


@dataclass(frozen=True)
class Variant:
    """A model that was promoted: its name, what it is a variant of, and what params.yaml says."""

    name: str
    system: str
    config: ModelConfig
    seeds: Sequence[int]
    promotion: Promotion

    @property
    def section(self) -> dict[str, Any]:
        """Its parameters that are not the system's defaults."""
        return self.config.model_dump(exclude_defaults=True)

    @property
    def runs(self) -> dict[str, dict[str, Any]]:
        """Its runs, one a seed."""
        run = {"model": self.name, "code": self.system.replace("-", "_")}
        return {f"{self.name}-{seed}": run | {"seed": seed} for seed in self.seeds}


def write_variant(path: Path, variant: Variant) -> bool:
    """Write a variant into a params.yaml, in place of an earlier one of its name.

    Returns:
        Whether the file has changed; it has not if all of it stood there already.

    Raises:
        ConfigError: the result would not be valid, or the file is written in a way that it cannot
            be added to.
    """
    before = read_yaml(path)
    after = _with(before, variant)
    if after == before:
        return False
    parse(Params, after, str(path))
    try:
        text = _edited(path.read_bytes().decode(), before, variant)
        _check(text, after)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    write_text(path, text)
    return True


def _with(before: dict[str, Any], variant: Variant) -> dict[str, Any]:
    """The file's values with the variant among them."""
    name, earlier = variant.name, _earlier_runs(before, variant)
    others = {key: run for key, run in before["runs"].items() if key not in earlier}
    return before | {
        "runs": others | variant.runs,
        "models": before["models"] | {name: variant.section},
        "tuned": list(dict.fromkeys([*before.get("tuned", []), name])),
        "promoted": before.get("promoted", {}) | {name: variant.promotion.model_dump()},
    }


def _edited(text: str, before: Mapping[str, Any], variant: Variant) -> str:
    """The file's text with the variant in it."""
    name, promotion = variant.name, variant.promotion.model_dump()
    runs = [flow(key, run) for key, run in variant.runs.items()]
    text = put_entries(text, "runs", runs, _earlier_runs(before, variant))
    text = put_entries(text, "models", block(name, variant.section), [name])
    if name not in before.get("tuned", []):
        text = append_item(text, "tuned", name)
    return put_entries(text, "promoted", [flow(name, promotion)], [name])


def _earlier_runs(values: Mapping[str, Any], variant: Variant) -> list[str]:
    return [key for key, run in values["runs"].items() if run["model"] == variant.name]


def _check(text: str, wanted: Mapping[str, Any]) -> None:
    """See that the text says what it is meant to say: anchors, for one, may prevent that."""
    try:
        found = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        found = None
    if found != wanted:
        raise ConfigError("is written in a way that cannot be added to: write one entry a line.")
