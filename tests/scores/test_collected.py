"""The share of its own budget that a training run has."""

from typing import Any

import pytest

from ganvae.models.registry import build_model, system_config, system_names
from ganvae.scores.collected import budget_share


def outcome(system: str, **fields: Any) -> dict[str, Any]:
    return {"system": system, "train_images": 1000, "images_seen": 1000} | fields


def test_a_budget_in_epochs_counts_the_passes_through_the_training_images() -> None:
    epochs = system_config("bernoulli-vae", {}).schedule.length
    assert budget_share(outcome("bernoulli-vae", images_seen=1000 * epochs)) == 1
    assert budget_share(outcome("bernoulli-vae", images_seen=5000)) == 5 / epochs


def test_a_budget_in_steps_counts_the_images_of_the_default_batches() -> None:
    default = system_config("keras-dcgan", {})
    images = default.schedule.length * default.batch_size
    assert budget_share(outcome("keras-dcgan", images_seen=images / 8)) == 1 / 8


@pytest.mark.parametrize("system", system_names())
def test_every_system_takes_as_many_images_per_step_as_its_parameters_say(system: str) -> None:
    adversarial = hasattr(system_config(system, {}), "balance")
    for changes in ({}, {"balance": {"d_steps": 3}} if adversarial else {}):
        config = system_config(system, changes)
        model = build_model(system, config, (1, 32, 32), seed=0)
        assert model.real_images_per_step == config.real_images_per_step
