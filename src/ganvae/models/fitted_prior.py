"""The interface of priors that are fitted to the encodings of training images, after training.

Training uses p(z) = N(0, I), but the encodings of images often do not fill N(0, I). A prior that is
fitted to the encodings gives latents that the decoder knows from training (Ghosh et al. 2020,
1903.12436: ex-post density estimation).
"""

from abc import ABC, abstractmethod
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from ganvae.config import LogitModelConfig

Prior = Literal["normal", "mixture", "second-stage"]


class FittedPriorConfig(LogitModelConfig):
    """Parameters of a model whose latents can come from a fitted prior.

    Attributes:
        prior: the distribution of the latents of samples. ``normal`` is N(0, I). The other priors
            are fitted after training. They do not change training.
        prior_components: the number of components of the prior ``mixture``.
        second_stage_width: the size of each hidden layer of the prior ``second-stage``.
        second_stage_steps: the number of training steps of the prior ``second-stage``.
    """

    prior: Prior = "normal"
    prior_components: PositiveInt = 20
    second_stage_width: PositiveInt = 128
    second_stage_steps: PositiveInt = 4000


class FittedPrior(nn.Module, ABC):
    """A distribution of latents that is fitted once. Its parameters are part of the weights.

    The shapes of all parameters follow from the configuration.
    """

    @property
    @abstractmethod
    def fitted(self) -> bool:
        """Whether `fit` has run."""

    @abstractmethod
    def fit(self, mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> None:
        """Fit the prior to draws from q(z|x) of N training images x.

        Draws from q(z|x) are draws from the aggregate posterior, which the decoder was trained on.
        The means of q(z|x) alone would give a distribution that is too narrow.

        Args:
            mean: the means of q(z|x), float32, N x latent size, finite, on the CPU.
            log_variance: the log-variances of q(z|x), in the same form.
            generator: a generator on the CPU, the source of all random numbers.
        """

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` latents, n x latent size, on the generator's device.

        Latent i depends neither on the other latents nor on ``n``.
        """
