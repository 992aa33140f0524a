"""One training run of a match: plan its steps, train, and measure FID on the validation split."""

import contextlib
import io
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganvae.config import ModelConfig, load_params
from ganvae.core.compute import Machine
from ganvae.core.files import read_json, remove_folder, write_json
from ganvae.core.images import NotFiniteError
from ganvae.core.seeds import generator
from ganvae.data.splits import load_source, resplit
from ganvae.evaluation.baselines import ceiling
from ganvae.evaluation.validation import Validation, validation_samples
from ganvae.matches.budget import Diverged, probe, scheduled, steps_within
from ganvae.matches.draw import Drawn, draw
from ganvae.matches.measuring import SecondView, sampling_seconds
from ganvae.matches.spec import Match
from ganvae.models.base import shape_of
from ganvae.models.registry import system_config
from ganvae.scores.matches import (
    Family,
    MatchRecord,
    ProbeRecord,
    Stage,
    TrainedRecord,
    trained_path,
)
from ganvae.training.runs import STATE
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import TrainingResult, train

EVALUATION = "evaluate/samples"


class Job(NamedTuple):
    """A training run to perform.

    Attributes:
        of: the trial of the search to train again. None in the search.
        config: the changed configuration of ``of``. None if nothing is changed.
        change: what was changed, in words.
        split_seed: a seed that divides training and validation images in another way.
    """

    stage: Stage
    family: Family
    number: int
    seed: int
    of: TrainedRecord | None = None
    config: dict[str, Any] | None = None
    change: str = ""
    split_seed: int | None = None

    def path(self, match: str) -> Path:
        """Path of the record, relative to the repository's root."""
        return trained_path(match, self.stage, self.family, self.number, self.seed, self.change)


@dataclass(frozen=True)
class Arena:
    """Everything that the training runs of a match share."""

    name: str
    match: Match
    images: Tensor
    train_sha256: str
    validation: Validation
    machine: Machine
    processor: str
    tokens: dict[str, str | None]
    profile: str
    dataset: str
    second: SecondView | None = None
    split_seed: int | None = None

    @property
    def checksums(self) -> dict[str, Any]:
        """The checksums that must not change during the match, as fields of its record."""
        return {
            "match_sha256": self.match.sha256,
            "train_sha256": self.train_sha256,
            "validation_sha256": self.validation.data_sha256,
            "judge_sha256": self.validation.judge.sha256,
            "unlabelled_judge_sha256": self.second.judge.sha256 if self.second else None,
        }

    def record(self) -> MatchRecord:
        """Return what all training runs of the match share. This measures the FID of noise."""
        n = self.match.n_generated
        noise = ceiling(self.images, n, generator(self.match.seed, "ceiling"))
        return MatchRecord(
            name=self.name,
            content=self.match.model_dump(mode="json", exclude_defaults=True),
            switches={family: space.switches for family, space in self.match.families.items()},
            profile=self.profile,
            dataset=self.dataset,
            noise_fid=self.validation.of_images(noise).fid_judge,
            **self.checksums,
        )

    def run(self, job: Job) -> TrainedRecord:
        """Perform a training run, and return its record.

        An interrupted training run resumes from its last checkpoint, with the same steps. The
        checkpoints stay until `forget`.
        """
        if job.split_seed is not None:
            return self._divided(job.split_seed).run(job._replace(split_seed=None))
        return self.perform(job, draw(self.match, job.family, job.number, shape_of(self.images)))

    def perform(self, job: Job, drawn: Drawn) -> TrainedRecord:
        """Perform a training run of a given configuration."""
        started = time.time()
        work = self._work(job)
        try:
            costs = self._costs(job, drawn, work)
        except Diverged as diverged:
            outcome = {"steps": 0, "probe": None, "config": {}} | _diverged(str(diverged))
        else:
            config = self._config(job, drawn, costs)
            outcome = {
                "steps": config.schedule.length,
                "probe": costs,
                "config": config.model_dump(mode="json", exclude_defaults=True),
            } | self._trained(self._spec(job, drawn.system, config), work)
        system = drawn.system
        return TrainedRecord(
            match_sha256=self.match.sha256,
            family=job.family,
            stage=job.stage,
            change=job.change,
            split_seed=self.split_seed,
            trial=job.number,
            seed=job.seed,
            system=system,
            redraws=drawn.redraws,
            parameters=drawn.parameters,
            budget_seconds=self.match.seconds,
            precision=self.machine.precision,
            processor=self.processor,
            started=started,
            tokens={name: self.tokens[name] for name in (training_token(system), EVALUATION)},
            **outcome,
        )

    def forget(self, job: Job) -> None:
        """Delete the checkpoints of a training run whose record is written."""
        with contextlib.suppress(FileNotFoundError):  # the probe diverged before it wrote anything
            remove_folder(self._work(job))

    def _work(self, job: Job) -> Path:
        return STATE / "matches" / self.name / job.stage / job.path(self.name).stem

    def _spec(self, job: Job, system: str, config: ModelConfig) -> RunSpec:
        return RunSpec(
            system, config, job.seed, self.machine, f"{self.name}, {job.family} {job.number}"
        )

    def _costs(self, job: Job, drawn: Drawn, work: Path) -> ProbeRecord:
        """Return the costs from the search, from an interrupted attempt, or from a new probe."""
        if job.of and job.of.probe:
            return job.of.probe
        spec = self._spec(job, drawn.system, drawn.config)
        file = work / spec.fingerprint(self.train_sha256) / "probe.json"
        if file.exists():
            return ProbeRecord(**read_json(file))
        with _silent():
            costs = probe(spec, self.images, self.match.seconds)
        write_json(file, costs.model_dump())
        return costs

    def _config(self, job: Job, drawn: Drawn, costs: ProbeRecord) -> ModelConfig:
        if job.of:
            return system_config(drawn.system, job.config or job.of.config)
        steps = steps_within(self.match.seconds, costs)
        return scheduled(drawn.system, drawn.config, steps)

    def _divided(self, seed: int) -> "Arena":
        """Return the same arena with other training and validation images, from the same pool."""
        data = load_params(Path(self.match.params)).data
        train, validation = resplit(load_source(data), data, seed)
        judge = self.validation.judge
        held_out = torch.from_numpy(validation.data.images)
        features, _ = judge(held_out)
        return replace(
            self,
            images=torch.from_numpy(train.data.images),
            train_sha256=f"split {seed} of {self.train_sha256}",
            validation=Validation(judge, features, f"split {seed}"),
            second=SecondView.of(self.second.judge, held_out) if self.second else None,
            split_seed=seed,
        )

    def _trained(self, spec: RunSpec, work: Path) -> dict[str, Any]:
        with _silent():
            result = train(spec, self.images, work / spec.fingerprint(self.train_sha256))
        if result.reason:
            return _diverged(result.reason, result)
        try:
            return self._scored(result, spec.seed)
        except NotFiniteError as error:
            return _diverged(str(error), result)

    def _scored(self, result: TrainingResult, seed: int) -> dict[str, Any]:
        images = validation_samples(result.model, self.match.n_generated, seed)
        score = self.validation.of_images(images)
        return {
            "cpu_seconds": round(result.cpu_seconds, 3),
            "fit_seconds": round(result.fit_seconds, 3),
            "sampling_seconds": round(sampling_seconds(result.model), 4),
            "status": "collapsed" if score.classes == 1 else "completed",
            "reason": None,
            "fid_judge": score.fid_judge,
            "fid_unlabelled": self.second.fid(images) if self.second else None,
            "classes": score.classes,
        }


def _diverged(reason: str, result: TrainingResult | None = None) -> dict[str, Any]:
    return {
        "cpu_seconds": round(result.cpu_seconds, 3) if result else 0.0,
        "fit_seconds": round(result.fit_seconds, 3) if result else 0.0,
        "sampling_seconds": None,
        "status": "diverged",
        "reason": reason,
        "fid_judge": None,
        "fid_unlabelled": None,
        "classes": None,
    }


def training_token(system: str) -> str:
    """The name of the token of how a system is trained."""
    return f"train/{system}"


def _silent() -> contextlib.redirect_stdout[io.StringIO]:
    """Hide the trainer's progress lines; the match prints one line per training run."""
    return contextlib.redirect_stdout(io.StringIO())
