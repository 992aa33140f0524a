"""Toy score records and their report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import provenance
from ganvae.core.files import write_json
from ganvae.pictures.small import encode_film
from ganvae.report.page_report import Report
from ganvae.report.shown import FILM
from ganvae.report.sweep_effects import EFFECTS
from ganvae.report.sweep_text import PICTURES
from ganvae.report.tuning import Tuning
from ganvae.scores.comparison import compare
from ganvae.scores.records import Noise, ScoreRecord, complete_scores
from ganvae.scores.studies import StudyRecord, write_study
from toy_sweeps import effects_of_toy, study, trial

PROVENANCE = provenance.PROVENANCE.model_copy(update={"dataset": "stripes", "training_steps": 4500})
FAMILIES = {"gan": "gan", "vae": "vae", "mix": "hybrid", "floor": "reference"}
STILLS = ("samples", "losses", "progress", "interpolations", "nearest_neighbours", "inversions")


def record(model: str, seed: int, fid: float | None, **changes: Any) -> ScoreRecord:
    """The record of a run. The start of ``model`` is the family. A run without FID diverged.

    ``changes`` are fields of the record. The field ``scores`` is added to the other scores.
    """
    scores = {} if fid is None else {"fid_judge": fid, "is_judge": max(1.0, 10 - fid / 10)}
    scores |= changes.pop("scores", {})
    family = next(
        (family for start, family in FAMILIES.items() if model.startswith(start)), "reference"
    )
    fields: dict[str, Any] = {
        "variant": model,
        "family": family,
        "seed": seed,
        "status": "diverged" if fid is None else "completed",
        "reason": "d_loss is NaN at step 12" if fid is None else None,
        "scores": complete_scores({"parameters": 1000.0} | scores),
        "provenance": PROVENANCE.model_copy(update={"training_seed": seed}),
    }
    return ScoreRecord(**fields | changes)


def runs(model: str, fids: Sequence[float | None], **changes: Any) -> list[ScoreRecord]:
    """One record per FID of a variant."""
    return [record(model, seed, fid, **changes) for seed, fid in enumerate(fids)]


def rich(model: str, seed: int, fid: float) -> ScoreRecord:
    """The record of a run with all scores."""
    return record(
        model,
        seed,
        fid,
        scores={
            "fid_judge_infinity": fid - 0.2,
            "kid_judge": fid / 1000,
            "recall_judge": 0.9 - fid / 100,
            "inverted_mse": 0.02 if model.startswith("gan") else 0.01 + seed / 1000,
            "train_seconds": 40.0 + seed,
        },
        noise={"fid_judge": Noise(standard_error=0.1, low=fid - 0.2, high=fid + 0.2)},
        class_counts=[1000 + 10 * seed, *[1000] * 8, 1000 - 10 * seed],
        fid_curve=[(n, fid - 0.2 + 2000 / n) for n in (2000, 4000, 6000, 8000, 10_000)],
    )


def usual() -> list[ScoreRecord]:
    """Two finalists, further variants, a variant whose runs all diverged, floor and ceiling."""
    return [
        *runs("floor", [0.13, 0.14]),
        *runs("ceiling", [394.0, 395.0]),
        *(rich("gan-one", seed, 5 + seed / 10) for seed in range(5)),
        *(rich("vae-one", seed, 10 + seed / 10) for seed in range(5)),
        *(rich("mix-one", seed, 22.0 + seed) for seed in range(3)),
        *runs("gan-wild", [4.0, 30.0, 90.0]),
        *runs("vae-lost", [None, None]),
    ]


def report(
    results: Path,
    records: Sequence[ScoreRecord],
    finalists: tuple[str, str] | None = ("gan-one", "vae-one"),
    **changes: Any,
) -> Report:
    """The report of these records, with pictures in ``results``."""
    fields: dict[str, Any] = {
        "profile": "toy",
        "command": "make toy",
        "comparison": compare(records, finalists),
        "records": records,
        "finalists": finalists,
        "departures": {"gan-one": {"hidden": ([8], [64, 8]), "ema": (0.9, None)}},
        "sources": {"gan-one": "a GAN for tests"},
        "notes": {"gan-one": "It learns `stripes`."},
        "tuning": Tuning(["gan-one"]),
        "results": results,
    }
    return Report(**fields | changes)


def draw_pictures(results: Path, records: Sequence[ScoreRecord]) -> None:
    """Write small pictures for each variant and for the baselines."""
    for shown in records:
        if shown.family == "reference":
            _draw(results / "baselines" / f"{shown.variant}.png")
            continue
        folder = results / "pictures" / shown.variant
        for name in STILLS:
            _draw(folder / f"{name}.webp")
        frames = [Image.fromarray(np.full((60, 60), shade, np.uint8)) for shade in (0, 120, 240)]
        (folder / FILM.file).write_bytes(encode_film(frames))


def write_sweep(root: Path, **changes: Any) -> StudyRecord:
    """Write a study's folder under ``root``, with effects and small pictures."""
    record = study([trial(0, 30.0, current=True), trial(1, 20.0), trial(2)], **changes)
    folder = write_study(root, record)
    write_json(folder / EFFECTS, effects_of_toy().model_dump(mode="json"))
    for name in PICTURES:
        _draw(folder / name)
    return record


def _draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (124, 200), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
