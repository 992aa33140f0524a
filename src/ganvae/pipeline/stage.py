"""Start a script in stages/ with named arguments and clear error messages."""

import argparse
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ganvae.core.errors import UserError, exit_with_message
from ganvae.core.tokens import FOLDER, MEASURED, is_current
from ganvae.pipeline.owner import end_with_owner

RUN = "run"
COLLECT = "GANVAE_COLLECT"
"""The variable that is set where results may only come from DVC's cache."""
DVC_STAGE = "DVC_STAGE"
"""The variable in which DVC names the stage, such as ``profiles/smoke/dvc.yaml:train@dcgan-0``."""


def run_stage(
    main: Callable[..., None], description: str | None, *, by_behaviour: bool = False
) -> None:
    """Call ``main`` with the command-line arguments: one string per parameter of ``main``.

    If DVC runs the stage, the argument ``run`` may be missing. Then the name of the training run is
    the part of the stage's name after ``@``. Commands in dvc.yaml never have the name of a training
    run, because a shell would interpret the name.

    Args:
        description: the text of the script's help.
        by_behaviour: whether the stage depends on the measured behaviour of the code. If so, the
            code must be unchanged since the measurement.
    """
    parser = argparse.ArgumentParser(description=description)
    for name in inspect.signature(main).parameters:
        if name == RUN and (run := _run_of_stage(Path(sys.argv[0]).stem)):
            parser.add_argument(name, nargs="?", default=run)
        else:
            parser.add_argument(name)
    arguments = vars(parser.parse_args())
    end_with_owner()
    exit_with_message(_check_not_collecting)
    if by_behaviour:
        exit_with_message(_check_measured)
    exit_with_message(lambda: main(**arguments))


def _run_of_stage(stage: str) -> str | None:
    """The name of the run whose stage DVC runs now, such as ``dcgan-0``; None without DVC."""
    _, _, run = os.environ.get(DVC_STAGE, "").rpartition(f"{stage}@")
    return run or None


def _check_not_collecting() -> None:
    """Refuse to compute what a job has computed already.

    Raises:
        UserError: DVC runs this stage, since its cache does not have the result.
    """
    if COLLECT in os.environ:
        raise UserError(
            "the result of this stage is not in DVC's cache, although its job has ended. Check "
            "that all hosts see the same cache (`dvc cache dir`)."
        )


def _check_measured() -> None:
    """Refuse to run under DVC if the code was edited after its behaviour was measured.

    Otherwise DVC would record results of the edited code as results of the earlier code.

    Raises:
        UserError: the code was edited.
    """
    if DVC_STAGE not in os.environ:
        return
    if not MEASURED.exists():
        _check_tokens()
    elif not is_current(Path()):
        raise UserError(
            "src/ was edited after the behaviour of the code was measured. Run the same command "
            "again. If the command names a single stage, run `dvc repro behaviour/dvc.yaml` first."
        )


def _check_tokens() -> None:
    """Refuse to run in a user's project whose tokens are those of earlier code.

    Raises:
        UserError: a model or the program was edited.
    """
    from ganvae.pipeline.project.tokens import are_fresh

    if FOLDER.exists() and not are_fresh(Path()):
        raise UserError(
            "the code of a model or of ganvae was edited after this command had begun. Run the "
            "same command again."
        )
