"""A match of two tiny systems, and records of matches that nobody trained."""

from pathlib import Path
from typing import Any

import numpy as np

from ganvae.core.files import write_json
from ganvae.core.tokens import MEASURED, source_checksum
from ganvae.matches.arena import tokens
from ganvae.matches.budget import scheduled
from ganvae.matches.draw import draw
from ganvae.matches.files import FOLDER, read_match
from ganvae.matches.spec import Match
from ganvae.scores.matches import Family, MatchRecord, ProbeRecord, TrainedRecord
from toy_study import write_yaml

SHAPE = (1, 28, 28)
NAME = "toy"
STEPS = 100
RATE = {"low": 1e-4, "high": 1e-2, "log": True}
MATCH: dict[str, Any] = {
    "description": "A toy.",
    "params": "params.yaml",
    "trials": 3,
    "seconds": 1.0,
    "seed": 100,
    "n_generated": 40,
    "selection": {"best": 2, "seeds": [101, 102]},
    "finalist_seeds": [10, 11],
    "families": {
        "gan": {
            "parameters": {"learning_rate": RATE},
            "systems": {"vanilla-gan": {"encoding_dims": {"low": 4, "high": 9}}},
            "fixed": {"vanilla-gan": {"hidden": [16], "batch_size": 16}},
        },
        "vae": {
            "parameters": {"learning_rate": RATE},
            "systems": {"bernoulli-vae": {"hidden": {"choices": [[16], [12, 9]]}}},
            "fixed": {"bernoulli-vae": {"batch_size": 16}},
        },
    },
}


def write_match(**changes: Any) -> Match:
    """Write the toy match with some keys replaced, and mark the code's behaviour as measured."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_yaml(FOLDER / f"{NAME}.yaml", MATCH | changes)
    write_json(MEASURED, {"source": source_checksum(Path())})
    return read_match(NAME)


def shared(match: Match, name: str = NAME, profile: str = "toy") -> MatchRecord:
    """The record of what the training runs of a match share. Its checksums are made up."""
    return MatchRecord(
        name=name,
        match_sha256=match.sha256,
        content=match.model_dump(mode="json", exclude_defaults=True),
        switches={family: space.switches for family, space in match.families.items()},
        profile=profile,
        dataset="mnist",
        train_sha256="a" * 64,
        validation_sha256="b" * 64,
        judge_sha256="c" * 64,
        noise_fid=400.0,
    )


def record(match: Match, family: Family, trial: int, **changes: Any) -> TrainedRecord:
    """A completed trial of the search. Its FID is random, between 1 and 100."""
    drawn = draw(match, family, trial, SHAPE)
    random = np.random.default_rng([trial, family == "gan"])
    fields: dict[str, Any] = {
        "match_sha256": match.sha256,
        "family": family,
        "stage": "search",
        "trial": trial,
        "seed": match.seed,
        "system": drawn.system,
        "redraws": drawn.redraws,
        "parameters": drawn.parameters,
        "config": scheduled(drawn.system, drawn.config, STEPS).model_dump(
            mode="json", exclude_defaults=True
        ),
        "steps": STEPS,
        "budget_seconds": match.seconds,
        "probe": ProbeRecord(step_seconds=match.seconds / STEPS, fit_seconds=0.0),
        "cpu_seconds": match.seconds,
        "fit_seconds": 0.0,
        "sampling_seconds": 0.1,
        "status": "completed",
        "reason": None,
        "fid_judge": float(random.uniform(1, 100)),
        "classes": 10,
        "precision": "fp32",
        "processor": "toy",
        "started": 0.0,
        "tokens": {},
    }
    return TrainedRecord(**fields | changes)


def search(match: Match) -> list[TrainedRecord]:
    """All trials of the search, of both families."""
    families: tuple[Family, ...] = ("gan", "vae")
    return [record(match, family, trial) for family in families for trial in range(match.trials)]


__all__ = ["MATCH", "NAME", "SHAPE", "record", "search", "shared", "tokens", "write_match"]
