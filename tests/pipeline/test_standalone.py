"""`ganvae train` and `ganvae sample`, as a user calls them."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from PIL import Image

from conftest import ROOT, stripes
from forks import ganvae
from ganvae.config import load_params
from ganvae.core.errors import ConfigError, DataError, UserError
from ganvae.core.files import sha256
from ganvae.core.tensors import load_tensors, save_tensors
from ganvae.data.source import LabelledImages, Source
from ganvae.data.splits import make_splits
from ganvae.models.registry import build_model, system_names
from ganvae.models.weights import load_model, save_model
from ganvae.pipeline import own_images, standalone
from ganvae.pipeline.own_images import load_images
from ganvae.pipeline.pretrained import find_weights
from ganvae.pipeline.sampling import sample_to_file
from ganvae.pipeline.standalone import build_config, follow_closely, train_alone
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train

NO_LENGTH = {"epochs": None, "steps": None}


def write_folders(root: Path, per_class: int = 40) -> Path:
    images, labels = stripes(10 * per_class)
    for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        path = root / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0].numpy()).save(path)
    return root


def write_classes(root: Path, sizes: dict[str, int]) -> None:
    """Write one folder per class with this number of images."""
    for name, n in sizes.items():
        (root / name).mkdir()
        for number in range(n):
            Image.new("L", (8, 8), number).save(root / name / f"{number}.png")


def train_in(
    outdir: Path,
    folder: Path,
    name: str = "vanilla-gan",
    overwrite: bool = False,
    steps: int = 3,
    **settings: Any,
) -> None:
    """Run `ganvae train` on a folder of class folders; by default a narrow vanilla-gan."""
    settings = settings or {"hidden": [8]}
    config = build_config(name, {"epochs": None, "steps": steps}, {}, settings)
    images = load_images(str(folder), None, None)
    train_alone(RunSpec(name, config, 1), *images, outdir, overwrite=overwrite)


@pytest.mark.slow
@pytest.mark.parametrize("hyphens", [False, True])
def test_the_six_flags(tmp_path: Path, hyphens: bool) -> None:
    """epochs, batch_size, outdir (the working folder), learning_rate, beta_1, encoding_dims."""
    flags = ["--batch_size", "64", "--learning_rate", "1e-3", "--beta_1", "0.4"]
    flags += ["--encoding_dims", "7"]
    if hyphens:
        flags = [flag.replace("_", "-") if flag.startswith("--") else flag for flag in flags]
    command = ["train", "vanilla-gan", "--epochs", "2", "--outdir", ".", *flags]
    process = ganvae(*command, "--train_size", "400", "--set", "hidden=[8]", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    outcome = json.loads((tmp_path / "outcome.json").read_text())
    config = outcome["config"]
    assert (config["batch_size"], config["learning_rate"], config["beta_1"]) == (64, 1e-3, 0.4)
    assert config["encoding_dims"] == 7
    assert config["hidden"] == {"generator": [8], "discriminator": [8]}
    assert outcome["train_images"] == 400
    assert outcome["steps"] == round(2 * 400 / 32)
    assert len(list((tmp_path / "progress").iterdir())) > 10  # two epochs still make a film
    with (tmp_path / "history.csv").open() as file:
        assert [float(row["epoch"]) for row in csv.DictReader(file)][-1] == pytest.approx(
            2, abs=0.1
        )
    pictures = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert {"training.gif", "first_and_last_epoch.png", "losses.png"} <= pictures
    assert [path.name for path in (tmp_path / ".state").iterdir()] == ["lock"]

    again = ganvae(*command, cwd=tmp_path)
    assert again.returncode == 1
    assert again.stderr.startswith("error: outcome.json already exists")
    drawn = ganvae("sample", "weights.safetensors", "--n", "9", cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    with Image.open(tmp_path / "samples.png") as image:
        assert image.size == (2 * (3 * 29 + 1),) * 2


def test_class_folders_are_split_and_an_earlier_run_is_only_replaced_on_request(
    tmp_path: Path,
) -> None:
    folder = write_folders(tmp_path / "digits")
    train, held_out = load_images(str(folder), None, None)
    assert (len(train.images), len(held_out.images)) == (320, 40)  # and 40 unused test images
    both = torch.cat([train.index, held_out.index])
    assert len(both.unique()) == len(both)
    small = {"batch_size": 16, "latent_size": 5}
    small |= {"generator_channels": [4], "discriminator_channels": [4]}
    weights = tmp_path / "out/weights.safetensors"
    train_in(tmp_path / "out", folder, "dcgan", **small)
    first = sha256(weights)
    with pytest.raises(UserError, match=r"Give another --outdir, or .* --overwrite"):
        train_in(tmp_path / "out", folder, "dcgan", **small)
    train_in(tmp_path / "out", folder, "dcgan", overwrite=True, **small)
    assert sha256(weights) == first
    assert json.loads((tmp_path / "out/outcome.json").read_text())["config"]["latent_size"] == 5


def test_files_that_are_not_from_a_run_are_never_replaced(tmp_path: Path) -> None:
    folder = write_folders(tmp_path / "digits")
    (tmp_path / "out/pictures").mkdir(parents=True)
    (tmp_path / "out/pictures/holiday.jpg").write_text("mine")
    with pytest.raises(UserError, match="pictures exists, but is not from a run"):
        train_in(tmp_path / "out", folder, overwrite=True)
    assert (tmp_path / "out/pictures/holiday.jpg").exists()


def test_two_runs_cannot_write_to_one_folder(tmp_path: Path) -> None:
    with (
        standalone._alone_in(tmp_path),
        pytest.raises(UserError, match=f"another run is writing to {tmp_path}"),
        standalone._alone_in(tmp_path),
    ):
        raise AssertionError
    with standalone._alone_in(tmp_path):  # the folder is free after the first run
        pass


def test_a_run_that_ends_does_not_free_a_folder_that_the_next_run_has_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = FileLock(tmp_path / ".state/lock")
    release = FileLock.release

    def released(first: FileLock) -> None:
        release(first)
        second.acquire(timeout=0)

    with monkeypatch.context() as patch, standalone._alone_in(tmp_path):
        patch.setattr(FileLock, "release", released)
    with pytest.raises(UserError, match="another run"), standalone._alone_in(tmp_path):
        raise AssertionError
    second.release()


def test_a_run_that_ended_just_now_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run ends between the first look at the folder and the lock."""
    folder = write_folders(tmp_path / "digits")
    alone = standalone._alone_in

    @contextmanager
    def late(outdir: Path) -> Iterator[None]:
        (outdir / "outcome.json").parent.mkdir()
        (outdir / "outcome.json").write_text("of another run")
        with alone(outdir):
            yield

    monkeypatch.setattr(standalone, "_alone_in", late)
    with pytest.raises(UserError, match="already exists from an earlier run"):
        train_in(tmp_path / "out", folder)
    assert (tmp_path / "out/outcome.json").read_text() == "of another run"


def test_the_schedule_of_a_few_epochs_is_in_steps() -> None:
    images = stripes(400)[0]
    for epochs, expected in ((2, ("steps", round(2 * 400 / 64))), (20, ("epochs", 20))):
        config = build_config("vanilla-gan", {"epochs": epochs, "steps": None}, {}, {"hidden": [8]})
        schedule = follow_closely("vanilla-gan", config, images).schedule
        assert (schedule.unit, schedule.length) == expected  # half of each batch of 128 is real


def test_a_parameter_cannot_be_given_twice() -> None:
    for options, settings in (
        ({"batch_size": 32}, {"batch_size": 64}),
        ({"encoding_dims": 5}, {"latent_size": 6}),
    ):
        with pytest.raises(ConfigError, match="is given twice"):
            build_config("dcgan", NO_LENGTH, options, settings)
    with pytest.raises(ConfigError, match=r"schedule\.length is given twice"):
        build_config("dcgan", {"epochs": 3, "steps": None}, {}, {"schedule.length": 4})


def test_a_run_interrupted_while_drawing_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The existing weights belong to this run, so they are neither refused nor trained again."""
    folder = write_folders(tmp_path / "digits")

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(standalone, "draw_run", stop)
        with pytest.raises(KeyboardInterrupt):
            train_in(tmp_path / "out", folder)
    assert "step 0 of 3" in capsys.readouterr().out
    train_in(tmp_path / "out", folder)
    assert "step 0 of 3" not in capsys.readouterr().out
    assert (tmp_path / "out/pictures/samples.png").exists()
    assert [path.name for path in (tmp_path / "out/.state").iterdir()] == ["lock"]


def test_mnist_is_split_as_in_the_pipeline() -> None:
    """The same 5,000 images are held out, and both splits are from the official training set."""
    train, held_out = load_images("mnist", None, 7781)
    assert (len(train.images), len(held_out.images)) == (7781, 5000)
    assert train.official_set == held_out.official_set == "train"
    assert not set(train.index.tolist()) & set(held_out.index.tolist())


def test_stacked_mnist_is_made_from_mnist_and_has_held_out_stacks() -> None:
    train, held_out = load_images("stacked-mnist", train_size=700)
    assert train.images.shape == (700, 3, 28, 28)
    assert len(held_out.images) == 5000
    assert len(train.classes) == 1000


def test_the_held_out_people_are_those_of_the_faces_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The split does not depend on the size that the images are resized to."""
    people = np.repeat(np.arange(4000), np.random.default_rng(0).geometric(0.4, 4000))
    images = LabelledImages(np.zeros((len(people), 1, 1, 1), np.uint8), people)
    source = Source(images, None, tuple(map(str, range(4000))), people)
    monkeypatch.setattr(own_images, "load_source", lambda config: source)
    train, held_out = load_images("lfw", tmp_path, image_size=64)
    splits = make_splits(source, load_params(ROOT / "profiles/faces/params.yaml").data)
    assert train.index.tolist() == splits["train"].index.tolist()
    assert held_out.index.tolist() == splits["validation"].index.tolist()


def test_a_part_of_the_faces_is_split_into_sizes_that_its_people_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = np.repeat(np.arange(1700), 5)
    images = LabelledImages(np.zeros((len(people), 1, 1, 1), np.uint8), people)
    source = Source(images, None, tuple(map(str, range(1700))), people)
    monkeypatch.setattr(own_images, "load_source", lambda config: source)
    sizes = load_params(ROOT / "profiles/faces/params.yaml").data
    train, held_out = load_images("lfw", tmp_path, image_size=64)
    assert 0 <= sizes.validation_size - len(held_out.index) < 5
    assert not set(people[train.index]) & set(people[held_out.index])


def test_the_held_out_images_are_whole_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Validation gets about a tenth of 127 images; the size of a group can change the number."""
    for seed in range(20):
        people = np.sort(np.random.default_rng(seed).geometric(0.3, 127).cumsum() // 12)
        images = LabelledImages(np.zeros((127, 1, 4, 4), np.uint8), people - people.min())
        source = Source(images, None, tuple(map(str, range(people.max() + 1))), people)
        monkeypatch.setattr(own_images, "load_source", lambda config, source=source: source)
        train, held_out = load_images(str(tmp_path))
        assert 0 < len(held_out.index) <= max(12, np.bincount(people).max())
        assert not set(people[train.index]) & set(people[held_out.index])


@pytest.mark.parametrize(("classes", "per_class"), [(30, 6), (3, 4), (3, 3)])
def test_small_classes_are_split(tmp_path: Path, classes: int, per_class: int) -> None:
    write_classes(tmp_path, dict.fromkeys(map(str, range(classes)), per_class))
    train, held_out = load_images(str(tmp_path))
    assert set(held_out.labels.tolist()) == set(train.labels.tolist()) == set(range(classes))
    assert len(train.images) == classes * (per_class - 2)


def test_the_message_names_a_class_that_is_too_small_to_split(tmp_path: Path) -> None:
    write_classes(tmp_path, {"cats": 9, "dogs": 2})
    with pytest.raises(
        DataError, match=r"found 2 images of class 'dogs', .* need at least 3 images of"
    ):
        load_images(str(tmp_path))


def test_photos_of_one_person_cannot_be_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = LabelledImages(np.zeros((9, 1, 4, 4), np.uint8), np.zeros(9, np.int64))
    source = Source(images, None, ("somebody",), np.zeros(9, np.int64))
    monkeypatch.setattr(own_images, "load_source", lambda config: source)
    message = r"found photos of 1 person, .* need photos of at least 3 people, because no"
    with pytest.raises(DataError, match=message):
        load_images("lfw", directory=tmp_path)


def test_photos_are_converted_to_another_size_and_to_colour(tmp_path: Path) -> None:
    folder = write_folders(tmp_path / "digits")
    train, held_out = load_images(str(folder), image_size=16, channels=3)
    assert train.images.shape[1:] == held_out.images.shape[1:] == (3, 16, 16)
    with pytest.raises(ConfigError, match=r"^data\.channels is 2, but it should be 1 or 3"):
        load_images(str(folder), channels=2)


def test_a_diverged_run_is_an_error_and_keeps_its_files(tmp_path: Path) -> None:
    folder = write_folders(tmp_path / "digits")
    with pytest.raises(UserError, match=r"bernoulli-vae diverged: .* Try a lower --learning_rate"):
        train_in(tmp_path / "out", folder, "bernoulli-vae", steps=9, learning_rate=1e30, hidden=[8])
    outcome = json.loads((tmp_path / "out/outcome.json").read_text())
    assert outcome["status"] == "diverged"
    assert (tmp_path / "out/pictures/samples.png").exists()


def test_outdir_cannot_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = write_folders(tmp_path / "digits")
    with pytest.raises(UserError, match=r"file is a file\. Give a folder"):
        train_in(tmp_path / "file", folder)


@pytest.mark.parametrize("name", system_names())
def test_every_system_accepts_its_defaults_and_a_latent_size(name: str) -> None:
    defaults = build_config(name, NO_LENGTH, {"batch_size": None}, {})
    assert defaults == build_config(name, NO_LENGTH, {}, {})
    values = build_config(name, NO_LENGTH, {"encoding_dims": 3}, {}).model_dump()
    assert 3 in (values.get("encoding_dims"), values.get("latent_size"))


def test_a_given_length_has_cadences_that_fit() -> None:
    """The system's own cadences stay if they fit. A short run or another unit gets new ones."""

    def schedule(name: str, **length: int) -> dict[str, Any]:
        return build_config(name, {**NO_LENGTH, **length}, {}, {}).schedule.model_dump()

    def cadences(values: dict[str, Any]) -> tuple[int, ...]:
        return values["report_every"], values["checkpoint_every"], values["sample_every"]

    assert cadences(schedule("dcgan", epochs=90)) == (10, 20, 30)
    assert cadences(schedule("dcgan", epochs=20)) == (10, 20, 1)
    assert cadences(schedule("dcgan", epochs=5)) == (1, 1, 1)
    assert cadences(schedule("dcgan", steps=4000)) == (200, 200, 200)
    marks = [500, 1000, 1500, 2000, 2500, 3000]
    assert schedule("keras-dcgan", steps=3000) | {"length": 10_000} == schedule("keras-dcgan")
    assert schedule("keras-dcgan", steps=3000)["marks"] == marks
    assert schedule("keras-dcgan", steps=2999)["marks"] == []
    assert schedule("keras-dcgan", epochs=5)["marks"] == []
    with pytest.raises(ConfigError, match="--epochs and --steps are both given"):
        build_config("dcgan", {"epochs": 1, "steps": 1}, {}, {})


def test_a_setting_keeps_the_other_parameters_of_its_section() -> None:
    settings = {"balance.d_steps": 2, "schedule.report_every": 7}
    values = build_config("balanced-gan", NO_LENGTH, {}, settings).model_dump()
    assert values["balance"]["d_steps"] == 2
    assert values["balance"]["ratio"] == 2.0
    assert values["schedule"]["report_every"] == 7


def store_weights(tmp_path: Path) -> Path:
    config = build_config("dcgan", NO_LENGTH, {}, {"generator_channels": [4]})
    path = tmp_path / "w.safetensors"
    save_model(path, build_model("dcgan", config, (3, 28, 32), 0), config, 0)
    return path


def test_samples_as_an_array(tmp_path: Path) -> None:
    weights = store_weights(tmp_path)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        sample_to_file(weights, 5, seed, tmp_path / f"{name}.npz")
    a, b, c = (np.load(tmp_path / f"{name}.npz")["images"] for name in "abc")
    assert a.dtype == np.float32
    assert a.shape == (5, 3, 28, 32)
    assert 0 <= a.min() < a.max() <= 1
    assert (a == b).all()
    assert not (a == c).all()


def test_samples_as_a_picture(tmp_path: Path) -> None:
    sample_to_file(store_weights(tmp_path), 5, 0, tmp_path / "deep/grid.png")
    with Image.open(tmp_path / "deep/grid.png") as image:
        assert image.size == (2 * (3 * 33 + 1), 2 * (2 * 29 + 1))
        assert image.mode == "RGB"


def test_the_message_names_a_file_without_weights_of_a_model(tmp_path: Path) -> None:
    judge = ROOT / "judges/mnist.safetensors"
    with pytest.raises(DataError, match=r"mnist\.safetensors does not hold the weights of a gen"):
        sample_to_file(judge, 1, 0, tmp_path / "x.png")
    tensors, metadata = load_tensors(store_weights(tmp_path))
    tensors.pop("balance.losses")
    save_tensors(tmp_path / "old.safetensors", tensors, metadata)
    with pytest.raises(DataError, match="do not fit the current layers of dcgan"):
        sample_to_file(tmp_path / "old.safetensors", 1, 0, tmp_path / "x.png")


def test_more_samples_than_fit_into_memory_are_refused(tmp_path: Path) -> None:
    message = "drawing 100,000,000,000 samples needs about .* GB of memory, .*: give a smaller n"
    with pytest.raises(ConfigError, match=message):
        sample_to_file(store_weights(tmp_path), 10**11, 0, tmp_path / "x.npz")


@pytest.mark.parametrize("settings", [{"batch_size": 10**11}, {"hidden": [10**9, 10**9]}])
def test_more_training_than_fits_into_memory_is_refused(tmp_path: Path, settings: dict) -> None:
    config = build_config("vanilla-gan", {"epochs": None, "steps": 2}, {}, settings)
    images = torch.zeros(4, 1, 28, 28, dtype=torch.uint8)
    with pytest.raises(ConfigError, match=r"training vanilla-gan-0 needs about .* GB of memory"):
        train(RunSpec("vanilla-gan", config, 0), images, tmp_path)


def test_sizes_in_a_weights_file_are_compared_with_its_tensors(tmp_path: Path) -> None:
    weights, metadata = load_tensors(store_weights(tmp_path))
    name = "hidden" if "hidden" in metadata["config"] else "generator_channels"
    metadata["config"][name] = [10**9] * len(metadata["config"].get(name, [1]))
    save_tensors(tmp_path / "large.safetensors", weights, metadata)
    with pytest.raises(DataError, match="do not fit the current layers"):
        load_model(tmp_path / "large.safetensors")


def test_samples_do_not_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x.png").mkdir()
    with pytest.raises(ConfigError, match=r"x\.png is a folder. Give the name of a file"):
        sample_to_file(store_weights(tmp_path), 1, 0, tmp_path / "x.png")


def test_the_shipped_weights_include_all_systems_and_stay_small() -> None:
    files = sorted((ROOT / "results/laptop/pretrained").glob("*.safetensors"))
    assert set(system_names()) <= {path.stem for path in files}
    assert sum(path.stat().st_size for path in files) <= 25e6


@pytest.mark.parametrize("name", system_names())
def test_shipped_weights_draw_digits(name: str, tmp_path: Path) -> None:
    """Digits have a dark background and bright strokes, and differ from each other."""
    model = load_model(find_weights(name))
    assert model.name == name
    sample_to_file(find_weights(name), 64, 0, tmp_path / "x.npz")
    images = np.load(tmp_path / "x.npz")["images"]
    assert 0.05 < images.mean() < 0.25
    assert images.max(axis=(1, 2, 3)).mean() > 0.8
    assert images[:, :, :2].mean() < 0.05
    distances = np.abs(images[:, None] - images[None]).mean(axis=(2, 3, 4))
    assert np.median(distances[np.triu_indices(64, 1)]) > 0.05
