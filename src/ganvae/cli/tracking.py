"""Commands that show results in MLflow."""

from typing import Annotated

import typer

from ganvae.cli.extras import need

commands = typer.Typer()


@commands.command("sync")
def sync_command(
    profile: Annotated[
        str | None, typer.Option(help="Show only this profile (default: all profiles).")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Then show runs during training, until Ctrl-C.")
    ] = False,
) -> None:
    """Show the runs in results/ in MLflow. A repeated sync adds only new results."""
    need("mlflow")
    from ganvae.tracking.sync import sync

    typer.echo(sync(profile))
    if follow:
        from ganvae.core.paths import checkout_root
        from ganvae.tracking.follower import follow as show_trainings
        from ganvae.tracking.store import find_store

        show_trainings(checkout_root(), find_store())


@commands.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 5000,
) -> None:
    """Serve MLflow's web pages on this machine, and run `ganvae sync`."""
    need("mlflow")
    from ganvae.tracking.server import serve

    serve(port)
