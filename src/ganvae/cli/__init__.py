"""The command line. Each command imports what it needs, so that `ganvae --help` is quick."""

import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ganvae.cli.sweep import sweep
from ganvae.core.errors import ConfigError, UserError, exit_with_message

commands = typer.Typer(
    help="GAN or VAE? The pipeline, and the tools beside it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
commands.add_typer(sweep, name="sweep")


def app() -> None:
    """Run the command line; whatever is wrong with it is said in one line."""
    exit_with_message(_run)


def _run() -> None:
    try:
        code = commands(sys.argv[1:] or ["--help"], standalone_mode=False)
    except typer.TyperException as error:
        raise UserError(error.format_message()) from None
    if code:  # Ctrl-C: 130
        sys.exit(code)


@commands.command()
def train(
    model: Annotated[str, typer.Argument(help="One of `ganvae models`.")],
    outdir: Annotated[
        Path, typer.Option(help="Folder for weights, losses and pictures; made if need be.")
    ] = Path(),
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How long to train; else the model's own schedule.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="The same, in training steps.")] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch_size", "--batch-size", help="Images a batch.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning_rate", "--learning-rate", help="Of a GAN, the generator's."),
    ] = None,
    beta_1: Annotated[
        float | None, typer.Option("--beta_1", "--beta-1", help="Adam's first beta.")
    ] = None,
    encoding_dims: Annotated[
        int | None,
        typer.Option(
            *("--encoding_dims", "--encoding-dims", "--latent_size", "--latent-size"),
            help="Size of the latents.",
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other parameter, as in params.yaml: --set balance.ratio=1.5. Repeatable.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides all that is random.")] = 0,
    dataset: Annotated[
        str, typer.Option(help="One of `ganvae datasets`, or a folder of class folders.")
    ] = "mnist",
    data: Annotated[
        Path | None, typer.Option(help="Where the data set's files are, if not in this clone.")
    ] = None,
    train_size: Annotated[
        int | None,
        typer.Option("--train_size", "--train-size", min=1, help="Train on so many images only."),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option("--image_size", "--image-size", min=1, help="Resize photos: pixels a side."),
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="Make photos grey (1) or colour (3).")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; else all.")] = None,
    precision: Annotated[
        str, typer.Option(help="Of the networks while they train: auto, fp32 or bf16.")
    ] = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier run in the folder.")
    ] = False,
) -> None:
    """Train one model, without the pipeline."""
    from ganvae.config import ComputeConfig, parse
    from ganvae.core import compute
    from ganvae.pipeline.standalone import build_config, follow_closely, load_images, train_alone

    options = {
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "beta_1": beta_1,
        "encoding_dims": encoding_dims,
    }
    length = {"epochs": epochs, "steps": steps}
    settings = dict(map(_setting, setting or []))
    config = build_config(model, length, options, settings)
    machine = parse(
        ComputeConfig, {"device": device, "threads": threads, "precision": precision}, "compute"
    )
    images, held_out = load_images(dataset, data, train_size, image_size, channels)
    shape = " x ".join(map(str, images.images.shape[1:]))
    typer.echo(f"{len(images.images):,} images of {dataset}, {shape}")
    if not any(key.startswith("schedule.") for key in settings):
        config = follow_closely(model, config, images.images)
    try:
        result = train_alone(
            model,
            config,
            images,
            held_out,
            seed=seed,
            machine=compute.use_to_train(machine),
            outdir=outdir,
            overwrite=overwrite,
        )
    except KeyboardInterrupt:
        typer.echo("interrupted: the same command goes on from the last checkpoint", err=True)
        raise
    typer.echo(f"{outdir}: {model}, {result.steps} steps in {result.seconds:.0f} s")


def _setting(text: str) -> tuple[str, Any]:
    """``key=value`` taken apart, the value read as YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    key, equals, value = text.partition("=")
    if not (key and equals):
        raise ConfigError(f"--set {text}: expected KEY=VALUE.")
    try:
        return key, YAML(typ="safe", pure=True).load(value)
    except YAMLError:
        raise ConfigError(f"--set {text}: {value!r} is not valid YAML.") from None


@commands.command()
def sample(
    model: Annotated[
        str,
        typer.Argument(
            help="A pretrained model (a wrong name lists them) of the laptop profile, of another "
            "as PROFILE/MODEL, a *.safetensors file, or one of MLflow's models, such as "
            "models:/mnist-laptop@champion-gan."
        ),
    ],
    n: Annotated[int, typer.Option("--n", min=1, help="How many images.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Decides the latents.")] = 0,
    out: Annotated[
        Path, typer.Option(help="A .png (a grid), or an .npz (images: N x C x H x W, 0 to 1).")
    ] = Path("samples.png"),
) -> None:
    """Draw samples from a pretrained model or from weights of your own."""
    from ganvae.pipeline.pretrained import find_weights
    from ganvae.pipeline.sampling import sample_to_file

    if model.startswith("models:/"):
        from ganvae.tracking.models import download

        weights = download(model)
    else:
        weights = find_weights(model)
    sample_to_file(weights, n, seed, out)
    typer.echo(f"{out}: {n} samples from {weights}")


@commands.command()
def repro(
    pipeline: Annotated[Path, typer.Argument(help="The profile's dvc.yaml.")] = Path("dvc.yaml"),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Runs at once; else as many as there are cores for.")
    ] = None,
    thaw: Annotated[bool, typer.Option("--thaw", help="Run a frozen profile again.")] = False,
) -> None:
    """Do what `dvc repro` does, with several runs at once."""
    from ganvae.pipeline.reproduction import reproduce

    if profile := reproduce(pipeline, jobs, thaw):
        _show_in_mlflow(profile)


@commands.command("check-locks")
def check_locks_command() -> None:
    """Fail if a committed dvc.lock is older than the code, parameters or data."""
    from ganvae.pipeline.locks import check_locks

    for line in check_locks(Path()):
        typer.echo(line)


def _show_in_mlflow(profile: str) -> None:
    """Without MLflow, or where it cannot be reached, the results are whole all the same."""
    if find_spec("mlflow") is None:
        typer.echo("MLflow is not installed here: `ganvae sync` shows these results where it is.")
        return
    from ganvae.tracking.sync import sync

    try:
        typer.echo(sync(profile))
    except UserError as error:
        typer.echo(f"warning: {error}", err=True)


@commands.command()
def score(
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
    from ganvae.evaluation.scoring import check_place, find_judge, score_samples
    from ganvae.report.score_text import score_text

    machine = {"device": device, "threads": threads, "precision": "fp32"}
    extractor = {"file": inception, "sha256": inception_sha256}
    if json_file:
        check_place(json_file)
    judge = find_judge(dataset, compute.use(parse(ComputeConfig, machine, "compute")))
    named = any(extractor.values())
    if named and not all(extractor.values()):
        raise ConfigError(
            "--inception and --inception-sha256 go together: the checksum says which file is meant "
            "(`sha256sum FILE` prints it)."
        )
    record = score_samples(
        read_samples(samples, judge.image_shape),
        str(samples),
        dataset=dataset,
        split=split,
        data_dir=data,
        model=model or samples.resolve().stem,
        family=family,
        seed=seed,
        judge=judge,
        inception=parse(InceptionConfig, extractor, "inception") if named else None,
        report=partial(typer.echo, err=True),
    )
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


@commands.command("sync")
def sync_command(
    profile: Annotated[str | None, typer.Option(help="Only this profile.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Then show what is being trained, until Ctrl-C.")
    ] = False,
) -> None:
    """Show the runs in results/ in MLflow; safe to repeat."""
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
    """Sync, then open MLflow's web pages on this machine."""
    from ganvae.tracking.server import serve

    serve(port)


@commands.command()
def fetch(
    dataset: Annotated[str, typer.Argument(help="One of `ganvae datasets`.")],
    directory: Annotated[
        Path | None,
        typer.Option(help="The folder for its files; else its own in this clone."),
    ] = None,
    variant: Annotated[
        str | None, typer.Option(help="Which, of a data set that there is more than one of.")
    ] = None,
) -> None:
    """Download a data set and verify it."""
    from ganvae.data.registry import fetch_dataset

    typer.echo(f"{fetch_dataset(dataset, directory, variant)}: {dataset}, verified")


@commands.command()
def datasets() -> None:
    """List the data sets: their images, how their files lie, and whether they have a judge."""
    from ganvae.data.registry import dataset_names, get_dataset, judge_file

    lines = []
    for dataset in map(get_dataset, dataset_names()):
        judge = "judge" if judge_file(dataset.name).is_file() else "no judge"
        lines.append((dataset.name, dataset.shape, dataset.layout, judge, dataset.summary))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        typer.echo("  ".join(map(str.ljust, line, widths)).rstrip())


@commands.command()
def models() -> None:
    """List the models, their families and where they come from."""
    from ganvae.models.registry import model_class, model_names

    for name in model_names():
        model = model_class(name)
        typer.echo(f"{name:20}{model.family:8}{model.source}")
