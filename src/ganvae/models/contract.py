"""The rules that a model must follow, checked in two training steps on invented images."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ganvae.config import ModelConfig
from ganvae.core.errors import ConfigError
from ganvae.core.images import ImageError, check_images, from_uint8
from ganvae.models.base import GenerativeModel, ImageShape, VariationalModel
from ganvae.models.own import fault
from ganvae.models.registry import build_model, count_parameters, source_files
from ganvae.models.size import check_size
from ganvae.models.weights import load_model, save_model

SAMPLES = 4
ATTRIBUTES = ("config", "image_shape", "real_images_per_step")
TOLERANCE = 1e-4
"""The largest difference between a sample that is drawn alone and the same sample in a batch."""


class RuleError(Exception):
    """A model breaks a rule. The message is a sentence about the model."""


def check_model(system: str, config: ModelConfig, image_shape: ImageShape, name: str) -> int:
    """Check that a model trains, draws samples, and survives saving.

    Args:
        name: the variant's name, for messages.

    Returns:
        The number of trainable values.

    Raises:
        ConfigError: the model breaks a rule, raises an exception, or needs more memory than this
            machine has free.
    """
    try:
        _check_size(system, config, image_shape, name)
        model, again = (build_model(system, config, image_shape, seed=0) for _ in range(2))
        _check_attributes(model)
        _check_seed(model, again)
        _check_training(model)
        _check_samples(model)
        _check_saving(model, config)
    except ConfigError:
        raise
    except RuleError as error:
        raise ConfigError(f"variant {name} ({system}): {error}") from None
    except Exception as error:
        where = fault(error, source_files(system)[-1])
        raise ConfigError(f"variant {name} ({system}): {where}.") from None
    return count_parameters(model)


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


def _check_attributes(model: GenerativeModel) -> None:
    missing = [name for name in ATTRIBUTES if not hasattr(model, name)]
    if missing:
        raise RuleError(f"set self.{' and self.'.join(missing)} in __init__.")


def _check_seed(model: nn.Module, again: nn.Module) -> None:
    """Check that the initial weights depend on nothing but the seed."""
    other = again.state_dict()
    for name, weight in model.state_dict().items():
        if not torch.equal(weight, other[name]):
            raise RuleError(
                f"two models from the same seed differ in the weight {name}. Draw weights from "
                "torch's global generator only."
            )


def _check_training(model: GenerativeModel) -> None:
    """Check two training steps: their losses, and that they change the weights."""
    shape = (model.real_images_per_step, *model.image_shape)
    images = from_uint8(torch.randint(256, shape, generator=_random(), dtype=torch.uint8))
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    optimizers, random = model.optimizers(), _random()
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
    expected = (SAMPLES, *model.image_shape)
    try:
        samples = check_images(model.sample(SAMPLES, _random()), "samples")
    except ImageError as error:
        raise RuleError(
            f"{error} Let generate end with a sigmoid or clamp(0, 1), and with the shape N x C x "
            "H x W."
        ) from None
    if samples.shape != expected:
        raise RuleError(
            f"samples have the shape {tuple(samples.shape)}, but should have {expected}."
        )
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
        save_model(path, model, config, seed=1)  # what the seed determined must be in the file
        loaded = load_model(path)
    if not torch.equal(loaded.sample(SAMPLES, _random()), model.sample(SAMPLES, _random())):
        raise RuleError(
            "a saved and loaded model draws other samples. Keep what sampling needs in parameters "
            "or buffers."
        )
