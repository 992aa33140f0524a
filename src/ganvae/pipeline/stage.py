"""How a script in stages/ starts: named arguments, clear errors."""

import argparse
import inspect
import os
from collections.abc import Callable
from pathlib import Path

from ganvae.core.errors import UserError, exit_with_message
from ganvae.core.tokens import MEASURED, is_current


def run_stage(
    main: Callable[..., None], description: str | None, *, by_behaviour: bool = False
) -> None:
    """Call ``main`` with one command-line argument for each of its parameters, all strings.

    Args:
        by_behaviour: the stage depends on what the code does, which must be that of the code here.
    """
    parser = argparse.ArgumentParser(description=description)
    for name in inspect.signature(main).parameters:
        parser.add_argument(name)
    arguments = vars(parser.parse_args())
    if by_behaviour:
        exit_with_message(_check_measured)
    exit_with_message(lambda: main(**arguments))


def _check_measured() -> None:
    """Under DVC, refuse code that was edited since its behaviour was measured.

    DVC would take the results for those of the code as it was.

    Raises:
        UserError: it was edited.
    """
    if "DVC_STAGE" in os.environ and MEASURED.exists() and not is_current(Path()):
        raise UserError(
            "src was edited since its behaviour was measured: run the same command again (after "
            "`dvc repro behaviour/dvc.yaml`, if it names a single stage)."
        )
