"""The commands of `ganvae sweep`."""

from pathlib import Path
from typing import Annotated

import typer

sweep = typer.Typer(help="Tune a model with Optuna, on the validation split.", no_args_is_help=True)
Study = Annotated[str, typer.Option(help="The study's name.")]
Storage = Annotated[
    str,
    typer.Option(envvar="OPTUNA_STORAGE", help="Any database URL that Optuna takes."),
]
STORAGE = "sqlite:///sweeps.db"


@sweep.command()
def create(
    study: Study,
    space: Annotated[str, typer.Option(help="A file of sweeps/ by its name, or a YAML file.")],
    variant: Annotated[
        str | None, typer.Option(help="A variant of the params file; by default the space's first.")
    ] = None,
    params: Annotated[Path, typer.Option(help="The profile's params.yaml.")] = Path("params.yaml"),
    storage: Storage = STORAGE,
) -> None:
    """Make a study; if it is there already nothing changes."""
    from ganvae.sweeps.study import create_study

    typer.echo(create_study(study, storage, space, variant, params))


@sweep.command()
def worker(
    study: Study,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="How many the study shall have; else as its space says."),
    ] = None,
    storage: Storage = STORAGE,
) -> None:
    """Run trials until there are enough; start as many workers as you like, on any hosts."""
    from ganvae.sweeps.worker import work

    typer.echo(f"{work(study, storage, trials)} trials run by this worker")


@sweep.command()
def status(study: Study, storage: Storage = STORAGE) -> None:
    """Say how far a study is, what is best and what runs."""
    from ganvae.sweeps.status import status_text

    typer.echo(status_text(study, storage))


@sweep.command()
def report(study: Study, storage: Storage = STORAGE) -> None:
    """Write results/sweeps/STUDY: record, effects with intervals, pictures; to be committed."""
    from ganvae.sweeps.report import report_study

    typer.echo(report_study(study, storage))


@sweep.command("promote")
def promote_command(
    study: Study,
    trial: Annotated[
        int | None, typer.Option(min=0, help="Its number; else the one of the best FID.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option("--as", help="The variant's name; else the model's with -swept.")
    ] = None,
    seeds: Annotated[
        str, typer.Option(help="What to train it from; none that the study trained from.")
    ] = "0,1,2,3,4",
) -> None:
    """Write a trial into params.yaml as a variant of its model, for `ganvae repro` to train."""
    from ganvae.sweeps.promote import promote, read_seeds

    typer.echo(promote(study, trial, variant, read_seeds(seeds)))
