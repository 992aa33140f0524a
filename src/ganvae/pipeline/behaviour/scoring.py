"""Record the results of evaluation: all scores of images, and of the models of every system."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvae.config import EvaluationConfig, InversionConfig, Params, parse
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.core.seeds import generator
from ganvae.evaluation.baselines import evaluate_baselines
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.measuring import write_measuring
from ganvae.evaluation.runs import evaluate_run, make_evaluator, validate_run
from ganvae.judge.kinds import JudgeKind
from ganvae.metrics.distances import nearest
from ganvae.metrics.fid import fid
from ganvae.metrics.inversion import invert
from ganvae.metrics.kid import kid
from ganvae.metrics.prdc import prdc
from ganvae.metrics.reconstruction import reconstruction_scores
from ganvae.models.base import ImageShape, VariationalModel
from ganvae.models.registry import system_class, system_config
from ganvae.models.weights import load_model
from ganvae.pipeline.behaviour import REVISIONS
from ganvae.pipeline.behaviour.fixture import drawings, sketch
from ganvae.pipeline.behaviour.panel import COLOUR, GREY, SMALL
from ganvae.pipeline.behaviour.toy_profile import Fate, write_profile, write_run
from ganvae.scores.records import ScoreRecord

QUICK_SEARCH = InversionConfig(restarts=1, steps=3)
KINDS: dict[JudgeKind, ImageShape] = {
    "classes": GREY,
    "identities": (1, 16, 12),
    "channels": (3, 12, 12),
}
MANY = 2600  # images: enough that their distances are computed in two pieces
CHECKSUMS = (
    "judge_sha256",
    "data_sha256",
    "weights_sha256",
    "inception_sha256",
    "samples_sha256",
    "unlabelled_judge_sha256",
)
"""Fields left out of the records, because the records hold the content behind each checksum."""


def sample_scores() -> dict[str, Any]:
    """Record the scores of fixed images, with a judge (a small classifier) of each kind."""
    recorded: dict[str, Any] = {
        "revision": REVISIONS["evaluate"],
        "defaults": parse(EvaluationConfig, {}, "evaluation").model_dump(),
    }
    for kind, shape in KINDS.items():
        with in_a_folder():
            params = write_profile(
                shape, kind, inception=kind == "classes", unlabelled=kind != "identities"
            )
            evaluator = make_evaluator(params)
            write_measuring(params)
            recorded[kind] = {
                "measuring": _measuring(params),
                "reference": _reference(evaluator),
                "baselines": [_record(record) for record, _ in evaluate_baselines(params)],
                "samples": _measured(evaluator, 80, shape),
                "few": _measured(evaluator, 12, shape),
                "hardly any": _measured(evaluator, 3, shape),
                "one image": _measured(evaluator, 80, shape, same=True),
            }
    recorded["many"] = _many_scores()
    return recorded


def _measuring(params: Params) -> dict[str, Any]:
    """Return the settings in measuring.json."""
    written = read_json(ProfilePaths(params.profile).measuring)
    del written["evaluation"]["inception"]  # its checksum depends on the name of a module
    del written["evaluation"]["unlabelled_judge"]
    del written["md5"]
    return written


def _many_scores() -> dict[str, Any]:
    """Score a number of images that is large enough for the code to split them into pieces."""
    random = np.random.default_rng(6)
    real, generated = (torch.from_numpy(random.random((n, 8))).float() for n in (MANY, MANY - 300))
    generated[:, 0] += 0.2
    originals, others = (drawings(1100, (1, 12, 12), first).float() / 255 for first in (0, 7))
    index, distance = nearest(generated, real)
    return {
        "prdc": prdc(real=real, generated=generated)._asdict(),
        "nearest": [sketch(index), sketch(distance)],
        "kid": list(kid(real=real, generated=generated, seed=1)),
        "fid": fid(real=real, generated=generated),
        "reconstruction": reconstruction_scores(original=originals, reconstructed=others),
    }


def model_scores(name: str) -> dict[str, Any]:
    """Record the scores of a system's models: trained, broken, diverged, and with options.

    Args:
        name: the system.
    """
    small = SMALL.get(name, {})
    recorded: dict[str, Any] = {"revision": REVISIONS["evaluate"]}
    fates: tuple[Fate, ...] = ("trained", "broken", "diverged")
    with in_a_folder():
        params = write_profile(GREY, "classes")
        for fate in fates:
            recorded[fate] = _scored(params, name, small, GREY, fate)
        if issubclass(system_class(name), VariationalModel):
            recorded["binarised"] = _scored(params, name, {**small, "binarize": "static"}, GREY)
            if "beta" in system_class(name).config_class.model_fields:
                recorded["weighted"] = _scored(params, name, {**small, "beta": 0.3}, GREY)
            if "likelihood" in system_class(name).config_class.model_fields:
                bernoulli = {**small, "binarize": "static", "likelihood": "bernoulli"}
                recorded["bernoulli"] = _scored(params, name, bernoulli, GREY)
        recorded["pieces"] = _outputs(name)
    with in_a_folder():
        params = write_profile(COLOUR, "classes")
        recorded["colour"] = _scored(params, name, small, COLOUR)
    return recorded


def _scored(
    params: Params, name: str, parameters: dict[str, Any], shape: ImageShape, fate: Fate = "trained"
) -> dict[str, Any]:
    key = write_run(name, system_config(name, parameters), shape, fate)
    validation = validate_run(params, key).model_dump()
    return {
        **_record(evaluate_run(params, key)),
        "validation": {k: v for k, v in validation.items() if k not in CHECKSUMS},
    }


def _record(record: ScoreRecord) -> dict[str, Any]:
    content = _without_words(record.model_dump(mode="json"))
    content["provenance"] = {
        name: value for name, value in content["provenance"].items() if name not in CHECKSUMS
    }
    return {name: value for name, value in content.items() if name not in CHECKSUMS}


def _without_words(content: dict[str, Any]) -> dict[str, Any]:
    """Replace the list of flags by its length, and the reason by True (False without reason).

    So the wording of flags and reasons may change, and the record stays the same.
    """
    flags, reason = content["flags"], content["reason"]
    return content | {"flags": len(flags), "reason": reason is not None}


def _reference(evaluator: Evaluator) -> dict[str, Any]:
    reference = evaluator.reference
    return {
        "features": sketch(reference.features),
        "train features": sketch(evaluator.train.features),
        "to train": [sketch(reference.to_train_judge), sketch(reference.to_train_pixels)],
        "inception": sketch(reference.inception),
        "unlabelled": sketch(reference.unlabelled),
        "fld baseline": reference.fld_baseline,
        "dataset": [reference.dataset, reference.split],
    }


def _measured(
    evaluator: Evaluator, n: int, shape: ImageShape, same: bool = False
) -> dict[str, Any]:
    """Score images from `drawings`; every second image is inverted, so that it looks unreal.

    Args:
        same: whether all images are copies of the first image.
    """
    images = drawings(n, shape, first=1000)
    images[::2] = 255 - images[::2]
    if same:
        images[1:] = images[0]
    content = dict(vars(evaluator.measure_samples(images, training_seed=7)))
    content.pop("samples_sha256")
    content = _without_words(content)
    return {name: _plain(value) for name, value in content.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value.model_dump() if hasattr(value, "model_dump") else value


def _outputs(name: str) -> dict[str, Any]:
    """Record those outputs of a system's model from which pictures are drawn."""
    key = write_run(name, system_config(name, SMALL.get(name, {})), GREY)
    model = load_model(ProfilePaths("toy").run(key).weights)
    latents = model.sample_prior(5, generator(1, "fingerprint"))
    images = drawings(5, GREY).float() / 255
    outputs = {
        "latents": sketch(latents),
        "decoded": sketch(model.decode(latents, batch_size=2)),
        "inverted": sketch(invert(model, images, QUICK_SEARCH, random=generator(1, "inverted"))),
    }
    if isinstance(model, VariationalModel):
        noise = torch.ones(5, model.latent_size) / 2
        mean, log_variance = model.encode(images)
        outputs |= {
            "encoded": [*sketch(mean), *sketch(log_variance)],
            "reconstructed": sketch(model.reconstruct(images)),
            "elbo": sketch(model.elbo(images, noise)),
        }
    return outputs


@contextlib.contextmanager
def in_a_folder() -> Iterator[None]:
    """Create a temporary folder, and use it as the working directory inside the `with` block."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
