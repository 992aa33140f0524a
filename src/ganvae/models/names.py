"""The names of the program's own systems. This module imports no system."""

import pkgutil

from ganvae.models import systems


def system_names() -> list[str]:
    """The names of this package's own systems, sorted."""
    modules = pkgutil.iter_modules(systems.__path__)
    return sorted(module.name.replace("_", "-") for module in modules)
