"""The commands of `ganvae sweep`."""

from pathlib import Path
from typing import Annotated

import typer

sweep = typer.Typer(
    help="Tune a variant with Optuna on the validation split.", no_args_is_help=True
)
Study = Annotated[str, typer.Option(help="The name of the study.")]
Storage = Annotated[
    str,
    typer.Option(envvar="OPTUNA_STORAGE", help="The database URL for Optuna."),
]
STORAGE = "sqlite:///sweeps.db"


@sweep.command()
def create(
    study: Study,
    space: Annotated[
        str,
        typer.Option(
            help="The search space: a name of a file in sweeps/, or the path of a YAML file."
        ),
    ],
    variant: Annotated[
        str | None,
        typer.Option(help="The variant to tune (default: the first system in the search space)."),
    ] = None,
    params: Annotated[Path, typer.Option(help="The profile's params.yaml.")] = Path("params.yaml"),
    storage: Storage = STORAGE,
) -> None:
    """Create a study. An existing study stays unchanged."""
    from ganvae.sweeps.study import create_study

    typer.echo(create_study(study, storage, space, variant, params))


@sweep.command()
def worker(
    study: Study,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1, help="The total number of trials of the study (default: from the search space)."
        ),
    ] = None,
    storage: Storage = STORAGE,
) -> None:
    """Run trials until the study has enough trials.

    Several workers can run at the same time, on one or several machines.
    """
    from ganvae.sweeps.worker import work

    typer.echo(f"{work(study, storage, trials)} trials run by this worker")


@sweep.command()
def status(study: Study, storage: Storage = STORAGE) -> None:
    """Show the progress of a study, its best trial and its running trials."""
    from ganvae.sweeps.status import status_text

    typer.echo(status_text(study, storage))


@sweep.command()
def report(study: Study, storage: Storage = STORAGE) -> None:
    """Write the record, effects and pictures of a study to results/sweeps/STUDY."""
    from ganvae.sweeps.report import report_study

    typer.echo(report_study(study, storage))


@sweep.command("promote")
def promote_command(
    study: Study,
    trial: Annotated[
        int | None,
        typer.Option(min=0, help="The number of the trial (default: the trial with the best FID)."),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            "--as", help="The name of the new variant (default: the tuned variant with -swept)."
        ),
    ] = None,
    seeds: Annotated[
        str, typer.Option(help="The random seeds to train from. The study must not have used them.")
    ] = "0,1,2,3,4",
) -> None:
    """Write a trial into promoted.yaml as a new variant, which `ganvae repro` then trains."""
    from ganvae.sweeps.promote import promote, read_seeds

    typer.echo(promote(study, trial, variant, read_seeds(seeds)))
