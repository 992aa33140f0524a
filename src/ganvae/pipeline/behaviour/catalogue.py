"""What is said of each system: its family, its source and its defaults."""

from typing import Any

from ganvae.models.registry import model_class, model_config, model_names


def systems() -> dict[str, Any]:
    """By name. A new parameter with a default only adds to it."""
    return {
        name: {
            "family": model_class(name).family,
            "source": model_class(name).source,
            "defaults": model_config(name, {}).model_dump(mode="json"),
        }
        for name in model_names()
    }
