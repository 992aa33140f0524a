"""How a script in stages/ starts: named arguments, clear errors."""

import argparse
import inspect
from collections.abc import Callable

from ganvae.errors import exit_with_message


def run_stage(main: Callable[..., None], description: str | None) -> None:
    """Call ``main`` with one command-line argument for each of its parameters, all strings."""
    parser = argparse.ArgumentParser(description=description)
    for name in inspect.signature(main).parameters:
        parser.add_argument(name)
    arguments = vars(parser.parse_args())
    exit_with_message(lambda: main(**arguments))
