"""Options that several commands have."""

from typing import Annotated, Literal

import typer

from ganvae.core.limits import LARGEST_SEED

ModelName = Annotated[
    str | None, typer.Option("--model", help="The name of the model (default: the file's name).")
]
ModelFamily = Annotated[
    Literal["gan", "vae", "hybrid", "other"], typer.Option("--family", help="The kind of model.")
]
TrainingSeed = Annotated[
    int,
    typer.Option(
        "--seed", min=0, max=LARGEST_SEED, help="The random seed that the model was trained from."
    ),
]

Partition = Annotated[
    str | None,
    typer.Option("--partition", help="The partition of the jobs. Only with --on slurm."),
]
Minutes = Annotated[int, typer.Option("--time", min=1, help="The time limit of a job, in minutes.")]
Cpus = Annotated[int, typer.Option("--cpus", min=1, help="The CPU cores of a job.")]
Gpus = Annotated[int, typer.Option("--gpus", min=0, help="The GPUs of a job.")]
