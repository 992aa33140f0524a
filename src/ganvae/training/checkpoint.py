"""The state of a training run, and checkpoints from which a training run resumes exactly."""

import hashlib
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel

from ganvae.core.files import replacing
from ganvae.models.base import GenerativeModel
from ganvae.training.history import History

DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass
class TrainingState:
    """Everything that changes during a training run, with methods to save and restore all of it."""

    model: GenerativeModel
    optimizers: dict[str, Optimizer]
    noise: torch.Generator
    history: History
    decays: dict[str, LRScheduler] = field(default_factory=dict)
    average: AveragedModel | None = None
    step: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def product(self) -> GenerativeModel:
        """The model to sample and evaluate. Its weights are averages if averaging is on."""
        return self.model if self.average is None else cast(GenerativeModel, self.average.module)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time that the ``with`` block takes, and the time of all its CPU threads."""
        start, cpu_start = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - start
        self.cpu_seconds += time.process_time() - cpu_start

    def save(self, path: Path, samples: Path) -> None:
        """Write a checkpoint atomically.

        The checkpoint includes the states of torch's global random generators, because dropout uses
        these generators.

        Args:
            samples: the folder of the sample grids so far. The checkpoint names these files.
        """
        content = {
            "model": self.model.state_dict(),
            "optimizers": {name: opt.state_dict() for name, opt in self.optimizers.items()},
            "decays": {name: decay.state_dict() for name, decay in self.decays.items()},
            "average": self.average.state_dict() if self.average else None,
            "noise": self.noise.get_state(),
            "global_random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "rows": self.history.rows,
            "sums": self.history.sums,
            "count": self.history.count,
            "step": self.step,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "samples": [grid.name for grid in samples.glob("step-*.png")],
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        with replacing(path) as temporary:
            temporary.write_bytes(hashlib.sha256(buffer.getbuffer()).digest() + buffer.getvalue())

    def restore(self, path: Path, samples: Path) -> bool:
        """Load a checkpoint and return True.

        If the file is missing or damaged, change nothing and return False. Do the same if a sample
        grid is missing in the folder ``samples``, because training could not draw it again.
        """
        content = _load(path)
        if content is None or not all((samples / name).exists() for name in content["samples"]):
            return False
        self.model.load_state_dict(content["model"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(content["optimizers"][name])
        for name, decay in self.decays.items():
            decay.load_state_dict(content["decays"][name])
        if self.average:
            self.average.load_state_dict(content["average"])
        self.noise.set_state(content["noise"])
        torch.set_rng_state(content["global_random"])
        if content["cuda_random"]:
            torch.cuda.set_rng_state_all(content["cuda_random"])
        self.history = History(content["rows"], content["sums"], content["count"])
        self.step = content["step"]
        self.seconds = content["seconds"]
        self.cpu_seconds = content["cpu_seconds"]
        return True


def _load(path: Path) -> dict[str, Any] | None:
    """Read a checkpoint. Return None if the file is missing or its checksum is wrong."""
    if not path.exists():
        return None
    stored = path.read_bytes()
    digest, content = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        return None
    loaded: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return loaded
