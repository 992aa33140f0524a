"""What a model's networks are stepped by, and what its losses ask of each logit."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ganvae.models.base import GenerativeModel
from ganvae.models.gan import AdversarialModel
from ganvae.models.priors import standard_normal
from ganvae.models.systems.vae_gan import VAEGAN
from ganvae.models.vae import VAE

Losses = dict[str, Tensor]


class Recorder:
    """Stands for an optimizer: keeps the gradients that it would have stepped by."""

    def __init__(self, model: nn.Module, own: nn.Module) -> None:
        self.model, self.own = model, own
        self.steps: list[list[Tensor]] = []
        self.reached: list[set[str]] = []
        """At each step, those of the model's networks in which a gradient stands."""

    def zero_grad(self) -> None:
        """The whole model's: what stands in it at a step has come in that step."""
        self.model.zero_grad()

    def step(self) -> None:
        self.steps.append([p.grad.clone() for p in self.own.parameters() if p.grad is not None])
        parameters = self.model.named_parameters()
        self.reached.append({name.split(".")[0] for name, p in parameters if p.grad is not None})


def recorders(model: GenerativeModel) -> dict[str, Recorder]:
    """One in the place of each of a model's optimizers."""
    return {name: Recorder(model, network_of(model, name)) for name in model.optimizers()}


def network_of(model: GenerativeModel, optimizer: str) -> nn.Module:
    """What an optimizer of this name steps: a VAE's only one steps all of it."""
    network: nn.Module = getattr(model, optimizer, model)
    return network


def objectives(model: GenerativeModel, images: Tensor, noise: torch.Generator) -> Losses:
    """What each optimizer is to descend in a step on ``images``, by the losses the model gives."""
    if isinstance(model, AdversarialModel):
        d_losses = model.discriminator_losses(images, model.sample_prior(len(images), noise))
        g_loss = model.generator_loss(model.sample_prior(model.config.batch_size, noise))
        return {"discriminator": _sum(d_losses), "generator": g_loss}
    if isinstance(model, VAEGAN):
        d_losses = model.discriminator_losses(images, model.sample_prior(len(images), noise))
        latents = model.sample_prior(model.config.batch_size, noise)
        posterior = standard_normal(len(images), model.latent_size, noise)
        losses = model.generator_losses(images, latents, posterior)
        elbo = losses["reconstruction_loss"] + losses["kl"]
        g_loss = model.config.adversarial_weight * losses["g_loss"]
        return {"discriminator": _sum(d_losses), "encoder": elbo, "generator": elbo + g_loss}
    assert isinstance(model, VAE), f"say here what the networks of {model.name} are to descend"
    posterior = standard_normal(len(images), model.latent_size, noise)
    reconstruction, kl = model.elbo_terms(images, posterior)
    return {"vae": reconstruction.mean() + model.config.beta * kl.mean()}


def _sum(losses: Losses) -> Tensor:
    return torch.stack(list(losses.values())).sum()


def generator_loss(model: GenerativeModel, n: int, noise: torch.Generator) -> Tensor:
    """G's adversarial loss on ``n`` latents of the prior."""
    latents = model.sample_prior(n, noise)
    if isinstance(model, AdversarialModel):
        return model.generator_loss(latents)
    assert isinstance(model, VAEGAN), f"say here what G of {model.name} descends"
    images = torch.rand(n, *model.image_shape)
    return model.generator_losses(images, latents, torch.randn(n, model.latent_size))["g_loss"]


class FixedLogits(nn.Module):
    """Stands for a discriminator: its logits go from ``lowest`` to ``highest``, whatever it sees.

    They take gradients, which tell what a loss asks of each of them.
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
        """A loss, the logits given for it (N x 1, in order), and its gradient to each of them."""
        self.given = []
        value = loss()
        found = torch.autograd.grad(value, self.given)
        return value.detach(), torch.cat(self.given).detach(), torch.cat(found)
