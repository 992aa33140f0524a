"""The search for latents finds images that a model can generate, and does not change the model."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from conftest import GREY, stripes
from ganvae.config import InversionConfig
from ganvae.core.images import from_uint8
from ganvae.core.seeds import generator
from ganvae.metrics.inversion import has_gradient, invert
from ganvae.models.base import GenerativeModel

SEARCH = InversionConfig(restarts=2, steps=200, learning_rate=0.05)


def search(model: GenerativeModel, images: Tensor, batch_size: int = 125) -> Tensor:
    settings = InversionConfig(restarts=2, steps=3)
    random = generator(0, "inversion")
    return invert(model, images, settings, random=random, batch_size=batch_size)


def test_a_generated_image_is_found_again(model: GenerativeModel) -> None:
    latents = model.sample_prior(4, generator(0, "own"))
    own = model.decode(latents)
    start = model.decode(model.sample_prior(4 * 6, generator(1, "start")))
    before = (start.unflatten(0, (4, 6)) - own[:, None]).square().flatten(2).sum(2).min(dim=1)
    settings = InversionConfig(restarts=6, steps=150)
    nearest = invert(model, own, settings, random=generator(1, "start"))
    assert (nearest - own).square().sum() < 0.2 * before.values.sum()


def test_pin_9_the_batch_size_does_not_matter(model: GenerativeModel) -> None:
    images = from_uint8(stripes(5)[0])
    one_by_one, together = search(model, images, batch_size=1), search(model, images)
    torch.testing.assert_close(one_by_one, together, rtol=1e-3, atol=1e-3)


def test_pin_2_the_model_stays_as_it_was(model: GenerativeModel) -> None:
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    nearest = search(model, from_uint8(stripes(3)[0]))
    assert nearest.shape == (3, *GREY)
    assert not nearest.requires_grad
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_pin_2_the_search_is_in_eval_mode(
    model: GenerativeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: set[bool] = set()
    generate = type(model).generate

    def watched(self: GenerativeModel, latents: Tensor) -> Tensor:
        modes.add(self.training)
        return generate(self, latents)

    monkeypatch.setattr(type(model), "generate", watched)
    search(model.train(), from_uint8(stripes(2)[0]))
    assert modes == {False}


class Line(GenerativeModel):
    """Generates one grey pixel per latent. A negative latent stays black: it has no gradient."""

    image_shape = (1, 1, 1)

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {}

    def train_step(self, *arguments: object) -> dict[str, Tensor]:
        return {}

    def sample_prior(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.tensor([[-1.0], [0.1]]).repeat(n // 2, 1)

    def generate(self, latents: Tensor) -> Tensor:
        return (latents.clamp(min=0) * self.weight)[:, :, None, None]


def test_the_best_restart_counts() -> None:
    images = torch.tensor([0.3, 0.0]).reshape(2, 1, 1, 1)
    nearest = invert(Line(), images, SEARCH, random=torch.Generator())
    assert nearest.flatten().tolist() == pytest.approx([0.3, 0.0], abs=5e-3)


def test_a_failed_search_is_never_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    generate = Line.generate

    def broken(self: Line, latents: Tensor) -> Tensor:
        images = generate(self, latents)
        return torch.where(latents[:, :, None, None] < 0, torch.nan, images)

    monkeypatch.setattr(Line, "generate", broken)
    nearest = invert(Line(), torch.full((1, 1, 1, 1), 0.3), SEARCH, random=torch.Generator())
    assert nearest.item() == pytest.approx(0.3, abs=5e-3)


def test_a_search_that_meets_nan_counts_as_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Latents of the prior lie in [-1, 0.1], and have no images beyond."""
    generate = Line.generate

    def broken(self: Line, latents: Tensor) -> Tensor:
        images = generate(self, latents)
        return torch.where(latents[:, :, None, None] > 0.1, torch.nan, images)

    monkeypatch.setattr(Line, "generate", broken)
    nearest = invert(Line(), torch.full((1, 1, 1, 1), 0.3), SEARCH, random=torch.Generator())
    assert nearest.item() == pytest.approx(0.1)


def test_every_system_has_a_gradient_for_its_latents(model: GenerativeModel) -> None:
    assert has_gradient(model)


@pytest.mark.parametrize(
    ("method", "replacement"),
    [
        ("sample_prior", lambda self, n, generator: torch.ones(n, 1, dtype=torch.int64)),
        ("generate", lambda self, latents: (latents > 0).float()[:, :, None, None]),
    ],
)
def test_a_discrete_model_has_none(
    method: str, replacement: Callable[..., Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Line, "sample_prior", lambda self, n, generator: torch.ones(n, 1))
    monkeypatch.setattr(Line, method, replacement)
    assert not has_gradient(Line())
