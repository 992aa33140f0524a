"""The command line `ganvae`, with one file per group of commands."""

import sys

import typer

from ganvae.cli import data, pipeline, project, scoring, tracking, training
from ganvae.cli.sweep import sweep
from ganvae.core.errors import UserError, exit_with_message

commands = typer.Typer(
    help="GAN or VAE? Run the comparison, or use its parts.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (pipeline, project, training, scoring, tracking, data):
    commands.add_typer(group.commands)
commands.add_typer(sweep, name="sweep")


def app() -> None:
    """Run the command line. After a user's mistake, print a message of one line."""
    exit_with_message(_run)


def _run() -> None:
    if "" in sys.argv[1:]:  # as a path, it would be the working folder
        raise UserError("an argument is empty. Give a value, or leave the option out.")
    try:
        code = commands(sys.argv[1:] or ["--help"], standalone_mode=False)
    except typer.TyperException as error:
        raise UserError(error.format_message()) from None
    if code:  # 130 after Ctrl-C
        sys.exit(code)
