"""`ganvae check` finds each way in which a model may be wrong."""

from pathlib import Path

import pytest
from test_own import VALID

from conftest import tiny_config
from ganvae.config import Params
from ganvae.core.errors import ConfigError
from ganvae.models import own
from ganvae.models.contract import check_model
from ganvae.models.registry import system_config

SHAPE = (1, 6, 6)
STEP = '        return {"loss": loss.detach()}\n'
DESCEND = '        descend(loss, optimizers["level"])\n'
GENERATE = "        return torch.sigmoid(self.level + latents[:, :, None, None])\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(folder: Path, text: str) -> int:
    own._load.cache_clear()  # a process reads a file once
    (folder / "mine.py").write_text(text)
    return check_model("mine.py", system_config("mine.py", {}), SHAPE, "mine")


def test_a_right_model_passes(folder: Path) -> None:
    assert check(folder, VALID) == 36


def test_every_system_passes(smoke: Params, name: str) -> None:
    assert check_model(name, tiny_config(smoke, name), (1, 28, 28), name) > 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "torch.zeros(image_shape)",
            "torch.from_numpy(np.random.default_rng().random(image_shape, 'float32'))",
            "two models from the same seed differ in the weight level",
        ),
        (STEP, "        return {}\n", r"the losses \(none\), and then \(none\)"),
        (STEP, "        return {str(id(loss)): loss.detach()}\n", "the same names in every step"),
        (STEP, '        return {"loss": loss}\n', "the loss loss is no detached scalar"),
        (STEP, '        return {"loss": float(loss)}\n', "the loss loss is no detached scalar"),
        (STEP, '        return {"loss": loss.detach() / 0}\n', "the loss loss is inf"),
        (DESCEND, "", "two training steps changed no weight"),
        (GENERATE, "        return self.level + latents[:, :, None, None]\n", "must lie in"),
        (GENERATE, GENERATE.replace("return ", "return 2 + "), "end with a sigmoid or clamp"),
        (GENERATE, GENERATE.rstrip() + ".flatten(1)\n", "with the shape N x C x H x W"),
        (
            "self.real_images_per_step = config.batch_size",
            "pass",
            r"set self\.real_images_per_step in __init__",
        ),
        (GENERATE, "        return torch.rand(4, 1, 6, 6)\n", "two draws from the same generator"),
        (
            GENERATE,
            GENERATE.replace("self.level", "self.level * latents.mean()"),
            "a sample depends on the other samples of its batch",
        ),
        (
            GENERATE,
            "        return torch.sigmoid(self.level + latents[:, :, None, None])[:, :, 1:]\n",
            r"samples have the shape \(4, 1, 5, 6\), but should have \(4, 1, 6, 6\)",
        ),
        (GENERATE, "        return latents.nothing\n", r"line \d+: AttributeError: 'Tensor' obj"),
        (
            "self.level = nn.Parameter(torch.zeros(image_shape))",
            "self.level, self.steps = nn.Parameter(torch.zeros(image_shape)), 0",
            None,
        ),
    ],
)
def test_each_fault_is_found(folder: Path, old: str, new: str, message: str | None) -> None:
    assert old in VALID
    text = "import numpy as np\n" + VALID.replace(old, new)
    if message is None:
        assert check(folder, text) == 36
        return
    with pytest.raises(ConfigError, match=message) as error:
        check(folder, text)
    assert str(error.value).startswith("variant mine (mine.py): ")
    assert "\n" not in str(error.value)


LEVEL = "self.level = nn.Parameter(torch.zeros(image_shape))"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nothing_like_this", r"line \d+: NameError: name 'nothing_like_this' is not defined\.$"),
        ("torch.ones(2) @ torch.ones(3)", r"line \d+: RuntimeError: inconsistent tensor size"),
        ("float('x')", r"line \d+: ValueError: could not convert"),
        (
            "self.half = torch.tensor(0.5).item()",
            r"__init__ fails with tensors that have no values \(line \d+: .*\)\. .* Python numbers",
        ),
        ("self.huge = nn.Linear(2**40, 2**40)", r"needs about .* GB of memory"),
        ("self.huge = nn.Linear(2**70, 2)", r"needs about .* GB of memory"),
    ],
)
def test_a_fault_of_the_constructor_is_found(folder: Path, line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check(folder, VALID.replace(LEVEL, f"{LEVEL}\n        {line}"))


def test_what_the_seed_determines_must_be_saved(folder: Path) -> None:
    """A random mask that is no buffer is lost with the model."""
    mask = "self.mask = torch.rand(image_shape)"
    text = VALID.replace(
        "self.real_images_per_step = config.batch_size",
        f"self.real_images_per_step = config.batch_size\n        {mask}",
    )
    text = text.replace("self.level + latents[", "self.level + self.mask + latents[")
    with pytest.raises(ConfigError, match="a saved and loaded model draws other samples"):
        check(folder, text)
    buffer = 'self.register_buffer("mask", torch.rand(image_shape))'
    assert check(folder, text.replace(mask, buffer)) == 36


def test_a_model_that_forgets_what_it_needs_is_found(folder: Path) -> None:
    """The number of steps is neither a parameter nor a buffer, but moves the samples."""
    text = VALID.replace(
        "self.real_images_per_step = config.batch_size",
        "self.real_images_per_step = config.batch_size\n        self.steps = 0",
    )
    text = text.replace(DESCEND, DESCEND + "        self.steps += 1\n")
    text = text.replace("self.level + latents[", "self.level + self.steps + latents[")
    with pytest.raises(ConfigError, match="a saved and loaded model draws other samples"):
        check(folder, text)
