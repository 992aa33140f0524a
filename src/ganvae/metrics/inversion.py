"""Inversion: a search for the latents whose generated images come closest to given images."""

import torch
from torch import Tensor

from ganvae.config import InversionConfig
from ganvae.models.base import GenerativeModel, evaluating


def has_gradient(model: GenerativeModel) -> bool:
    """Return whether generated images have a gradient with respect to latents, as `invert` needs.

    Images of discrete latents, or of an autoregressive model that draws pixel after pixel, have
    none.
    """
    latents = model.sample_prior(1, torch.Generator().manual_seed(0)).to(model.device)
    if not latents.is_floating_point():
        return False
    with evaluating(model), torch.enable_grad():
        return model.render(latents.requires_grad_()).requires_grad


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

    A search that meets NaN counts as if it had stayed at its start.

    The result shows whether the decoder can draw an image. It does not show how likely the image is
    under the model, because the search may reach latents that are improbable under the prior. The
    batch size changes the result only by rounding.

    Args:
        model: a model for which `has_gradient` is true.
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
    latents = start.to(model.device, copy=True).requires_grad_()
    optimizer = torch.optim.Adam([latents], settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.steps)
    for _ in range(settings.steps):
        with torch.enable_grad():
            error = (model.render(latents) - targets).square().sum()
        (latents.grad,) = torch.autograd.grad(error, [latents])  # no gradient for the weights
        optimizer.step()
        schedule.step()
    found = model.render(latents.detach())
    lost = ~found.flatten(1).isfinite().all(dim=1)
    if lost.any():
        found[lost] = model.render(start.to(model.device)[lost])
    return found.cpu()
