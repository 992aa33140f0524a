"""Systems of users: files and plug-ins, and what is refused."""

import copy
import pickle
import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from ganvae import cli
from ganvae.config import RunConfig, parse
from ganvae.core.errors import ConfigError, DataError
from ganvae.models import own, own_code
from ganvae.models.registry import build_model, system_class, system_config, system_names
from ganvae.models.weights import load_model, save_model
from ganvae.pipeline.sampling import code_of
from ganvae.training.spec import RunSpec

VALID = """
from typing import ClassVar
import torch
from torch import nn
from ganvae.config import ModelConfig, Schedule
from ganvae.models.base import GenerativeModel, descend

class Config(ModelConfig):
    schedule: Schedule = Schedule(
        unit="steps", length=2, report_every=1, sample_every=1, checkpoint_every=1
    )
    batch_size: int = 4
    brightness: float = 0.5

class Grey(GenerativeModel):
    family = "other"
    source = "a grey image"
    config_class = Config

    def __init__(self, config, image_shape):
        super().__init__()
        self.config, self.image_shape = config, image_shape
        self.real_images_per_step = config.batch_size
        self.level = nn.Parameter(torch.zeros(image_shape))

    def optimizers(self):
        return {"level": torch.optim.SGD([self.level], 0.1)}

    def train_step(self, images, optimizers, generator):
        loss = (torch.sigmoid(self.level) - images).square().mean()
        descend(loss, optimizers["level"])
        return {"loss": loss.detach()}

    def sample_prior(self, n, generator):
        return torch.randn(n, 1, generator=generator)

    def generate(self, latents):
        return torch.sigmoid(self.level + latents[:, :, None, None])
"""


HIDDEN = r"mine\.py cannot be imported: line \d+: hidden needs a type: `hidden: int = 512`\.$"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a project, as the working folder."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> str:
    """Write a model file, and return its path from the project's root."""
    (folder / "models/mine.py").write_text(text)
    return "models/mine.py"


def test_a_model_in_a_file_has_the_name_of_the_file(folder: Path) -> None:
    name = write(folder, VALID)
    system = system_class(name)
    assert (system.name, system.family) == (name, "other")
    assert system is system_class(name)
    config = system_config(name, {"brightness": 0.25})
    assert config.model_dump()["brightness"] == 0.25
    assert name not in system_names()


def test_a_file_is_found_from_a_subfolder_of_the_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write(folder, VALID)
    (folder / "deep").mkdir()
    monkeypatch.chdir(folder / "deep")
    assert system_class(name).source == "a grey image"


def test_the_weights_of_a_users_model_can_be_loaded(folder: Path) -> None:
    name = write(folder, VALID)
    config = system_config(name, {})
    model = build_model(name, config, (1, 5, 4), seed=0)
    save_model(folder / "w.safetensors", model, config, seed=0)
    latents = torch.linspace(-1, 1, 3)[:, None]
    assert torch.equal(load_model(folder / "w.safetensors").decode(latents), model.decode(latents))
    (folder / name).unlink()
    own._load.cache_clear()
    with pytest.raises(ConfigError, match=r"file of the system models/mine\.py does not exist"):
        load_model(folder / "w.safetensors")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import nothing_like_this",
            r"No module named 'nothing_like_this'\. Install this module\.$",
        ),
        (
            "from ganvae.models.gan import Gone",
            r"cannot import name 'Gone' from '[\w.]+' \(.*\)\.$",
        ),
        ("from .shared import x", "with no known parent package. A model is one file."),
        ("x = 1\n\n1 / 0", "line 3: ZeroDivisionError"),
        ("class X(:", "line 1: SyntaxError"),
        ("x = 1", "defines no model. Write a class that derives from GenerativeModel"),
        ("from ganvae.models.vae import VAE", "defines no model"),
        ("import sys\nsys.exit(3)", "line 2: SystemExit: 3"),
        ("from beside import x", "No module named 'beside'. A model is one file. Install what"),
        (
            VALID + "\nclass Other(Grey):\n    pass\n",
            "models: Grey, Other. .*MODEL = Other",
        ),
        (VALID.replace("def generate", "def create"), "Grey lacks these methods: generate"),
        (VALID.replace('family = "other"', 'family = "flow"'), "attribute family: one of 'gan'"),
        (VALID.replace("    config_class = Config\n", ""), "attribute config_class: a class that"),
        (VALID.replace('    source = "a grey image"\n', ""), "attribute source: a line on"),
        (VALID.replace("brightness: float = 0.5", "hidden = 512"), HIDDEN),
        (
            VALID.replace("brightness: float = 0.5", "hidden = len"),
            "hidden needs a type: `hidden: TY",
        ),
        ("raise RuntimeError('one\\ntwo')", "line 1: RuntimeError: one two"),
        (
            "from ganvae.config import ModelConfig\n"
            "from ganvae.models.systems.dcgan import DCGAN\n"
            "class Mine(DCGAN):\n    config_class = ModelConfig\n",
            "attribute config_class: a class that derives from DCGANConfig in ganvae.models.sys",
        ),
        ("MODEL = 3", "gives 3, but a system is a class that derives from"),
    ],
)
def test_a_fault_in_a_file_is_one_clear_line(folder: Path, text: str, message: str) -> None:
    name = write(folder, text)
    (folder / "models/beside.py").write_text("x = 1")
    with pytest.raises(ConfigError, match=message) as error:
        system_class(name)
    assert "mine.py" in str(error.value)
    assert "\n" not in str(error.value)


def test_one_of_several_models_can_be_named(folder: Path) -> None:
    text = VALID + "\nclass Other(Grey):\n    source = 'the other'\n\nMODEL = Other\n"
    assert system_class(write(folder, text)).source == "the other"


def test_two_names_of_one_model_are_one_model(folder: Path) -> None:
    assert system_class(write(folder, VALID + "\nModel = Grey\n")).source == "a grey image"


def test_a_model_of_this_program_can_be_used_under_the_name_of_a_file(folder: Path) -> None:
    own._load.cache_clear()
    text = "from ganvae.models.systems.dcgan import DCGAN\nMODEL = DCGAN\n"
    name = write(folder, text)
    mine, theirs = system_class(name), system_class("dcgan")
    assert (mine.name, theirs.name) == (name, "dcgan")
    assert issubclass(mine, theirs)
    config = system_config(name, {"generator_channels": [8, 4], "discriminator_channels": [4, 8]})
    model = build_model(name, config, (1, 28, 28), seed=0)
    save_model(folder / "w.safetensors", model, config, seed=0)
    latents = model.sample_latents(2, torch.Generator().manual_seed(0))
    for other in (load_model(folder / "w.safetensors"), copy.deepcopy(model)):
        assert (type(other), other.name) == (mine, name)
        assert torch.equal(other.decode(latents), model.decode(latents))


def test_a_users_model_can_be_pickled(folder: Path) -> None:
    name = write(folder, VALID)
    model = build_model(name, system_config(name, {}), (1, 5, 4), seed=0)
    assert type(pickle.loads(pickle.dumps(model))) is system_class(name)


def test_a_missing_file_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"file of the system models/no\.py does not exist"):
        system_class("models/no.py")


@pytest.mark.parametrize("name", ["../evil.py", "a/../../evil.py", "/{}/evil.py", "./evil.py"])
def test_weights_run_no_file_outside_of_the_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    own_name = write(folder, VALID)
    config = system_config(own_name, {})
    model = build_model(own_name, config, (1, 5, 4), seed=0)
    (folder / "evil.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    (folder / "inner/a").mkdir(parents=True)
    monkeypatch.chdir(folder / "inner")
    model.name = name.format(folder)
    save_model(Path("w.safetensors"), model, config, seed=0)
    for load in (load_model, code_of):
        with pytest.raises(DataError, match="Only files below the project are imported"):
            load(Path("w.safetensors"))
    assert not Path("ran").exists()


def test_sampling_says_which_file_is_imported(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = write(folder, VALID)
    config = system_config(name, {})
    save_model(Path("w.safetensors"), build_model(name, config, (1, 5, 4), seed=0), config, seed=0)
    cli.commands(["sample", "w.safetensors", "--n", "1"], standalone_mode=False)
    assert capsys.readouterr().err == f"w.safetensors imports {folder}/models/mine.py\n"


def test_a_trained_file_is_named_by_its_path_in_the_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = write(folder, VALID)
    for given in (name, f"./{name}", str(folder / name), f"models/../{name}", "dcgan"):
        assert own_code.name_inside(given) == (name if "/" in given else "dcgan")
    monkeypatch.chdir(folder / "models")
    assert own_code.name_inside("./mine.py") == name
    (folder / ".dvc").rmdir()
    (folder / "models/deep").mkdir()
    monkeypatch.chdir("deep")
    with pytest.raises(
        ConfigError, match=r"^\.\./mine\.py: weights files name a model by its path"
    ):
        own_code.name_inside("../mine.py")


@pytest.mark.parametrize("system", ["/etc/x.py", "../x.py", "a/../x.py", "a b.py", "a/b.txt", ""])
def test_a_path_outside_the_project_is_no_system(system: str) -> None:
    run = {"variant": "x", "system": system, "seed": 0, "file": "params.yaml"}
    with pytest.raises(ConfigError, match=r"x\.system: .* nor the path of a Python file inside"):
        parse(RunConfig, run, "x")
    parse(RunConfig, run | {"system": "models/own/mine.py"}, "x")


def test_a_path_from_the_working_folder_is_explained() -> None:
    run = {"variant": "x", "system": "./models/x.py", "seed": 0, "file": "params.yaml"}
    with pytest.raises(ConfigError, match=r"digits, - and _\)\. Write the path without \./\.$"):
        parse(RunConfig, run, "x")


class Points(list[EntryPoint]):
    """Entry points that stand for installed plug-ins."""

    def __call__(self, group: str) -> list[EntryPoint]:
        return [point for point in self if point.group == group]


@pytest.fixture
def plug_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Points:
    """A plug-in named ``grey``, in an importable module ``greys``."""
    (folder / "greys.py").write_text(VALID)
    monkeypatch.syspath_prepend(str(folder))
    points = Points([EntryPoint("grey", "greys:Grey", own_code.GROUP)])
    monkeypatch.setattr(own_code, "entry_points", points)
    for cached in (own_code.plug_ins, own.from_plug_in):
        cached.cache_clear()
    yield points
    for cached in (own_code.plug_ins, own.from_plug_in):
        cached.cache_clear()
    sys.modules.pop("greys", None)


def test_a_plug_in_is_a_system(plug_in: Points) -> None:
    assert system_class("grey").name == "grey"
    with pytest.raises(ConfigError, match=r"one of these systems: .*vanilla-gan, grey\. Or give"):
        system_class("gray")


def test_a_system_of_this_package_wins_over_a_plug_in(plug_in: Points) -> None:
    plug_in.append(EntryPoint("dcgan", "greys:Grey", own_code.GROUP))
    assert system_class("dcgan").family == "gan"


def test_the_list_of_systems_names_faulty_and_unused_plug_ins_in_one_line_each(
    plug_in: Points, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.py").write_text("raise RuntimeError('one\\ntwo')\n")
    plug_in += [
        EntryPoint("broken", "broken:Model", own_code.GROUP),
        EntryPoint("twice", "greys:Grey", own_code.GROUP),
        EntryPoint("twice", "others:Grey", own_code.GROUP),
        EntryPoint("dcgan", "greys:Grey", own_code.GROUP),
    ]
    cli.commands(["models"], standalone_mode=False)
    output = capsys.readouterr()
    assert [line.split()[0] for line in output.out.splitlines()] == [*system_names(), "grey"]
    unused, broken, twice = output.err.splitlines()
    assert unused.startswith("warning: system 'dcgan' of the package greys is not used, because")
    assert broken.startswith("warning: system 'broken' of the package broken cannot be imported: R")
    assert broken.endswith("RuntimeError: one two.")
    assert twice.startswith("warning: the packages greys and others both have a system named 'twi")
    assert system_class("grey").name == "grey"


def test_the_identity_of_a_plug_in_has_the_names_and_texts_of_all_files_of_its_package(
    plug_in: Points, folder: Path
) -> None:
    package = folder / "shades"
    package.mkdir()
    for name in ("__init__.py", "a.py", "b.py"):
        (package / name).write_text(f"# {name}\n")
    plug_in.append(EntryPoint("shade", "shades:Shade", own_code.GROUP))
    seen = [own_code.identity("shade", folder)]
    for change in (
        lambda: (package / "levels.json").write_text("[1]"),
        lambda: (package / "levels.json").write_text("[2]"),
        lambda: (package / "b.py").rename(package / "c.py"),
    ):
        change()
        seen.append(own_code.identity("shade", folder))
    assert len({*seen}) == 4
    (package / "__pycache__").mkdir()
    (package / "__pycache__/a.cpython-311.pyc").write_bytes(b"x")
    assert own_code.identity("shade", folder) == seen[-1]


def test_the_identity_of_an_unknown_system_is_a_clear_error(plug_in: Points, folder: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^system 'dcgann' is unknown\. Choose .* grey\. Or give"
    ):
        own_code.identity("dcgann", folder)


def test_one_class_can_be_two_plug_ins(plug_in: Points) -> None:
    plug_in.append(EntryPoint("gray", "greys:Grey", own_code.GROUP))
    names = ["grey", "gray", "grey"]
    assert [system_class(name).name for name in names] == names


def test_two_plug_ins_of_one_name_are_refused(plug_in: Points) -> None:
    plug_in.append(EntryPoint("grey", "darks:Grey", own_code.GROUP))
    with pytest.raises(ConfigError, match="greys and darks both have a system named 'grey'"):
        system_class("grey")


def test_the_identity_of_a_plug_in_changes_with_its_files(plug_in: Points, folder: Path) -> None:
    first = own_code.identity("grey", folder)
    (folder / "greys.py").write_text(VALID + "\n")
    assert own_code.identity("grey", folder) != first
    plug_in[:] = [EntryPoint("grey", "gone:Grey", own_code.GROUP)]
    own_code.plug_ins.cache_clear()
    with pytest.raises(ConfigError, match="package of the system 'grey' is missing"):
        own_code.identity("grey", folder)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("missing_module:X", "package missing_module cannot be imported: ModuleNotFoundError"),
        ("exits:X", "package exits cannot be imported: SystemExit: 3"),
        ("greys:torch", "gives <module 'torch'.*but a system is a class"),
    ],
)
def test_a_broken_plug_in_is_one_clear_line(
    plug_in: Points, folder: Path, target: str, message: str
) -> None:
    (folder / "exits.py").write_text("import sys\nsys.exit(3)\n")
    plug_in[:] = [EntryPoint("grey", target, own_code.GROUP)]
    with pytest.raises(ConfigError, match=message):
        system_class("grey")


def test_the_identity_of_a_file_changes_with_its_text(folder: Path) -> None:
    name = write(folder, VALID)
    first = own_code.identity(name, folder)
    assert first == own_code.identity(name, folder)
    write(folder, VALID + "\n")
    assert own_code.identity(name, folder) != first
    assert re.fullmatch("[0-9a-f]{64}", first)


def test_a_checkpoint_belongs_to_the_text_of_a_file_that_only_names_a_class(folder: Path) -> None:
    text = "from ganvae.models.systems.dcgan import DCGAN\nMODEL = DCGAN\n"
    name = write(folder, text)
    spec = RunSpec(name, system_config(name, {}), seed=0)
    first = spec.fingerprint("data")
    assert spec.fingerprint("data") == first
    write(folder, text + "# changed\n")
    assert spec.fingerprint("data") != first
