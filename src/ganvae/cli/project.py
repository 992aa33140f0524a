"""Commands for a benchmark in a folder of the user's own."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ganvae.cli.extras import need
from ganvae.cli.options import GivenFamily, GivenSeed, ModelName
from ganvae.cli.places import at_root_of, profile_folder
from ganvae.core.errors import UserError

commands = typer.Typer()


@commands.command("new")
def new_command(
    folder: Annotated[Path, typer.Argument(help="The folder to create.")],
    dataset: Annotated[
        str, typer.Option(help="A data set with a judge, see `ganvae datasets`.")
    ] = "mnist",
) -> None:
    """Create a project: a benchmark of your own, with an example of an own model."""
    from ganvae.pipeline.project.new import new_project

    remarks = new_project(folder, dataset)
    typer.echo("\n".join([f"{folder}: created. Read {folder}/README.md.", *remarks]))


@commands.command("check")
def check_command(
    profile: Annotated[
        Path, typer.Argument(help="The folder of a profile, or its params.yaml.")
    ] = Path(),
) -> None:
    """Check a profile in seconds: parameters, disk, judges, images and models."""
    need("dvc")
    from ganvae.pipeline.project.check import check

    folder = profile_folder(profile)
    faults = 0
    for finding in check(folder):
        typer.echo(f"{'ok   ' if finding.right else 'WRONG'} {finding.what}: {finding.found}")
        faults += not finding.right
    if faults:
        raise UserError(f"{faults} of the checks failed. See the lines that begin with WRONG.")


@commands.command("submit")
def submit_command(
    samples: Annotated[
        Path, typer.Argument(help="Samples, as for `ganvae score`, or a record that it wrote.")
    ],
    model: ModelName = None,
    family: GivenFamily = None,
    seed: GivenSeed = None,
    profile: Annotated[Path, typer.Option(help="The folder of a profile.")] = Path(),
) -> None:
    """Add samples from elsewhere to a profile's leaderboard, marked as not trained here.

    Without --family and --seed, samples have the family other and the seed 0. A record keeps its
    own model, family and seed.
    """
    if not samples.exists():
        raise UserError(
            f"{samples} does not exist. Give samples, or a record that `ganvae score --json` wrote."
        )
    from ganvae.data.samples import name_of
    from ganvae.evaluation.submitted import submit_record, submit_samples

    samples = samples.absolute()
    with at_root_of(profile_folder(profile)) as params:
        if samples.suffix == ".json":
            path, record = submit_record(params, samples, model=model, family=family, seed=seed)
        else:
            path, record = submit_samples(
                params,
                samples,
                model=model or name_of(samples),
                family=family or "other",
                seed=seed or 0,
                report=partial(typer.echo, err=True),
            )
    fid = record.scores.get("fid_judge")
    typer.echo(f"{path}: FID (judge) {'not measured' if fid is None else f'{fid:.2f}'}")
    for flag in record.flags:
        typer.echo(f"not ranked: {flag}")
    typer.echo(f"Run `ganvae repro {Path(params.file).parent}` to write the pages again.")
