"""FLD of samples, from random parts of the training images and of the samples.

All parts are drawn with the evaluation seed. So every model meets the same training images.
"""

import torch
from torch import Tensor

from ganvae.config import EvaluationConfig
from ganvae.core.seeds import generator
from ganvae.metrics.fld import FLD, fld, fld_baseline


def centres_of(train: Tensor, config: EvaluationConfig) -> int:
    """The number of samples that FLD uses: ``fld_samples``, or fewer if there are fewer images.

    The baseline needs as many training images, and half of the training images must remain.

    Args:
        train: features of all training images, one row per image.
    """
    return min(config.fld_samples, config.n_generated, len(train) // 2)


def baseline_of(train: Tensor, test: Tensor, config: EvaluationConfig) -> float:
    """Measure `fld_baseline`, in nats per feature. It is the same for all models.

    Args:
        train, test: the judge's features of all training images and of all real images, N x d.
    """
    fitted, centres = _drawn(train, config)
    return fld_baseline(centres=centres, train=fitted, test=test)


def divergence(
    generated: Tensor, train: Tensor, test: Tensor, baseline: float, config: EvaluationConfig
) -> FLD:
    """Measure FLD of ``generated``, the judge's features of `centres_of` samples."""
    fitted, _ = _drawn(train, config)
    return fld(train=fitted, test=test, generated=generated, baseline=baseline)


def _drawn(train: Tensor, config: EvaluationConfig) -> tuple[Tensor, Tensor]:
    """Draw the training images that variances are fitted to, and other images, as centres."""
    centres = centres_of(train, config)
    order = torch.randperm(len(train), generator=generator(config.seed, "training images of FLD"))
    fitted = min(config.fld_images, len(train) - centres)
    return train[order[:fitted]], train[order[fitted : fitted + centres]]
