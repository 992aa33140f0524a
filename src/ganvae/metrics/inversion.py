"""Inversion: a search for the latents whose generated images come closest to given images."""

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
    """Search for the generated image nearest to each of ``images``.

    For each image, the search starts from ``settings.restarts`` latents of the prior. Adam changes
    the latents for ``settings.steps`` steps, to minimise the squared error between the generated
    and the given image. The learning rate falls to 0 along half a cosine. The method follows Lipton
    & Tripathi (1702.04782) and Webster et al. (1901.03396). For each image, the result is the
    generated image with the smallest error among all restarts.

    The result shows whether the decoder can draw an image. It does not show how likely the image is
    under the model, because the search may reach latents that are improbable under the prior. The
    batch size changes the result only by rounding.

    Args:
        images: contract images (float32, N x C x H x W, in [0, 1]).
        random: the random generator of the first latents, on the CPU.

    Returns:
        The nearest generated images: contract images, N x C x H x W, on the CPU.
    """
    restarts = settings.restarts
    latents = model.sample_prior(len(images) * restarts, random)
    targets = images.repeat_interleave(restarts, dim=0)
    with evaluating(model):
        nearest = torch.cat(
            [
                _descend(model, start, target, settings)
                for start, target in zip(
                    latents.split(batch_size), targets.split(batch_size), strict=True
                )
            ]
        )
    candidates = nearest.unflatten(0, (len(images), restarts))
    errors = (candidates - images[:, None]).square().flatten(2).sum(dim=2)
    errors = errors.nan_to_num(nan=float("inf"))  # a failed search is never the best one
    return candidates[torch.arange(len(images)), errors.argmin(dim=1)]


def _descend(
    model: GenerativeModel, start: Tensor, targets: Tensor, settings: InversionConfig
) -> Tensor:
    """Search for latents whose generated images match ``targets``, and return these images.

    The search starts from the latents ``start``, one per target. The images are on the CPU.
    """
    targets = targets.to(model.device)
    latents = start.to(model.device).requires_grad_()
    optimizer = torch.optim.Adam([latents], settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps)
    for _ in range(settings.steps):
        with torch.enable_grad():
            error = (model.render(latents) - targets).square().sum()
        (latents.grad,) = torch.autograd.grad(error, [latents])  # no gradient for the weights
        optimizer.step()
        schedule.step()
    return model.render(latents.detach()).cpu()
