"""The parameters of a profile that differ from the defaults of the systems."""

from typing import Any

from ganvae.config import ModelConfig, Params, flat
from ganvae.models.registry import system_config

Departures = dict[str, tuple[Any, Any]]
"""A mapping from a dotted parameter name to the profile's value and the system's default."""


def departures(params: Params) -> dict[str, Departures]:
    """Return, for each variant, the parameters that differ from the defaults of its system.

    Parameters that do not affect the weights are left out.
    """
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
    """Return a mapping from dotted parameter name to value.

    The schedule is reduced to its length, because the other parameters of the schedule only concern
    logging.
    """
    schedule = f"{config.schedule.length} {config.schedule.unit}"
    return dict(flat(config.model_dump() | {"schedule": schedule}))
