"""Helpers that record the gradients of a model's networks and of the discriminator's logits."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganvae.models.base import GenerativeModel
from ganvae.models.gan import AdversarialModel
from ganvae.models.priors import standard_normal
from ganvae.models.spectral import SpectralNorm
from ganvae.models.systems.vae_gan import VAEGAN
from ganvae.models.vae import VAE

Losses = dict[str, Tensor]


class Recorder:
    """Replaces an optimizer. It records gradients instead of taking steps."""

    def __init__(self, model: nn.Module, own: nn.Module) -> None:
        self.model, self.own = model, own
        self.steps: list[list[Tensor]] = []
        self.reached: list[set[str]] = []
        """For each step, the names of the model's networks that have a gradient."""

    def zero_grad(self) -> None:
        """Clear all gradients of the model, so the next step sees only its own gradients."""
        self.model.zero_grad()

    def step(self) -> None:
        self.steps.append([p.grad.clone() for p in self.own.parameters() if p.grad is not None])
        parameters = self.model.named_parameters()
        self.reached.append({name.split(".")[0] for name, p in parameters if p.grad is not None})


def recorders(model: GenerativeModel) -> dict[str, Recorder]:
    """One recorder per optimizer of a model."""
    return {name: Recorder(model, network_of(model, name)) for name in model.optimizers()}


def network_of(model: GenerativeModel, optimizer: str) -> nn.Module:
    """The network that this optimizer updates. The only optimizer of a VAE updates all of it."""
    network: nn.Module = getattr(model, optimizer, model)
    return network


def objectives(model: GenerativeModel, images: Tensor, noise: torch.Generator) -> Losses:
    """The loss that each optimizer should minimise in a step on ``images``, by optimizer."""
    if isinstance(model, AdversarialModel):
        latents = model.sample_prior(len(images), noise)
        d_loss = total(model.discriminator_losses(images, latents, noise))
        for module in model.modules():  # in the G step, D's singular vectors stay the same
            if isinstance(module, SpectralNorm):
                module.eval()
        g_loss = model.generator_loss(model.sample_prior(model.config.batch_size, noise), images)
        return {"discriminator": d_loss, "generator": g_loss}
    if isinstance(model, VAEGAN):
        latents = model.sample_prior(len(images), noise)
        d_loss = total(model.discriminator_losses(images, latents, noise))
        latents = model.sample_prior(model.config.batch_size, noise)
        posterior = standard_normal(len(images), model.latent_size, noise)
        losses = model.generator_losses(images, latents, posterior)
        elbo = losses["reconstruction_loss"] + losses["kl"]
        g_loss = model.config.adversarial_weight * losses["g_loss"]
        return {"discriminator": d_loss, "encoder": elbo, "generator": elbo + g_loss}
    assert isinstance(model, VAE), f"{model.name} is unknown here: add the losses of its networks"
    posterior = standard_normal(len(images), model.latent_size, noise)
    reconstruction, kl = model.elbo_terms(images, posterior)
    return {"vae": reconstruction.mean() + model.config.beta * kl.mean()}


def total(losses: Losses) -> Tensor:
    """The sum of all losses."""
    return torch.stack(list(losses.values())).sum()


def generator_loss(model: GenerativeModel, n: int, noise: torch.Generator) -> Tensor:
    """G's adversarial loss for ``n`` latents of the prior."""
    latents = model.sample_prior(n, noise)
    if isinstance(model, AdversarialModel):
        return model.generator_loss(latents, torch.rand(n, *model.image_shape))
    assert isinstance(model, VAEGAN), f"{model.name} is unknown here: add the loss of its generator"
    images = torch.rand(n, *model.image_shape)
    return model.generator_losses(images, latents, torch.randn(n, model.latent_size))["g_loss"]


class FixedLogits(nn.Module):
    """Replaces a discriminator. Its logits go from ``lowest`` to ``highest`` for any images.

    The logits require gradients. These show the effect of a loss on each logit.
    """

    def __init__(self, lowest: float, highest: float) -> None:
        super().__init__()
        self.lowest, self.highest = lowest, highest
        self.given: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.linspace(self.lowest, self.highest, len(images))[:, None]
        self.given.append(logits.requires_grad_())
        return logits

    def gradients(self, loss: Callable[[], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """A loss, the logits that it used (N x 1, in order), and its gradient for each logit."""
        self.given = []
        value = loss()
        gradients = torch.autograd.grad(value, self.given)
        return value.detach(), torch.cat(self.given).detach(), torch.cat(gradients)
