"""Which device computes, with how many threads."""

import torch

from ganvae.config import ComputeConfig
from ganvae.errors import ConfigError


def use(config: ComputeConfig) -> str:
    """Set this process's threads and return its device; ``auto`` takes a GPU where there is one.

    Raises:
        ConfigError: a GPU is asked for and there is none.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    available = torch.cuda.is_available()
    if config.device == "cuda" and not available:
        raise ConfigError("compute.device = 'cuda': this machine has no GPU that torch can use.")
    return "cuda" if available and config.device != "cpu" else "cpu"
