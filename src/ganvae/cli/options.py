"""Options that several commands have."""

from typing import Annotated, Literal

import typer

from ganvae.core.errors import UserError
from ganvae.core.limits import LARGEST_SEED

ModelName = Annotated[
    str | None, typer.Option("--model", help="The name of the model (default: the file's name).")
]
Families = Literal["gan", "vae", "hybrid", "other"]
_family = typer.Option("--family", help="The kind of model.")
_seed = typer.Option(
    "--seed", min=0, max=LARGEST_SEED, help="The random seed that the model was trained from."
)
ModelFamily = Annotated[Families, _family]
GivenFamily = Annotated[Families | None, _family]
TrainingSeed = Annotated[int, _seed]
GivenSeed = Annotated[int | None, _seed]

Partition = Annotated[
    str | None,
    typer.Option("--partition", help="The partition of the jobs. Only with --on slurm."),
]
Minutes = Annotated[
    int | None,
    typer.Option("--time", min=1, help="The time limit of a job, in minutes (default: 120)."),
]
Cpus = Annotated[
    int | None, typer.Option("--cpus", min=1, help="The CPU cores of a job (default: 1).")
]
Gpus = Annotated[int | None, typer.Option("--gpus", min=0, help="The GPUs of a job (default: 0).")]


OF_SLURM = ("partition", "cpus", "gpus")
"""Options that have no effect on processes of this machine."""


def refuse_without_effect(where: str | None, **options: object) -> None:
    """Refuse options of jobs that have no effect.

    Args:
        where: the value of the option ``--on``.
        options: the values of the other options, by name. None stands for an option that was not
            given.

    Raises:
        UserError: an option has a value, but ``--on`` has none, or a value without such options.
    """
    given = [name for name, value in options.items() if value is not None]
    if not where and given:
        raise UserError(
            f"--{given[0]} has no effect without --on. Add `--on slurm`, or leave --{given[0]} out."
        )
    if where == "local" and (unused := [name for name in given if name in OF_SLURM]):
        raise UserError(f"--{unused[0]} has no effect with --on local. Leave it out.")
