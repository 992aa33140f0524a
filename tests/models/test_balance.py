"""The balance rule case by case, and what each GAN takes from it."""

import json
import math

import pytest
import torch
from pydantic import TypeAdapter

from conftest import GREY, stripes, tiny_config, tiny_model
from ganvae.config import Params, parse
from ganvae.errors import ConfigError
from ganvae.images import from_uint8
from ganvae.models.balance import Balance, BalanceConfig, Turns, skipped
from ganvae.models.base import GenerativeModel
from ganvae.models.gan import GANConfig
from ganvae.models.registry import build_model, model_class, model_config, model_names

GANS = [name for name in model_names() if issubclass(model_class(name).config_class, GANConfig)]


@pytest.mark.parametrize(
    ("d_loss", "g_loss", "ratio", "expected"),
    [
        (0.69, 0.69, 2.0, Turns(False, False)),  # level
        (1.38, 0.69, 2.0, Turns(False, False)),  # exactly twice is not more than twice
        (1.39, 0.69, 2.0, Turns(False, True)),  # G is ahead
        (0.69, 1.38, 2.0, Turns(False, False)),
        (0.69, 1.39, 2.0, Turns(True, False)),  # D is ahead
        (0.69, 1.39, 3.0, Turns(False, False)),  # another ratio
        (1.0, 1.1, 0.5, Turns(False, False)),  # both inequalities hold: neither is left out
        (1.0, 2.1, 0.5, Turns(True, False)),  # only D's does
        (0.0, 0.0, 2.0, Turns(False, False)),  # before the first step
        (math.nan, 1.0, 2.0, Turns(False, False)),  # a broken loss is seen elsewhere
    ],
)
def test_the_rule(d_loss: float, g_loss: float, ratio: float, expected: Turns) -> None:
    assert skipped(d_loss, g_loss, ratio) == expected


def test_never_both_whatever_the_losses() -> None:
    for ratio in (0.1, 0.5, 1.0, 2.0, 10.0):
        for d in range(1, 40):
            for g in range(1, 40):
                assert skipped(d / 10, g / 10, ratio) != Turns(True, True)


@pytest.mark.parametrize("off", ["off", math.inf, None])
def test_off(off: object) -> None:
    config = parse(BalanceConfig, {"ratio": off}, "balance")
    assert config.ratio is None
    json.dumps(config.model_dump(), allow_nan=False)  # it goes into outcome.json
    balance = Balance(config)
    logged = balance.record(Turns(True, True), torch.tensor(0.01), torch.tensor(9.0))
    assert logged == {}
    assert balance.turns() == Turns(True, True)


@pytest.mark.parametrize("wrong", [0, -1.0, "on", True, math.nan])
def test_a_wrong_ratio_is_named(wrong: object) -> None:
    with pytest.raises(ConfigError, match=r"^balance\.ratio = "):
        parse(BalanceConfig, {"ratio": wrong}, "balance")


def test_decisions_follow_the_last_losses_and_are_logged() -> None:
    balance = Balance(BalanceConfig(ratio=2.0))
    assert balance.turns() == Turns(True, True)
    balance.record(Turns(True, True), torch.tensor(0.1), torch.tensor(2.0))
    turns = balance.turns()
    assert turns == Turns(discriminator=False, generator=True)
    logged = balance.record(turns, torch.tensor(3.0), torch.tensor(1.0))
    assert {name: value.item() for name, value in logged.items()} == {
        "d_skipped": 1.0,
        "g_skipped": 0.0,
    }
    assert balance.turns() == Turns(discriminator=True, generator=False)
    restored = Balance(BalanceConfig(ratio=2.0))
    restored.load_state_dict(balance.state_dict())
    assert restored.turns() == balance.turns()


def test_all_gans_are_known() -> None:
    assert GANS == ["balanced-gan", "dcgan", "keras-dcgan", "vae-gan", "vanilla-gan"]
    for name in model_names():
        assert (name in GANS) == (model_class(name).family != "vae")


def gan(smoke: Params, name: str, **balance: object) -> GenerativeModel:
    values = smoke.models[name] | {"balance": balance}
    return build_model(name, model_config(name, values), GREY, 0)


@pytest.mark.parametrize("name", GANS)
def test_learning_rates_keep_their_ratio(smoke: Params, name: str) -> None:
    optimizers = gan(smoke, name, learning_rate_ratio=4.0).optimizers()
    rates = {key: optimizer.param_groups[0]["lr"] for key, optimizer in optimizers.items()}
    generator = TypeAdapter(float).validate_python(rates.pop("generator"))
    assert generator == tiny_config(smoke, name).model_dump()["learning_rate"]
    assert rates.pop("discriminator") == pytest.approx(4 * generator, rel=1e-12)
    assert set(rates.values()) <= {generator}  # an encoder learns at G's rate


def state_of(model: GenerativeModel, network: str) -> list[torch.Tensor]:
    return [value.clone() for value in model.get_submodule(network).state_dict().values()]


def same(before: list[torch.Tensor], after: list[torch.Tensor]) -> bool:
    return all(torch.equal(old, new) for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("ahead", "other", "losses"),
    [("discriminator", "generator", [0.1, 1.0]), ("generator", "discriminator", [1.0, 0.1])],
)
@pytest.mark.parametrize("name", [name for name in GANS if name != "vae-gan"])
def test_one_sided_updates_change_one_side(
    smoke: Params, name: str, ahead: str, other: str, losses: list[float]
) -> None:
    """Weights, and batch norms' statistics too. In vae-gan the VAE's part of G learns on."""
    model = gan(smoke, name, ratio=2.0)
    model.get_buffer("balance.losses").copy_(torch.tensor(losses))
    before = {network: state_of(model, network) for network in (ahead, other)}
    images = from_uint8(stripes(model.real_images_per_step)[0])
    logged = model.train_step(images, model.optimizers(), torch.Generator().manual_seed(0))
    assert same(before[ahead], state_of(model, ahead)), f"{ahead} has changed"
    assert not same(before[other], state_of(model, other)), f"{other} has not changed"
    assert logged[f"{ahead[0]}_skipped"] == 1
    assert logged[f"{other[0]}_skipped"] == 0
    assert model.get_buffer("balance.losses").tolist() != losses  # both are evaluated anew


def test_a_skipped_side_comes_back(smoke: Params) -> None:
    """As G learns against a D that stands still, D's loss rises, and the rule lets D on."""
    model = gan(smoke, "vanilla-gan", ratio=1.05)
    images = from_uint8(stripes(model.real_images_per_step)[0])
    optimizers, noise = model.optimizers(), torch.Generator().manual_seed(0)
    turns = []
    for _ in range(300):
        step = model.train_step(images, optimizers, noise)
        turns.append((step["d_skipped"].item(), step["g_skipped"].item()))
    assert (1.0, 1.0) not in turns
    shares = [sum(column) / len(turns) for column in zip(*turns, strict=True)]
    assert any(0 < share < 1 for share in shares)


def test_step_counts_are_taken_from_it(smoke: Params) -> None:
    for name in GANS:
        model = gan(smoke, name, d_steps=3)
        one = tiny_model(smoke, name)
        assert model.real_images_per_step == 3 * one.real_images_per_step


def test_minimax_and_the_rule_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match=r"set balance\.ratio to off"):
        model_config("dcgan", {"generator_loss": "minimax", "balance": {"ratio": 2.0}})
