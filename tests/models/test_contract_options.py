"""The rules of test_contract.py for VAEs with combinations of options, fitted and not fitted."""

from typing import Any

import pytest
import torch
from networks import random
from test_contract import (  # noqa: F401  pytest collects them here, with the models of this file
    batch,
    test_losses_are_detached_finite_scalars_with_fixed_names,
    test_pin_2_a_sample_does_not_depend_on_its_batch_mates,
    test_pin_2_evaluating_restores_modes_one_by_one,
    test_pin_2_sampling_leaves_mode_buffers_and_weights_alone,
    test_pin_9_no_image_is_dropped_whatever_the_batch_size,
    test_prior_draws_follow_the_generator,
    test_prior_has_the_moments_of_its_distribution,
    test_weights_of_convolutions_are_in_channels_last_memory,
    train,
    weights_hash,
)

from conftest import GREY, stripes
from ganvae.config import Params
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import build_model, system_class, system_config
from ganvae.models.vae import VAEConfig
from vae_options import COMBINATIONS

SYSTEMS = ("bernoulli-vae", "conv-vae")


def build(smoke: Params, name: str, options: dict[str, Any], seed: int = 0) -> GenerativeModel:
    config = system_config(name, smoke.variants[name] | options)
    return build_model(name, config, GREY, seed)


@pytest.fixture(params=[(name, options) for name in SYSTEMS for options in COMBINATIONS], ids=str)
def variant(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    name, options = request.param
    return name, COMBINATIONS[options]


@pytest.fixture(params=[True, False], ids=["fitted", "not fitted"])
def model(
    smoke: Params, variant: tuple[str, dict[str, Any]], request: pytest.FixtureRequest
) -> GenerativeModel:
    model = build(smoke, *variant)
    if request.param:
        model.fit_sampling(stripes(60)[0], random())
    return model


def test_every_option_of_a_vae_is_combined() -> None:
    common = set(VAEConfig.model_fields) - {"schedule", "batch_size", "latent_size"}
    common -= {"learning_rate", "beta_1", "beta_2"}
    assert common <= {key for options in COMBINATIONS.values() for key in options}


def test_training_changes_every_weight_but_those_of_the_prior(model: GenerativeModel) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.progress = 0.1
    train(model, 2)
    model.progress = 0.5
    train(model, 2)
    for name, value in model.state_dict().items():
        unchanged = torch.equal(before[name], value)
        assert unchanged == name.startswith("fitted_prior."), name


def test_pin_8_same_seed_same_weights_and_same_fit(
    smoke: Params, variant: tuple[str, dict[str, Any]]
) -> None:
    hashes = []
    for seed in (0, 0, 1):
        state = torch.get_rng_state()
        model = build(smoke, *variant, seed=seed)
        model.fit_sampling(stripes(60)[0], random(seed))
        assert torch.equal(torch.get_rng_state(), state)
        hashes.append(weights_hash(model))
    assert hashes[0] == hashes[1] != hashes[2]


def test_all_noise_of_training_comes_from_the_generator(
    smoke: Params, variant: tuple[str, dict[str, Any]]
) -> None:
    models = [build(smoke, *variant) for _ in range(2)]
    for number, model in enumerate(models):
        torch.manual_seed(number)
        train(model, 2)
    assert weights_hash(models[0]) == weights_hash(models[1])


def test_pin_2_a_fitted_latent_does_not_depend_on_the_other_latents(model: GenerativeModel) -> None:
    together = model.sample_latents(40, random(2))
    assert torch.equal(together, model.sample_latents(40, random(2)))
    if model.fitted_prior.fitted:  # type: ignore[union-attr, operator]
        torch.testing.assert_close(model.sample_latents(11, random(2)), together[:11])


def test_pin_2_reconstructions_use_neither_the_fitted_prior_nor_the_output_scale(
    smoke: Params, variant: tuple[str, dict[str, Any]]
) -> None:
    name, options = variant
    plain = build(smoke, name, options | {"output_scale": 1.0})
    scaled = build(smoke, name, options | {"output_scale": 3.0})
    scaled.fit_sampling(stripes(60)[0], random())
    images = batch(plain)
    assert torch.equal(
        plain.reconstruct(images),  # type: ignore[operator]
        scaled.reconstruct(images),  # type: ignore[operator]
    )
    assert not torch.equal(plain.sample(3, random()), scaled.sample(3, random()))
    assert system_class(name).name == plain.name
