"""Pictures of a run: their frames, the order of frames, and distinct colours."""

import dataclasses
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageSequence
from scipy.stats import norm
from torch import Tensor

from conftest import stripes, tiny_model
from ganvae.config import InversionConfig, Params
from ganvae.data.store import StoredSplit
from ganvae.evaluation.training_set import TrainingSet
from ganvae.judge.network import FrozenJudge
from ganvae.models.base import VariationalModel
from ganvae.pictures import latents, nearest, training
from ganvae.pictures.canvas import captioned, figure, read_pixels
from ganvae.pictures.classes import shown_classes
from ganvae.pictures.rows import draw_rows
from ganvae.pictures.samples import draw_samples, read_sample_rows
from ganvae.pictures.training import Frame
from ganvae.report import figures
from ganvae.scores.comparison import compare
from toy_report import record, runs

SIDE = 8 * 29 + 1


def write_frames(folder: Path, steps: list[int]) -> list[Frame]:
    """Write frames like training does, each with its own uniform brightness."""
    folder.mkdir(exist_ok=True)
    for number, step in enumerate(steps):
        pixels = np.full((2 * SIDE, 2 * SIDE), 30 + 50 * (number % 5), np.uint8)
        Image.fromarray(pixels).save(folder / f"step-{step:07d}.png")
    return training.read_frames(folder, epochs_per_step=0.01)


def held_out(n: int = 60) -> StoredSplit:
    images, labels = stripes(n)
    names = tuple(f"class {label}" for label in range(10))
    return StoredSplit(images, labels, torch.arange(n), "stripes", "validation", "train", names)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[list[Frame]]:
    """The lists of frames that are drawn side by side."""
    found: list[list[Frame]] = []
    monkeypatch.setattr(training, "_side_by_side", lambda path, frames, title: found.append(frames))
    return found


def test_frames_are_read_in_the_order_of_their_steps(tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "f", [500, 0, 50])
    assert [frame.step for frame in frames] == [0, 50, 500]
    assert str(frames[1]) == "step 50 (epoch 0.50)"


def test_the_film_has_every_frame_and_stays_on_the_last(tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "f", [0, 10, 20, 30])
    training.draw_film(tmp_path / "x.gif", frames, "gan, seed 0")
    with Image.open(tmp_path / "x.gif") as film:
        assert film.info["loop"] == 0  # endless
        shades, durations = [], []
        for frame in ImageSequence.Iterator(film):
            shades.append(np.asarray(frame.convert("L"))[-50, 50])
            durations.append(frame.info["duration"])
    assert shades == sorted(set(shades))
    assert len(shades) == 4
    assert durations == [400, 400, 400, 3000]


def test_the_strip_shows_the_marks(tmp_path: Path, shown: list[list[Frame]]) -> None:
    frames = write_frames(tmp_path / "f", list(range(0, 10_001, 500)))
    marks = [500, 1000, 1500, 2000, 2500, 3000]
    training.draw_strip(tmp_path / "x.png", frames, marks, "t")
    training.draw_strip(tmp_path / "x.png", frames, [0, 5000, 10_000], "t")
    training.draw_strip(tmp_path / "x.png", frames, [], "t")
    training.draw_strip(tmp_path / "x.png", frames, [0, 5000, 20_000], "t")
    at_marks, at_three, without, ended = ([frame.step for frame in strip] for strip in shown)
    assert at_marks == marks
    assert at_three == [0, 5000, 10_000]
    assert without == ended == [0, 2000, 4000, 6000, 8000, 10_000]


def test_first_and_last_epoch(tmp_path: Path, shown: list[list[Frame]]) -> None:
    frames = write_frames(tmp_path / "f", [0, 60, 100, 150, 420])
    training.draw_first_and_last_epoch(tmp_path / "x.png", frames, 100, "t")
    training.draw_first_and_last_epoch(tmp_path / "x.png", frames[:2], 100, "t")
    assert [frame.epoch for frame in shown[0]] == [1.0, 4.2]
    assert [frame.epoch for frame in shown[1]] == [0.6]  # the run ended before its first epoch


def test_frames_side_by_side_do_not_overlap(tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "f", [0, 10, 20])
    training.draw_strip(tmp_path / "x.png", frames, [], "gan, seed 0")
    pixels = read_pixels(tmp_path / "x.png")
    for shade in (30, 80, 130):  # one patch per frame, left to right
        columns = np.flatnonzero((pixels == shade).sum(axis=0) > 100)
        assert len(columns) > 150, shade


def test_losses_are_drawn_and_skips_are_counted(tmp_path: Path) -> None:
    rows = [
        {"step": 10.0, "epoch": 0.1, "d_loss": 0.5, "d_skipped": 0.5},
        {"step": 20.0, "epoch": 0.2, "d_loss": 0.4, "d_skipped": 0.0},
        {"step": 50.0, "epoch": 0.5, "d_loss": 0.3, "d_skipped": 0.1},
    ]
    training.draw_losses(tmp_path / "x.png", rows, "gan, seed 0")
    assert training._skips(rows, "d_skipped") == "8 of 50 steps"  # 10 x 0.5 + 30 x 0.1
    assert read_pixels(tmp_path / "x.png").shape[1] > 600


def test_every_loss_of_every_system_has_a_title(smoke: Params, name: str) -> None:
    model = tiny_model(smoke, name)
    images = torch.rand(model.real_images_per_step, *model.image_shape)
    losses = model.train_step(images, model.optimizers(), torch.Generator())
    assert losses.keys() <= training.LOSS_TITLES.keys()


def test_two_dimensional_latents_are_not_projected() -> None:
    means = np.random.default_rng(0).normal(size=(50, 2))
    points, names = latents._plane(means)
    assert (points == means).all()
    assert names == ["$z_1$", "$z_2$"]


def test_a_single_latent_lies_on_a_line() -> None:
    points, names = latents._plane(np.array([[3.0], [-1.0]]))
    assert points.tolist() == [[3.0, 0.0], [-1.0, 0.0]]
    assert names == ["$z_1$", ""]


def test_larger_latents_are_projected_onto_principal_components() -> None:
    random = np.random.default_rng(0)
    plane = random.normal(size=(400, 2)) * [9.0, 3.0]
    directions, _ = np.linalg.qr(random.normal(size=(7, 7)))
    means = plane @ directions[:2] + 5.0
    points, names = latents._plane(means)
    centred = plane - plane.mean(axis=0)
    for axis in range(2):  # up to sign and a small rotation
        assert abs(np.corrcoef(points[:, axis], centred[:, axis])[0, 1]) > 0.99
    assert "90%" in names[0] or "89%" in names[0] or "91%" in names[0]


def test_the_manifold_lies_on_gaussian_quantiles(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model(smoke, "bernoulli-vae")
    asked: list[torch.Tensor] = []
    monkeypatch.setattr(
        model, "decode", lambda z: (asked.append(z), torch.zeros(len(z), 1, 28, 28))[1]
    )
    latents.draw_manifold(tmp_path / "x.png", model, "t")
    grid = asked[0].reshape(20, 20, 2).double().numpy()
    expected = norm.ppf((np.arange(20) + 0.5) / 20)
    np.testing.assert_allclose(grid[7, :, 0], expected, rtol=1e-6)  # z_1 to the right
    np.testing.assert_allclose(grid[:, 3, 1], expected[::-1], rtol=1e-6)  # z_2 upwards


def test_interpolations_begin_and_end_at_draws_from_the_prior(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    model = tiny_model(smoke, name)
    asked: list[torch.Tensor] = []
    monkeypatch.setattr(
        model, "decode", lambda z: (asked.append(z), torch.zeros(len(z), 1, 28, 28))[1]
    )
    latents.draw_interpolations(tmp_path / "x.png", model, torch.Generator().manual_seed(0), "t")
    random = torch.Generator().manual_seed(0)
    start, end = model.sample_prior(6, random), model.sample_prior(6, random)
    rows = asked[0].reshape(6, 9, -1)
    torch.testing.assert_close(rows[:, 0], start)
    torch.testing.assert_close(rows[:, 8], end)
    torch.testing.assert_close(rows[:, 4], (start + end) / 2)


def test_reconstructions_stand_below_their_originals(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model(smoke, "bernoulli-vae")
    assert isinstance(model, VariationalModel)
    monkeypatch.setattr(model, "reconstruct", lambda images: images)
    drawn: list[tuple[Any, ...]] = []
    monkeypatch.setattr(latents, "draw_rows", lambda *arguments: drawn.append(arguments))
    split = held_out()
    latents.draw_reconstructions(tmp_path / "x.png", model, split, "t")
    latents.draw_class_means(tmp_path / "x.png", model, split, "t")
    (_, rows, _, names), (_, mean_rows, _, classes) = drawn
    (originals, same), (means, mean_again) = rows.values(), mean_rows.values()
    assert torch.equal(originals, same)
    assert torch.equal(means, mean_again)
    assert names == [f"class {label}" for label in range(10) for _ in range(2)]
    assert classes == [f"class {label}" for label in range(10)]
    for label in range(10):  # the bright row shows the class
        assert originals[2 * label].float().mean(dim=(0, 2)).argmax() in (
            2 * label + 2,
            2 * label + 3,
        )
        assert means[label].float().mean(dim=(0, 2)).argmax() in (2 * label + 2, 2 * label + 3)


def test_inversions_stand_below_their_originals(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "invert", lambda model, images, settings, **options: images)
    drawn: list[tuple[Any, ...]] = []
    monkeypatch.setattr(nearest, "draw_rows", lambda *arguments: drawn.append(arguments))
    model, random = tiny_model(smoke, "dcgan"), torch.Generator()
    nearest.draw_inversions(tmp_path / "x.png", model, held_out(), InversionConfig(), random, "t")
    ((_, rows, _, names),) = drawn
    assert torch.equal(*rows.values())
    assert names == [f"class {label}" for label in range(10)]


def test_samples_stand_above_their_nearest_training_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[Any, ...]] = []
    monkeypatch.setattr(nearest, "draw_rows", lambda *arguments: drawn.append(arguments))
    images = stripes(200)[0]
    noisy = images[50:90] ^ 1  # each differs from its original by one grey level
    nearest.draw_nearest_neighbours(tmp_path / "x.png", noisy, images, "t")
    features = torch.arange(200.0)[:, None]

    def sees(samples: Tensor) -> tuple[Tensor, None]:
        return torch.arange(100.0, 100.0 + len(samples))[:, None], None

    judged = cast(FrozenJudge, sees), TrainingSet(images, features)
    nearest.draw_nearest_neighbours(tmp_path / "x.png", noisy, images, "t", judged)
    (_, by_pixels, _), (_, by_both, _) = drawn
    assert list(by_pixels) == ["sample", "nearest in pixels"]
    assert torch.equal(by_pixels["nearest in pixels"], images[50:70])
    assert torch.equal(by_both["nearest to the judge"], images[100:120])


def test_rows_are_drawn_below_one_another(tmp_path: Path) -> None:
    rows = {
        f"row {shade}": torch.full((5, 1, 28, 28), shade, dtype=torch.uint8)
        for shade in (60, 140, 220)
    }
    draw_rows(tmp_path / "x.png", rows, "a title", [str(number) for number in range(5)])
    pixels = read_pixels(tmp_path / "x.png")
    middles = [
        np.flatnonzero((abs(pixels.astype(int) - shade) < 6).sum(axis=1) > 100).mean()
        for shade in (60, 140, 220)
    ]
    assert middles == sorted(middles)


def test_a_class_without_held_out_images_is_left_out(smoke: Params, tmp_path: Path) -> None:
    model = tiny_model(smoke, "bernoulli-vae")
    assert isinstance(model, VariationalModel)
    split = held_out()
    lacking = dataclasses.replace(split, labels=split.labels.clamp(max=7))
    for draw in (latents.draw_reconstructions, latents.draw_class_means):
        draw(tmp_path / "x.png", model, lacking, "t")
    assert list(shown_classes(lacking)) == list(range(8))


def test_only_the_ten_classes_with_most_images_are_shown(
    smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = dict.fromkeys(range(2000, 2009), 3) | {7: 5, 8: 2, 9: 2}
    labels = torch.tensor([label for label, n in counts.items() for _ in range(n)])
    many = dataclasses.replace(
        held_out(len(labels)), labels=labels, classes=tuple(f"Person {n}" for n in range(5749))
    )
    shown = [7, *range(2000, 2009)]
    assert list(shown_classes(many)) == shown
    drawn: list[tuple[Any, ...]] = []
    for module in (latents, nearest):
        monkeypatch.setattr(module, "draw_rows", lambda *arguments: drawn.append(arguments))
    monkeypatch.setattr(nearest, "invert", lambda model, images, settings, **options: images)
    model = tiny_model(smoke, "bernoulli-vae")
    assert isinstance(model, VariationalModel)
    latents.draw_class_means(tmp_path / "x.png", model, many, "t")
    settings, random = InversionConfig(), torch.Generator()
    nearest.draw_inversions(tmp_path / "x.png", model, many, settings, random, "t")
    for _, rows, title, names in drawn:
        assert names == [f"Person {label}" for label in shown]
        assert {len(images) for images in rows.values()} == {10}
        assert title.endswith("(10 classes with most images)")
    latents.draw_latent_scatter(tmp_path / "x.png", model, many, "t")
    assert read_pixels(tmp_path / "x.png").shape[0] < 700


def test_long_names_stand_upright_below_their_images(tmp_path: Path) -> None:
    rows = {"row": torch.full((4, 1, 28, 28), 60, dtype=torch.uint8)}
    heights = []
    for name in ("Coat", "Ariel_Sharon"):
        draw_rows(tmp_path / "x.png", rows, "a title", [name] * 4)
        heights.append(read_pixels(tmp_path / "x.png").shape[0])
    assert heights[1] > heights[0] + 60


def test_every_class_has_its_own_colour(smoke: Params, tmp_path: Path) -> None:
    model = tiny_model(smoke, "bernoulli-vae")
    assert isinstance(model, VariationalModel)
    latents.draw_latent_scatter(tmp_path / "x.png", model, held_out(), "t")
    pixels = read_pixels(tmp_path / "x.png")
    legend = pixels[:, int(pixels.shape[1] * 0.82) :].reshape(-1, 3)
    colours, counts = np.unique(legend, axis=0, return_counts=True)
    large = colours[counts > 60]
    coloured = large[large.max(axis=1).astype(int) - large.min(axis=1) > 20]
    assert len(coloured) >= 9  # the tenth colour is grey


def test_samples_have_a_caption_above_them(tmp_path: Path) -> None:
    images = stripes(120)[0]
    draw_samples(tmp_path / "x.png", images, "gan, seed 0")
    rows = read_sample_rows(tmp_path / "x.png", 2)
    assert rows.shape[1] == 582
    first = rows[2:58, 2:58]  # the first image, doubled
    assert abs(first.astype(int) - np.kron(images[0, 0].numpy(), np.ones((2, 2)))).max() < 20
    caption = read_pixels(tmp_path / "x.png")[:24]
    assert caption.min() < 60 < 200 < caption.max()


def test_a_caption_is_added_above_the_picture() -> None:
    image = captioned(Image.new("RGB", (200, 50), (10, 20, 30)), "text")
    assert image.size == (200, 74)
    assert image.getpixel((100, 60)) == (10, 20, 30)


def test_a_failed_picture_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), figure(tmp_path / "x.png", 2, 2):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_the_comparison_figure_has_one_dot_per_run_that_counts() -> None:
    kept = runs("gan-one", [5.0, 7.0])
    left_out = [
        record("gan-one", 2, 600.0, flags=["few samples"]),
        record("gan-one", 3, 0.01, status="diverged", reason="NaN"),
    ]
    records = [*kept, *left_out, *runs("vae-one", [None])]
    ax = Figure().subplots()
    figures._plot_scores(ax, compare(records, None).rows, records)
    dots = [line.get_xdata().tolist() for line in ax.get_lines() if line.get_marker() == "o"]
    assert dots == [[5.0, 7.0], []]
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["5.92", "no score"]
