"""Scoring images and models against one reference with one judge."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvae.config import EvaluationConfig
from ganvae.core.images import binarised, from_uint8, to_uint8
from ganvae.core.seeds import binarisation, generator
from ganvae.data.store import StoredSplit
from ganvae.evaluation.inception import Inception
from ganvae.evaluation.reference import Reference
from ganvae.evaluation.sampled import Measured, measure
from ganvae.evaluation.training_set import TrainingSet
from ganvae.judge.network import FrozenJudge
from ganvae.metrics.inversion import invert
from ganvae.metrics.likelihood import importance_weighted_bound
from ganvae.metrics.noise import noise_of_mean
from ganvae.metrics.reconstruction import reconstruction_scores
from ganvae.models.base import GenerativeModel, VariationalModel, evaluating
from ganvae.models.priors import standard_normal
from ganvae.models.vae import AutoencodingModel
from ganvae.scores.records import PROTOCOL_VERSION, Noise, Provenance

Scores = dict[str, float | None]


@dataclass(frozen=True)
class Evaluator:
    """Scores images against one reference with one judge; the same way for every model."""

    judge: FrozenJudge
    reference: Reference
    config: EvaluationConfig
    train: TrainingSet
    inception: Inception | None = None

    def random(self, training_seed: int, purpose: str) -> torch.Generator:
        """The stream for ``purpose``, another one for every training seed."""
        return generator(self.config.seed, purpose, training_seed)

    def generate(self, model: GenerativeModel, training_seed: int) -> Tensor:
        """The ``n_generated`` uint8 images that are scored.

        All latents are drawn at once, so the images do not depend on the batch size.
        """
        latents = model.sample_prior(self.config.n_generated, self.random(training_seed, "sample"))
        return to_uint8(model.decode(latents, self.config.batch_size), "generated images")

    def measure_samples(self, images: Tensor, training_seed: int) -> Measured:
        """All that uint8 images alone tell of what made them (`ganvae.evaluation.sampled`)."""
        return measure(
            images,
            training_seed,
            judge=self.judge,
            reference=self.reference,
            config=self.config,
            train=self.train,
            inception=self.inception,
        )

    def score_inversion(
        self, model: GenerativeModel, split: StoredSplit, training_seed: int
    ) -> Scores:
        """``inverted_*``: how close the model can come to some of a split's images.

        The images are the same for every model, as many of each class as of any other.
        """
        chosen = self.inverted_images(split)
        settings = self.config.inversion
        images = invert(
            model,
            from_uint8(split.images[chosen]),
            restarts=settings.restarts,
            steps=settings.steps,
            learning_rate=settings.learning_rate,
            random=self.random(training_seed, "inversion"),
            batch_size=self.config.batch_size,
        )
        scores = self._closeness(split, chosen, to_uint8(images, "inverted images"))
        return {f"inverted_{name}": score for name, score in scores.items()}

    def inverted_images(self, split: StoredSplit) -> Tensor:
        """Which images of a split are inverted, by index: drawn by the evaluation seed alone."""
        random = generator(self.config.seed, "inverted images")
        order = torch.randperm(len(split.labels), generator=random)
        labels = split.labels[order]
        place = torch.empty_like(order)  # of each image among those of its class
        for label in labels.unique():
            same = labels == label
            place[same] = torch.arange(int(same.sum()))
        return order[place.argsort(stable=True)][: self.config.inversion.images]

    def score_variational(
        self, model: VariationalModel, split: StoredSplit, training_seed: int
    ) -> Scores:
        """Reconstruction scores and mean ELBO (nats) over a split.

        The ELBO's name says under which distribution of pixels it was taken; one compares only
        with others of its name. Under a Bernoulli distribution it bounds no log-likelihood,
        since the pixels are grey values, not bits.
        """
        reconstructed = model.reconstruct(from_uint8(split.images), self.config.batch_size)
        everything = torch.arange(len(split.images))
        scores = self._closeness(split, everything, to_uint8(reconstructed, "reconstructions"))
        elbo = self._mean_elbo(model, from_uint8(split.images), training_seed)
        return {
            "label_kept_judge": scores.pop("label_kept_judge"),
            **{f"reconstruction_{name}": score for name, score in scores.items()},
            f"elbo_{model.likelihood}": elbo,
        }

    def score_likelihood(
        self, model: AutoencodingModel, split: StoredSplit, training_seed: int
    ) -> tuple[Scores, dict[str, Noise]]:
        """Mean bounds of log p(x), nats, over a split's images as binarised once for everybody.

        The noise is what the importance-weighted one owes to the draw of these images; there is
        none where a bound is not finite.

        Args:
            model: with a Bernoulli decoder, and trained on binarised images.
        """
        images = from_uint8(binarised(split.images, binarisation(split.split)))
        bounds = importance_weighted_bound(
            model,
            images,
            k=self.config.importance_samples,
            random=self.random(training_seed, "importance"),
        )
        scores: Scores = {
            "elbo_binarised": self._mean_elbo(model, images, training_seed),
            "importance_bound_binarised": float(bounds.double().mean()),
        }
        if not bounds.isfinite().all():
            return scores, {}
        return scores, {"importance_bound_binarised": Noise(**noise_of_mean(bounds)._asdict())}

    def _closeness(self, split: StoredSplit, index: Tensor, images: Tensor) -> Scores:
        """How close uint8 images are to those of a split that they stand for.

        No label is kept where the judge does not know the split's labels, its people.
        """
        scores = reconstruction_scores(
            original=from_uint8(split.images[index]), reconstructed=from_uint8(images)
        )
        if self.judge.kind == "identities":
            return scores | {"label_kept_judge": None}
        _, logits = self.judge(images, self.config.batch_size)
        kept = (logits.argmax(dim=1) == split.labels[index]).double().mean()
        return scores | {"label_kept_judge": float(kept)}

    def _mean_elbo(self, model: VariationalModel, images: Tensor, training_seed: int) -> float:
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
        n_generated: int | None = None,
        weights_sha256: str | None = None,
        training_steps: int | None = None,
        training_precision: str | None = None,
    ) -> Provenance:
        """Where the scores of one run come from; a baseline has not been trained.

        Args:
            n_generated: if not as many images were scored as the parameters say.
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
        )
