"""The definition of one training run."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from ganvae.config import ModelConfig
from ganvae.core.compute import Machine
from ganvae.core.files import sha256
from ganvae.core.paths import CHECKOUT
from ganvae.core.tokens import current_token
from ganvae.models.registry import source_files

CPU = Machine()


@dataclass(frozen=True)
class RunSpec:
    """One training run: a variant and a random seed.

    Attributes:
        system: the name of a registered system.
        config: all parameters of the variant.
        seed: the seed of the weights, the noise and the order of the images.
        machine: the device, and the precision of the networks during training.
        variant: the variant's name in files and messages. An empty name means the system's name.
    """

    system: str
    config: ModelConfig
    seed: int
    machine: Machine = CPU
    variant: str = ""

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.variant or self.system

    @property
    def key(self) -> str:
        """The run's name, for example ``dcgan-0``."""
        return f"{self.name}-{self.seed}"

    def fingerprint(self, data: str) -> str:
        """Checksum of everything that determines the weights.

        This is the system, its parameters, the seed, the data, the behaviour of the code, torch's
        version, the number of threads and the machine.

        Args:
            data: checksum of the training set.
        """
        content = {
            "system": self.system,
            "config": self.config.model_dump(exclude_defaults=True),
            "seed": self.seed,
            "data": data,
            "code": _code(self.system),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            **self.machine._asdict(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _code(system: str) -> str | list[str]:
    """The token of the system's behaviour. An outdated token is replaced by source checksums.

    Because of the token, a checkpoint stays valid when only a comment changes.
    """
    token = current_token(CHECKOUT, f"train/{system}")
    return token or [sha256(path) for path in code_files(system)]


def code_files(system: str) -> list[Path]:
    """The source files that can change the weights of a system."""
    folder = Path(__file__).parent
    shared = [folder.parent / f"core/{name}.py" for name in ("compute", "images", "seeds")]
    return [*source_files(system), *sorted(folder.glob("*.py")), *shared]
