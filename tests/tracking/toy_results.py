"""A small results folder for tests: a GAN, a VAE, a diverged run and the two baselines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganvae.core.files import sha256, write_csv, write_json
from ganvae.scores.records import (
    ScoreRecord,
    ValidationRecord,
    complete_scores,
    read_record,
    write_records,
)
from provenance import PROVENANCE

PROFILE = "toy"
MODELS = {"gan", "vae", "floor", "ceiling"}
RUNS = {"gan-0", "vae-0", "gan-1"}
BASELINES = {"floor-0", "ceiling-0"}
SCORES = {
    "gan-0": {"fid_judge": 11.5, "is_judge": 7.25},
    "vae-0": {"fid_judge": 20.25, "is_judge": 6.5, "elbo_bernoulli": -105.5},
    "gan-2": {"fid_judge": 14.5},
    "gan-3": {"fid_judge": 30.0},
    "mix-0": {"fid_judge": 15.0},
    "floor-0": {"fid_judge": 0.125},
    "ceiling-0": {"fid_judge": 52.5},
}
VALIDATION = {"gan-0": 12.25, "vae-0": 21.5}
TIMING = {"train_seconds": 12.5, "train_images_per_second": 800.0, "device": "cpu", "threads": 2}
STEPS = (0, 500)
ROWS = 100


def write_results(root: Path) -> None:
    """Write the whole results folder under ``root``."""
    drawn = root / "artifacts" / PROFILE / "pictures"
    write_run(root, "gan-0", "gan", ("d_loss", "g_loss"), {"steps": {"d": 1, "g": 2}})
    write_run(root, "vae-0", "vae", ("loss", "kl"), {"hidden": [500, 500], "beta": None})
    write_run(root, "gan-1", "gan", (), {}, status="diverged")
    _write_picture(drawn / "vae-0/reconstructions.png")
    _write_picture(drawn / "vae-0/training.gif")
    baselines = [_record(name, "reference", "completed") for name in sorted(BASELINES)]
    write_records(root / "results" / PROFILE / "baselines/scores.json", baselines)


def write_run(
    root: Path,
    name: str,
    family: str,
    losses: tuple[str, ...],
    config: Mapping[str, Any],
    status: str = "completed",
) -> None:
    """Write one run. It has rows and progress only if it has losses. Its weights are a text."""
    folder = root / "results" / PROFILE / "runs" / name
    model, seed = name.split("-")
    write_json(
        folder / "outcome.json",
        {
            "variant": model,
            "family": family,
            "seed": int(seed),
            "status": status,
            "reason": None if status == "completed" else "g_loss became nan",
            "steps": 500,
            "images_seen": 64000,
            "parameters": 1234,
            "config": {"batch_size": 128, **config},
        },
    )
    write_json(folder / "timing.json", TIMING)
    rows = [
        {"step": step, "epoch": step / 430, **dict.fromkeys(losses, step / 7)}
        for step in range(1, ROWS + 1)
    ]
    write_csv(folder / "history.csv", rows if losses else [], ["step", "epoch", *losses])
    weights = root / f"artifacts/{PROFILE}/{name}/weights.safetensors"
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_text(f"those of {name}")
    record = _record(name, family, status)
    provenance = record.provenance.model_copy(update={"weights_sha256": sha256(weights)})
    record = record.model_copy(update={"provenance": provenance})
    write_json(folder / "scores.json", record.model_dump())
    write_validation(root, name, VALIDATION.get(name))
    if losses:
        for step in STEPS:
            _write_picture(root / f"artifacts/{PROFILE}/{name}/progress/step-{step:07}.png")
    _write_picture(root / f"artifacts/{PROFILE}/pictures/{name}/samples.png")


def write_validation(root: Path, name: str, fid: float | None) -> None:
    """Write the FID of one run on the validation split."""
    record = ValidationRecord(
        fid_judge=fid,
        n_real=5000,
        n_generated=10_000,
        training_seed=int(name.split("-")[1]),
        weights_sha256="c" * 64,
        data_sha256="d" * 64,
        judge_sha256=PROVENANCE.judge_sha256,
    )
    path = root / "results" / PROFILE / "runs" / name / "validation.json"
    write_json(path, record.model_dump())


def write_score(root: Path, name: str, fid: float) -> None:
    """Change the FID of one run."""
    path = root / "results" / PROFILE / "runs" / name / "scores.json"
    record = read_record(path)
    changed = record.model_copy(update={"scores": record.scores | {"fid_judge": fid}})
    write_json(path, changed.model_dump())


def write_lock(root: Path, weights: Mapping[str, str]) -> None:
    """Write the profile's dvc.lock with checksums of the splits, and of the weights by run."""
    splits = {name: name[:2] * 16 for name in ("train", "validation", "test")}
    stages = {
        "prepare": _stage(
            {f"data/{PROFILE}/{name}.safetensors": md5 for name, md5 in splits.items()}
        ),
        **{
            f"train@{name}": _stage({f"artifacts/{PROFILE}/{name}/weights.safetensors": md5})
            for name, md5 in weights.items()
        },
    }
    # JSON is valid YAML
    write_json(root / "profiles" / PROFILE / "dvc.lock", {"schema": "2.0", "stages": stages})


def _stage(outs: Mapping[str, str]) -> dict[str, Any]:
    return {"outs": [{"path": path, "md5": md5, "hash": "md5"} for path, md5 in outs.items()]}


def _record(name: str, family: str, status: str) -> ScoreRecord:
    model, seed = name.split("-")
    nothing = dict.fromkeys(("weights_sha256", "training_steps", "training_precision"))
    untrained = nothing if family == "reference" else {}
    return ScoreRecord.model_validate(
        {
            "variant": model,
            "family": family,
            "seed": int(seed),
            "status": status,
            "reason": None if status == "completed" else "g_loss became nan",
            "scores": complete_scores(SCORES.get(name, {})),
            "provenance": PROVENANCE.model_copy(update={"training_seed": int(seed)} | untrained),
        }
    )


def _write_picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
