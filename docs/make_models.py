"""Write the tables of docs/models.md from the code: `make docs`.

The page's text is written by hand. The tables between HTML comments are written here, from each
system's config class. The meaning of a parameter is the description of its field, as in
``Field(0.5, description="...")``, or else its entry in `OF_SYSTEM` or `MEANINGS`. A system without
a section gets one at the end of the page.
"""

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ganvae.config import flat
from ganvae.models.registry import (
    build_model,
    count_parameters,
    system_class,
    system_config,
    system_names,
)

PAGE = Path(__file__).with_name("models.md")
SYSTEMS = "systems"
"""The name of the table of all systems."""
MNIST = (1, 28, 28)

MEANINGS = {
    "schedule.unit": "unit of all values in the schedule: `epochs` (in an epoch, each real image "
    "is seen once) or `steps` (training steps)",
    "schedule.length": "length of training",
    "schedule.report_every": "interval between reported losses",
    "schedule.sample_every": "interval between sample grids",
    "schedule.checkpoint_every": "interval between checkpoints",
    "schedule.marks": "epochs or steps whose samples the progress picture shows; `[]`: at most six "
    "evenly spaced times, with the first and the last",
    "batch_size": "images per batch",
    "learning_rate_decay": "`linear`: the learning rates fall linearly to 0 at the end of the "
    "schedule; `staged`: they fall to a tenth in eight stages, each three times as long as the "
    "one before ([1509.00519](https://arxiv.org/abs/1509.00519), section 5); `none`: they stay the "
    "same",
    "ema": "decay of an exponential moving average of the weights "
    "([1710.10196](https://arxiv.org/abs/1710.10196), section 4); samples are drawn and scored "
    "with the averaged weights; `null`: no average",
    "ema_warmup": "whether that decay is lower at first: at most $(1 + t) / (10 + t)$ after $t$ "
    "steps, so that an average over few steps forgets the first weights",
    "binarize": "whether the training images are made black and white; the grey value of a pixel "
    "is then the probability that the pixel is white; `static` draws the pixels once, `dynamic` "
    "draws them again for each batch, and `none` keeps grey values",
    "output_scale": "factor on the logits of samples; a factor above 1 makes samples sharper; "
    "training and reconstructions do not use it",
    "prior": "distribution of the latents of samples: `normal`: $N(0, I)$; `mixture`: a Gaussian "
    "mixture; `second-stage`: a second VAE; both are fitted to encodings of training images after "
    "training",
    "prior_components": "number of components of the prior `mixture`",
    "second_stage_width": "size of each hidden layer of the prior `second-stage`",
    "second_stage_steps": "training steps of the prior `second-stage`",
    "latent_size": "number of latents (components of a latent vector)",
    "learning_rate": "learning rate",
    "beta_1": "Adam's decay rate of the running mean of the gradient",
    "beta_2": "Adam's decay rate of the running mean of the squared gradient",
    "balance.d_steps": "number of D steps per training step; each D step uses another part of the "
    "real images",
    "balance.g_steps": "number of G steps per training step",
    "balance.learning_rate_ratio": "D's learning rate divided by G's learning rate "
    "([1706.08500](https://arxiv.org/abs/1706.08500))",
    "balance.ratio": "$r$ of the balance rule; `null`, `off` or `.inf` turns the rule off",
    "likelihood": "$p(x \\mid z)$: `gaussian` (squared error) or `bernoulli` (cross-entropy)",
    "gaussian_variance": "variance of the Gaussian likelihood: `fixed` ($1/2$) or `learned` (one "
    "variance for all pixels)",
    "beta": r"$\beta$, the weight of the KL",
    "kl_warmup": "share of the training steps in which the weight of the KL grows from 0 to "
    r"$\beta$; 0: no warm-up",
    "free_bits": r"$\lambda$, the KL per latent, in nats, that costs a constant; 0: no free bits; "
    "must be 0 if `importance_samples` is above 1",
    "importance_samples": "$k$, the number of latent vectors drawn per image; if $k > 1$, the loss "
    "is minus the importance-weighted bound, and `beta` must be 1",
    "norm": "normalisation before each ReLU of encoder and decoder",
    "hidden": "sizes of the encoder's hidden layers; the decoder has the same sizes in reverse "
    "order",
    "activation": "activation of the hidden layers: `relu` or `tanh`",
    "output_bias": "initial bias of the decoder's last layer: `random`, or `pixel-means`: the "
    "logits of the mean training image",
    "negative_slope": "slope of LeakyReLU below 0",
    "dropout": "probability of dropout",
    "loss": "losses of D and G ([objectives](#objectives))",
    "gradient_penalty": r"$\lambda$, the weight of the gradient penalty of `wgan-gp`; other losses "
    "do not use it",
    "r1": r"$\gamma_1$, the weight of the R1 penalty; 0: no penalty",
    "r2": r"$\gamma_2$, the weight of the R2 penalty; 0: no penalty",
    "penalty_share": "share of a batch for which each gradient penalty is computed",
    "packing": "$m$, the number of images that D sees at once; must divide the number of real "
    "images per D step",
    "spectral_norm": "whether D's weights are divided by their largest singular values",
    "truncation": "largest absolute value of the components of a sample's latent vector; training "
    "does not use it; `null`: no truncation",
    "rejection": "percentile of rejection sampling by D "
    "([sampling](#sampling-from-gans)); `null`: no rejection",
    "generator_norm": "normalisation in G",
    "discriminator_norm": "normalisation in D",
}
"""Meanings that hold for every system with the parameter, by dotted name."""

_GAN = {
    "batch_size": "number of real images per D step, which is also the number of generated images "
    "per D step and per G step",
    "learning_rate": "G's learning rate; D's learning rate is this value times "
    "`balance.learning_rate_ratio`",
}
_PRIOR = {"prior": "distribution of the latents: `normal` is $N(0, I)$, `uniform` is $U[-1, 1]$"}
_RESIZED = (
    "channels of the dense layer's output, then of each transposed convolution except the last"
)

OF_SYSTEM: dict[str, dict[str, str]] = {
    "balanced-gan": _GAN
    | _PRIOR
    | {
        "generator_channels": _RESIZED,
        "discriminator_channels": "channels of D's convolutions",
        "discriminator_features": "outputs of D's first dense layer",
        "dropout": "probability of dropout after D's first two convolutions",
    },
    "conv-vae": {
        "channels": "channels of the encoder's convolutions (stride 2); the decoder has the same "
        "channels in reverse order",
    },
    "dcgan": _GAN
    | _PRIOR
    | {
        "generator_channels": "channels of G's feature maps; each entry doubles height and width",
        "discriminator_channels": "channels of D's convolutions; each entry halves height and "
        "width",
    },
    "keras-dcgan": _GAN
    | _PRIOR
    | {
        "discriminator_decay": "$\\delta$ of D, which sets how fast D's learning rate falls",
        "generator_decay": "$\\delta$ of G, which sets how fast G's learning rate falls",
        "rho": "RMSprop's decay rate of the running mean of the squared gradient",
        "epsilon": "RMSprop's small constant that prevents division by 0",
        "generator_channels": _RESIZED,
        "discriminator_channels": "channels of D's convolutions",
        "discriminator_strides": "strides of D's convolutions",
        "kernel": "height and width of all kernels",
        "dropout": "probability of dropout: in G after the first reshape, in D after every "
        "convolution",
    },
    "vae-gan": _GAN
    | {
        "learning_rate": "learning rate of encoder and generator; D's learning rate is this value "
        "times `balance.learning_rate_ratio`",
        "channels": "channels of the encoder's convolutions; the generator has the same channels "
        "in reverse order",
        "discriminator_channels": "channels of D's convolutions; each entry halves height and "
        "width",
        "adversarial_weight": "$w$, the weight of G's adversarial loss",
        "real_target": "$t$, D's target for real images (one-sided label smoothing)",
    },
    "vanilla-gan": _GAN
    | _PRIOR
    | {
        "batch_size": "number of images per D step, half real and half generated; also the number "
        "of generated images per G step; must be even",
        "encoding_dims": "number of latents (components of a latent vector)",
        "activation": "activation of the hidden layers of both networks",
        "negative_slope": "slope of LeakyReLU below 0; `tanh` does not use it",
        "hidden.generator": "sizes of G's hidden layers; `hidden: [...]` sets the layers of both "
        "networks",
        "hidden.discriminator": "sizes of D's hidden layers",
    },
}
"""Meanings that hold for one system; they precede those in `MEANINGS`."""


def tables() -> dict[str, str]:
    """The page's tables as Markdown: one of all systems, and one of each system's parameters."""
    return {SYSTEMS: _systems_table()} | {name: parameter_table(name) for name in system_names()}


def parameter_table(system: str) -> str:
    """Every parameter of a system with its default and its meaning.

    Raises:
        SystemExit: a parameter has no meaning.
    """
    values = dict(flat(system_config(system, {}).model_dump()))
    rows = [(f"`{name}`", f"`{_yaml(value)}`", meaning(system, name)) for name, value in
            values.items()]  # fmt: skip
    return _markdown(("parameter", "default", "meaning"), rows)


def meaning(system: str, name: str) -> str:
    """What a parameter, given by its dotted name, means.

    Raises:
        SystemExit: it is written nowhere.
    """
    field = _field(system_class(system).config_class, name.split("."))
    found = field.description or OF_SYSTEM.get(system, {}).get(name) or MEANINGS.get(name)
    if not found:
        raise SystemExit(
            f"{system}: parameter {name} has no meaning. Describe it in its field, "
            f"`Field(..., description=...)`, or in {Path(__file__).name}."
        )
    choices = [f"`{choice}`" for choice in _choices(field)]
    explained = all(choice in found for choice in choices)
    return found if explained else f"{found}: {' or '.join([', '.join(choices[:-1]), choices[-1]])}"


def _field(section: type[BaseModel], path: list[str]) -> FieldInfo:
    field = section.model_fields[path[0]]
    if len(path) == 1:
        return field
    inner: Any = field.annotation
    return _field(inner, path[1:])


def _choices(field: FieldInfo) -> tuple[Any, ...]:
    """The values that a field may have, if it is one of a few."""
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _systems_table() -> str:
    rows = []
    for name in system_names():
        cls, config = system_class(name), system_config(name, {})
        weights = count_parameters(build_model(name, config, MNIST, seed=0))
        schedule = config.schedule
        length = f"{schedule.length:,} {schedule.unit}"
        rows.append((f"[`{name}`](#{name})", cls.family, length, f"{weights:,}"))
    return _markdown(
        ("system", "family", "default training", "number of weights (1 x 28 x 28 images)"), rows
    )


def _markdown(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _yaml(value: Any) -> str:
    """A value as params.yaml would have it, on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value).replace("e-0", "e-")


def markers(table: str) -> tuple[str, str]:
    """The comments before and after a table."""
    return f"<!-- table: {table} (make docs) -->", f"<!-- end of table: {table} -->"


def page(text: str) -> str:
    """The page with today's tables, and with a section for each system that has none."""
    for name, table in tables().items():
        start, end = markers(name)
        if start not in text:
            text = text.rstrip("\n") + "\n\n" + "\n\n".join(_section(name)) + "\n"
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = f"{before}{start}\n{table}\n{end}{after}"
    return text


def _section(system: str) -> Iterator[str]:
    cls = system_class(system)
    yield f"## {system}"
    yield inspect.getdoc(cls) or ""
    linked = re.sub(r"\b\d{4}\.\d{4,5}\b", r"[\g<0>](https://arxiv.org/abs/\g<0>)", cls.source)
    yield f"**Source.** {linked}."
    yield "\n".join(markers(system))


if __name__ == "__main__":
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    PAGE.write_text(new, encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}: {'written' if new != old else 'up to date'}\n")
