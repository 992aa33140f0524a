"""One training run, as one object."""

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
    """One training of a variant from one random seed.

    Attributes:
        system: a registered system.
        config: all parameters.
        seed: of the weights, the noise and the order of the images.
        machine: the device, and the networks' precision while they train.
        variant: what files and messages call the trained model; by default the system.
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
        """The run's name: ``dcgan-0``."""
        return f"{self.name}-{self.seed}"

    def fingerprint(self, data: str) -> str:
        """Checksum of all that decides the weights: parameters, data, behaviour and numerics.

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
    """The token of the system's behaviour; checksums of its source files if that is outdated.

    So a checkpoint survives an edit of a comment.
    """
    token = current_token(CHECKOUT, f"train/{system}")
    return token or [sha256(path) for path in code_files(system)]


def code_files(system: str) -> list[Path]:
    """The source files that can change the weights of a system."""
    room = Path(__file__).parent
    shared = [room.parent / f"core/{name}.py" for name in ("compute", "images", "seeds")]
    return [*source_files(system), *sorted(room.glob("*.py")), *shared]
