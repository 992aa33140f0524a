"""The parameters of a profile that differ from the defaults of its systems."""

from typing import Any

from ganvae.config import ModelConfig, Params, flat
from ganvae.models.registry import system_config

Departures = dict[str, tuple[Any, Any]]
"""By dotted name: the profile's value of a parameter, and the system's default."""


def departures(params: Params) -> dict[str, Departures]:
    """By variant: the parameters that affect its weights and differ from the system's defaults."""
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
    """Parameters by dotted name.

    Of the schedule only the length is kept, because the rest concerns logging.
    """
    schedule = f"{config.schedule.length} {config.schedule.unit}"
    return dict(flat(config.model_dump() | {"schedule": schedule}))
