"""Commands for the pipeline."""

import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

from ganvae.cli.extras import need
from ganvae.cli.options import Cpus, Gpus, Minutes, Partition, refuse_without_effect
from ganvae.cli.places import PIPELINE, at_root_of, profile_folder
from ganvae.core.errors import UserError

commands = typer.Typer()


@commands.command()
def repro(  # noqa: PLR0913  one parameter per option
    profile: Annotated[
        Path,
        typer.Argument(help="The folder of a profile, or its dvc.yaml or params.yaml."),
    ] = Path(),
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many runs to train at the same time (default: by CPU cores)."
        ),
    ] = None,
    thaw: Annotated[
        bool, typer.Option("--thaw", help="Run a profile even if it is frozen.")
    ] = False,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing",
            help="Keep the committed results of unchanged runs whose weights are not here.",
        ),
    ] = False,
    where: Annotated[
        Literal["slurm", "local"] | None,
        typer.Option("--on", help="Perform each run as a job of SLURM, or of this machine."),
    ] = None,
    partition: Partition = None,
    minutes: Minutes = None,
    cpus: Cpus = None,
    gpus: Gpus = None,
    print_jobs: Annotated[
        bool,
        typer.Option(
            "--print-jobs",
            help="Prepare the data, and print one command per run and one for the baselines, for "
            "any scheduler.",
        ),
    ] = False,
) -> None:
    """Reproduce a profile like `dvc repro`, but train several runs at the same time."""
    need("dvc")
    refuse_without_effect(where, partition=partition, time=minutes, cpus=cpus, gpus=gpus)
    if print_jobs:
        _check_print_jobs(where, jobs)
    folder = profile_folder(profile, PIPELINE)
    pipeline = folder.resolve() / PIPELINE
    with at_root_of(folder):
        from ganvae.pipeline.reproduction import reproduce

        if print_jobs:
            _print_jobs(pipeline, thaw, allow_missing)
            return
        if where:
            from ganvae.pipeline.cluster import on
            from ganvae.pipeline.queues import Resources

            resources = Resources.of(partition, minutes, cpus, gpus)
            name = reproduce(pipeline, jobs, thaw, allow_missing, on(where, resources))
        else:
            name = reproduce(pipeline, jobs, thaw, allow_missing)
        if name:
            _show_in_mlflow(name)


def _check_print_jobs(where: str | None, jobs: int | None) -> None:
    if where:
        raise UserError("--print-jobs and --on exclude each other. Leave one of them out.")
    if jobs is not None:
        raise UserError("--jobs has no effect with --print-jobs. Leave it out.")


def _print_jobs(pipeline: Path, thaw: bool, allow_missing: bool) -> None:
    """Print the commands of a profile's jobs to stdout, and everything else to stderr."""
    from ganvae.pipeline.cluster import Jobs, print_jobs
    from ganvae.pipeline.reproduction import reproduce

    Jobs(pipeline)  # refuses uncommitted files before anything runs
    stages: dict[str, list[str]] = {}

    def keep(_: Path, found: dict[str, list[str]]) -> None:
        stages.update(found)

    with redirect_stdout(sys.stderr):
        reproduce(pipeline, None, thaw, allow_missing, instead=keep)
    print_jobs(pipeline, stages)


@commands.command("check-locks")
def check_locks_command() -> None:
    """Fail if a committed dvc.lock does not match the code, the parameters or the data."""
    need("dvc")
    from ganvae.pipeline.locks import check_locks

    for line in check_locks(Path()):
        typer.echo(line)


@commands.command("migrate")
def migrate_command() -> None:
    """Rewrite parameters, results and locks of an earlier version, without running anything."""
    from ganvae.core.paths import project_root
    from ganvae.pipeline.migration import migrate

    root = project_root()
    if root != Path.cwd():
        raise UserError(f"{Path.cwd()} is not the root of a project. Run the command in {root}.")
    changed = migrate(root)
    typer.echo("\n".join(changed) or "nothing to do: all files have the current form already")


def _show_in_mlflow(profile: str) -> None:
    """Show the results in MLflow. The results are complete even if MLflow is unavailable.

    If this is killed or fails, the next `ganvae repro` of the profile does it again.
    """
    from ganvae.pipeline.unsynced import mark_synced

    if find_spec("mlflow") is None:
        mark_synced(profile)
        typer.echo(
            "MLflow is not installed. To see the results in MLflow, run `pip install "
            "'ganvae[pipeline]'` and `ganvae sync`."
        )
        return
    from ganvae.tracking.sync import sync

    try:
        typer.echo(sync(profile))
        mark_synced(profile)
    except UserError as error:
        typer.echo(f"warning: {error}", err=True)
