"""A second VAE as the prior of a trained VAE (Dai & Wipf 2019, 1903.05789)."""

import math

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LinearLR

from ganvae.core.seeds import global_seed
from ganvae.models.base import descend
from ganvae.models.fitted_prior import FittedPrior, FittedPriorConfig
from ganvae.models.layers import mlp
from ganvae.models.losses import gaussian_kl
from ganvae.models.optimizers import variational_adam
from ganvae.models.priors import drawn, normal_rows

BATCH_SIZE = 128
LEARNING_RATE = 5e-3
HIDDEN_LAYERS = 3
FIRST_LOG_VARIANCE = -4.0
"""The log-variance of p(z|u) before training. From 0, the posterior of u soon collapses."""


class _Network(nn.Module):
    """Dense layers whose last layer also sees the input, as in the paper's second stage."""

    def __init__(self, inputs: int, width: int, outputs: int) -> None:
        super().__init__()
        hidden = mlp([inputs, *[width] * HIDDEN_LAYERS], nn.ReLU)
        self.hidden = nn.Sequential(*hidden, nn.ReLU())
        self.last = nn.Linear(width + inputs, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.last(torch.cat([self.hidden(inputs), inputs], dim=1))


class SecondStage(FittedPrior):
    """A VAE whose data are the latents z of the first VAE. Its own latents u have the same size.

    p(u) is N(0, I), and p(z|u) is N(decoder(u), variance * I). The variance is learned, as gamma in
    the paper. Samples include the noise of p(z|u), as in the paper. The paper's networks are
    larger. The networks see standardised latents.
    """

    shift: Tensor
    """The mean of the latents, by dimension."""
    scale: Tensor
    """The standard deviation of the latents, by dimension. All are 0 before the fit."""

    def __init__(self, config: FittedPriorConfig, latent_size: int) -> None:
        super().__init__()
        self.steps = config.second_stage_steps
        width = config.second_stage_width
        with torch.random.fork_rng():  # the weights of the first VAE do not depend on the prior
            self.encoder = _Network(latent_size, width, 2 * latent_size)
            self.decoder = _Network(latent_size, width, latent_size)
        self.log_variance = nn.Parameter(torch.zeros(()))
        self.register_buffer("shift", torch.zeros(latent_size))
        self.register_buffer("scale", torch.zeros(latent_size))
        self.requires_grad_(False)  # the steps of the first VAE do not change these weights

    @property
    def fitted(self) -> bool:
        return bool(self.scale.any())

    def fit(self, mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> None:
        device = self.scale.device
        self.cpu()  # these networks are too small for a GPU
        self._initialise(mean, log_variance, generator)
        self.requires_grad_(True)
        optimizer = variational_adam(self, self.log_variance, LEARNING_RATE)
        decay = LinearLR(optimizer, 1.0, end_factor=0.0, total_iters=self.steps)
        for _ in range(self.steps):
            rows = torch.randint(len(mean), (BATCH_SIZE,), generator=generator)
            # Each step draws new latents from q(z|x), so the second VAE cannot learn them by heart.
            noise = torch.randn(2, BATCH_SIZE, mean.shape[1], generator=generator)
            latents = drawn(mean[rows], log_variance[rows], noise[0])
            descend(self.loss((latents - self.shift) / self.scale, noise[1]), optimizer)
            decay.step()
        self.zero_grad()
        self.requires_grad_(False)
        self.to(device)

    def _initialise(self, mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> None:
        """Draw initial weights, and set shift and scale to the moments of the latents."""
        with global_seed(int(torch.randint(2**31, (), generator=generator)), "second stage"):
            for layer in self.modules():
                if isinstance(layer, nn.Linear):
                    layer.reset_parameters()
        self.log_variance.fill_(FIRST_LOG_VARIANCE)
        variance = mean.var(dim=0, correction=0) + log_variance.exp().mean(dim=0)
        self.shift.copy_(mean.mean(dim=0))
        self.scale.copy_(variance.sqrt())

    def loss(self, latents: Tensor, noise: Tensor) -> Tensor:
        """Compute -ELBO of standardised latents, N x latent size: the mean over latents, in nats.

        ``noise``, N x latent size, is drawn from N(0, I).
        """
        mean, log_variance = self.encoder(latents).chunk(2, dim=1)
        decoded = self.decoder(drawn(mean, log_variance, noise))
        error = (latents - decoded).square() / self.log_variance.exp()
        density = (error + self.log_variance + math.log(2 * math.pi)).sum(dim=1) / 2
        return (density + gaussian_kl(mean, log_variance)).mean()

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        noise = normal_rows(n, 2 * len(self.scale), generator)
        return self.latents(noise.to(self.scale.device)).to(generator.device)

    def latents(self, noise: Tensor) -> Tensor:
        """Turn noise from N(0, I), N x (2 * latent size), into latents, N x latent size.

        The first half of the noise is u. The second half is the noise of p(z|u).
        """
        u, noise = noise.chunk(2, dim=1)
        latents = drawn(self.decoder(u), self.log_variance, noise)
        return self.shift + self.scale * latents
