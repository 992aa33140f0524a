"""The definition of one training run."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from ganvae.config import ModelConfig
from ganvae.core import assets
from ganvae.core.compute import Machine
from ganvae.core.files import sha256
from ganvae.core.paths import checkout_root
from ganvae.core.tokens import current_token
from ganvae.models.names import system_names
from ganvae.models.own_code import find_file, identity, is_file
from ganvae.models.registry import source_files

CPU = Machine()


@dataclass(frozen=True)
class RunSpec:
    """The definition of one training run of a variant. A variant is a system with parameters.

    Attributes:
        system: the name of a registered system (a kind of model).
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
        """The variant's name. Without one, it is the name of the system, or of its file."""
        return self.variant or Path(self.system).stem.replace("_", "-")

    @property
    def key(self) -> str:
        """The name of the training run, for example ``dcgan-0``."""
        return f"{self.name}-{self.seed}"

    def fingerprint(self, data: str) -> str:
        """Return a checksum of everything that determines the trained weights.

        The checksum covers the system, its parameters, the seed, the data and the behaviour of the
        code. It also covers torch's version, the number of threads and the machine.

        Args:
            data: the checksum of the training set.
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
    """Return the training token of ``system``, or source checksums if there is no current token.

    A token is the content of a small file that changes only when measured behaviour changes. So a
    checkpoint stays valid when only a comment changes. A wheel has no tokens. A user's system has
    none either; all its code counts.
    """
    token = current_token(assets.CLONE, f"train/{system}") if assets.CLONE else None
    return token or [*map(sha256, code_files(system)), *own_code(system)]


def own_code(system: str) -> list[str]:
    """The checksum of the code of a user's system; empty for a system of this program."""
    if system in system_names():
        return []
    return [identity(str(find_file(system)) if is_file(system) else system, checkout_root())]


def code_files(system: str) -> list[Path]:
    """The source files that can change the weights of ``system``."""
    folder = Path(__file__).parent
    shared = [folder.parent / f"core/{name}.py" for name in ("compute", "images", "seeds")]
    return [*source_files(system), *sorted(folder.glob("*.py")), *shared]
