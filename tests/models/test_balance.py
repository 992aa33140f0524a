"""The balance rule case by case, and what each GAN takes from it."""

import json
import math

import pytest
import torch
from pydantic import TypeAdapter

from conftest import GREY, stripes, tiny_config, tiny_model
from ganvae.config import Params, parse
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8
from ganvae.models.balance import Balance, BalanceConfig, Turns, turns
from ganvae.models.base import GenerativeModel
from ganvae.models.gan import GANConfig
from ganvae.models.registry import build_model, system_class, system_config, system_names

GANS = [name for name in system_names() if issubclass(system_class(name).config_class, GANConfig)]


@pytest.mark.parametrize(
    ("d_loss", "g_loss", "ratio", "d_learns", "g_learns"),
    [
        (0.69, 0.69, 2.0, True, True),  # level
        (1.38, 0.69, 2.0, True, True),  # exactly twice is not more than twice
        (1.39, 0.69, 2.0, True, False),  # G is ahead
        (0.69, 1.38, 2.0, True, True),
        (0.69, 1.39, 2.0, False, True),  # D is ahead
        (0.69, 1.39, 3.0, True, True),  # another ratio
        (1.0, 1.1, 0.5, True, True),  # both inequalities hold: nobody is left out
        (1.0, 2.1, 0.5, False, True),  # only D's does
        (2.1, 1.0, 0.5, True, False),  # only G's does
        (0.0, 0.0, 2.0, True, True),  # before the first step
        (math.nan, 1.0, 2.0, True, True),  # a broken loss is seen elsewhere
    ],
)
def test_the_rule(
    d_loss: float, g_loss: float, ratio: float, d_learns: bool, g_learns: bool
) -> None:
    assert turns(d_loss, g_loss, ratio) == Turns(discriminator=d_learns, generator=g_learns)


def test_somebody_learns_whatever_the_losses() -> None:
    for ratio in (0.1, 0.5, 1.0, 2.0, 10.0):
        for d in range(1, 40):
            for g in range(1, 40):
                assert any(turns(d / 10, g / 10, ratio))


def play(balance: Balance, d_loss: float, g_loss: float) -> tuple[list[bool], dict[str, float]]:
    """One step whose losses are given: who learned, and what is logged."""
    asked: list[bool] = []

    def d_step(real: torch.Tensor, turn: bool) -> dict[str, torch.Tensor]:
        asked.append(turn)
        return {"d_loss": torch.tensor(d_loss)}

    def g_step(turn: bool) -> dict[str, torch.Tensor]:
        asked.append(turn)
        return {"g_loss": torch.tensor(g_loss)}

    logged = balance.step(torch.zeros(6, 1), d_step, g_step)
    return asked, {name: value.item() for name, value in logged.items()}


@pytest.mark.parametrize("off", ["off", math.inf, None])
def test_off(off: object) -> None:
    config = parse(BalanceConfig, {"ratio": off}, "balance")
    assert config.ratio is None
    json.dumps(config.model_dump(), allow_nan=False)  # it goes into outcome.json
    balance = Balance(config, d_terms=1)
    for _ in range(2):
        asked, logged = play(balance, 0.01, 9.0)
        assert asked == [True, True]
        assert logged.keys() == {"d_loss", "g_loss"}


@pytest.mark.parametrize("wrong", [0, -1.0, "on", True, math.nan])
def test_a_wrong_ratio_is_named(wrong: object) -> None:
    with pytest.raises(ConfigError, match=r"^balance\.ratio = "):
        parse(BalanceConfig, {"ratio": wrong}, "balance")


def test_decisions_follow_the_last_losses_and_are_logged() -> None:
    balance = Balance(BalanceConfig(ratio=2.0), d_terms=1)
    asked, logged = play(balance, 0.1, 2.0)  # before any losses both learn
    assert asked == [True, True]
    assert (logged["d_skipped"], logged["g_skipped"]) == (0, 0)
    asked, logged = play(balance, 3.0, 1.0)
    assert asked == [False, True]
    assert (logged["d_skipped"], logged["g_skipped"]) == (1, 0)
    restored = Balance(BalanceConfig(ratio=2.0), d_terms=1)
    restored.load_state_dict(balance.state_dict())
    for one in (balance, restored):
        asked, logged = play(one, 1.0, 1.0)
        assert asked == [True, False]
        assert (logged["d_skipped"], logged["g_skipped"]) == (0, 1)


def test_steps_are_counted_and_each_d_step_has_its_part() -> None:
    parts: list[int] = []
    g_steps: list[bool] = []
    balance = Balance(BalanceConfig(d_steps=3, g_steps=2), d_terms=1)
    loss = torch.tensor(1.0)
    balance.step(
        torch.zeros(6, 1),
        lambda real, turn: (parts.append(len(real)), {"d_loss": loss})[1],
        lambda turn: (g_steps.append(turn), {"g_loss": loss})[1],
    )
    assert parts == [2, 2, 2]
    assert len(g_steps) == 2


def test_all_gans_are_known() -> None:
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
    """As one learns against the other that stands still, the latter's loss rises: it is let on."""
    model = gan(smoke, "balanced-gan", ratio=1.2)
    images = from_uint8(stripes(model.real_images_per_step)[0])
    optimizers, noise = model.optimizers(), torch.Generator().manual_seed(0)
    skips: dict[str, str] = {"d_skipped": "", "g_skipped": ""}
    for _ in range(300):
        step = model.train_step(images, optimizers, noise)
        assert step["d_skipped"] + step["g_skipped"] < 2
        for name in skips:
            skips[name] += str(int(step[name]))
        if "10" in skips["d_skipped"] and "01" in skips["d_skipped"].lstrip("1"):
            break
    assert "10" in skips["d_skipped"], "D was left out and came back"
    assert "01" in skips["d_skipped"].lstrip("1"), "and was left out again"


def test_the_rule_sees_log_2_of_both_at_the_equilibrium(smoke: Params) -> None:
    """However a model adds up D's loss, so one ratio means the same for all."""
    for name in GANS:
        model = gan(smoke, name, ratio=2.0)
        for parameter in model.get_submodule("discriminator").parameters():
            torch.nn.init.zeros_(parameter)  # D cannot tell: all logits are 0
        for optimizer in (optimizers := model.optimizers()).values():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] = 0.0
        images = from_uint8(stripes(model.real_images_per_step)[0])
        model.train_step(images, optimizers, torch.Generator().manual_seed(0))
        levels = model.get_buffer("balance.losses").tolist()
        assert levels == pytest.approx([math.log(2)] * 2, rel=1e-5), name


def test_step_counts_are_taken_from_it(smoke: Params) -> None:
    for name in GANS:
        model = gan(smoke, name, d_steps=3)
        one = tiny_model(smoke, name)
        assert model.real_images_per_step == 3 * one.real_images_per_step


def test_minimax_and_the_rule_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match=r"set balance\.ratio to off"):
        system_config("dcgan", {"generator_loss": "minimax", "balance": {"ratio": 2.0}})
