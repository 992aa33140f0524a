"""Priors that are fitted to the encodings of training images after training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from networks import random
from sklearn.mixture import GaussianMixture
from torch import Tensor, nn
from torch.distributions import (
    Categorical,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from conftest import GREY, stripes
from ganvae.config import Params
from ganvae.core.images import from_uint8
from ganvae.models import vae as module
from ganvae.models.base import FitError, GenerativeModel, Likelihood, evaluating
from ganvae.models.mixture import Mixture
from ganvae.models.registry import build_model, shapes, system_class, system_config, system_names
from ganvae.models.second_stage import SecondStage
from ganvae.models.systems.bernoulli_vae import BernoulliVAEConfig
from ganvae.models.vae import VAE, AutoencodingModel
from ganvae.models.weights import load_model, save_model

NAMES = [name for name in system_names() if issubclass(system_class(name), AutoencodingModel)]
PRIORS: dict[str, dict[str, Any]] = {
    "mixture": {"prior": "mixture", "prior_components": 3},
    "second-stage": {
        "prior": "second-stage",
        "second_stage_width": 8,
        "second_stage_steps": 10,
    },
}
every_prior = pytest.mark.parametrize("prior", PRIORS)
every_model = pytest.mark.parametrize("name", NAMES)


class TwoClusters(VAE):
    """A VAE with fixed linear networks. Images of two pixels have two kinds of encodings.

    The first pixel moves the first latent by 6, so dark images are encoded near -3 and bright
    images near 3. The second pixel moves the second latent, by 2.
    """

    likelihood: ClassVar[Likelihood] = "bernoulli"

    def __init__(self, **changes: object) -> None:
        config = system_config("bernoulli-vae", {"latent_size": 2, **changes})
        assert isinstance(config, BernoulliVAEConfig)
        super().__init__(config, (1, 1, 2))
        dense = nn.Linear(2, 4)
        self.decoder = nn.Linear(2, 2)
        with torch.no_grad():
            dense.weight.copy_(torch.tensor([[6.0, 0], [0, 2], [0, 0], [0, 0]]))
            dense.bias.copy_(torch.tensor([-3.0, -1, -3, -1]))
            self.decoder.weight.copy_(torch.eye(2))
            self.decoder.bias.zero_()
        self.encoder = nn.Sequential(nn.Flatten(), dense)

    def decode_logits(self, latents: Tensor) -> Tensor:
        return self.decoder(latents).unflatten(1, self.image_shape)


def two_kinds(n: int) -> Tensor:
    """A quarter of the images has a dark first pixel, the others have a bright one."""
    draws = np.random.default_rng(0)
    first = np.where(np.arange(n) % 4 == 0, 0, 255)
    return (
        torch.from_numpy(np.stack([first, draws.integers(0, 256, n)], axis=1))
        .to(torch.uint8)
        .reshape(n, 1, 1, 2)
    )


def fitted(prior: str, n: int = 2000, **changes: object) -> TwoClusters:
    model = TwoClusters(**PRIORS[prior] | changes)
    model.fit_sampling(two_kinds(n), random())
    return model


def encodings(model: AutoencodingModel, images: Tensor, seed: int = 5) -> Tensor:
    """Draws from q(z|x) of each image."""
    with evaluating(model):
        mean, log_variance = model.encode(from_uint8(images))
    noise = torch.randn(mean.shape, generator=random(seed))
    return mean + (log_variance / 2).exp() * noise


def energy_distance(first: Tensor, second: Tensor) -> float:
    """The energy distance of two samples. It is 0 if their distributions are equal."""
    between = torch.cdist(first, second).mean()
    within = torch.cdist(first, first).mean() + torch.cdist(second, second).mean()
    return float(2 * between - within)


TRAINED = {"mixture": {}, "second-stage": {"second_stage_width": 64, "second_stage_steps": 2000}}
TOLERANCES = {"mixture": 0.02, "second-stage": 0.1}
"""The second stage is trained by gradient descent, so it is less exact."""


@pytest.fixture(scope="module", params=TRAINED)
def trained(request: pytest.FixtureRequest) -> tuple[TwoClusters, float]:
    """A model with each kind of prior, fitted well, and the tolerance of its tests."""
    return fitted(request.param, **TRAINED[request.param]), TOLERANCES[request.param]


def test_pin_2_a_fitted_prior_recovers_an_aggregate_posterior_of_two_clusters(
    trained: tuple[TwoClusters, float],
) -> None:
    model, tolerance = trained
    real = encodings(model, two_kinds(2000))
    plain, samples = model.sample_prior(2000, random(1)), model.sample_latents(2000, random(1))
    assert energy_distance(plain, real) > 1
    assert energy_distance(samples, real) < tolerance
    torch.testing.assert_close(samples.mean(dim=0), real.mean(dim=0), atol=5 * tolerance, rtol=0)
    torch.testing.assert_close(samples.T.cov(), real.T.cov(), atol=20 * tolerance, rtol=0)
    dark = float((samples[:, 0] < 0).float().mean())
    assert dark == pytest.approx(0.25, abs=0.02 + tolerance)
    assert float((samples[:, 0].abs() < 1.5).float().mean()) < tolerance  # between the clusters
    assert float((plain[:, 0].abs() < 1.5).float().mean()) > 0.8


def test_images_decoded_from_a_fitted_prior_have_the_distribution_of_reconstructions(
    trained: tuple[TwoClusters, float],
) -> None:
    model, tolerance = trained
    real = model.decode(encodings(model, two_kinds(2000))).flatten(1)
    samples = model.sample(2000, random(1)).flatten(1)
    plain = model.decode(model.sample_prior(2000, random(1))).flatten(1)
    assert energy_distance(samples, real) < tolerance / 5
    assert energy_distance(plain, real) > 0.1


@every_prior
def test_latents_come_from_the_plain_prior_before_the_fit(prior: str) -> None:
    model = TwoClusters(**PRIORS[prior])
    assert torch.equal(model.sample_latents(9, random()), model.sample_prior(9, random()))
    model.fit_sampling(two_kinds(500), random())
    assert not torch.equal(model.sample_latents(9, random()), model.sample_prior(9, random()))


@every_prior
def test_pin_13_the_fit_follows_its_generator(prior: str) -> None:
    first, again, other = (TwoClusters(**PRIORS[prior]) for _ in range(3))
    state = torch.get_rng_state()
    for model, seed in ((first, 0), (again, 0), (other, 1)):
        torch.set_rng_state(state)
        if model is again:
            torch.manual_seed(1)  # the global generator must not matter
        model.fit_sampling(two_kinds(300), random(seed))
    draws = [model.sample_latents(5, random()) for model in (first, again, other)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@every_prior
def test_a_second_fit_replaces_the_first(prior: str) -> None:
    model, once = fitted(prior), fitted(prior)
    model.fit_sampling(255 - two_kinds(2000), random(1))
    once.fit_sampling(255 - two_kinds(2000), random(1))
    assert torch.equal(model.sample_latents(5, random()), once.sample_latents(5, random()))
    assert float(model.sample_latents(2000, random())[:, 0].mean()) < 0  # most images are dark


@every_prior
def test_pin_2_a_latent_does_not_depend_on_the_number_of_latents(prior: str) -> None:
    model = fitted(prior)
    many = model.sample_latents(2500, random(3))
    for n in (1, 7, 1003):
        torch.testing.assert_close(model.sample_latents(n, random(3)), many[:n], rtol=0, atol=1e-6)


@every_prior
def test_sampling_uses_only_the_given_generator(prior: str) -> None:
    model = fitted(prior)
    state = torch.get_rng_state()
    first = model.sample_latents(6, random(1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, model.sample_latents(6, random(1)))
    assert not torch.equal(first, model.sample_latents(6, random(2)))


@every_prior
def test_a_prior_is_fitted_to_a_subset_of_at_most_20_000_images(
    prior: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.ENCODINGS == 20_000
    monkeypatch.setattr(module, "ENCODINGS", 50)
    model, seen = TwoClusters(**PRIORS[prior]), []
    original = model._encodings
    monkeypatch.setattr(model, "_encodings", lambda images: seen.append(images) or original(images))
    model.fit_sampling(two_kinds(400), random())
    assert [len(images) for images in seen] == [50]
    assert 0.1 < float((seen[0][:, 0, 0, 0] == 0).float().mean()) < 0.4  # not the first images


@every_prior
@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_images_are_enough(prior: str, n: int) -> None:
    latents = fitted(prior, n).sample_latents(50, random())
    assert torch.isfinite(latents).all()


@every_prior
def test_equal_images_are_enough(prior: str) -> None:
    model = TwoClusters(**PRIORS[prior])
    model.fit_sampling(two_kinds(1).expand(40, 1, 1, 2), random())
    assert torch.isfinite(model.sample_latents(50, random())).all()


@every_prior
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_encodings_that_are_not_finite_are_refused(prior: str, value: float) -> None:
    model = TwoClusters(**PRIORS[prior])
    with torch.no_grad():
        model.encoder[1].bias[2] = value  # the log-variance of the first latent
    with pytest.raises(FitError, match="the encodings of 40 of 40 training images are NaN or inf"):
        model.fit_sampling(two_kinds(40), random())


@every_model
@every_prior
def test_training_does_not_depend_on_the_prior(smoke: Params, name: str, prior: str) -> None:
    models = [
        build_model(name, system_config(name, smoke.variants[name] | options), GREY, 0)
        for options in ({}, PRIORS[prior])
    ]
    images = from_uint8(stripes(models[0].real_images_per_step)[0])
    for model in models:
        optimizers, noise = model.optimizers(), random()
        for _ in range(2):
            model.train_step(images, optimizers, noise)
    plain, changed = (model.state_dict() for model in models)
    assert all(torch.equal(value, changed[key]) for key, value in plain.items())
    added = changed.keys() - plain.keys()
    assert added
    assert all(key.startswith("fitted_prior.") for key in added)


@pytest.fixture
def saved(smoke: Params, tmp_path: Path) -> Iterator[tuple[Path, Any]]:
    yield tmp_path / "weights.safetensors", smoke


@every_model
@every_prior
@pytest.mark.parametrize("fit", [True, False])
def test_a_weights_file_keeps_the_prior(
    saved: tuple[Path, Params], name: str, prior: str, fit: bool
) -> None:
    path, smoke = saved
    config = system_config(name, smoke.variants[name] | PRIORS[prior])
    model = build_model(name, config, GREY, 2)
    if fit:
        model.fit_sampling(stripes(60)[0], random())
    save_model(path, model, config, seed=2)
    loaded = load_model(path)
    assert isinstance(loaded, AutoencodingModel)
    assert loaded.fitted_prior is not None
    assert loaded.fitted_prior.fitted == fit
    assert torch.equal(loaded.sample_latents(4, random()), model.sample_latents(4, random()))
    assert torch.equal(loaded.sample_prior(4, random()), model.sample_prior(4, random()))
    found = {key: value.shape for key, value in model.state_dict().items()}
    assert found == shapes(name, config, GREY)


def captured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, np.ndarray]]:
    """The mixtures of scikit-learn that are fitted from now on, each with its data."""
    fits: list[tuple[Any, np.ndarray]] = []
    original = GaussianMixture.fit

    def fit(mixture: Any, data: np.ndarray) -> Any:
        fits.append((mixture, data.copy()))
        return original(mixture, data)

    monkeypatch.setattr(GaussianMixture, "fit", fit)
    return fits


def test_pin_2_the_mixture_is_the_fit_of_scikit_learn_to_draws_from_q(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The density of the saved parameters equals scikit-learn's `score_samples`."""
    fits = captured(monkeypatch)
    prior = fitted("mixture", prior_components=4).fitted_prior
    assert isinstance(prior, Mixture)
    ((mixture, data),) = fits
    # The second latent's variance is 4/12 from the pixels plus exp(-1) from q.
    assert data.var(axis=0)[1] == pytest.approx(4 / 12 + np.exp(-1), rel=0.1)
    components = MultivariateNormal(prior.means, scale_tril=prior.factors)
    density = MixtureSameFamily(Categorical(prior.weights), components)
    points = 3 * torch.randn(200, 2, generator=random())
    expected = torch.from_numpy(mixture.score_samples(points.double().numpy())).float()
    torch.testing.assert_close(density.log_prob(points), expected, rtol=1e-3, atol=1e-3)
    samples = prior.sample(20_000, random()).double().numpy()
    reference = mixture.sample(20_000)[0]
    assert mixture.score(samples) == pytest.approx(mixture.score(reference), abs=0.03)


def test_pin_2_samples_of_a_mixture_have_its_frequencies_means_and_covariances() -> None:
    """The components lie far apart, so each latent shows its component."""
    config = system_config("bernoulli-vae", {"prior": "mixture", "prior_components": 4})
    assert isinstance(config, BernoulliVAEConfig)
    mixture = Mixture(config, 2)
    mixture.weights.copy_(torch.tensor([0.1, 0.6, 0.3, 0.0]))
    mixture.means.copy_(torch.tensor([[-50.0, 3], [0, -2], [70, 0], [999, 999]]))
    covariances = torch.tensor([[[1.0, 0.5], [0.5, 2]], [[4, -1], [-1, 1]], [[0.5, 0], [0, 9]]])
    mixture.factors[:3] = torch.linalg.cholesky(covariances)
    n = 60_000
    latents = mixture.sample(n, random())
    nearest = torch.cdist(latents, mixture.means).argmin(dim=1)
    counts = nearest.bincount(minlength=4)
    assert counts[3] == 0
    for component in range(3):
        members = latents[nearest == component]
        weight = float(mixture.weights[component])
        error = 4 * (weight * (1 - weight) / n) ** 0.5
        assert len(members) / n == pytest.approx(weight, abs=error)
        torch.testing.assert_close(members.mean(dim=0), mixture.means[component], atol=0.15, rtol=0)
        torch.testing.assert_close(members.T.cov(), covariances[component], atol=0.2, rtol=0.05)


def test_pin_2_the_component_is_independent_of_the_place_within_the_component() -> None:
    config = system_config("bernoulli-vae", {"prior": "mixture", "prior_components": 2})
    assert isinstance(config, BernoulliVAEConfig)
    mixture = Mixture(config, 2)
    mixture.weights.fill_(0.5)
    mixture.means.copy_(torch.tensor([[-50.0, 0], [50, 0]]))
    mixture.factors.copy_(torch.eye(2).expand(2, 2, 2))
    latents = mixture.sample(20_000, random())
    right = (latents[:, 0] > 0).float()
    place = latents - mixture.means[right.long()]
    for latent in range(2):
        correlation = torch.stack([right, place[:, latent]]).corrcoef()[0, 1]
        assert abs(float(correlation)) < 0.03


def test_with_fewer_images_than_components_the_other_weights_are_zero() -> None:
    prior = fitted("mixture", n=5, prior_components=8).fitted_prior
    assert isinstance(prior, Mixture)
    assert (prior.weights > 0).sum() <= 5
    assert prior.weights[5:].tolist() == [0, 0, 0]
    assert float(prior.weights.sum()) == pytest.approx(1)


@every_model
@every_prior
def test_the_prior_of_every_system_is_fitted(smoke: Params, name: str, prior: str) -> None:
    config = system_config(name, smoke.variants[name] | PRIORS[prior])
    model: GenerativeModel = build_model(name, config, GREY, 0)
    model.fit_sampling(stripes(60)[0], random())
    assert model.sample(3, random()).shape == (3, *GREY)
    assert not torch.equal(model.sample_latents(3, random()), model.sample_prior(3, random()))


def test_the_loss_of_the_second_stage_is_minus_its_elbo() -> None:
    """Checked against torch.distributions, with a variance that is not 1."""
    config = system_config("bernoulli-vae", PRIORS["second-stage"])
    assert isinstance(config, BernoulliVAEConfig)
    stage = SecondStage(config, 3)
    stage.log_variance.fill_(-0.7)
    latents, noise = torch.randn(2, 6, 3, generator=random())
    mean, log_variance = stage.encoder(latents).chunk(2, dim=1)
    q = Normal(mean, (log_variance / 2).exp())
    kl = kl_divergence(q, Normal(0.0, 1.0)).sum(dim=1)
    p = Normal(stage.decoder(mean + q.scale * noise), float(torch.tensor(-0.35).exp()))
    elbo = p.log_prob(latents).sum(dim=1) - kl
    torch.testing.assert_close(stage.loss(latents, noise), -elbo.mean())


def test_pin_2_samples_of_the_second_stage_have_the_noise_of_its_decoder() -> None:
    config = system_config("bernoulli-vae", PRIORS["second-stage"])
    assert isinstance(config, BernoulliVAEConfig)
    stage = SecondStage(config, 2)
    for parameter in stage.parameters():
        nn.init.zeros_(parameter)
    stage.log_variance.fill_(float(torch.tensor(0.25).log()))
    stage.shift.copy_(torch.tensor([1.0, -2]))
    stage.scale.copy_(torch.tensor([2.0, 6]))
    latents = stage.sample(40_000, random())
    torch.testing.assert_close(latents.mean(dim=0), stage.shift, atol=0.05, rtol=0)
    torch.testing.assert_close(
        latents.T.cov(), torch.tensor([[1.0, 0], [0, 9]]), atol=0.05, rtol=0.03
    )


def test_pin_2_the_second_stage_standardises_latents_by_the_moments_of_q() -> None:
    stage = fitted("second-stage").fitted_prior
    assert isinstance(stage, SecondStage)
    draws = torch.cat([encodings(TwoClusters(), two_kinds(2000), seed) for seed in range(9)])
    torch.testing.assert_close(stage.shift, draws.mean(dim=0), atol=0.02, rtol=0)
    torch.testing.assert_close(stage.scale, draws.std(dim=0), atol=0.02, rtol=0)
