"""A Gaussian mixture as the prior of a trained VAE (Ghosh et al. 2020, 1903.12436)."""

import warnings

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from ganvae.models.base import FitError
from ganvae.models.fitted_prior import FittedPrior, FittedPriorConfig
from ganvae.models.priors import drawn, normal_rows

CHUNK = 1000  # latents; each latent needs a matrix of its own


class Mixture(FittedPrior):
    """A mixture of Gaussians with full covariances, fitted by expectation maximisation.

    The fit is scikit-learn's `GaussianMixture` with its default settings: it starts from k-means,
    takes at most 100 iterations and adds 1e-6 to the variances. So covariances are never singular.
    With fewer encodings than components, there is one component per encoding, and the weights of
    the other components are 0.
    """

    weights: Tensor
    """The probabilities of the components. All are 0 before the fit."""
    means: Tensor
    """Components x latent size."""
    factors: Tensor
    """Lower Cholesky factors of the covariances, components x latent size x latent size."""

    def __init__(self, config: FittedPriorConfig, latent_size: int) -> None:
        super().__init__()
        components = config.prior_components
        self.register_buffer("weights", torch.zeros(components))
        self.register_buffer("means", torch.zeros(components, latent_size))
        self.register_buffer("factors", torch.zeros(components, latent_size, latent_size))

    @property
    def fitted(self) -> bool:
        return bool(self.weights.any())

    def fit(self, mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> None:
        if len(mean) == 1:  # scikit-learn needs two encodings
            mean, log_variance = mean.repeat(2, 1), log_variance.repeat(2, 1)
        latents = drawn(mean, log_variance, torch.randn(mean.shape, generator=generator))
        seed = int(torch.randint(2**31, (), generator=generator))
        fitted = _expectation_maximisation(latents.double().numpy(), len(self.weights), seed)
        for buffer, values in zip((self.weights, self.means, self.factors), fitted, strict=True):
            buffer.zero_()
            buffer[: len(values)] = torch.from_numpy(values)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        weights, means, factors = (
            buffer.to(generator.device) for buffer in (self.weights, self.means, self.factors)
        )
        noise = normal_rows(n, 1 + means.shape[1], generator)
        # The first number of a row selects the component, so each latent needs one row.
        uniform = torch.special.ndtr(noise[:, 0].double())
        edges = weights.double().cumsum(dim=0)
        chosen = torch.searchsorted(edges / edges[-1], uniform, right=True)
        chosen = chosen.clamp(max=int(weights.nonzero().max()))
        offsets = [
            (factors[which] @ row[:, :, None])[:, :, 0]
            for which, row in zip(chosen.split(CHUNK), noise[:, 1:].split(CHUNK), strict=True)
        ]
        return means[chosen] + torch.cat(offsets)

    def log_density(self, latents: Tensor) -> Tensor:
        """Compute the log-density of N latents, N x latent size: N values, in nats."""
        used = self.weights > 0  # the other components have no covariance
        components = MultivariateNormal(
            self.means[used], scale_tril=self.factors[used], validate_args=False
        )
        mixture = MixtureSameFamily(Categorical(self.weights[used]), components, False)
        return mixture.log_prob(latents)


def _expectation_maximisation(
    latents: np.ndarray, components: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights, means and lower Cholesky factors of at most ``components`` components.

    Raises:
        FitError: the encodings are too large for a covariance.
    """
    # scikit-learn is slow to import, and few variants need it.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(min(components, len(latents)), random_state=seed)
    # Several threads would add up numbers in another order in each run.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            mixture.fit(latents)
            factors = np.linalg.cholesky(mixture.covariances_)
        except (ValueError, np.linalg.LinAlgError):
            raise FitError(
                f"the encodings reach {np.abs(latents).max():.3g}, so no mixture could be fitted"
            ) from None
    return mixture.weights_, mixture.means_, factors
