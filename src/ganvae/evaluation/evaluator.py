"""Scoring images and models against one reference with one judge."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvae.config import EvaluationConfig
from ganvae.data.store import StoredSplit
from ganvae.evaluation.records import PROTOCOL_VERSION, Provenance
from ganvae.evaluation.reference import Reference
from ganvae.images import from_uint8, to_uint8
from ganvae.judge.network import FrozenJudge
from ganvae.metrics.fid import fid
from ganvae.metrics.inception_score import inception_score
from ganvae.metrics.prdc import prdc
from ganvae.metrics.reconstruction import reconstruction_scores
from ganvae.models.base import GenerativeModel, VariationalModel, evaluating
from ganvae.models.priors import standard_normal
from ganvae.seeds import derive, generator


@dataclass(frozen=True)
class Evaluator:
    """Scores images against one reference with one judge; the same way for every model."""

    judge: FrozenJudge
    reference: Reference
    config: EvaluationConfig

    def random(self, training_seed: int, purpose: str) -> torch.Generator:
        """The stream for ``purpose``, another one for every training seed."""
        return generator(self.config.seed, purpose, training_seed)

    def generate(self, model: GenerativeModel, training_seed: int) -> Tensor:
        """The ``n_generated`` uint8 images that are scored.

        All latents are drawn at once, so the images do not depend on the batch size.
        """
        latents = model.sample_prior(self.config.n_generated, self.random(training_seed, "sample"))
        return to_uint8(model.decode(latents, self.config.batch_size), "generated images")

    def score_generated(self, images: Tensor, training_seed: int) -> dict[str, float | None]:
        """The scores in the judge's view, FID first, of uint8 images that it looks at once."""
        features, logits = self.judge(images, self.config.batch_size)
        mean, deviation = inception_score(
            logits,
            splits=self.config.inception_score_splits,
            seed=derive(self.config.seed, "inception score", training_seed),
        )
        neighbours = prdc(real=self.reference.features, generated=features)
        return {
            "fid_judge": fid(real=self.reference.features, generated=features),
            "is_judge": mean,
            "is_judge_std": deviation,
            **{f"{name}_judge": score for name, score in neighbours._asdict().items()},
        }

    def score_variational(
        self, model: VariationalModel, split: StoredSplit, training_seed: int
    ) -> dict[str, float | None]:
        """Reconstruction scores and mean ELBO (nats) over a split.

        The ELBO's name says under which distribution of pixels it was taken; one compares only
        with others of its name. Under a Bernoulli distribution it bounds no log-likelihood,
        since the pixels are grey values, not bits.
        """
        return {
            **reconstruction_scores(
                original=from_uint8(split.images), reconstructed=self.reconstruct(model, split)
            ),
            f"elbo_{model.likelihood}": self._mean_elbo(model, split, training_seed),
        }

    def reconstruct(self, model: VariationalModel, split: StoredSplit) -> Tensor:
        """Contract images, quantised, of a whole split decoded from the posterior means."""
        images = model.reconstruct(from_uint8(split.images), self.config.batch_size)
        return from_uint8(to_uint8(images, "reconstructions"))

    def _mean_elbo(self, model: VariationalModel, split: StoredSplit, training_seed: int) -> float:
        images = from_uint8(split.images)
        noise = standard_normal(
            len(images), model.latent_size, self.random(training_seed, "posterior")
        )
        with evaluating(model):
            parts = [
                model.elbo(x.to(model.device), e.to(model.device)).cpu()
                for x, e in zip(
                    images.split(self.config.batch_size),
                    noise.split(self.config.batch_size),
                    strict=True,
                )
            ]
        return float(torch.cat(parts).double().mean())

    def provenance(
        self,
        *,
        training_seed: int,
        weights_sha256: str | None = None,
        training_steps: int | None = None,
        training_precision: str | None = None,
    ) -> Provenance:
        """Where the scores of one run come from; a baseline has not been trained."""
        return Provenance(
            protocol_version=PROTOCOL_VERSION,
            dataset=self.reference.dataset,
            split=self.reference.split,
            n_real=len(self.reference.features),
            n_generated=self.config.n_generated,
            judge_sha256=self.judge.sha256,
            data_sha256=self.reference.data_sha256,
            weights_sha256=weights_sha256,
            training_seed=training_seed,
            evaluation_seed=self.config.seed,
            inception_score_splits=self.config.inception_score_splits,
            training_steps=training_steps,
            training_precision=training_precision,
        )
