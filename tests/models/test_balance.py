"""The balance rule case by case, and its use in each GAN."""

import json
import math

import pytest
import torch
from pydantic import TypeAdapter

from conftest import GREY, stripes, tiny_config, tiny_model
from ganvae.config import Params, parse
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.models.adversary import GANConfig
from ganvae.models.balance import Balance, BalanceConfig, Turns, turns
from ganvae.models.base import GenerativeModel
from ganvae.models.registry import build_model, system_class, system_config, system_names

GANS = [name for name in system_names() if issubclass(system_class(name).config_class, GANConfig)]


@pytest.mark.parametrize(
    ("d_loss", "g_loss", "ratio", "d_learns", "g_learns"),
    [
        (0.69, 0.69, 2.0, True, True),  # equal losses
        (1.38, 0.69, 2.0, True, True),  # exactly twice is not more than twice
        (1.39, 0.69, 2.0, True, False),  # G is ahead
        (0.69, 1.38, 2.0, True, True),
        (0.69, 1.39, 2.0, False, True),  # D is ahead
        (0.69, 1.39, 3.0, True, True),  # another ratio
        (1.0, 1.1, 0.5, True, True),  # both conditions hold, so both learn
        (1.0, 2.1, 0.5, False, True),  # only D's condition holds
        (2.1, 1.0, 0.5, True, False),  # only G's condition holds
        (0.0, 0.0, 2.0, True, True),  # before the first step
        (math.nan, 1.0, 2.0, True, True),  # the training loop reports a NaN
    ],
)
def test_the_balance_rule(
    d_loss: float, g_loss: float, ratio: float, d_learns: bool, g_learns: bool
) -> None:
    assert turns(d_loss, g_loss, ratio) == Turns(discriminator=d_learns, generator=g_learns)


def test_at_least_one_network_always_learns() -> None:
    for ratio in (0.1, 0.5, 1.0, 2.0, 10.0):
        for d in range(1, 40):
            for g in range(1, 40):
                assert any(turns(d / 10, g / 10, ratio))


def step(balance: Balance, d_loss: float, g_loss: float) -> tuple[list[bool], dict[str, float]]:
    """Take one step with given losses. Returns whether D and G learned, and the logged values."""
    learned: list[bool] = []

    def d_step(real: torch.Tensor, learns: bool) -> dict[str, torch.Tensor]:
        learned.append(learns)
        return {"d_loss": torch.tensor(d_loss)}

    def g_step(learns: bool) -> dict[str, torch.Tensor]:
        learned.append(learns)
        return {"g_loss": torch.tensor(g_loss)}

    logged = balance.step(torch.zeros(6, 1), d_step, g_step)
    return learned, {name: value.item() for name, value in logged.items()}


@pytest.mark.parametrize("off", ["off", math.inf, None])
def test_the_balance_rule_can_be_off(off: object) -> None:
    config = parse(BalanceConfig, {"ratio": off}, "balance")
    assert config.ratio is None
    json.dumps(config.model_dump(), allow_nan=False)  # outcome.json contains it
    balance = Balance(config, d_terms=1)
    for _ in range(2):
        learned, logged = step(balance, 0.01, 9.0)
        assert learned == [True, True]
        assert logged.keys() == {"d_loss", "g_loss"}


@pytest.mark.parametrize("wrong", [0, -1.0, "on", True, math.nan])
def test_an_error_names_an_invalid_ratio(wrong: object) -> None:
    with pytest.raises(ConfigError, match=r"^balance\.ratio is "):
        parse(BalanceConfig, {"ratio": wrong}, "balance")


def test_decisions_follow_the_last_losses_and_are_logged() -> None:
    balance = Balance(BalanceConfig(ratio=2.0), d_terms=1)
    learned, logged = step(balance, 0.1, 2.0)  # both learn in the first step
    assert learned == [True, True]
    assert (logged["d_skipped"], logged["g_skipped"]) == (0, 0)
    learned, logged = step(balance, 3.0, 1.0)
    assert learned == [False, True]
    assert (logged["d_skipped"], logged["g_skipped"]) == (1, 0)
    restored = Balance(BalanceConfig(ratio=2.0), d_terms=1)
    restored.load_state_dict(balance.state_dict())
    for current in (balance, restored):
        learned, logged = step(current, 1.0, 1.0)
        assert learned == [True, False]
        assert (logged["d_skipped"], logged["g_skipped"]) == (0, 1)


def test_each_d_step_gets_its_own_part_of_the_images() -> None:
    parts: list[int] = []
    g_steps: list[bool] = []
    balance = Balance(BalanceConfig(d_steps=3, g_steps=2), d_terms=1)
    loss = torch.tensor(1.0)
    balance.step(
        torch.zeros(6, 1),
        lambda real, learns: (parts.append(len(real)), {"d_loss": loss})[1],
        lambda learns: (g_steps.append(learns), {"g_loss": loss})[1],
    )
    assert parts == [2, 2, 2]
    assert len(g_steps) == 2


def test_the_list_of_gans_is_complete() -> None:
    assert GANS == ["balanced-gan", "dcgan", "keras-dcgan", "vae-gan", "vanilla-gan"]
    for name in system_names():
        assert (name in GANS) == (system_class(name).family != "vae")


def gan(smoke: Params, name: str, **balance: object) -> GenerativeModel:
    values = smoke.variants[name] | {"balance": balance}
    return build_model(name, system_config(name, values), GREY, 0)


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
def test_only_the_network_that_learns_changes(
    smoke: Params, name: str, ahead: str, other: str, losses: list[float]
) -> None:
    """This holds for weights and the statistics of batch norms.

    vae-gan is not tested here, because its G always learns from the VAE's losses.
    """
    model = gan(smoke, name, ratio=2.0)
    model.get_buffer("balance.losses").copy_(torch.tensor(losses))
    before = {network: state_of(model, network) for network in (ahead, other)}
    images = from_uint8(stripes(model.real_images_per_step)[0])
    logged = model.train_step(images, model.optimizers(), torch.Generator().manual_seed(0))
    assert same(before[ahead], state_of(model, ahead)), f"{ahead} has changed"
    assert not same(before[other], state_of(model, other)), f"{other} has not changed"
    assert logged[f"{ahead[0]}_skipped"] == 1
    assert logged[f"{other[0]}_skipped"] == 0
    assert model.get_buffer("balance.losses").tolist() != losses  # both losses are computed again


def test_a_skipped_network_learns_again_later(smoke: Params) -> None:
    """While a network is skipped, the other one learns, so the skipped network's loss rises."""
    model = gan(smoke, "balanced-gan", ratio=1.2)
    images = from_uint8(stripes(model.real_images_per_step)[0])
    optimizers, noise = model.optimizers(), torch.Generator().manual_seed(0)
    skips: dict[str, str] = {"d_skipped": "", "g_skipped": ""}
    for _ in range(300):
        losses = model.train_step(images, optimizers, noise)
        assert losses["d_skipped"] + losses["g_skipped"] < 2
        for name in skips:
            skips[name] += str(int(losses[name]))
        if "10" in skips["d_skipped"] and "01" in skips["d_skipped"].lstrip("1"):
            break
    assert "10" in skips["d_skipped"], "D must be skipped and learn again"
    assert "01" in skips["d_skipped"].lstrip("1"), "D must be skipped again after that"


def test_the_balance_rule_compares_log_2_and_log_2_at_the_equilibrium(smoke: Params) -> None:
    """This holds whether D's loss is a sum or a mean, so a ratio means the same in every GAN."""
    for name in GANS:
        model = gan(smoke, name, ratio=2.0)
        for parameter in model.get_submodule("discriminator").parameters():
            torch.nn.init.zeros_(parameter)  # all logits are 0
        for optimizer in (optimizers := model.optimizers()).values():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] = 0.0
        images = from_uint8(stripes(model.real_images_per_step)[0])
        model.train_step(images, optimizers, torch.Generator().manual_seed(0))
        levels = model.get_buffer("balance.losses").tolist()
        assert levels == pytest.approx([math.log(2)] * 2, rel=1e-5), name


def test_d_steps_multiply_the_real_images_per_step(smoke: Params) -> None:
    for name in GANS:
        model = gan(smoke, name, d_steps=3)
        default = tiny_model(smoke, name)
        assert model.real_images_per_step == 3 * default.real_images_per_step


def test_minimax_with_the_balance_rule_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Set balance\.ratio to off"):
        system_config("dcgan", {"generator_loss": "minimax", "balance": {"ratio": 2.0}})
