"""The commands of `ganvae sweep`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ganvae.cli.extras import need
from ganvae.cli.options import Cpus, Gpus, Minutes, Partition, refuse_without_effect

sweep = typer.Typer(no_args_is_help=True)
Study = Annotated[str, typer.Option(help="The name of the study.")]
Storage = Annotated[
    str,
    typer.Option(envvar="OPTUNA_STORAGE", help="The database URL for Optuna."),
]
STORAGE = "sqlite:///sweeps.db"


@sweep.callback()
def check_installed() -> None:
    """Tune a variant with Optuna on the validation split."""
    need("optuna")


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
def worker(  # noqa: PLR0913  one parameter per option
    study: Study,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1, help="The total number of trials of the study (default: from the search space)."
        ),
    ] = None,
    storage: Storage = STORAGE,
    where: Annotated[
        Literal["slurm", "local"] | None,
        typer.Option("--on", help="Run workers as jobs of SLURM, or of this machine."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="The number of workers. Only with --on (default: 1)."),
    ] = None,
    partition: Partition = None,
    minutes: Minutes = None,
    cpus: Cpus = None,
    gpus: Gpus = None,
) -> None:
    """Run trials until the study has enough trials.

    Several workers can run at the same time, on one or several machines.
    """
    options = {"partition": partition, "time": minutes, "cpus": cpus, "gpus": gpus}
    refuse_without_effect(where, jobs=jobs, **options)
    if where:
        from ganvae.pipeline.queues import Queue, Resources
        from ganvae.sweeps.fleet import work_on

        queue = Queue(where, Resources.of(partition, minutes, cpus, gpus), Path())
        ran = work_on(queue, jobs or 1, study, storage, trials)
        typer.echo(f"{ran} trials run by {jobs or 1} workers")
        return
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


@sweep.command("match")
def match_command(
    name: Annotated[str, typer.Argument(help="The name of a match file in sweeps/matches.")],
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="The number of processes (default: by CPU cores)."),
    ] = None,
    part: Annotated[
        str, typer.Option(help="The part of the training runs to perform, such as 1/2.")
    ] = "1/1",
) -> None:
    """Search the parameters of GANs and of VAEs with equal effort, and select the finalists.

    Each finished training run is a file in results/matches/NAME. Repeat the command to resume, also
    in a fresh clone with these files.
    """
    from ganvae.matches.run import read_part, run_match

    typer.echo(run_match(name, workers, read_part(part)))


@sweep.command("finalists")
def finalists_command(
    name: Annotated[str, typer.Argument(help="The name of a match file in sweeps/matches.")],
) -> None:
    """Write the finalists of a complete match into promoted.yaml, for `ganvae repro`."""
    from ganvae.matches.promote import promote_finalists

    typer.echo(promote_finalists(name))
