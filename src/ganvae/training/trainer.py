"""The training loop. It knows nothing of GANs or VAEs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import Tensor
from torch.optim.lr_scheduler import LinearLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ganvae.config import ModelConfig, Schedule
from ganvae.core.compute import Machine, Precision
from ganvae.core.images import ImageError, grid, to_uint8, write_png
from ganvae.core.seeds import generator, global_seed
from ganvae.models.base import GenerativeModel, ImageShape
from ganvae.models.registry import build_model
from ganvae.training.batches import Batches
from ganvae.training.checkpoint import TrainingState
from ganvae.training.history import History, Row
from ganvae.training.precision import networks_in
from ganvae.training.progress import Progress

Status = Literal["completed", "diverged"]
Watch = Callable[[int, Row, GenerativeModel], None]
"""Is shown each row of the history with its step, and the model as it would be evaluated then.

It may raise, to end the training; it changes nothing of the model.
"""
FINITE_CHECK_EVERY = 50  # steps; on a GPU each check waits for the device
CPU = Machine()
PREVIEWS = 64
PREVIEW_COLUMNS = 8
PREVIEW_SCALE = 2


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended; ``reason`` says why it diverged, if it did.

    ``seconds`` counts training alone, without pictures and checkpoints; ``cadence`` is the
    schedule in steps.
    """

    model: GenerativeModel
    status: Status
    reason: str | None
    steps: int
    images_per_step: int
    images_seen: int
    seconds: float
    history: list[Row]
    cadence: "Cadence"


class Cadence:
    """A schedule in steps, whatever its unit."""

    def __init__(self, schedule: Schedule, images_per_step: int, n_images: int) -> None:
        per_unit = 1.0 if schedule.unit == "steps" else n_images / images_per_step

        def steps(length: int) -> int:
            return max(1, round(length * per_unit))

        self.first_epoch = max(1, round(n_images / images_per_step))
        self.marks = [steps(mark) if mark else 0 for mark in schedule.marks]
        self.total = steps(schedule.length)
        self.report = steps(schedule.report_every)
        self.sample = steps(schedule.sample_every)
        self.checkpoint = steps(schedule.checkpoint_every)

    def due(self, every: int, step: int) -> bool:
        """Whether something done every so many steps is due; at the last step everything is."""
        return step % every == 0 or step == self.total

    def sample_due(self, step: int) -> bool:
        """Whether samples are to be drawn; that is so after the first epoch and at marks too."""
        pictured = step == self.first_epoch or step in self.marks
        return pictured or self.due(self.sample, step)


def train(
    name: str,
    config: ModelConfig,
    images: Tensor,
    *,
    seed: int,
    work: Path,
    machine: Machine = CPU,
    label: str | None = None,
    watch: Watch | None = None,
) -> TrainingResult:
    """Train the model called ``name`` from ``seed``, going on from ``work``'s checkpoint if any.

    Stopped at any moment and called again, it ends with the same weights, bit for bit on a CPU
    with the same number of threads and the same precision. A loss that is NaN or infinite ends
    the run as diverged.

    Args:
        images: the training set, uint8, N x C x H x W.
        work: this run's own folder, for its checkpoint and its sample grids
            ``samples/step-*.png``, drawn from the same latents each time.
        machine: the device, and the precision of the networks while they train (`networks_in`).
        label: what progress messages call the run.
        watch: is called after each report. Its run time is not counted as training time.
    """
    shape: ImageShape = tuple(images.shape[1:])  # type: ignore[assignment]
    with global_seed(seed, "dropout"):
        model = build_model(name, config, shape, seed).to(machine.device)
        images_per_step = model.real_images_per_step
        cadence = Cadence(config.schedule, images_per_step, len(images))
        optimizers = model.optimizers()
        state = TrainingState(
            model,
            optimizers,
            noise=generator(seed, "noise", device=machine.device),
            history=History(),
            decays={
                name: LinearLR(optimizer, 1.0, end_factor=0.0, total_iters=cadence.total)
                for name, optimizer in optimizers.items()
                if config.learning_rate_decay == "linear"
            },
            average=_average(model, config.ema) if config.ema else None,
        )
        state.restore(work / "checkpoint.pt")
        batches = Batches(images.to(machine.device), images_per_step, seed, config.binarize)
        progress = Progress(label or f"{name}-{seed}", cadence.total, state.step)
        try:
            reason = _loop(state, batches, cadence, machine.precision, progress, watch, seed, work)
        except ImageError as error:  # finite losses, but the weights have become NaN
            reason = str(error)
        finally:
            progress.close()
    return TrainingResult(
        model=state.product,
        status="diverged" if reason else "completed",
        reason=reason,
        steps=state.step,
        images_per_step=images_per_step,
        images_seen=state.step * images_per_step,
        seconds=state.seconds,
        history=state.history.rows,
        cadence=cadence,
    )


def _loop(
    state: TrainingState,
    batches: Batches,
    cadence: Cadence,
    precision: Precision,
    progress: Progress,
    watch: Watch | None,
    seed: int,
    work: Path,
) -> str | None:
    """Run to the end of the schedule; the reason if the run diverges before it."""
    model, history = state.model, state.history
    model.train()
    if state.step == 0:
        _draw_samples(state.product, seed, work, 0)
    while state.step < cadence.total:
        tick = time.perf_counter()
        with networks_in(precision, model):
            history.add(model.train_step(batches[state.step], state.optimizers, state.noise))
        for decay in state.decays.values():
            decay.step()
        if state.average:
            state.average.update_parameters(model)
        state.step += 1
        progress.advance()
        reporting = cadence.due(cadence.report, state.step)
        checking = reporting or state.step % FINITE_CHECK_EVERY == 0
        broken = history.not_finite() if checking else None
        if reporting and not broken:
            row = history.report(state.step, batches.epochs(state.step))
            progress.show(state.step, row)
        state.seconds += time.perf_counter() - tick
        if broken:
            return f"{broken} was NaN or infinite by step {state.step}"
        if cadence.sample_due(state.step):
            _draw_samples(state.product, seed, work, state.step)
        if cadence.due(cadence.checkpoint, state.step):
            state.save(work / "checkpoint.pt")
        if reporting and watch:
            watch(state.step, history.rows[-1], state.product)
    return None


def _average(model: GenerativeModel, decay: float) -> AveragedModel:
    """An exponential moving average of a model's weights and batch norms' statistics."""
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    return average.requires_grad_(False)


def _draw_samples(model: GenerativeModel, seed: int, work: Path, step: int) -> None:
    images = model.sample(PREVIEWS, generator(seed, "preview"))
    pixels = grid(to_uint8(images, f"samples at step {step}"), PREVIEW_COLUMNS)
    write_png(work / "samples" / f"step-{step:07d}.png", pixels, PREVIEW_SCALE)
