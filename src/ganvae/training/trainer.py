"""The training loop, shared by GANs and VAEs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ganvae.config import ModelConfig, Schedule
from ganvae.core.images import NotFiniteError, grid, to_uint8, write_png
from ganvae.core.seeds import generator, global_seed
from ganvae.models.base import FitError, GenerativeModel, shape_of
from ganvae.models.registry import build_model
from ganvae.models.size import check_size
from ganvae.models.weights import round_weights
from ganvae.training.batches import Batches
from ganvae.training.checkpoint import TrainingState
from ganvae.training.decays import decay
from ganvae.training.history import History, Row
from ganvae.training.precision import networks_in
from ganvae.training.progress import Progress
from ganvae.training.spec import RunSpec

Status = Literal["completed", "diverged"]
Watch = Callable[[int, Row, GenerativeModel], None]
"""A function that `train` calls after each report.

Its arguments are the step, the new row of the history and the model to evaluate. The function must
not change the model. It may raise an exception to end the training.
"""
FINITE_CHECK_EVERY = 50  # steps; each check makes the CPU wait for a GPU
PREVIEWS = 64
PREVIEW_COLUMNS = 8
PREVIEW_SCALE = 2


@dataclass(frozen=True)
class TrainingResult:
    """The outcome of a training run.

    ``reason`` says why the training run diverged, and is None after a completed training run.
    ``seconds`` is the training time without sample grids and checkpoints. This time includes
    the fit of what sampling needs. ``cpu_seconds`` adds up the time of all CPU threads, and
    ``fit_seconds`` is the fit's part of it. ``cadence`` is the schedule in steps. The weights of a
    completed training run are rounded to 16 bits.
    """

    model: GenerativeModel
    status: Status
    reason: str | None
    steps: int
    images_per_step: int
    images_seen: int
    seconds: float
    cpu_seconds: float
    fit_seconds: float
    history: list[Row]
    cadence: "Cadence"


class Cadence:
    """A schedule in steps, converted from steps or epochs.

    ``marks`` lists steps at which extra samples are drawn.
    """

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
        """Return whether ``step`` is a multiple of ``every`` or the last step."""
        return step % every == 0 or step == self.total

    def sample_due(self, step: int) -> bool:
        """Return whether to draw samples after ``step``.

        Samples are drawn at every interval, after the first epoch, at the last step, and at the
        steps in ``marks``.
        """
        extra = step == self.first_epoch or step in self.marks
        return extra or self.due(self.sample, step)


def train(spec: RunSpec, images: Tensor, work: Path, watch: Watch | None = None) -> TrainingResult:
    """Train a model, from the start or from a checkpoint in ``work``.

    A training run can be stopped and resumed at any time. Stops do not change the final weights. On
    a CPU with the same number of threads and the same precision, the weights agree bit for bit.
    If a loss becomes NaN or infinite, the training run ends with the status "diverged".

    Args:
        images: the training set, uint8, N x C x H x W.
        work: a folder of this training run only, for the checkpoint and the sample grids
            ``samples/step-*.png``. All grids use the same latents, from the prior.
        watch: a function called after each report. The training time does not include the time of
            this function.

    Raises:
        ConfigError: this machine has too little memory.
    """
    shape = shape_of(images)
    check_size(spec.system, spec.config, shape, spec.key)
    with global_seed(spec.seed, "dropout"):
        training = _Training(spec, images, work, watch)
        try:
            reason = training.run()
        except (NotFiniteError, FitError) as error:  # finite losses, but some weights are NaN
            reason = str(error)
        finally:
            training.progress.close()
    return training.result(reason)


class _Training:
    """A training run, from its start or its last checkpoint to its end."""

    def __init__(self, spec: RunSpec, images: Tensor, work: Path, watch: Watch | None) -> None:
        device = spec.machine.device
        shape = shape_of(images)
        model = build_model(spec.system, spec.config, shape, spec.seed)
        model.start_from(images)
        model.to(device)
        self._spec = spec
        self._work = work
        self._watch = watch
        self._images_per_step = model.real_images_per_step
        self._cadence = Cadence(spec.config.schedule, self._images_per_step, len(images))
        self._state = _initial_state(spec, model, self._cadence.total)
        self._state.restore(self._checkpoint, self._samples)
        binarize = spec.config.binarize
        self._fit_seconds = 0.0
        self._batches = Batches(images.to(device), self._images_per_step, spec.seed, binarize)
        self.progress = Progress(spec.key, self._cadence.total, self._state.step)

    @property
    def _checkpoint(self) -> Path:
        return self._work / "checkpoint.pt"

    @property
    def _samples(self) -> Path:
        return self._work / "samples"

    def run(self) -> str | None:
        """Train to the end of the schedule and return None.

        If the training run diverges earlier, stop and return the reason as a text.
        """
        state, cadence = self._state, self._cadence
        state.model.train()
        if state.step == 0:
            self._draw_samples()
        while state.step < cadence.total:
            with state.timed():
                self._step()
                reporting = cadence.due(cadence.report, state.step)
                checking = reporting or state.step % FINITE_CHECK_EVERY == 0
                bad_loss = state.history.not_finite() if checking else None
                if reporting and not bad_loss:
                    row = state.history.report(state.step, self._batches.epochs(state.step))
                    self.progress.show(state.step, row)
            if bad_loss:
                return f"{bad_loss} was NaN or infinite by step {state.step}"
            if cadence.sample_due(state.step):
                self._draw_samples()
            if cadence.due(cadence.checkpoint, state.step):
                state.save(self._checkpoint, self._samples)
            if reporting and self._watch:
                self._watch(state.step, state.history.rows[-1], state.product)
        return self._finish()

    def _step(self) -> None:
        state = self._state
        with networks_in(self._spec.machine.precision, state.model):
            batch = self._batches[state.step]
            state.model.progress = state.step / self._cadence.total
            state.history.add(state.model.train_step(batch, state.optimizers, state.noise))
        for scheduler in state.decays.values():
            scheduler.step()
        if state.average:
            state.average.update_parameters(state.model)
        state.step += 1
        self.progress.advance()

    def _finish(self) -> str | None:
        """Round the weights and fit what sampling needs. Return why this failed, or None."""
        state, before = self._state, self._state.cpu_seconds
        too_large = round_weights(state.product)
        with state.timed():
            random = generator(self._spec.seed, "fitted sampling")
            state.product.fit_sampling(self._batches.training_set(), random)
        self._fit_seconds = state.cpu_seconds - before
        too_large = too_large or round_weights(state.product)
        return f"{too_large} is too large for a 16-bit float" if too_large else None

    def _draw_samples(self) -> None:
        step, model = self._state.step, self._state.product
        latents = model.sample_prior(PREVIEWS, generator(self._spec.seed, "preview"))
        images = model.decode(latents)
        pixels = grid(to_uint8(images, f"samples at step {step}"), PREVIEW_COLUMNS)
        write_png(self._samples / f"step-{step:07d}.png", pixels, PREVIEW_SCALE)

    def result(self, reason: str | None) -> TrainingResult:
        """Return the outcome of the training run.

        ``reason`` says why the training run diverged, and is None after a completed training run.
        """
        state = self._state
        return TrainingResult(
            model=state.product,
            status="diverged" if reason else "completed",
            reason=reason,
            steps=state.step,
            images_per_step=self._images_per_step,
            images_seen=state.step * self._images_per_step,
            seconds=state.seconds,
            cpu_seconds=state.cpu_seconds,
            fit_seconds=self._fit_seconds,
            history=state.history.rows,
            cadence=self._cadence,
        )


def _initial_state(spec: RunSpec, model: GenerativeModel, total: int) -> TrainingState:
    """Create the state before the first step of a training run with ``total`` steps."""
    config, optimizers = spec.config, model.optimizers()
    return TrainingState(
        model,
        optimizers,
        noise=generator(spec.seed, "noise", device=spec.machine.device),
        history=History(),
        decays={
            name: scheduler
            for name, optimizer in optimizers.items()
            if (scheduler := decay(config.learning_rate_decay, optimizer, total))
        },
        average=_average(model, config),
    )


def _average(model: GenerativeModel, config: ModelConfig) -> AveragedModel | None:
    """Create an exponential moving average of the model's weights and batch norm statistics."""
    if config.ema is None:
        return None
    plain, warmed_up = get_ema_multi_avg_fn(config.ema), partial(_update_warmed_up, config.ema)
    update = warmed_up if config.ema_warmup else plain
    average = AveragedModel(model, multi_avg_fn=update, use_buffers=True)
    return average.requires_grad_(False)


def _update_warmed_up(decay: float, averages: Any, weights: Any, averaged: Any) -> None:
    """Add a step's weights to averages over ``averaged`` steps. `AveragedModel` calls this."""
    steps = float(averaged)
    get_ema_multi_avg_fn(min(decay, (1 + steps) / (10 + steps)))(averages, weights, averaged)
