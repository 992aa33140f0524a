"""Truncated latents, and discriminator rejection sampling (1810.06758)."""

import math

import pytest
import torch
from networks import Listener, default_gan, random
from scipy import stats
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from conftest import stripes
from gan_options import GANS
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.models.base import evaluating
from ganvae.models.gan import AdversarialModel
from ganvae.models.gan_priors import truncated
from ganvae.models.registry import system_config
from ganvae.models.rejection import ROUNDS, Rejection

IMAGES = stripes(20)[0]


@pytest.mark.parametrize("threshold", [0.1, 0.8, 2.5])
def test_truncated_normals_have_the_moments_of_their_distribution(threshold: float) -> None:
    latents = truncated("normal", 4000, 8, threshold, random())
    assert latents.abs().max() <= threshold
    assert latents.dtype == torch.float32
    exact = stats.truncnorm(-threshold, threshold)
    assert stats.kstest(latents.flatten().numpy(), exact.cdf).pvalue > 0.01
    assert latents.std().item() == pytest.approx(exact.std(), rel=0.02)


def test_truncated_uniform_latents_are_uniform_up_to_the_threshold() -> None:
    latents = truncated("uniform", 4000, 8, 0.4, random()).flatten().numpy()
    assert stats.kstest(latents, stats.uniform(-0.4, 0.8).cdf).pvalue > 0.01


@pytest.mark.parametrize("prior", ["normal", "uniform"])
def test_pin_2_a_truncated_latent_does_not_depend_on_the_number_of_latents(prior: str) -> None:
    few, many = (truncated(prior, n, 7, 0.5, random()) for n in (3, 50))  # type: ignore[arg-type]
    assert torch.equal(few, many[:3])


@pytest.mark.parametrize("name", GANS)
def test_samples_are_truncated_and_training_is_not(name: str) -> None:
    model = default_gan(name, truncation=0.3)
    assert model.sample_latents(50, random()).abs().max() <= 0.3
    assert model.sample_prior(50, random()).abs().max() > 0.9
    plain = default_gan(name)
    assert torch.equal(plain.sample_latents(9, random()), plain.sample_prior(9, random()))


def test_a_truncation_beyond_the_uniform_prior_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"truncation is 1\.5, .* Set truncation below 1"):
        system_config("vanilla-gan", {"truncation": 1.5})
    assert system_config("vanilla-gan", {"truncation": 1.5, "prior": "normal"})


def with_limits(bound: float, shift: float) -> Rejection:
    rejection = Rejection(50.0)
    rejection.limits.copy_(torch.tensor([bound, shift]))
    return rejection


def test_the_acceptance_without_a_shift_is_the_ratio_to_the_bound() -> None:
    logits = torch.tensor([0.0, math.log(2), math.log(8)])
    torch.testing.assert_close(
        with_limits(math.log(8), 0.0).acceptance(logits),
        torch.tensor([1 / 8, 1 / 4, 1], dtype=torch.float64),
    )


def test_the_acceptance_is_the_papers_with_a_shift() -> None:
    gap, shift = math.log(1 / 8), -0.7
    score = gap - math.log(1 - math.exp(gap)) - shift
    expected = 1 / (1 + math.exp(-score))
    acceptance = with_limits(math.log(8), shift).acceptance(torch.zeros(1))
    assert acceptance.item() == pytest.approx(expected, rel=1e-6)


def test_logits_above_the_bound_count_as_the_bound() -> None:
    acceptance = with_limits(1.0, 2.0).acceptance(torch.tensor([1.0, 5.0, 80.0]))
    assert len(acceptance.unique()) == 1


@pytest.mark.parametrize("percentile", [25.0, 50.0, 75.0])
def test_the_sample_at_the_percentile_is_accepted_half_of_the_time(percentile: float) -> None:
    rejection = Rejection(percentile)
    logits = torch.tensor([-1.0, 0.5, -3.0, 2.0, 1.1])
    rejection.fit(logits)
    at = logits.sort().values[int(percentile / 25)]
    assert rejection.limits[0] == 2.0
    assert rejection.acceptance(at).item() == pytest.approx(0.5, abs=1e-6)
    acceptance = rejection.acceptance(logits.sort().values)
    assert torch.equal(acceptance, acceptance.sort().values)


MEAN, DEVIATION = 0.5, 0.7
PEAK = MEAN / (1 - DEVIATION**2)  # where the density ratio is largest


def log_ratio(x: Tensor) -> Tensor:
    """The exact logit of D for data from N(0.5, 0.7^2) and a model that draws from N(0, 1)."""
    data = -((x - MEAN) ** 2) / (2 * DEVIATION**2) - math.log(DEVIATION)
    return (data + x**2 / 2).flatten()


def propose(n: int, generator: torch.Generator) -> Tensor:
    return torch.randn(n, 1, generator=generator)


def test_an_exact_d_turns_the_model_into_the_data() -> None:
    bound = log_ratio(torch.tensor([PEAK])).item()
    first_round: list[Tensor] = []

    def judge(latents: Tensor) -> Tensor:
        first_round.append(latents)
        return log_ratio(latents)

    rejection = with_limits(bound, 0.0)
    samples = rejection.sample(20_000, random(), propose, judge).flatten()
    assert stats.kstest(samples.numpy(), stats.norm(MEAN, DEVIATION).cdf).pvalue > 0.01
    accepted = 1 - len(first_round[1]) / len(first_round[0])
    assert accepted == pytest.approx(math.exp(-bound), abs=0.02)  # 1 / M


def test_rejection_moves_samples_closer_to_the_data() -> None:
    """Percentiles far above 50 concentrate the samples where the logit is largest."""
    distances = []
    for percentile in (1.0, 10.0, 25.0, 50.0):
        rejection = Rejection(percentile)
        rejection.fit(log_ratio(propose(10_000, random(1))))
        samples = rejection.sample(10_000, random(2), propose, log_ratio).flatten()
        exact = stats.norm(MEAN, DEVIATION).ppf((torch.arange(10_000).numpy() + 0.5) / 10_000)
        distances.append(stats.wasserstein_distance(samples.numpy(), exact))
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.25 * distances[0]


def test_rejection_finds_the_modes_that_the_model_has_but_underrates() -> None:
    """Nine modes on a grid; the model draws the first mode ten times as often as the others."""
    shares = torch.tensor([10.0, *[1.0] * 8]) / 18

    def grid(n: int, generator: torch.Generator) -> Tensor:
        return torch.multinomial(shares, n, replacement=True, generator=generator)[:, None]

    def judge(latents: Tensor) -> Tensor:
        return (1 / 9 / shares[latents.flatten()]).log()

    rejection = with_limits(math.log(2.0), 0.0)
    counts = rejection.sample(9000, random(), grid, judge).flatten().bincount(minlength=9)
    assert stats.chisquare(counts.numpy()).pvalue > 0.01


def test_pin_2_a_sample_uses_only_its_own_noise() -> None:
    """Other proposals of the batch-mates must not change a sample, nor the number of samples."""
    rejection = Rejection(80.0)
    rejection.fit(log_ratio(propose(1000, random(1))))
    samples = rejection.sample(32, random(), propose, log_ratio)

    def judge_others_as_bad(latents: Tensor) -> Tensor:
        kept = torch.isin(latents.flatten(), own)
        return torch.where(kept, log_ratio(latents), -99.0)

    own = torch.cat([propose(32, source)[1::2] for source in proposal_generators()]).flatten()
    again = rejection.sample(32, random(), propose, judge_others_as_bad)
    assert torch.equal(again[1::2], samples[1::2])
    assert not torch.equal(again[::2], samples[::2])
    assert torch.equal(rejection.sample(16, random(), propose, log_ratio), samples[:16])


def proposal_generators() -> list[torch.Generator]:
    seeds = torch.randint(2**62, (2 * ROUNDS,), generator=random()).tolist()
    return [torch.Generator().manual_seed(seed) for seed in seeds[::2]]


def test_after_the_last_round_the_last_proposal_is_kept() -> None:
    rejection, rounds = with_limits(50.0, 0.0), []

    def judge(latents: Tensor) -> Tensor:
        rounds.append(latents)
        return torch.full((len(latents),), -900.0)

    source = random()
    samples = rejection.sample(4, source, propose, judge)
    assert len(rounds) == ROUNDS
    assert torch.equal(samples, rounds[-1])
    other = random()
    with_limits(0.0, -900.0).sample(4, other, propose, log_ratio)  # accepts in the first round
    assert torch.equal(source.get_state(), other.get_state())


def fitted(name: str, **changes: object) -> AdversarialModel:
    model = default_gan(name, batch_size=8, rejection=70.0, **changes)
    torch.manual_seed(0)  # dropout
    optimizers, noise = model.optimizers(), random()
    real = from_uint8(stripes(model.real_images_per_step)[0])
    for _ in range(4):
        model.train_step(real, optimizers, noise)
    model.fit_sampling(IMAGES, random(1))
    return model


@pytest.fixture(autouse=True)
def _fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvae.models.gan.DRAWS", 300)


@pytest.mark.parametrize("name", GANS)
def test_the_limits_come_from_d_in_eval_mode_on_draws_of_the_model(name: str) -> None:
    model = fitted(name, truncation=0.6)
    assert model.training
    threshold = model.config.truncation
    assert threshold is not None
    latents = truncated(model.config.prior, 300, model.latent_size, threshold, random(1))
    with evaluating(model):
        logits = model.discriminator(model.fake_inputs(latents)).flatten()
    assert model.rejection is not None
    torch.testing.assert_close(model.rejection.limits[0], logits.max())
    acceptance = model.rejection.acceptance(logits)
    assert (acceptance >= 0.5).double().mean().item() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("name", GANS)
def test_accepted_samples_have_higher_logits(name: str) -> None:
    model = fitted(name)
    with evaluating(model):
        logits = [
            model.discriminator(model.fake_inputs(latents)).mean()
            for latents in (model.sample_prior(400, random()), model.sample_latents(400, random()))
        ]
    assert logits[1] > logits[0]


@pytest.mark.parametrize("name", GANS)
def test_pin_2_sampling_changes_no_buffer_and_looks_at_no_real_image(name: str) -> None:
    model = fitted(name, spectral_norm=True)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    model.discriminator = listener = Listener(model.discriminator)
    model.sample_latents(40, random())
    assert not any(listener.modes)
    model.discriminator = listener.network
    for key, value in model.state_dict().items():
        assert torch.equal(value, state[key]), key
    other = fitted(name, spectral_norm=True)
    other.fit_sampling(255 - IMAGES, random(1))
    again = fitted(name, spectral_norm=True)
    again.fit_sampling(IMAGES, random(1))
    assert other.rejection is not None
    assert again.rejection is not None
    assert torch.equal(other.rejection.limits, again.rejection.limits)


def test_nothing_is_rejected_before_the_fit() -> None:
    model = default_gan("dcgan", rejection=70.0)
    assert torch.equal(model.sample_latents(5, random()), model.sample_prior(5, random()))


@pytest.mark.parametrize(
    "options",
    [{"loss": "hinge"}, {"loss": "wgan-gp"}, {"loss": "relativistic"}, {"packing": 2}],
    ids=str,
)
def test_rejection_needs_the_density_ratio_of_single_images(options: dict[str, object]) -> None:
    values = {"rejection": 80.0, "balance": {"ratio": "off"}, "prior": "normal"} | options
    for name in ("dcgan", "keras-dcgan", "vanilla-gan"):
        with pytest.raises(ConfigError, match=r"density ratio of single images, but .* Set reject"):
            system_config(name, values)
    assert system_config("dcgan", {"rejection": 80.0, "loss": "minimax"})


def test_the_averaged_d_can_judge_the_averaged_g() -> None:
    """With averaged weights, spectral norms fit the averaged weights after the fit."""
    model = default_gan(
        "dcgan", batch_size=8, rejection=70.0, spectral_norm=True, learning_rate=0.02
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.8), use_buffers=True)
    average.requires_grad_(False)
    optimizers, noise = model.optimizers(), random()
    real = from_uint8(stripes(8)[0])
    for _ in range(6):
        model.train_step(real, optimizers, noise)
        average.update_parameters(model)
    kept = average.module
    assert isinstance(kept, AdversarialModel)
    kept.fit_sampling(IMAGES, random(1))
    with evaluating(kept):
        for layer in kept.discriminator.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                norm = torch.linalg.matrix_norm(layer.weight.flatten(1), 2)
                assert norm.item() == pytest.approx(1, abs=0.02)
    assert kept.rejection is not None
    assert kept.rejection.fitted == 1
    assert kept.sample(7, random()).shape == (7, 1, 28, 28)
