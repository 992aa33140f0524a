"""A tiny profile whose studies take seconds, and helpers that run studies."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from optuna import Study
from optuna.trial import FrozenTrial, TrialState
from ruamel.yaml import YAML

from conftest import GREY, ROOT, stripes
from ganvae.config import JudgeNetworkConfig, read_yaml
from ganvae.core.paths import ProfilePaths
from ganvae.core.seeds import global_seed
from ganvae.core.tensors import save_tensors
from ganvae.data.source import LabelledImages
from ganvae.data.splits import Split
from ganvae.data.store import write_split
from ganvae.evaluation.validation import write_validation
from ganvae.judge.network import FrozenJudge, Judge
from ganvae.sweeps.study import create_study, load_study

URL = "sqlite:///sweeps.db"
PARAMS = Path("params.yaml")
PATHS = ProfilePaths("toy")
SIZES = {"train": 200, "validation": 40}
WORKER = Path(__file__).with_name("toy_worker.py")
STEPS = {"unit": "steps", "length": 20, "report_every": 5, "sample_every": 20}
MODELS: dict[str, Any] = {
    "bernoulli-vae": {"hidden": [16], "latent_size": 4, "batch_size": 16},
    "vanilla-gan": {"hidden": [16], "encoding_dims": 8, "batch_size": 16},
}
SPACE: dict[str, Any] = {
    "description": "A toy.",
    "seeds": [100],
    "n_generated": 40,
    "trials": 3,
    "parameters": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}},
    "systems": {"bernoulli-vae": {}, "vanilla-gan": {}},
}


def make_profile() -> None:
    """Write the profile into the working folder: its parameters, judge, and two splits."""
    values = read_yaml(ROOT / "profiles/smoke/params.yaml")
    schedule = STEPS | {"checkpoint_every": 5}
    values["evaluation"]["unlabelled_judge"] = None
    values |= {
        "profile": "toy",
        "root": ".",
        "file": str(PARAMS),
        "judge": "judge.safetensors",
        "compute": {"device": "cpu", "threads": 1, "precision": "fp32"},
        "promotions": "promoted.yaml",
        "runs": {
            "bernoulli-vae-0": {
                "variant": "bernoulli-vae",
                "system": "bernoulli-vae",
                "seed": 0,
                "file": str(PARAMS),
            }
        },
        "variants": {name: {"schedule": schedule, **model} for name, model in MODELS.items()},
        **{key: [] for key in ("tuned", "finalists", "aside")},
        "tuned_on": {},
        "effort": None,
        "frozen": None,
        "notes": {},
    }
    write_yaml(PARAMS, values)
    network = JudgeNetworkConfig(channels=[2, 4], strides=[2, 2], features=8, dropout=0.0)
    with global_seed(0, "judge"):
        judge = Judge(network, GREY, classes=10)
    card = {"network": network.model_dump(), "image_shape": GREY, "classes": 10}
    save_tensors(Path("judge.safetensors"), judge.state_dict(), card)
    for name, size in SIZES.items():
        write_toy_split(name, size)
    frozen = FrozenJudge(Path("judge.safetensors"))
    write_validation(PATHS.validation_features, PATHS.split("validation"), frozen)


def write_toy_split(name: str, size: int) -> None:
    images, labels = (part.numpy() for part in stripes(size))
    split = Split(LabelledImages(images, labels), np.arange(size), "train")
    write_split(PATHS.split(name), name, split, "mnist", tuple("0123456789"))


def write_yaml(path: Path, values: Mapping[str, Any]) -> None:
    with path.open("w") as file:
        YAML().dump(deepcopy(dict(values)), file)  # copied, so that YAML needs no anchors


def write_space(**changes: Any) -> str:
    """Write the toy search space with some keys replaced, and return the file's name."""
    write_yaml(Path("toy.yaml"), SPACE | changes)
    return "toy.yaml"


def edit_params(change: Callable[[dict[str, Any]], Any]) -> None:
    values = read_yaml(PARAMS)
    change(values)
    write_yaml(PARAMS, values)


def create(name: str = "toy", *, url: str = URL, variant: str | None = None, **changes: Any) -> str:
    """Create a study of the toy search space with some keys replaced."""
    return create_study(name, url, write_space(**changes), variant, PARAMS)


def trials(url: str = URL, name: str = "toy") -> list[FrozenTrial]:
    """A study's trials in the storage, by number."""
    return load_study(name, url)[0].trials


def done(study: Study | list[FrozenTrial]) -> list[FrozenTrial]:
    """The completed and pruned trials."""
    all_trials = study.trials if isinstance(study, Study) else study
    return [t for t in all_trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]


def ganvae(*arguments: str, options: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    """Start ``ganvae`` with fast heartbeats. ``options`` are the options of `toy_worker`."""
    return subprocess.Popen(
        [sys.executable, str(WORKER), *options, "--", *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_worker(*options: str, url: str = URL, study: str = "toy") -> "subprocess.Popen[str]":
    return ganvae("sweep", "worker", "--study", study, "--storage", url, options=options)


def finish(process: "subprocess.Popen[str]") -> str:
    """Wait for a process that must succeed, and return its output."""
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    return output


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until the process has created a file."""
    deadline = time.monotonic() + 300
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"the process did not create {path} in five minutes"
        time.sleep(0.02)
