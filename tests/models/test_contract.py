"""The rules that every registered system must follow."""

import copy
import hashlib
from pathlib import Path

import pytest
import torch
from gradients import network_of, objectives, recorders
from networks import Listener
from torch import Tensor, nn

from conftest import GREY, stripes, tiny_config, tiny_model
from gan_options import CANCELS, COMBINATIONS, GANS, changes
from ganvae.config import ModelConfig, Params
from ganvae.core.errors import DataError
from ganvae.core.files import sha256
from ganvae.core.images import check_images, from_uint8
from ganvae.core.tensors import load_tensors
from ganvae.models.base import GenerativeModel, ImageShape, VariationalModel, evaluating
from ganvae.models.gan import AdversarialModel
from ganvae.models.registry import build_model, system_class, system_config, system_names
from ganvae.models.weights import load_model, round_weights, save_model

CASES = [
    *((name, "") for name in system_names()),
    *((name, combination) for name in GANS for combination in COMBINATIONS),
]


@pytest.fixture(params=CASES, ids=lambda case: "-".join(filter(None, case)))
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Every system in turn; every GAN also with each combination of options."""
    name, combination = request.param
    return name, combination


@pytest.fixture
def config(smoke: Params, case: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> ModelConfig:
    monkeypatch.setattr("ganvae.models.gan.DRAWS", 200)
    name, combination = case
    options = changes(name, combination) if combination else {}
    return system_config(name, smoke.variants[name] | options)


@pytest.fixture
def model(case: tuple[str, str], config: ModelConfig) -> GenerativeModel:
    return build_model(case[0], config, GREY, seed=0)


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(model: GenerativeModel) -> Tensor:
    return from_uint8(stripes(model.real_images_per_step, model.image_shape)[0])


def weights_hash(model: nn.Module) -> str:
    content = b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())
    return hashlib.sha256(content).hexdigest()


def train(model: GenerativeModel, steps: int) -> dict[str, Tensor]:
    optimizers, noise, images = model.optimizers(), random(), batch(model)
    for _ in range(steps):
        losses = model.train_step(images, optimizers, noise)
    if isinstance(model, AdversarialModel):  # VAEs with a fitted prior have tests of their own
        model.fit_sampling(stripes(20, model.image_shape)[0], random())
    return losses


def last_bias(model: GenerativeModel) -> str:
    """The name of the last bias of D, a constant that is added to all logits."""
    names = [name for name, _ in model.named_parameters() if name.startswith("discriminator")]
    return [name for name in names if name.endswith("bias")][-1]


def test_each_system_is_registered_under_its_own_name(name: str) -> None:
    cls = system_class(name)
    assert cls.name == name
    assert cls.family in ("gan", "vae", "hybrid")
    assert cls.source


def test_defaults_are_complete(name: str) -> None:
    assert system_config(name, {}).schedule.length > 0


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 28, 28), (1, 32, 32), (1, 64, 64)], ids=str)
def test_any_image_shape(smoke: Params, name: str, shape: ImageShape) -> None:
    model = tiny_model(smoke, name, shape)
    train(model, 1)
    samples = check_images(model.sample(5, random()))
    assert samples.shape == (5, *shape)
    if isinstance(model, VariationalModel):
        images = from_uint8(stripes(4, shape)[0])
        assert check_images(model.reconstruct(images)).shape == images.shape


def test_losses_are_detached_finite_scalars_with_fixed_names(model: GenerativeModel) -> None:
    first, second = train(model, 1), train(model, 2)
    assert first.keys() == second.keys()
    for loss in second.values():
        assert loss.shape == ()
        assert not loss.requires_grad
        assert torch.isfinite(loss)


def test_training_changes_every_network(case: tuple[str, str], model: GenerativeModel) -> None:
    before = {name: value.clone() for name, value in model.named_parameters()}
    train(model, 2)
    for name, value in model.named_parameters():
        if case[1] in CANCELS and name == last_bias(model):
            continue
        assert not torch.equal(before[name], value), f"{name} has not been trained"


def test_pin_2_sampling_leaves_mode_buffers_and_weights_alone(model: GenerativeModel) -> None:
    train(model, 2)
    model.train()
    before = weights_hash(model)
    learned = [parameter.requires_grad for parameter in model.parameters()]
    model.sample(7, random())
    if isinstance(model, VariationalModel):
        model.reconstruct(batch(model))
    assert weights_hash(model) == before
    assert all(module.training for module in model.modules())
    assert [parameter.requires_grad for parameter in model.parameters()] == learned


def test_pin_2_a_sample_does_not_depend_on_its_batch_mates(model: GenerativeModel) -> None:
    train(model, 3)
    latents = model.sample_prior(9, random())
    together = model.decode(latents)
    assert len(together) == 9
    apart = torch.cat([model.decode(latent) for latent in latents.split(1)])
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-6)
    if isinstance(model, VariationalModel):
        images = batch(model)[:9]
        alone = torch.cat([model.reconstruct(image) for image in images.split(1)])
        torch.testing.assert_close(model.reconstruct(images), alone, rtol=0, atol=1e-6)


def test_pin_2_the_latents_of_samples_do_not_depend_on_the_batch(model: GenerativeModel) -> None:
    """The first draws with the same generator agree, whatever the number of samples."""
    train(model, 3)
    few, many = (model.sample_latents(n, random()) for n in (16, 48))
    torch.testing.assert_close(few, many[:16])


def test_pin_2_sampling_and_reconstruction_are_in_eval_mode(model: GenerativeModel) -> None:
    """This also holds for models without any layer that depends on the mode."""
    listeners = []
    for network, module in list(model.named_children()):
        if next(module.parameters(), None) is not None:
            listeners.append(Listener(module))
            setattr(model, network, listeners[-1])
    model.train()
    model.sample(3, random())
    if isinstance(model, VariationalModel):
        model.reconstruct(batch(model))
    modes = [mode for listener in listeners for mode in listener.modes]
    assert len(modes) >= 1
    assert not any(modes)


def test_pin_9_no_image_is_dropped_whatever_the_batch_size(model: GenerativeModel) -> None:
    train(model, 3)
    latents, images = model.sample_prior(10, random()), batch(model)[:10]
    assert len(images) == 10
    for batch_size in (1, 4, 10, 99):
        decoded = model.decode(latents, batch_size)
        torch.testing.assert_close(decoded, model.decode(latents, 10), rtol=0, atol=1e-6)
        assert len(model.sample(10, random(), batch_size)) == 10
        if isinstance(model, VariationalModel):
            again = model.reconstruct(images, batch_size)
            torch.testing.assert_close(again, model.reconstruct(images, 10), rtol=0, atol=1e-6)
            assert len(again) == 10


def test_pin_8_same_seed_same_weights(case: tuple[str, str], config: ModelConfig) -> None:
    state = torch.get_rng_state()
    first, again, other = (
        weights_hash(build_model(case[0], config, GREY, seed)) for seed in (0, 0, 1)
    )
    assert first == again != other
    assert torch.equal(torch.get_rng_state(), state)


def test_all_noise_comes_from_the_generator(case: tuple[str, str], config: ModelConfig) -> None:
    models = [build_model(case[0], config, GREY, seed=0) for _ in range(2)]
    for number, model in enumerate(models):
        torch.manual_seed(number)
        train(model.eval(), 2)  # eval mode, because dropout uses the global generator
    assert weights_hash(models[0]) == weights_hash(models[1])


def test_a_weights_file_rebuilds_the_model(
    case: tuple[str, str], config: ModelConfig, tmp_path: Path
) -> None:
    model = build_model(case[0], config, GREY, seed=3)
    train(model, 2)
    path = tmp_path / "weights.safetensors"
    save_model(path, model, config, seed=3)
    loaded = load_model(path)
    assert type(loaded) is type(model)
    assert weights_hash(loaded) == weights_hash(model)
    assert torch.equal(loaded.sample(4, random()), model.sample(4, random()))
    save_model(tmp_path / "again", loaded, config, seed=3)
    assert sha256(tmp_path / "again") == sha256(path)


PRIOR_VARIANCES = {"vanilla-gan": 1 / 3, "keras-dcgan": 1 / 3}  # U[-1, 1]; all others N(0, I)


def test_prior_has_the_moments_of_its_distribution(model: GenerativeModel) -> None:
    latents = model.sample_prior(40_000, random())
    assert latents.mean().item() == pytest.approx(0, abs=0.01)
    expected = PRIOR_VARIANCES.get(model.name, 1.0)
    torch.testing.assert_close(
        latents.var(dim=0), torch.full(latents.shape[1:], expected), rtol=0.05, atol=0
    )


def test_prior_draws_follow_the_generator(model: GenerativeModel) -> None:
    assert torch.equal(model.sample_prior(6, random(1)), model.sample_prior(6, random(1)))
    assert not torch.equal(model.sample_prior(6, random(1)), model.sample_prior(6, random(2)))


def test_pin_1_each_network_descends_its_own_objective_alone(
    case: tuple[str, str], model: GenerativeModel
) -> None:
    """Each step uses only the gradient of the network's own loss.

    No gradient of D's loss reaches G, and no gradient of G's loss reaches D.
    """
    images, before_the_step, stepped = batch(model), copy.deepcopy(model), recorders(model)
    torch.manual_seed(0)  # dropout
    model.train_step(images, stepped, random())  # type: ignore[arg-type]
    torch.manual_seed(0)
    expected = objectives(before_the_step, images, random())
    assert stepped.keys() == expected.keys()
    for optimizer, loss in expected.items():
        network = network_of(before_the_step, optimizer)
        own = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
        (gradients,) = stepped[optimizer].steps
        names = [f"{optimizer}.{name}" for name, _ in network.named_parameters()]
        for name, gradient, mine in zip(names, gradients, own, strict=True):
            torch.testing.assert_close(gradient, mine)
            unused = case[1] in CANCELS and name == last_bias(model)
            assert mine.abs().max() > 0 or unused, name
    if "discriminator" not in expected:
        return
    assert stepped["discriminator"].reached == [{"discriminator"}], (
        "the D step reaches another network"
    )
    assert "discriminator" not in stepped["generator"].reached[0], "the G step reaches D"
    others = [
        parameter
        for network, parameter in before_the_step.named_parameters()
        if not network.startswith("discriminator")
    ]
    strays = torch.autograd.grad(expected["discriminator"], others, allow_unused=True)
    assert all(gradient is None for gradient in strays), "D's loss depends on another network"


def test_d_steps_and_g_steps_are_taken(smoke: Params, name: str) -> None:
    if system_class(name).family == "vae":
        return
    values = tiny_config(smoke, name).model_dump() | {"balance": {"d_steps": 3, "g_steps": 2}}
    model = build_model(name, system_config(name, values), GREY, 0)
    stepped = recorders(model)
    model.train_step(batch(model), stepped, random())  # type: ignore[arg-type]
    assert len(stepped.pop("discriminator").steps) == 3
    for recorder in stepped.values():  # the encoder steps with the generator
        assert len(recorder.steps) == 2


def test_pin_2_evaluating_restores_modes_one_by_one(model: GenerativeModel) -> None:
    model.train()
    first_child = next(model.children()).eval()
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert model.training
    assert not first_child.training


def test_weights_of_convolutions_are_in_channels_last_memory(model: GenerativeModel) -> None:
    """Weights of one channel need the strides too, because torch reads the format from them."""
    for name, weight in model.named_parameters():
        if weight.ndim == 4:
            expected = torch.empty(weight.shape, memory_format=torch.channels_last)
            assert weight.stride() == expected.stride(), name


def test_weights_of_another_format_are_refused(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.safetensors"
    monkeypatch.setattr("ganvae.models.weights.FORMAT", 1)
    save_model(path, tiny_model(smoke, "dcgan"), tiny_config(smoke, "dcgan"), seed=0)
    monkeypatch.undo()
    with pytest.raises(DataError, match=r"version of this program, .* Train the model again\.$"):
        load_model(path)


def test_output_scale_multiplies_the_logits_of_samples_only(smoke: Params, name: str) -> None:
    plain = tiny_model(smoke, name)
    config = plain.config.model_copy(update={"output_scale": 1.5})
    scaled = build_model(name, config, plain.image_shape, seed=0)
    scaled.load_state_dict(plain.state_dict())
    latents = plain.sample_latents(6, random())
    expected = torch.sigmoid(1.5 * torch.logit(plain.decode(latents).double()))
    assert torch.allclose(scaled.decode(latents).double(), expected, atol=1e-6)
    with evaluating(plain), evaluating(scaled):
        assert torch.equal(scaled.generate(latents), plain.generate(latents))
        assert torch.equal(plain.render(latents), plain.generate(latents))


def test_rounded_weights_are_stored_in_16_bits_without_loss(
    smoke: Params, name: str, tmp_path: Path
) -> None:
    model, path = tiny_model(smoke, name), tmp_path / "weights.safetensors"
    train(model, 2)
    assert round_weights(model) is None
    save_model(path, model, tiny_config(smoke, name), seed=0)
    stored, _ = load_tensors(path)
    for key, tensor in model.state_dict().items():
        small = tensor.is_floating_point() and not key.startswith("balance.")
        assert (stored[key].dtype == torch.float16) == small or key.startswith("balance.")
        assert torch.equal(stored[key].to(tensor.dtype), tensor), key
    loaded = load_model(path)
    assert torch.equal(loaded.sample(3, random()), model.sample(3, random()))


def test_a_weight_too_large_for_16_bits_is_named(smoke: Params) -> None:
    model = tiny_model(smoke, "dcgan")
    model.get_parameter("generator.0.weight").data[0, 0] = 1e6
    assert round_weights(model) == "generator.0.weight"


def test_a_large_buffer_is_kept(smoke: Params) -> None:
    """An attention mask, for example."""
    model = tiny_model(smoke, "dcgan")
    model.register_buffer("mask", torch.tensor([-1e9, 0.1]))
    assert round_weights(model) is None
    assert model.get_buffer("mask")[0] == -1e9


def test_a_flipped_bit_in_a_weights_file_is_noticed(smoke: Params, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_model(path, tiny_model(smoke, "dcgan"), tiny_config(smoke, "dcgan"), seed=0)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"weights\.safetensors is damaged"):
        load_model(path)
