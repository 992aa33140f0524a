"""Commands that score samples and compare records."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from ganvae.cli.options import ModelFamily, ModelName, TrainingSeed
from ganvae.core.errors import ConfigError
from ganvae.core.limits import MOST_THREADS

commands = typer.Typer()


@commands.command()
def score(  # noqa: PLR0913  one parameter per option
    samples: Annotated[
        Path,
        typer.Argument(help="An .npz or .npy file, a folder of images, or an IDX file."),
    ],
    dataset: Annotated[
        str, typer.Option(help="The name of a data set, see `ganvae datasets`.")
    ] = "mnist",
    split: Annotated[
        Literal["test", "validation", "train"],
        typer.Option(help="The split of real images to score against."),
    ] = "test",
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Write the record to this file, for `ganvae compare`."),
    ] = None,
    model: ModelName = None,
    family: ModelFamily = "other",
    seed: TrainingSeed = 0,
    data: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the data set's files (default: searched in GANVAE_DATA, then "
            "in the clone or the cache)."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="The device: auto, cpu or cuda.")] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, max=MOST_THREADS, help="CPU threads (default: all).")
    ] = None,
    inception: Annotated[
        str | None,
        typer.Option(help="Path or URL of a TorchScript Inception network, for FID and KID."),
    ] = None,
    inception_sha256: Annotated[
        str | None, typer.Option(help="The SHA-256 checksum of the Inception file.")
    ] = None,
) -> None:
    """Score samples of any model in the same way as the pipeline."""
    from ganvae import api
    from ganvae.core.files import write_json
    from ganvae.evaluation.scoring import check_place

    if json_file:
        check_place(json_file)
    extractor = {"file": inception, "sha256": inception_sha256}
    named = any(extractor.values())
    if named and not all(extractor.values()):
        raise ConfigError(
            "--inception and --inception-sha256 must be given together. The checksum identifies "
            "the file (`sha256sum FILE` prints it)."
        )
    record = api.score(
        samples,
        dataset,
        split=split,
        model=model,
        family=family,
        seed=seed,
        data=data,
        device=device,
        threads=threads,
        inception=extractor if named else None,
        report=partial(typer.echo, err=True),
    )
    typer.echo(record)
    if json_file:
        write_json(json_file, record.model_dump())


@commands.command("compare")
def compare_command(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="JSON files, each with a score record or a list of records. The name of a "
            "profile, such as laptop, stands for its published records."
        ),
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the whole comparison to this file.")
    ] = None,
    finalists: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="GAN VAE", help="A GAN and a VAE to compare by every score."),
    ] = None,
) -> None:
    """Rank the models in score records, and test the differences between them."""
    from ganvae.report.notebook import compare
    from ganvae.report.record_files import write_all

    if json_file:
        from ganvae.evaluation.scoring import check_place

        check_place(json_file)
    compared = compare(files, finalists)
    typer.echo(compared)
    if json_file:
        write_all(json_file, compared.comparison)
