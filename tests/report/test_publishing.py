"""The published pictures: those of one run per variant, in few bytes."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from conftest import ROOT
from ganvae.config import Params
from ganvae.core.errors import UserError
from ganvae.core.files import read_json, write_json
from ganvae.core.paths import ProfilePaths
from ganvae.pictures import training
from ganvae.pictures.small import FILM_FRAMES, encode, encode_film
from ganvae.report.publishing import publish_pictures
from ganvae.scores.records import read_records
from ganvae.training.trainer import PREVIEW_SCALE

PATHS = ProfilePaths("smoke")


@pytest.fixture
def drawn(smoke: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """Two runs of dcgan, of which the first diverged, and one run of keras-dcgan with marks."""
    monkeypatch.chdir(tmp_path)
    template = read_records(ROOT / "results/laptop/scores.json")[0]
    for key, status, marks in (
        ("dcgan-0", "diverged", []),
        ("dcgan-1", "completed", []),
        ("keras-dcgan-0", "completed", [5]),
    ):
        paths = PATHS.run(key)
        variant, _, seed = key.rpartition("-")
        scored = template.model_copy(
            update={"variant": variant, "seed": int(seed), "status": status}
        )
        write_json(paths.scores, scored.model_dump())
        write_json(paths.outcome, {"mark_steps": marks})
        paths.pictures.mkdir(parents=True)
        for name in ("samples", "notes", "progress"):
            Image.new("L", (40, 40), int(seed)).save(paths.pictures / f"{name}.png")
    keys = ("dcgan-0", "dcgan-1", "keras-dcgan-0")
    runs = dict.fromkeys(keys, smoke.runs["dcgan-0"])
    return smoke.model_copy(update={"runs": runs})


def test_each_variant_has_the_pictures_of_its_shown_run(drawn: Params) -> None:
    publish_pictures(drawn)
    dcgan, keras = PATHS.pictures / "dcgan", PATHS.pictures / "keras-dcgan"
    assert {path.name for path in dcgan.iterdir()} == {"samples.webp"}
    assert {path.name for path in keras.iterdir()} == {"samples.webp", "progress.webp"}
    with Image.open(dcgan / "samples.webp") as samples:
        assert samples.convert("L").getpixel((0, 0)) == 1


def test_published_pictures_stay_where_those_of_the_run_are_missing(drawn: Params) -> None:
    publish_pictures(drawn)
    before = {path: path.read_bytes() for path in PATHS.pictures.rglob("*.*")}
    shutil.rmtree(PATHS.run("dcgan-1").pictures)
    publish_pictures(drawn)
    assert {path: path.read_bytes() for path in PATHS.pictures.rglob("*.*")} == before


def test_pictures_of_another_run_are_not_kept(drawn: Params) -> None:
    publish_pictures(drawn)
    shutil.rmtree(PATHS.run("dcgan-1").pictures)
    index = PATHS.pictures / "index.json"
    write_json(index, read_json(index) | {"dcgan": {"seed": 1, "weights_sha256": "another"}})
    message = "dcgan-1 is missing, and results/smoke/pictures has no pictures of this run"
    with pytest.raises(UserError, match=message):
        publish_pictures(drawn)
    index.unlink()
    with pytest.raises(UserError, match=message):
        publish_pictures(drawn)
    assert (PATHS.pictures / "dcgan/samples.webp").exists()


def test_a_film_shows_the_first_rows_under_its_caption_from_the_first_step_to_the_last(
    drawn: Params, tmp_path: Path
) -> None:
    """Images of 28 by 28 pixels. Each row has its own shade, which grows from frame to frame."""
    side = 28 * PREVIEW_SCALE + PREVIEW_SCALE
    frames = []
    for number in range(20):
        pixels = np.zeros((PREVIEW_SCALE + 8 * side,) * 2, np.uint8)
        for row in range(8):
            pixels[row * side : (row + 1) * side] = min(30 + 30 * row + 5 * number, 255)
        path = tmp_path / f"step-{number}.png"
        Image.fromarray(pixels).save(path)
        frames.append(training.Frame(path, number, number / 2))
    training.draw_film(PATHS.run("dcgan-1").pictures / "training.gif", frames, "dcgan, seed 1")
    publish_pictures(drawn)
    with Image.open(PATHS.pictures / "dcgan/training.avif") as film:
        shown = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    assert len(shown) == FILM_FRAMES
    height, width = shown[0].shape
    row = 28 + 1
    assert (height, width) == (24 + 2 * row + 1, 2 * (6 * row + 1))
    left, right = row // 2, width // 2 + row // 2
    middles = [shown[0][24 + row // 2 + row * line, [left, right]] for line in (0, 1)]
    assert np.allclose(middles, [[30, 90], [60, 120]], atol=20)
    assert abs(int(shown[-1][24 + row // 2, left]) - (30 + 5 * 19)) <= 20


def test_lossy_compression_is_used_only_if_it_saves_bytes() -> None:
    flat = np.zeros((200, 300), np.uint8)
    flat[50:60, 20:200] = 255
    decoded = np.asarray(Image.open(io.BytesIO(encode(Image.fromarray(flat)))).convert("L"))
    assert np.array_equal(decoded, flat)
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    written = encode(Image.fromarray(noise))
    assert len(written) < 0.22 * noise.size


def test_a_film_of_one_frame_is_a_picture() -> None:
    with Image.open(io.BytesIO(encode_film([Image.new("L", (8, 8), 100)]))) as picture:
        assert getattr(picture, "n_frames", 1) == 1
