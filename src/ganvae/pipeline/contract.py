"""The rules that a model must follow, checked in two training steps on invented images."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ganvae.config import ModelConfig
from ganvae.core.errors import ConfigError
from ganvae.core.images import ImageError, NotFiniteError, check_images, from_uint8
from ganvae.core.seeds import global_seed
from ganvae.metrics.inversion import has_gradient
from ganvae.models.base import (
    GenerativeModel,
    ImageShape,
    LogitModel,
    VariationalModel,
    evaluating,
)
from ganvae.models.gan import AdversarialModel
from ganvae.models.own import fault
from ganvae.models.packing import packed
from ganvae.models.registry import build_model, count_parameters, source_files, system_config
from ganvae.models.size import check_size
from ganvae.models.weights import load_model, round_weights, save_model
from ganvae.training.precision import networks_in

SAMPLES = 4
ATTRIBUTES = ("config", "image_shape", "real_images_per_step")
TOLERANCE = 1e-4
"""The largest difference between a sample that is drawn alone and the same sample in a batch."""
FAR = 1e4
"""A factor on inputs, with which a sigmoid or tanh reaches its bounds, and logits do not."""


class RuleError(Exception):
    """A model breaks a rule. The message is a sentence about the model."""


@dataclass(frozen=True)
class Checked:
    """A model that follows the rules.

    Attributes:
        size: the number of trainable values.
        invertible: whether its images have a gradient for latents. Otherwise the ``inverted_*``
            scores will be missing.
    """

    size: int
    invertible: bool


def check_model(
    system: str, config: ModelConfig, image_shape: ImageShape, name: str, *, bf16: bool
) -> Checked:
    """Check that a model trains, draws samples, and survives saving.

    Args:
        name: the variant's name, for messages.
        bf16: whether the model may be trained in bf16, so that this is tried too.

    Raises:
        ConfigError: the model breaks a rule, raises an exception, or needs more memory than this
            machine has free.
    """
    try:
        _check_defaults(system)
        _check_size(system, config, image_shape, name)
        model, again = (build_model(system, config, image_shape, seed=0) for _ in range(2))
        _check_attributes(model, image_shape)
        _check_seed(model, again, "Draw weights from torch's global generator only.")
        _check_shape(model)
        for each in (model, again):
            _check_training(each)
        _check_seed(
            model,
            again,
            "Let train_step draw all random numbers from its argument generator, or from torch's "
            "global generator.",
        )
        _check_samples(model)
        _check_saving(model, config)
        if bf16:
            _check_bf16(again)
        invertible = has_gradient(model)
        if invertible:
            _check_logits(model)
    except ConfigError:
        raise
    except RuleError as error:
        raise ConfigError(f"variant {name} ({system}): {error}") from None
    except (Exception, SystemExit) as error:
        where = fault(error, source_files(system)[-1])
        raise ConfigError(f"variant {name} ({system}): {where}.") from None
    return Checked(count_parameters(model), invertible)


def _check_defaults(system: str) -> None:
    """Check that a model can be configured without any parameter. Pages compare with defaults."""
    try:
        system_config(system, {}, system)
    except ConfigError as error:
        raise RuleError(f"every parameter needs a default, but {error}") from None


def _check_size(system: str, config: ModelConfig, image_shape: ImageShape, name: str) -> None:
    """Check the memory. If this fails because of __init__, say whether __init__ itself is wrong."""
    try:
        check_size(system, config, image_shape, name)
    except ConfigError:
        raise
    except Exception as error:
        build_model(system, config, image_shape, seed=0)  # raises a fault that is always there
        where = fault(error, source_files(system)[-1])
        raise RuleError(
            f"__init__ fails with tensors that have no values ({where}). Such tensors serve to "
            "estimate the memory. Compute with Python numbers there."
        ) from None


def _random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _check_attributes(model: GenerativeModel, image_shape: ImageShape) -> None:
    missing = [name for name in ATTRIBUTES if not hasattr(model, name)]
    if missing:
        raise RuleError(f"set self.{' and self.'.join(missing)} in __init__.")
    if tuple(model.image_shape) != image_shape:
        raise RuleError(
            f"self.image_shape is {tuple(model.image_shape)}, but the images have the shape "
            f"{image_shape}. Keep the argument image_shape."
        )


def _check_shape(model: GenerativeModel) -> None:
    """Check the shape of images before a loss meets them, whose message would not name them."""
    latents = model.sample_prior(SAMPLES, _random())
    try:
        shape = tuple(model.decode(latents).shape)
    except RuntimeError as error:
        where = fault(error, source_files(model.name)[-1])
        raise RuleError(
            f"no images can be generated from latents of the shape {tuple(latents.shape)} "
            f"({where}). Check the sizes of the layers that decode latents."
        ) from None
    expected = (SAMPLES, *model.image_shape)
    if shape != expected:
        raise RuleError(
            f"images that are generated from {SAMPLES} latents have the shape {shape}, but should "
            f"have {expected}. The last layer may be nn.Unflatten(1, self.image_shape)."
        )


def _check_logits(model: GenerativeModel) -> None:
    """Check that networks which must return logits do not end with a sigmoid or tanh."""
    if not isinstance(model, LogitModel):
        return
    with evaluating(model):
        if _bounded(model.decode_logits(FAR * model.sample_prior(SAMPLES, _random()))):
            network = "the generator" if isinstance(model, AdversarialModel) else "decode_logits"
            raise RuleError(
                f"{network} must return logits, but its values have bounds, like those of a "
                "sigmoid or tanh. Remove the last activation: the base class applies a sigmoid."
            )
        if isinstance(model, AdversarialModel):
            images = packed(model.real_inputs(_images(model)), model.config.packing)
            if _bounded(model.discriminator(FAR * (images - 0.5))):
                raise RuleError(
                    "the discriminator must return logits, but its values are those of a sigmoid "
                    "or tanh. Remove the last activation: the losses apply it."
                )


def _bounded(values: Tensor) -> bool:
    """Whether the outputs for very large inputs end at 1, and at 0 or -1."""
    low, high = values.min().item(), values.max().item()
    return abs(high - 1) < TOLERANCE and min(abs(low), abs(low + 1)) < TOLERANCE


def _check_seed(model: nn.Module, again: nn.Module, advice: str) -> None:
    """Check that the weights of two models depend on nothing but the seed."""
    other = again.state_dict()
    for name, weight in model.state_dict().items():
        if not torch.equal(weight, other[name]):
            raise RuleError(f"two models from the same seed differ in the weight {name}. {advice}")


def _images(model: GenerativeModel) -> Tensor:
    """Invented images for one training step."""
    shape = (model.real_images_per_step, *model.image_shape)
    return from_uint8(torch.randint(256, shape, generator=_random(), dtype=torch.uint8))


def _check_training(model: GenerativeModel) -> None:
    """Check two training steps: their losses, and that they change the weights."""
    images = _images(model)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    optimizers, random = model.optimizers(), _random()
    with global_seed(0, "check"):
        first, second = (model.train_step(images, optimizers, random) for _ in range(2))
    if first.keys() != second.keys() or not first:
        raise RuleError(
            f"train_step returned the losses {_names(first)}, and then {_names(second)}. Return "
            "the same names in every step."
        )
    for name, loss in second.items():
        if not isinstance(loss, Tensor) or loss.shape or loss.requires_grad:
            raise RuleError(f"the loss {name} is no detached scalar. Return loss.detach().")
        if not loss.isfinite():
            raise RuleError(
                f"the loss {name} is {float(loss)} in the second step. Check train_step."
            )
    if all(torch.equal(before[name], weight) for name, weight in model.named_parameters()):
        raise RuleError("two training steps changed no weight. Check optimizers and train_step.")
    model.fit_sampling(images.mul(255).round().to(torch.uint8), _random())


def _names(losses: Mapping[str, Tensor]) -> str:
    return ", ".join(losses) or "(none)"


def _check_samples(model: GenerativeModel) -> None:
    """Check the form of samples, and that each depends on its own noise only."""
    try:
        samples = check_images(model.sample(SAMPLES, _random()), "samples")
    except NotFiniteError as error:
        raise RuleError(f"{error} Find the operation of generate whose result it is.") from None
    except ImageError as error:
        raise RuleError(f"{error} Let generate end with a sigmoid or clamp(0, 1).") from None
    if not torch.equal(samples, model.sample(SAMPLES, _random())):
        raise RuleError(
            "two draws from the same generator differ. Take all random numbers from the argument "
            "generator, and none in generate."
        )
    latents = model.sample_latents(SAMPLES, _random())
    alone = torch.cat([model.decode(latent) for latent in latents.split(1)])
    if (alone - model.decode(latents)).abs().max() > TOLERANCE:
        raise RuleError("a sample depends on the other samples of its batch. Check generate.")
    if isinstance(model, VariationalModel):
        check_images(model.reconstruct(samples), "reconstructions")


def _check_saving(model: GenerativeModel, config: ModelConfig) -> None:
    """Check that a saved model draws the same samples."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        if too_large := round_weights(model):
            raise RuleError(
                f"{too_large} is too large for a 16-bit float, but weights are rounded to 16 bits "
                "after training. Divide it by a constant."
            )
        save_model(path, model, config, seed=1)  # what the seed determined must be in the file
        loaded = load_model(path)
    if not torch.equal(loaded.sample(SAMPLES, _random()), model.sample(SAMPLES, _random())):
        raise RuleError(
            "a saved and loaded model draws other samples. Keep what sampling needs in parameters "
            "or buffers."
        )


def _check_bf16(model: GenerativeModel) -> None:
    """Check that a training step works in bf16, which some processors choose."""
    try:
        with networks_in("bf16", model), global_seed(0, "check"):
            model.train_step(_images(model), model.optimizers(), _random())
    except Exception as error:
        where = fault(error, source_files(model.name)[-1])
        raise RuleError(
            f"a training step in bf16 fails ({where}). Set compute.precision to fp32, or change "
            "the model."
        ) from None
