"""Record the facts about each system: its family, its source and its defaults."""

from typing import Any

from ganvae.models.registry import system_class, system_config, system_names


def systems() -> dict[str, Any]:
    """Return a mapping from each system's name to its facts.

    A new parameter with a default adds an entry and changes no other entry, so the token of the
    facts stays the same.
    """
    return {
        name: {
            "family": system_class(name).family,
            "source": system_class(name).source,
            "defaults": system_config(name, {}).model_dump(mode="json"),
        }
        for name in system_names()
    }
