"""What is said of each system: its family, its source and its defaults."""

from typing import Any

from ganvae.models.registry import system_class, system_config, system_names


def systems() -> dict[str, Any]:
    """By name. A new parameter with a default only adds to it."""
    return {
        name: {
            "family": system_class(name).family,
            "source": system_class(name).source,
            "defaults": system_config(name, {}).model_dump(mode="json"),
        }
        for name in system_names()
    }
