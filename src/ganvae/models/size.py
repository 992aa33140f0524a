"""An estimate of the memory that training needs, made before the memory is allocated."""

import math

from ganvae.config import ModelConfig
from ganvae.core.limits import check_memory
from ganvae.models.base import ImageShape
from ganvae.models.registry import TooLargeError, shapes

FLOAT = 4  # bytes
PER_WEIGHT = 4 * FLOAT  # the weight, its gradient, and two moments of Adam
PER_PIXEL = 3 * FLOAT  # a real image, a generated image and a gradient
BEYOND_ANY = 2**62  # bytes


def check_size(system: str, config: ModelConfig, image_shape: ImageShape, name: str) -> None:
    """Check that this machine has the minimum of memory that training needs.

    The estimate leaves out activations, so training can still run out of memory after this check.

    Args:
        name: the name of the variant, for the message.

    Raises:
        ConfigError: this machine has less free memory.
    """
    try:
        weights = sum(map(math.prod, shapes(system, config, image_shape).values()))
    except TooLargeError:
        weights = BEYOND_ANY // PER_WEIGHT
    size = PER_WEIGHT * weights + PER_PIXEL * config.batch_size * math.prod(image_shape)
    check_memory(size, f"training {name}", "lower batch_size or the sizes of the layers")
