"""KL warm-up, free bits and the learned variance of every VAE."""

import math
from pathlib import Path

import pytest
import torch
from gradients import recorders
from networks import random
from torch import Tensor, nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from conftest import GREY, stripes
from ganvae.config import Params
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.models.base import evaluating
from ganvae.models.losses import free_bits_kl, gaussian_loss
from ganvae.models.priors import standard_normal
from ganvae.models.registry import build_model, system_class, system_config, system_names
from ganvae.models.systems.bernoulli_vae import BernoulliVAEConfig
from ganvae.models.vae import VAE, log_mean_exp
from ganvae.models.weights import load_model, save_model

NAMES = [name for name in system_names() if issubclass(system_class(name), VAE)]
every_vae = pytest.mark.parametrize("name", NAMES)
LEARNED = {"likelihood": "gaussian", "gaussian_variance": "learned"}


def vae(smoke: Params, name: str, **changes: object) -> VAE:
    model = build_model(name, system_config(name, smoke.variants[name] | changes), GREY, 0)
    assert isinstance(model, VAE)
    return model


def images_for(model: VAE) -> Tensor:
    return from_uint8(stripes(model.real_images_per_step)[0])


@every_vae
def test_pin_5_the_weight_of_the_kl_grows_linearly_from_0_to_beta(smoke: Params, name: str) -> None:
    """A quarter of 40 steps is 10 steps."""
    model = vae(smoke, name, kl_warmup=0.25, beta=2.0)
    weights = []
    for step in range(40):
        model.progress = step / 40
        weights.append(model.kl_weight)
    by_hand = [0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8]
    assert weights == pytest.approx(by_hand + [2.0] * 30)


@every_vae
def test_pin_5_a_step_of_the_warmup_weights_the_kl(smoke: Params, name: str) -> None:
    model = vae(smoke, name, kl_warmup=0.5, beta=3.0)
    images = images_for(model)
    model.progress = 0.2
    noise = standard_normal(len(images), model.latent_size, random())
    reconstruction, kl = (term.mean() for term in model.elbo_terms(images, noise))
    expected = torch.autograd.grad(reconstruction + 1.2 * kl, list(model.parameters()))
    optimizers = recorders(model)
    losses = model.train_step(images, optimizers, random())  # type: ignore[arg-type]
    torch.testing.assert_close(optimizers["vae"].steps[0], list(expected))
    torch.testing.assert_close(losses["kl"], kl.detach())  # the KL without a weight
    torch.testing.assert_close(losses["loss"], (reconstruction + 1.2 * kl).detach())


@every_vae
def test_pin_12_the_warmup_weights_the_ratio_inside_the_importance_weighted_bound(
    smoke: Params, name: str
) -> None:
    """The weights are log p(x|z) + w (log p(z) - log q(z|x)), and the ELBO has no weight."""
    model = vae(smoke, name, kl_warmup=0.5, importance_samples=3)
    images = images_for(model)
    model.progress = 0.1
    noise = standard_normal(3 * len(images), model.latent_size, random())
    noise = noise.unflatten(0, (3, len(images)))
    mean, log_variance = model.encode(images)
    q = Normal(mean, (log_variance / 2).exp())
    latents = mean + q.scale * noise
    ratio = (Normal(0.0, 1.0).log_prob(latents) - q.log_prob(latents)).sum(dim=2)
    log_likelihood = model.log_weights(images, noise) - ratio
    loss = -log_mean_exp(log_likelihood + 0.2 * ratio).mean()
    expected = torch.autograd.grad(loss, list(model.parameters()))
    optimizers = recorders(model)
    losses = model.train_step(images, optimizers, random())  # type: ignore[arg-type]
    torch.testing.assert_close(losses["loss"], loss.detach())
    torch.testing.assert_close(losses["elbo"], (log_likelihood + ratio).mean().detach())
    torch.testing.assert_close(optimizers["vae"].steps[0], list(expected), rtol=1e-3, atol=1e-4)


def test_pin_5_free_bits_by_hand() -> None:
    """The first latent is below 0.5 on average, although not in every image. The second is above.

    The means over images are 0.4 and 2, so the sum is 0.5 + 2. Only the second latent has a
    gradient.
    """
    kl = torch.tensor([[0.1, 1.0], [0.7, 3.0]], requires_grad=True)
    total = free_bits_kl(kl, 0.5)
    assert float(total.detach()) == pytest.approx(2.5)
    (gradient,) = torch.autograd.grad(total, kl)
    assert gradient.tolist() == [[0, 0.5], [0, 0.5]]


def half_dark(model: VAE) -> Tensor:
    images = images_for(model)
    images[::2] = 0
    return images


def with_a_busy_latent(smoke: Params, name: str, free_bits: float) -> tuple[VAE, Tensor]:
    """A model whose first latent has a large KL, and the KL of its images by latent."""
    model = vae(smoke, name, free_bits=free_bits, beta=0.5)
    last = [layer for layer in model.encoder.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        last.weight[0] *= 20  # so that the images differ
        last.bias[0] += 2
        mean, log_variance = model.encode(half_dark(model))
    q = Normal(mean, (log_variance / 2).exp())
    return model, kl_divergence(q, Normal(0.0, 1.0))


@every_vae
@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_pin_5_free_bits_replace_the_kl_in_the_loss(
    smoke: Params, name: str, factor: float
) -> None:
    """The mean KL of the first latent is above or below lambda, and beta weights the result."""
    _, kl = with_a_busy_latent(smoke, name, 0.0)
    limit = factor * float(kl[:, 0].mean())
    assert kl[:, 0].min() < limit < kl[:, 0].max()  # lambda does not hold for each image
    model, _ = with_a_busy_latent(smoke, name, limit)
    images = half_dark(model)
    noise = standard_normal(len(images), model.latent_size, random())
    reconstruction, _ = model.elbo_terms(images, noise)
    limited = sum(max(float(value), limit) for value in kl.mean(dim=0))
    losses = model.train_step(images, model.optimizers(), random())
    expected = float(reconstruction.detach().mean()) + 0.5 * limited
    assert float(losses["loss"]) == pytest.approx(expected, rel=1e-6)
    torch.testing.assert_close(losses["kl"], kl.sum(dim=1).mean())


@every_vae
def test_free_bits_with_several_importance_samples_are_refused(name: str) -> None:
    expected = r"^models\.x: free_bits is 0\.5, but it must be 0 if importance_samples .* \(here 5"
    with pytest.raises(ConfigError, match=expected):
        system_config(name, {"importance_samples": 5, "free_bits": 0.5}, "models.x")
    with pytest.raises(ConfigError, match=r"models\.x\.kl_warmup is 1\.5"):
        system_config(name, {"kl_warmup": 1.5}, "models.x")


@every_vae
def test_options_with_their_neutral_values_change_no_bit(smoke: Params, name: str) -> None:
    """At the end of the warm-up, without free bits, the step is that of a plain VAE."""
    states = []
    for changes in ({}, {"kl_warmup": 0.5, "free_bits": 0.0, "gaussian_variance": "fixed"}):
        model = vae(smoke, name, **changes)
        assert model.progress == 1  # outside the trainer, no warm-up is going on
        optimizers, noise = model.optimizers(), random()
        for _ in range(2):
            model.train_step(images_for(model), optimizers, noise)
        states.append(model.state_dict())
    torch.testing.assert_close(*states, rtol=0, atol=0)


@every_vae
def test_both_likelihoods_are_available_in_every_vae(smoke: Params, name: str) -> None:
    images, densities = from_uint8(stripes(5)[0]), []
    for changes in ({"likelihood": "bernoulli"}, {"likelihood": "gaussian"}, LEARNED):
        model = vae(smoke, name, **changes)
        noise = torch.randn(5, model.latent_size, generator=random())
        assert torch.isfinite(model.elbo(images, noise)).all()
        densities.append(model.density)
    assert densities == ["bernoulli", "gaussian", "gaussian_learned"]


@every_vae
@pytest.mark.parametrize("variance", [0.02, 0.5, 3.0])
def test_pin_5_with_a_learned_variance_the_elbo_has_the_exact_density(
    smoke: Params, name: str, variance: float
) -> None:
    model, images = vae(smoke, name, **LEARNED), from_uint8(stripes(6)[0])
    assert model.log_variance is not None
    assert float(model.log_variance.detach()) == pytest.approx(math.log(0.5))
    model.log_variance.data.fill_(math.log(variance))
    noise = torch.randn(6, model.latent_size, generator=random())
    mean, log_variance = model.encode(images)
    q = Normal(mean, (log_variance / 2).exp())
    kl = kl_divergence(q, Normal(0.0, 1.0)).sum(dim=1)
    pixels = Normal(model.generate(mean + q.scale * noise), math.sqrt(variance))
    expected = pixels.log_prob(images).sum(dim=(1, 2, 3)) - kl
    torch.testing.assert_close(model.elbo(images, noise), expected, rtol=1e-5, atol=1e-2)
    weights = model.log_weights(images, noise[None])[0]
    ratio = (Normal(0.0, 1.0).log_prob(mean + q.scale * noise)).sum(dim=1) - q.log_prob(
        mean + q.scale * noise
    ).sum(dim=1)
    torch.testing.assert_close(weights, expected + kl + ratio, rtol=1e-5, atol=1e-2)


def test_pin_5_the_best_variance_is_the_mean_squared_error() -> None:
    errors = torch.tensor([3.0, 5.0, 10.0])
    best = torch.tensor(6.0 / 20).log().requires_grad_()  # 20 pixels
    (gradient,) = torch.autograd.grad(gaussian_loss(errors, best, 20).mean(), best)
    assert float(gradient) == pytest.approx(0, abs=1e-5)
    for other in (0.25, 0.35):
        loss = gaussian_loss(errors, torch.tensor(other).log(), 20).mean()
        assert loss > gaussian_loss(errors, best, 20).mean()
    half = torch.tensor(0.5).log()
    torch.testing.assert_close(gaussian_loss(errors, half, 20), errors)  # as with fixed variance


@every_vae
def test_the_learned_variance_reaches_the_mean_squared_error(smoke: Params, name: str) -> None:
    """The networks are fixed, so the best variance is known."""
    model = vae(smoke, name, **LEARNED, learning_rate=1e-3)
    assert model.log_variance is not None
    for network in (model.encoder, model.decoder):
        network.requires_grad_(False)
        for parameter in network.parameters():
            nn.init.zeros_(parameter)
    images = images_for(model)
    optimizers, noise = model.optimizers(), random()
    for _ in range(500):
        model.train_step(images, optimizers, noise)
    error = float((images - 0.5).square().mean())
    assert float(model.log_variance.detach().exp()) == pytest.approx(error, rel=0.01)


@every_vae
def test_only_a_learned_variance_adds_a_weight(smoke: Params, name: str, tmp_path: Path) -> None:
    plain = vae(smoke, name, likelihood="gaussian")
    learned = vae(smoke, name, **LEARNED)
    assert learned.state_dict().keys() - plain.state_dict().keys() == {"log_variance"}
    ignored = vae(smoke, name, likelihood="bernoulli", gaussian_variance="learned")
    assert ignored.log_variance is None
    assert ignored.density == "bernoulli"
    optimizer = learned.optimizers()["vae"]
    assert [group["lr"] for group in optimizer.param_groups] == [
        learned.config.learning_rate,
        10 * learned.config.learning_rate,
    ]
    count = sum(len(group["params"]) for group in optimizer.param_groups)
    assert count == len(list(learned.parameters()))
    learned.log_variance.data.fill_(-3.5)  # type: ignore[union-attr]
    save_model(tmp_path / "weights", learned, learned.config, 0)
    loaded = load_model(tmp_path / "weights")
    assert isinstance(loaded, VAE)
    assert float(loaded.log_variance.detach()) == -3.5  # type: ignore[union-attr]


class LinearGaussian(VAE):
    """p(z) = N(0, I) and p(x|z) = N(w z, s^2 I) with a learned s, and four pixels.

    The columns of w are orthogonal, so the true posterior has independent components.
    """

    def __init__(self, off: float) -> None:
        """``off`` is the distance of q from the true posterior."""
        config = system_config("bernoulli-vae", {"latent_size": 2} | LEARNED)
        assert isinstance(config, BernoulliVAEConfig)
        super().__init__(config, (1, 1, 4))
        self.weights = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.5, 0.0], [0.0, -1.0]])
        assert self.log_variance is not None
        self.log_variance.data.fill_(math.log(0.3))
        variance = 1 / (1 + self.weights.square().sum(dim=0) / 0.3)
        posterior = nn.Linear(4, 4)
        with torch.no_grad():
            posterior.weight.copy_(
                torch.cat([(self.weights * variance / 0.3).T, torch.zeros(2, 4)])
            )
            posterior.bias.copy_(torch.cat([torch.zeros(2), variance.log()]) + off)
        self.encoder = nn.Sequential(nn.Flatten(), posterior)

    def decode_logits(self, latents: Tensor) -> Tensor:
        """The sigmoid of these logits is w z, moved into [0, 1] by a factor and a shift."""
        return torch.logit(0.5 + (latents @ self.weights.T).double() / 100).unflatten(
            1, self.image_shape
        )

    def scaled(self, images: Tensor) -> Tensor:
        return 0.5 + images.double() / 100

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return super().encode(((images - 0.5) * 100).float())

    def log_likelihood(self, images: Tensor) -> Tensor:
        covariance = (self.weights @ self.weights.T + 0.3 * torch.eye(4)).double() / 100**2
        density = MultivariateNormal(torch.full((4,), 0.5).double(), covariance)
        return density.log_prob(images.flatten(start_dim=1))


def bounds(model: LinearGaussian, images: Tensor, k: int) -> Tensor:
    noise = torch.randn(k, len(images), 2, generator=random(k))
    with torch.no_grad():
        return log_mean_exp(model.log_weights(images, noise).double())


def linear_gaussian(off: float) -> tuple[LinearGaussian, Tensor]:
    model = LinearGaussian(off)
    assert model.log_variance is not None
    model.log_variance.data.sub_(2 * math.log(100))  # the images are scaled, too
    images = model.scaled(2 * torch.randn(300, 1, 1, 4, generator=random(9)))
    return model, images


def test_pin_12_with_a_learned_variance_the_bound_is_exact_on_a_linear_gaussian_model() -> None:
    model, images = linear_gaussian(off=0)
    for k in (1, 6):
        torch.testing.assert_close(
            bounds(model, images, k), model.log_likelihood(images), rtol=0, atol=1e-3
        )


def test_pin_12_with_a_learned_variance_the_bound_is_monotone_in_k() -> None:
    model, images = linear_gaussian(off=0.4)
    truth = float(model.log_likelihood(images).mean())
    means = [float(bounds(model, images, k).mean()) for k in (1, 3, 10, 300)]
    assert means == sorted(means)
    assert means[0] < truth - 0.3
    assert means[-1] == pytest.approx(truth, abs=0.05)


@every_vae
def test_batch_norms_precede_every_relu_and_change_no_other_layer(smoke: Params, name: str) -> None:
    plain, normed = vae(smoke, name), vae(smoke, name, norm="batch")
    for network in ("encoder", "decoder"):
        layers = [m for m in getattr(normed, network).modules() if not list(m.children())]
        relus = [place for place, layer in enumerate(layers) if isinstance(layer, nn.ReLU)]
        assert relus
        for place in relus:
            assert isinstance(layers[place - 1], nn.BatchNorm1d | nn.BatchNorm2d)
        kept = [layer for layer in layers if not isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
        before = [m for m in getattr(plain, network).modules() if not list(m.children())]
        assert [str(layer) for layer in kept] == [str(layer) for layer in before]
        for layer, old in zip(kept, before, strict=True):
            for value, first in zip(layer.parameters(), old.parameters(), strict=True):
                assert torch.equal(value, first)


@every_vae
def test_pin_2_with_batch_norm_the_elbo_of_an_image_does_not_depend_on_its_batch_mates(
    smoke: Params, name: str
) -> None:
    model = vae(smoke, name, norm="batch")
    images = images_for(model)
    model.train_step(images, model.optimizers(), random())
    noise = torch.randn(len(images), model.latent_size, generator=random())
    with evaluating(model):
        together = model.elbo(images, noise)
        torch.testing.assert_close(model.elbo(images[:3], noise[:3]), together[:3])
    assert not torch.allclose(model.elbo(images, noise), together)  # in training mode
