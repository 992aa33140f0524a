"""`ganvae check` finds each way in which a model may be wrong."""

import re
from pathlib import Path

import pytest
from test_own import VALID

from conftest import ROOT, tiny_config
from ganvae.config import Params
from ganvae.core.errors import ConfigError
from ganvae.models import own
from ganvae.models.registry import system_config
from ganvae.pipeline.contract import Checked, check_model

SHAPE = (1, 6, 6)
STEP = '        return {"loss": loss.detach()}\n'
DESCEND = '        descend(loss, optimizers["level"])\n'
GENERATE = "        return torch.sigmoid(self.level + latents[:, :, None, None])\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(folder: Path, text: str, bf16: bool = True) -> Checked:
    own._load.cache_clear()  # a process reads a file once
    (folder / "mine.py").write_text(text)
    config = system_config("mine.py", {"hidden": 3} if "hidden" in text else {})
    return check_model("mine.py", config, SHAPE, "mine", bf16=bf16)


def test_a_right_model_passes(folder: Path) -> None:
    assert check(folder, VALID) == Checked(36, invertible=True)


def test_every_system_passes(smoke: Params, name: str) -> None:
    checked = check_model(name, tiny_config(smoke, name), (1, 28, 28), name, bf16=True)
    assert checked.size > 0
    assert checked.invertible


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
        (
            DESCEND,
            DESCEND + "        self.level.data *= np.random.rand()\n",
            "differ in the weight level. Let train_step draw all random numbers",
        ),
        (
            "self.config, self.image_shape = config, image_shape",
            "self.config, self.image_shape = config, (1, 6, 7)",
            r"self\.image_shape is \(1, 6, 7\), but the images have the shape \(1, 6, 6\)",
        ),
        (
            "brightness: float = 0.5",
            "hidden: int",
            r"every parameter needs a default, but mine\.py\.hidden is missing",
        ),
        (
            "self.real_images_per_step = config.batch_size",
            "self.real_images_per_step = 4; self.huge = nn.Parameter(torch.full((2,), 1e6))",
            "huge is too large for a 16-bit float",
        ),
        (GENERATE, GENERATE.rstrip() + ".log().log()\n", "found nan. Find the operation"),
        (GENERATE, "        return self.level + latents[:, :, None, None]\n", "must lie in"),
        (GENERATE, GENERATE.replace("return ", "return 2 + "), "end with a sigmoid or clamp"),
        (
            GENERATE,
            GENERATE.rstrip() + ".flatten(1)\n",
            r"from 4 latents have the shape \(4, 36\), but should have \(4, 1, 6, 6\)",
        ),
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
            r"from 4 latents have the shape \(4, 1, 5, 6\), but should have \(4, 1, 6, 6\)",
        ),
        (GENERATE, "        raise SystemExit(3)\n", r"line \d+: SystemExit: 3"),
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
        assert check(folder, text).size == 36
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
        ("raise SystemExit", r"line \d+: SystemExit\.$"),
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
    assert check(folder, text.replace(mask, buffer)).size == 36


@pytest.mark.parametrize(
    "generate",
    [
        "        return (self.level.sigmoid() > latents[:, :, None, None]).float()\n",
        "        with torch.no_grad():\n    " + GENERATE,
    ],
)
def test_a_model_without_gradients_for_latents_passes(folder: Path, generate: str) -> None:
    """Autoregressive models and models with discrete latents have none."""
    assert not check(folder, VALID.replace(GENERATE, generate)).invertible


def test_tied_weights_and_large_masks_pass(folder: Path) -> None:
    tied = LEVEL + "\n        self.same = self.level"
    mask = tied + "\n        self.register_buffer('mask', torch.full((2, 2), -1e9))"
    assert check(folder, VALID.replace(LEVEL, mask)).size == 36


NETWORK = LEVEL + "\n        self.network = Strict()"
STRICT = """
class Strict(nn.Linear):
    def __init__(self):
        super().__init__(6, 6)

    def forward(self, images):
        outputs = super().forward(images)
        outputs.detach().numpy()  # NumPy has no bf16
        return outputs
"""


def test_a_model_that_fails_in_bf16_is_found_where_bf16_is_possible(folder: Path) -> None:
    text = VALID.replace(LEVEL, NETWORK).replace("class Grey", STRICT + "\nclass Grey")
    text = text.replace("(torch.sigmoid(self.level)", "(self.network(torch.sigmoid(self.level))")
    with pytest.raises(ConfigError, match=r"in bf16 fails .* Set compute\.precision to fp32"):
        check(folder, text)
    assert check(folder, text, bf16=False).size == 36 + 42


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


@pytest.fixture
def gan() -> str:
    """The GAN in the documentation."""
    page = (ROOT / "docs/your-own-benchmark.md").read_text()
    (text,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    return text


def test_the_gan_in_the_documentation_passes(folder: Path, gan: str) -> None:
    assert check(folder, gan).invertible


GENERATOR, DISCRIMINATOR = "nn.Unflatten(1, shape)", "nn.Linear(hidden, 1)"


@pytest.mark.parametrize("last", ["Sigmoid", "Tanh", "Hardsigmoid"])
@pytest.mark.parametrize(
    ("network", "message"),
    [(GENERATOR, "the generator must return"), (DISCRIMINATOR, "the discriminator must return")],
)
def test_a_network_must_return_logits(
    folder: Path, gan: str, network: str, last: str, message: str
) -> None:
    assert network in gan
    with pytest.raises(ConfigError, match=f"{message} logits, but .* sigmoid or tanh. Remove"):
        check(folder, gan.replace(network, f"{network}, nn.{last}()"))


@pytest.mark.parametrize("prior", ["normal", "uniform"])
@pytest.mark.parametrize("activation", ["Tanh", "ReLU"])
def test_bounded_hidden_layers_are_allowed(
    folder: Path, gan: str, activation: str, prior: str
) -> None:
    text = gan.replace("nn.ReLU", f"nn.{activation}").replace("nn.LeakyReLU(0.2)", "nn.Tanh()")
    assert check(
        folder, text.replace("    hidden: int", f'    prior: str = "{prior}"\n    hidden: int')
    )


def test_wrong_sizes_of_layers_are_explained(folder: Path, gan: str) -> None:
    wrong = gan.replace("nn.Linear(self.latent_size, hidden)", "nn.Linear(7, hidden)")
    with pytest.raises(
        ConfigError, match=r"latents of the shape \(4, 64\) \(.*mat1 and mat2"
    ) as error:
        check(folder, wrong)
    assert str(error.value).endswith("Check the sizes of the layers that decode latents.")
    flat = gan.replace(", nn.Unflatten(1, shape)", "")
    with pytest.raises(
        ConfigError, match=r"have the shape \(4, 36\), but should have \(4, 1, 6, 6\)"
    ):
        check(folder, flat)
