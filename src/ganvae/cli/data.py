"""Commands for data sets."""

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()


@commands.command()
def fetch(
    dataset: Annotated[str, typer.Argument(help="The name of a data set, see `ganvae datasets`.")],
    directory: Annotated[
        Path | None,
        typer.Option(
            help="The folder for the files (default: in GANVAE_DATA, the clone or the cache)."
        ),
    ] = None,
    edition: Annotated[
        str | None, typer.Option(help="The edition of the data set, if there are several editions.")
    ] = None,
) -> None:
    """Download a data set and verify it."""
    from ganvae.data.registry import fetch_dataset

    typer.echo(f"{fetch_dataset(dataset, directory, edition)}: {dataset}, verified")


@commands.command()
def datasets() -> None:
    """List the data sets, with image shape, file layout and whether a judge exists."""
    from ganvae.data.registry import dataset_names, get_dataset, judge_file

    lines = []
    for dataset in map(get_dataset, dataset_names()):
        judge = "judge" if judge_file(dataset.name).is_file() else "no judge"
        lines.append((dataset.name, dataset.shape, dataset.layout, judge, dataset.summary))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        typer.echo("  ".join(map(str.ljust, line, widths)).rstrip())
