"""How close a generator can come to given images: the search for their latents."""

import torch
from torch import Tensor

from ganvae.config import InversionConfig
from ganvae.models.base import GenerativeModel, evaluating


def invert(
    model: GenerativeModel,
    images: Tensor,
    settings: InversionConfig,
    *,
    random: torch.Generator,
    batch_size: int = 125,
) -> Tensor:
    """The nearest images to ``images`` that the model was found to draw.

    For each image, ``settings.restarts`` latents from the prior descend the squared error for
    ``settings.steps`` steps of Adam, whose learning rate falls to 0 along half a cosine (after
    Lipton & Tripathi, 1702.04782, and Webster et al., 1901.03396). The best one counts. The
    latents may leave the region where the prior has its mass: the question is what the decoder
    can draw, not how likely it is to draw it. But for rounding, the batch size does not matter.

    Args:
        images: contract images, N x C x H x W.
        random: gives the first latents, on the CPU.

    Returns:
        Contract images, N x C x H x W, on the CPU.
    """
    restarts = settings.restarts
    latents = model.sample_prior(len(images) * restarts, random)
    targets = images.repeat_interleave(restarts, dim=0)
    with evaluating(model):
        found = torch.cat(
            [
                _descend(model, start, target, settings)
                for start, target in zip(
                    latents.split(batch_size), targets.split(batch_size), strict=True
                )
            ]
        )
    candidates = found.unflatten(0, (len(images), restarts))
    errors = (candidates - images[:, None]).square().flatten(2).sum(dim=2)
    errors = errors.nan_to_num(nan=float("inf"))  # a search that went astray is never the best
    return candidates[torch.arange(len(images)), errors.argmin(dim=1)]


def _descend(
    model: GenerativeModel, start: Tensor, targets: Tensor, settings: InversionConfig
) -> Tensor:
    """Images of the latents after the search for the targets."""
    targets = targets.to(model.device)
    latents = start.to(model.device).requires_grad_()
    optimizer = torch.optim.Adam([latents], settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps)
    for _ in range(settings.steps):
        with torch.enable_grad():
            error = (model.generate(latents) - targets).square().sum()
        (latents.grad,) = torch.autograd.grad(error, [latents])  # none for the weights
        optimizer.step()
        schedule.step()
    return model.generate(latents.detach()).cpu()
