"""Commands that train a system and draw samples."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ganvae.cli.extras import need
from ganvae.core.errors import ConfigError
from ganvae.core.limits import LARGEST_SEED, MOST_THREADS

commands = typer.Typer()


@commands.command()
def train(  # noqa: PLR0913  one parameter per option
    system: Annotated[str, typer.Argument(help="A system, see `ganvae models`, or a Python file.")],
    outdir: Annotated[
        Path,
        typer.Option(help="The folder for weights, losses and pictures. It is created if missing."),
    ] = Path(),
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="The number of epochs (default: the system's own schedule)."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="The number of training steps, instead of --epochs.")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch_size", "--batch-size", help="The number of images per batch."),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            "--learning_rate",
            "--learning-rate",
            help="The learning rate (of the generator, for a GAN).",
        ),
    ] = None,
    beta_1: Annotated[
        float | None, typer.Option("--beta_1", "--beta-1", help="The first beta of Adam.")
    ] = None,
    encoding_dims: Annotated[
        int | None,
        typer.Option(
            *("--encoding_dims", "--encoding-dims", "--latent_size", "--latent-size"),
            help="The size of the latent vector.",
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other parameter of the system, for example --set balance.ratio=1.5. "
            "Can be given several times.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="The random seed.")] = 0,
    dataset: Annotated[
        str,
        typer.Option(
            help="A name from `ganvae datasets`, or a folder with one subfolder per class."
        ),
    ] = "mnist",
    data: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the data set's files (default: searched in GANVAE_DATA, then "
            "in the clone or the cache)."
        ),
    ] = None,
    train_size: Annotated[
        int | None,
        typer.Option(
            "--train_size",
            "--train-size",
            min=1,
            help="The number of training images (default: all).",
        ),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            "--image_size",
            "--image-size",
            min=1,
            help="Resize photos to this many pixels per side.",
        ),
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="Convert photos to grey (1) or colour (3).")
    ] = None,
    device: Annotated[str, typer.Option(help="The device: auto, cpu or cuda.")] = "auto",
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_THREADS, help="The number of CPU threads (default: all)."),
    ] = None,
    precision: Annotated[
        str, typer.Option(help="The precision of the networks in training: auto, fp32 or bf16.")
    ] = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier run in --outdir.")
    ] = False,
) -> None:
    """Train one system, without the pipeline."""
    from ganvae.config import ComputeConfig, parse
    from ganvae.core import compute
    from ganvae.models.own_code import name_inside
    from ganvae.pipeline.own_images import load_images
    from ganvae.pipeline.standalone import build_config, follow_closely, train_alone
    from ganvae.training.spec import RunSpec

    system = name_inside(system)
    options = {
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "beta_1": beta_1,
        "encoding_dims": encoding_dims,
    }
    length = {"epochs": epochs, "steps": steps}
    settings = _settings(setting or [])
    config = build_config(system, length, options, settings)
    machine = parse(
        ComputeConfig, {"device": device, "threads": threads, "precision": precision}, "compute"
    )
    report = partial(typer.echo, err=True)
    images, held_out = load_images(dataset, data, train_size, image_size, channels, report)
    shape = " x ".join(map(str, images.images.shape[1:]))
    typer.echo(f"{len(images.images):,} images of {dataset}, {shape}")
    if not any(key.startswith("schedule.") for key in settings):
        config = follow_closely(system, config, images.images)
    try:
        spec = RunSpec(system, config, seed, compute.use_to_train(machine))
        result = train_alone(spec, images, held_out, outdir, overwrite=overwrite)
    except KeyboardInterrupt:
        typer.echo(
            "interrupted: run the same command again to resume from the last checkpoint", err=True
        )
        raise
    typer.echo(f"{outdir}: {system}, {result.steps} steps in {result.seconds:.0f} s")


def _settings(texts: list[str]) -> dict[str, Any]:
    pairs = [_setting(text) for text in texts]
    settings = dict(pairs)
    if len(settings) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ConfigError(f"--set {max(keys, key=keys.count)} is given twice. Give it once.")
    return settings


def _setting(text: str) -> tuple[str, Any]:
    """Split ``key=value``, and parse the value as YAML."""
    from ganvae.config.yaml import parse_yaml

    key, equals, value = text.partition("=")
    if not (key and equals):
        raise ConfigError(
            f"--set {text} is not of the form KEY=VALUE. Give for example --set balance.ratio=1.5."
        )
    return key, parse_yaml(value, f"--set {text}")


@commands.command()
def sample(
    model: Annotated[
        str,
        typer.Argument(
            help="A variant of the laptop profile, PROFILE/VARIANT for another profile, gan or vae "
            "for the finalists, a *.safetensors file, or a model in MLflow such as "
            "models:/mnist-laptop@champion-gan. For an unknown name, the error message lists the "
            "variants."
        ),
    ],
    n: Annotated[int, typer.Option("--n", min=1, help="The number of images.")] = 64,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="The random seed of the latents.")
    ] = 0,
    out: Annotated[
        Path,
        typer.Option(
            help="The file to write: .png for a grid of images, or .npz for an array `images` "
            "(N x C x H x W, 0 to 1)."
        ),
    ] = Path("samples.png"),
) -> None:
    """Draw samples from pretrained weights or from your own weights."""
    from ganvae.pipeline.pretrained import find_weights
    from ganvae.pipeline.sampling import code_of, sample_to_file

    if model.startswith("models:/"):
        need("mlflow")
        from ganvae.tracking.models import download

        weights = download(model)
    else:
        weights = find_weights(model)
    if code := code_of(weights):
        typer.echo(f"{weights} imports {code}", err=True)
    sample_to_file(weights, n, seed, out)
    typer.echo(f"{out}: {n} samples from {weights}")


@commands.command()
def models() -> None:
    """List the systems, with their families and sources."""
    from ganvae.models.own_code import plug_ins, unused_plug_ins
    from ganvae.models.registry import system_class, system_names

    faults = unused_plug_ins()
    for name in [*system_names(), *sorted(plug_ins().keys() - system_names())]:
        try:
            system = system_class(name)
        except ConfigError as error:
            faults.append(str(error))
        else:
            typer.echo(f"{name:20}{system.family:8}{system.source}")
    for fault in faults:
        typer.echo(f"warning: {fault}", err=True)
