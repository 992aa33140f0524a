"""Plan how many training steps fit into a trial's CPU-seconds."""

import contextlib
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ganvae.config import ModelConfig
from ganvae.core.seeds import generator
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import system_config
from ganvae.scores.matches import ProbeRecord
from ganvae.training.history import Row
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train

WARM_UP_STEPS = 20
"""Steps that are not measured. In the first steps, libraries prepare their computations."""

PROBE_SHARE, SHORTEST_PROBE, LONGEST_PROBE = 0.05, 0.1, 3.0
"""The probe's share of the CPU-seconds of a trial, and its limits in CPU-seconds."""

LONGEST = 1_000_000  # steps; the probe ends long before
REPORTS, GRIDS, CHECKPOINTS = 50, 20, 5  # per training run


class _Enough(Exception):  # noqa: N818 (nothing went wrong)
    """Ends the training of a probe that has measured enough steps."""


class _Clock:
    """Measures the CPU-seconds of steps and of the fit, as a `Watch` of the trainer."""

    def __init__(self, images: Tensor, seed: int, seconds: float) -> None:
        self._images = images
        self._seed = seed
        self._seconds = seconds
        self._first = (0, 0.0)
        self.probe: ProbeRecord | None = None

    def watch(self, step: int, row: Row, model: GenerativeModel) -> None:
        now = time.process_time()
        if step <= WARM_UP_STEPS:
            self._first = (step, now)
            return
        first_step, first = self._first
        if now - first < self._seconds:
            return
        step_seconds = (now - first) / (step - first_step)
        # The fit changes the model, but the probe's model is thrown away.
        model.fit_sampling(self._images, generator(self._seed, "fitted sampling"))
        self.probe = ProbeRecord(
            step_seconds=step_seconds,
            fit_seconds=time.process_time() - now,
        )
        raise _Enough


def probe_seconds(budget: float) -> float:
    """Return the CPU-seconds to measure before a trial that has ``budget`` CPU-seconds."""
    return min(LONGEST_PROBE, max(SHORTEST_PROBE, PROBE_SHARE * budget))


def probe(spec: RunSpec, images: Tensor, budget: float) -> ProbeRecord:
    """Train a model for `probe_seconds` and measure what a step and the fit cost.

    Args:
        spec: the training run. Its schedule is not used.
        images: the training set, uint8, N x C x H x W.
        budget: the CPU-seconds of the trial that is planned.

    Raises:
        Diverged: the probe's training diverged before enough steps were measured.
    """
    schedule = {
        "unit": "steps",
        "length": LONGEST,
        "report_every": 10,
        "sample_every": LONGEST,
        "checkpoint_every": LONGEST,
    }
    config = _with_schedule(spec.system, spec.config, schedule)
    clock = _Clock(images, spec.seed, probe_seconds(budget))
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(_Enough):
        result = train(replace(spec, config=config), images, Path(folder), clock.watch)
        raise Diverged(result.reason or "the probe ended early")
    assert clock.probe is not None
    return clock.probe


class Diverged(Exception):  # noqa: N818 (an outcome, not an error of the program)
    """The training diverged while it was probed."""


def steps_within(seconds: float, costs: ProbeRecord) -> int:
    """Return how many steps, at least 1, fit into ``seconds`` CPU-seconds together with the fit."""
    return max(1, int((seconds - costs.fit_seconds) / costs.step_seconds))


def scheduled(system: str, config: ModelConfig, steps: int) -> ModelConfig:
    """Return a configuration that trains for ``steps`` steps."""
    schedule = {
        "unit": "steps",
        "length": steps,
        "report_every": -(-steps // REPORTS),
        "sample_every": -(-steps // GRIDS),
        "checkpoint_every": -(-steps // CHECKPOINTS),
    }
    return _with_schedule(system, config, schedule)


def _with_schedule(system: str, config: ModelConfig, schedule: dict[str, Any]) -> ModelConfig:
    values = config.model_dump(exclude_defaults=True) | {"schedule": schedule}
    return system_config(system, values)
