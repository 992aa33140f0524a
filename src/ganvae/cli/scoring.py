"""Scoring samples and comparing records."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from ganvae.core.errors import ConfigError

commands = typer.Typer()


@commands.command()
def score(  # noqa: PLR0913  the options of the command line are parameters
    samples: Annotated[
        Path,
        typer.Argument(help="An .npz or .npy file, a folder of images, or an IDX file."),
    ],
    dataset: Annotated[str, typer.Option(help="One of `ganvae datasets`.")] = "mnist",
    split: Annotated[
        Literal["test", "validation", "train"], typer.Option(help="The real images.")
    ] = "test",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the record here, for `ganvae compare`.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="What drew the samples; else the file's name.")
    ] = None,
    family: Annotated[
        Literal["gan", "vae", "hybrid", "other"], typer.Option(help="What kind of model it is.")
    ] = "other",
    seed: Annotated[int, typer.Option(min=0, help="The one that it was trained from.")] = 0,
    data: Annotated[
        Path | None, typer.Option(help="Where the data set's files are, if not in this clone.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; else all.")] = None,
    inception: Annotated[
        str | None,
        typer.Option(help="TorchScript Inception file, path or URL: FID and KID in it too."),
    ] = None,
    inception_sha256: Annotated[str | None, typer.Option(help="That file's checksum.")] = None,
) -> None:
    """Score samples of any model as the pipeline scores its own."""
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
    name = model or samples.resolve().stem
    check_model(name)
    judge = find_judge(dataset, compute.use(parse(ComputeConfig, machine, "compute")))
    named = any(extractor.values())
    if named and not all(extractor.values()):
        raise ConfigError(
            "--inception and --inception-sha256 go together: the checksum says which file is meant "
            "(`sha256sum FILE` prints it)."
        )
    report = partial(typer.echo, err=True)
    settings = parse(InceptionConfig, extractor, "inception") if named else None
    images = read_samples(samples, judge.image_shape)
    evaluator = evaluator_of(dataset, split, data, judge, settings, report)
    record = score_samples(images, evaluator, model=name, family=family, seed=seed, report=report)
    typer.echo(score_text(record))
    if json_file:
        write_json(json_file, record.model_dump())


@commands.command("compare")
def compare_command(
    files: Annotated[
        list[Path], typer.Argument(help="Score records: JSON, one record or a list of them each.")
    ],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the whole comparison here as well.")
    ] = None,
    finalists: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="GAN VAE", help="Two models to compare by every score."),
    ] = None,
    aside: Annotated[
        list[str] | None,
        typer.Option(help="A model that counts in neither family. Repeatable."),
    ] = None,
) -> None:
    """Rank the models of any score records, and say which differences they show."""
    from ganvae.report.record_files import compare_files, write_all
    from ganvae.report.text import comparison_text

    if json_file:
        from ganvae.evaluation.scoring import check_place

        check_place(json_file)
    comparison, remarks = compare_files(files, finalists, aside or [])
    typer.echo(comparison_text(comparison, remarks))
    if json_file:
        write_all(json_file, comparison)
