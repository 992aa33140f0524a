"""The command line. Each command imports what it needs, so that `ganvae --help` is quick."""

from pathlib import Path
from typing import Annotated

import typer

from ganvae.errors import exit_with_message

commands = typer.Typer(
    help="GAN or VAE? The pipeline itself is run by `dvc repro`; these are the tools beside it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def app() -> None:
    """Run the command line."""
    exit_with_message(commands)


@commands.command("sync")
def sync_command(
    profile: Annotated[str | None, typer.Option(help="Only this profile.")] = None,
) -> None:
    """Show the runs in results/ in MLflow; safe to repeat."""
    from ganvae.tracking.sync import sync

    typer.echo(sync(profile))


@commands.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 5000,
) -> None:
    """Sync, then open MLflow's web pages on this machine."""
    from ganvae.tracking.ui import serve

    serve(port)


@commands.command()
def fetch(
    dataset: Annotated[str, typer.Argument(help="One of `ganvae datasets`.")],
    directory: Annotated[Path, typer.Option(help="The folder to put its files in.")],
) -> None:
    """Download a data set and verify it."""
    from ganvae.data.registry import get_dataset

    get_dataset(dataset).fetch(directory)


@commands.command()
def datasets() -> None:
    """List the data sets."""
    from ganvae.data.registry import dataset_names, get_dataset

    for name in dataset_names():
        typer.echo(f"{name:16}{get_dataset(name).summary}")


@commands.command()
def models() -> None:
    """List the models, their families and where they come from."""
    from ganvae.models.registry import model_class, model_names

    for name in model_names():
        model = model_class(name)
        typer.echo(f"{name:20}{model.family:8}{model.source}")
