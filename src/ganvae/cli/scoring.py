"""Commands that score samples and compare records."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from ganvae.core.errors import ConfigError
from ganvae.core.limits import LARGEST_SEED, MOST_THREADS

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
    model: Annotated[
        str | None, typer.Option(help="The name of the model (default: the file's name).")
    ] = None,
    family: Annotated[
        Literal["gan", "vae", "hybrid", "other"], typer.Option(help="The kind of model.")
    ] = "other",
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=LARGEST_SEED, help="The random seed that the model was trained from."
        ),
    ] = 0,
    data: Annotated[
        Path | None, typer.Option(help="The folder of the data set's files, if not in this clone.")
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
    from ganvae.config import ComputeConfig, InceptionConfig, parse
    from ganvae.core import compute
    from ganvae.core.files import write_json
    from ganvae.data.samples import read_samples
    from ganvae.evaluation.scoring import (
        check_model,
        check_place,
        evaluator_of,
        find_judge,
        score_samples,
    )
    from ganvae.report.score_text import score_text

    machine = {"device": device, "threads": threads, "precision": "fp32"}
    extractor = {"file": inception, "sha256": inception_sha256}
    if json_file:
        check_place(json_file)
    name = model or _name_of(samples)
    check_model(name)
    judge = find_judge(dataset, compute.use(parse(ComputeConfig, machine, "compute")))
    named = any(extractor.values())
    if named and not all(extractor.values()):
        raise ConfigError(
            "--inception and --inception-sha256 must be given together. The checksum identifies "
            "the file (`sha256sum FILE` prints it)."
        )
    report = partial(typer.echo, err=True)
    settings = parse(InceptionConfig, extractor, "inception") if named else None
    given = read_samples(samples, judge.image_shape)
    evaluator = evaluator_of(dataset, split, data, judge, settings, report)
    record = score_samples(
        given.images, evaluator, model=name, family=family, seed=seed, report=report
    )
    record = record.model_copy(update={"remarks": list(given.remarks)})
    typer.echo(score_text(record))
    if json_file:
        write_json(json_file, record.model_dump())


def _name_of(samples: Path) -> str:
    """The name of a file without its suffix, or of a folder; also of the folder ``.``."""
    path = Path(os.path.realpath(samples))  # unlike Path.resolve, accepts a loop of links
    return path.name if path.is_dir() else path.stem


@commands.command("compare")
def compare_command(
    files: Annotated[
        list[Path],
        typer.Argument(help="JSON files, each with a score record or a list of records."),
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
    from ganvae.report.record_files import compare_files, write_all
    from ganvae.report.text import comparison_text

    if json_file:
        from ganvae.evaluation.scoring import check_place

        check_place(json_file)
    comparison, remarks = compare_files(files, finalists)
    typer.echo(comparison_text(comparison, remarks))
    if json_file:
        write_all(json_file, comparison)
