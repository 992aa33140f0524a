"""What a profile sets otherwise than the systems' defaults."""

from typing import Any

from ganvae.config import ModelConfig, Params, flat
from ganvae.models.registry import system_config

Departures = dict[str, tuple[Any, Any]]
"""By dotted name: what a profile sets a parameter to, and the model's default."""


def departures(params: Params) -> dict[str, Departures]:
    """By model, the parameters that decide its weights and are not at the model's defaults."""
    changed = {}
    for name, section in params.variants.items():
        system = params.system(name)
        given = _settings(system_config(system, section))
        defaults = _settings(system_config(system, {}))
        changed[name] = {
            key: (value, defaults[key]) for key, value in given.items() if value != defaults[key]
        }
    return changed


def _settings(config: ModelConfig) -> dict[str, Any]:
    """Parameters by dotted name; of the schedule its length alone, the rest is for the log."""
    schedule = f"{config.schedule.length} {config.schedule.unit}"
    return dict(flat(config.model_dump() | {"schedule": schedule}))
