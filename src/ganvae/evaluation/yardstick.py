"""The yardstick of all scores: a judge, features of real images, and settings."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvae.config import EvaluationConfig
from ganvae.core.seeds import generator
from ganvae.evaluation.inception import Inception
from ganvae.evaluation.reference import Reference
from ganvae.evaluation.training_set import TrainingSet
from ganvae.judge.network import FrozenJudge
from ganvae.judge.unlabelled import UnlabelledJudge
from ganvae.scores.records import PROTOCOL_VERSION, Provenance


@dataclass(frozen=True)
class Yardstick:
    """The judge, real images and settings that measure all training runs of a profile.

    Attributes:
        reference: features of the real images that samples are compared with.
        train: the training images. Evaluation searches samples for copies of these images.
        inception: an Inception network. None if the profile names no Inception file.
        images: the images of the reference, uint8, N x C x H x W. Evaluation searches samples from
            another source for copies of these images. None for the training runs of a profile.
        unlabelled: the second judge, which was trained without labels. None if the profile names no
            such judge.
    """

    judge: FrozenJudge
    reference: Reference
    config: EvaluationConfig
    train: TrainingSet
    inception: Inception | None = None
    images: Tensor | None = None
    unlabelled: UnlabelledJudge | None = None

    def random(self, training_seed: int, purpose: str) -> torch.Generator:
        """Make a random generator, seeded by evaluation seed, ``purpose`` and ``training_seed``."""
        return generator(self.config.seed, purpose, training_seed)

    def provenance(
        self,
        *,
        training_seed: int,
        n_generated: int | None = None,
        weights_sha256: str | None = None,
        training_steps: int | None = None,
        training_precision: str | None = None,
    ) -> Provenance:
        """Return the provenance of a score record: everything that determined its scores.

        Args:
            n_generated: the number of scored images. None means the number in the settings.
            weights_sha256, training_steps, training_precision: None for a baseline.
        """
        config = self.config
        return Provenance(
            protocol_version=PROTOCOL_VERSION,
            dataset=self.reference.dataset,
            split=self.reference.split,
            n_real=len(self.reference.features),
            n_generated=config.n_generated if n_generated is None else n_generated,
            judge_sha256=self.judge.sha256,
            data_sha256=self.reference.data_sha256,
            weights_sha256=weights_sha256,
            training_seed=training_seed,
            evaluation_seed=config.seed,
            inception_score_splits=config.inception_score_splits,
            bootstrap_resamples=config.bootstrap_resamples,
            memorisation_samples=config.memorisation_samples,
            inversion_images=config.inversion.images,
            inversion_restarts=config.inversion.restarts,
            inversion_steps=config.inversion.steps,
            inversion_learning_rate=config.inversion.learning_rate,
            importance_samples=config.importance_samples,
            inception_sha256=self.inception.sha256 if self.inception else None,
            training_steps=training_steps,
            training_precision=training_precision,
            unlabelled_judge_sha256=self.unlabelled.sha256 if self.unlabelled else None,
            half_samples=config.half_samples,
            fld_samples=config.fld_samples,
            fld_images=config.fld_images,
        )
