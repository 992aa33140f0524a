"""Flow matching (Lipman et al. 2022, 2210.02747): a network learns to turn noise into images.

An example of an own model. To try another model, edit this file, or name another file in
params.yaml under `system`.
"""

from math import prod
from typing import ClassVar

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ganvae.config import ModelConfig, Schedule
from ganvae.models.base import Family, GenerativeModel, ImageShape, Optimizers, descend


class FlowMatchingConfig(ModelConfig):
    """The parameters of a variant. Those without a value in params.yaml keep these defaults."""

    schedule: Schedule = Schedule(
        unit="epochs", length=20, report_every=1, sample_every=1, checkpoint_every=5
    )
    batch_size: int = 128
    learning_rate: PositiveFloat = 1e-3
    hidden: PositiveInt = 512
    integration_steps: PositiveInt = 20


class FlowMatching(GenerativeModel):
    """A velocity field v(x, t) that moves noise (t = 0) to images (t = 1) on straight lines."""

    family: ClassVar[Family] = "other"  # gan, vae, hybrid or other
    source: ClassVar[str] = "flow matching, Lipman et al. 2022 (2210.02747)"
    config_class = FlowMatchingConfig

    config: FlowMatchingConfig

    def __init__(self, config: FlowMatchingConfig, image_shape: ImageShape) -> None:
        super().__init__()
        self.config = config
        self.image_shape = image_shape  # channels, height, width
        self.real_images_per_step = config.batch_size
        pixels, hidden = prod(image_shape), config.hidden
        self.velocity = nn.Sequential(
            nn.Linear(pixels + 1, hidden), nn.SiLU(),
            nn.Linear(hidden, hidden), nn.SiLU(),
            nn.Linear(hidden, pixels),
        )  # fmt: skip

    def optimizers(self) -> dict[str, Optimizer]:
        return {"velocity": Adam(self.velocity.parameters(), self.config.learning_rate)}

    def train_step(
        self, images: Tensor, optimizers: Optimizers, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Regress the velocity between noise and images. Images are N x C x H x W in [0, 1]."""
        data = 2 * images.flatten(start_dim=1) - 1
        noise = self.sample_prior(len(data), generator).to(data.device)
        time = torch.rand(len(data), 1, generator=generator, device=generator.device)
        time = time.to(data.device)
        velocity = self._velocity((1 - time) * noise + time * data, time)
        loss = (velocity - (data - noise)).square().mean()
        descend(loss, optimizers["velocity"])
        return {"loss": loss.detach()}

    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        shape = (n, prod(self.image_shape))
        return torch.randn(shape, generator=generator, device=generator.device)

    def generate(self, latents: Tensor) -> Tensor:
        """Follow the velocity from noise to images, in equal steps (Euler's method)."""
        point, steps = latents, self.config.integration_steps
        for step in range(steps):
            time = torch.full_like(point[:, :1], step / steps)
            point = point + self._velocity(point, time) / steps
        return ((point + 1) / 2).clamp(0, 1).unflatten(1, self.image_shape)

    def _velocity(self, point: Tensor, time: Tensor) -> Tensor:
        velocity: Tensor = self.velocity(torch.cat([point, time], dim=1))
        return velocity
