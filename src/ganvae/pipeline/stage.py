"""Start a script in stages/ with named arguments and clear error messages."""

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
    """Call ``main`` with the command-line arguments: one string per parameter of ``main``.

    Args:
        description: the text of the script's help.
        by_behaviour: whether the stage depends on the measured behaviour of the code. If so, the
            code must be unchanged since the measurement.
    """
    parser = argparse.ArgumentParser(description=description)
    for name in inspect.signature(main).parameters:
        parser.add_argument(name)
    arguments = vars(parser.parse_args())
    if by_behaviour:
        exit_with_message(_check_measured)
    exit_with_message(lambda: main(**arguments))


def _check_measured() -> None:
    """Refuse to run under DVC if the code was edited after its behaviour was measured.

    DVC would record the results of the edited code under the behaviour of the earlier code.

    Raises:
        UserError: the code was edited.
    """
    if "DVC_STAGE" in os.environ and MEASURED.exists() and not is_current(Path()):
        raise UserError(
            "src/ was edited after the behaviour of the code was measured. Run the same command "
            "again. If the command names a single stage, run `dvc repro behaviour/dvc.yaml` first."
        )
