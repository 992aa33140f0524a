"""The evaluator, which scores images and models against the real images of a reference."""

import math
from contextlib import closing

import torch
from torch import Tensor

from ganvae.core.images import binarised, from_uint8, to_uint8
from ganvae.core.limits import check_memory
from ganvae.core.seeds import binarisation, generator
from ganvae.data.store import StoredSplit
from ganvae.evaluation.sampled import Measured, measure
from ganvae.evaluation.yardstick import Yardstick
from ganvae.metrics.inversion import has_gradient, invert
from ganvae.metrics.likelihood import importance_weighted_bound
from ganvae.metrics.noise import noise_of_mean
from ganvae.metrics.reconstruction import reconstruction_scores
from ganvae.models.base import GenerativeModel, VariationalModel, evaluating
from ganvae.models.priors import standard_normal
from ganvae.models.vae import AutoencodingModel
from ganvae.scores.records import Noise
from ganvae.training.progress import Meter

Scores = dict[str, float | None]
PER_VALUE = 9  # bytes: a float32, its copy in a batch, and a uint8


class Evaluator(Yardstick):
    """A `Yardstick` that scores trained models, and images from any source, in the same way."""

    def generate(self, model: GenerativeModel, training_seed: int) -> Tensor:
        """Draw the images to score from a model: uint8, ``n_generated`` x C x H x W.

        All latents are drawn at once, so the batch size does not change the latents.
        """
        size = self.config.n_generated * PER_VALUE * math.prod(model.image_shape)
        check_memory(size, "evaluation.n_generated", "give a smaller number")
        random = self.random(training_seed, "sample")
        latents = model.sample_latents(self.config.n_generated, random)
        return to_uint8(model.decode(latents, self.config.batch_size), "generated images")

    def measure_samples(self, images: Tensor, training_seed: int) -> Measured:
        """Measure all scores that need only uint8 images, N x C x H x W (see `sampled.measure`)."""
        return measure(images, training_seed, self)

    def score_inversion(
        self, model: GenerativeModel, split: StoredSplit, training_seed: int
    ) -> Scores:
        """Measure the ``inverted_*`` scores: how close the model can come to images of a split.

        The real images are the same for every model (`inverted_images`). A model without gradients
        for latents has no such scores.
        """
        if not has_gradient(model):
            return {}
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
        """Draw the indices of the images to invert: int64, one dimension.

        Each class gets about the same number of images. The draw depends only on the split and the
        evaluation seed.
        """
        random = generator(self.config.seed, "inverted images")
        order = torch.randperm(len(split.labels), generator=random)
        labels = split.labels[order]
        place = torch.empty_like(order)  # the position of each image within its class
        for label in labels.unique():
            same = labels == label
            place[same] = torch.arange(int(same.sum()))
        return order[place.argsort(stable=True)][: self.config.inversion.images]

    def score_variational(
        self, model: VariationalModel, split: StoredSplit, training_seed: int
    ) -> Scores:
        """Measure reconstruction scores and the mean ELBO (nats) over a split.

        The name of the ELBO score contains the decoder's distribution of pixels. Only ELBOs with
        equal names can be compared. Under a Bernoulli distribution the ELBO does not bound a
        log-likelihood, because the pixels are grey values, not bits.
        """
        reconstructed = model.reconstruct(from_uint8(split.images), self.config.batch_size)
        all_images = torch.arange(len(split.images))
        scores = self._closeness(split, all_images, to_uint8(reconstructed, "reconstructions"))
        elbo = self._mean_elbo(model, from_uint8(split.images), training_seed)
        return {
            "label_kept_judge": scores.pop("label_kept_judge"),
            **{f"reconstruction_{name}": score for name, score in scores.items()},
            f"elbo_{model.density}": elbo,
        }

    def score_likelihood(
        self, model: AutoencodingModel, split: StoredSplit, training_seed: int
    ) -> tuple[Scores, dict[str, Noise]]:
        """Measure mean lower bounds of log p(x), in nats, over the binarised images of a split.

        The images are binarised in the same way for all models.

        Args:
            model: a model with a Bernoulli decoder that was trained on binarised images.

        Returns:
            The scores, and the noise of the importance-weighted bound. The noise comes from the
            draw of the images, and is absent if the bound of an image is not finite.
        """
        images = from_uint8(binarised(split.images, binarisation(split.split)))
        with closing(Meter("bounds of log p(x)", len(images), "image")) as meter:
            bounds = importance_weighted_bound(
                model,
                images,
                k=self.config.importance_samples,
                random=self.random(training_seed, "importance"),
                watch=meter.count,
            )
        scores: Scores = {
            "elbo_binarised": self._mean_elbo(model, images, training_seed),
            "importance_bound_binarised": float(bounds.double().mean()),
        }
        if not bounds.isfinite().all():
            return scores, {}
        return scores, {"importance_bound_binarised": Noise(**noise_of_mean(bounds)._asdict())}

    def _closeness(self, split: StoredSplit, index: Tensor, images: Tensor) -> Scores:
        """Measure how close uint8 images are to the original images at ``index`` in the split.

        ``label_kept_judge`` is None if the judge classifies identities, because such a judge does
        not know the people in the split.
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
