"""Scoring images and models against one reference with one judge."""

import torch
from torch import Tensor

from ganvae.core.images import binarised, from_uint8, to_uint8
from ganvae.core.seeds import binarisation, generator
from ganvae.data.store import StoredSplit
from ganvae.evaluation.sampled import Measured, measure
from ganvae.evaluation.yardstick import Yardstick
from ganvae.metrics.inversion import invert
from ganvae.metrics.likelihood import importance_weighted_bound
from ganvae.metrics.noise import noise_of_mean
from ganvae.metrics.reconstruction import reconstruction_scores
from ganvae.models.base import GenerativeModel, VariationalModel, evaluating
from ganvae.models.priors import standard_normal
from ganvae.models.vae import AutoencodingModel
from ganvae.scores.records import Noise

Scores = dict[str, float | None]


class Evaluator(Yardstick):
    """Scores models, and images of any source, all in the same way."""

    def generate(self, model: GenerativeModel, training_seed: int) -> Tensor:
        """The ``n_generated`` uint8 images that are scored.

        All latents are drawn at once, so the images do not depend on the batch size.
        """
        latents = model.sample_prior(self.config.n_generated, self.random(training_seed, "sample"))
        return to_uint8(model.decode(latents, self.config.batch_size), "generated images")

    def measure_samples(self, images: Tensor, training_seed: int) -> Measured:
        """Every score that uint8 images alone decide (`ganvae.evaluation.sampled`)."""
        return measure(images, training_seed, self)

    def score_inversion(
        self, model: GenerativeModel, split: StoredSplit, training_seed: int
    ) -> Scores:
        """``inverted_*``: how close the model can come to some of a split's images.

        The images are the same for every model, as many of each class as of any other.
        """
        chosen = self.inverted_images(split)
        images = invert(
            model,
            from_uint8(split.images[chosen]),
            self.config.inversion,
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
