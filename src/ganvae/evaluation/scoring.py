"""`ganvae score`: measure samples of any model in the same way as the evaluation stage."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ganvae.config import EvaluationConfig, InceptionConfig, Params
from ganvae.config.profiles import profile_of, published_profiles
from ganvae.core import assets
from ganvae.core.errors import ConfigError, DataError
from ganvae.core.seeds import generator
from ganvae.data.places import find_folder
from ganvae.data.registry import dataset_names, get_dataset, judge_file
from ganvae.data.splits import load_source, make_splits
from ganvae.data.store import read_split, write_split
from ganvae.evaluation.baselines import BASELINES
from ganvae.evaluation.copies import copy_flags
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.inception import Inception
from ganvae.evaluation.reference import make_reference
from ganvae.evaluation.sampled import in_order
from ganvae.evaluation.second_judge import second_judge
from ganvae.evaluation.training_set import make_training_set
from ganvae.judge.network import FrozenJudge
from ganvae.scores.records import ScoreRecord, complete_scores

Family = Literal["gan", "vae", "hybrid", "other"]
SplitName = Literal["test", "validation", "train"]
Report = Callable[[str], None]

ENOUGH_TO_JUDGE = 20  # minimum number of samples for the verdict that a model has collapsed


def score_samples(
    images: Tensor,
    evaluator: Evaluator,
    *,
    model: str,
    family: Family,
    seed: int,
    report: Report = print,
) -> ScoreRecord:
    """Score uint8 images, N x C x H x W, from any model.

    If there are more images than the settings require, a random part of the images is scored. If
    there are fewer images, the record gets a flag that keeps the record out of rankings. Scores
    that need more images are then null. If samples are copies of other samples or of real images,
    the record gets a flag too, and no intervals.

    Args:
        evaluator: an evaluator for a split of a data set (`evaluator_of`).
        model, family: the name and the family of the images' model, for the record.
        seed: the training seed of the model, for the record. All random draws of this function
            derive from this seed.
        report: a function called with one line of text before each long step.

    Raises:
        ConfigError: the model has the name of a baseline.
        DataError: the images have another shape than the data set's images.
    """
    check_model(model)
    scored = _draw(in_order(images), evaluator.config, seed)
    source = "" if len(scored) == len(images) else f", drawn from {len(images):,}"
    report(f"scoring {len(scored):,} samples{source}")
    measured = evaluator.measure_samples(scored, seed)
    copies = list(copy_flags(scored, evaluator))
    fields = vars(measured) | {
        "scores": complete_scores(measured.scores),
        "flags": [*measured.flags, *copies],
    }
    if copies:  # the resamples behind an interval would treat the samples as independent draws
        fields |= {"noise": {}}
    if len(scored) < ENOUGH_TO_JUDGE:  # so few may all be of one class by chance
        fields |= {"status": "completed", "reason": None}
    return ScoreRecord(
        variant=model,
        family=family,
        seed=seed,
        **fields,
        provenance=evaluator.provenance(training_seed=seed, n_generated=len(scored)),
    )


def check_model(name: str) -> None:
    """Check that a model's name can be printed, and is not reserved for a baseline.

    Raises:
        ConfigError: the name has other characters, or is reserved.
    """
    if not (name.isprintable() and name == name.strip() and name):
        raise ConfigError(
            f"the name of the model, {name!r}, is empty, or has spaces at its ends or characters "
            "that cannot be printed. Give another name."
        )
    if name in BASELINES:
        raise ConfigError(
            f"the name of the model, {name!r}, is reserved for a baseline. Give another name."
        )


def evaluator_of(
    dataset: str,
    split: SplitName,
    data_dir: Path | None,
    judge: FrozenJudge,
    inception: InceptionConfig | None = None,
    report: Report = print,
) -> Evaluator:
    """Make an evaluator for a data set from its published files.

    The settings come from the data set's profile (for MNIST the laptop profile, params.yaml). So
    new records can be ranked together with the records in ``results/<profile>/scores.json``.

    Args:
        dataset: a registered name.
        data_dir: the folder of the data set's files. None means the folder that
            `ganvae.data.places.find_folder` finds.
        judge: the judge of the data set (`find_judge`). The profile names the second judge.
        inception: an Inception network. If it is given, Inception scores are computed too.
        report: a function called with one line of text before each long step.

    Raises:
        ConfigError: the data set has no published profile.
        DataError: the data set's files are missing or damaged, or the file of the Inception network
            or of the second judge is missing or has another checksum than the parameters.
    """
    profile = _profile(dataset)
    config = profile.evaluation.model_copy(update={"inception": inception})
    extractor = Inception(inception, judge.device) if inception else None
    unlabelled = second_judge(config, judge.device, assets.ROOT)
    with tempfile.TemporaryDirectory() as folder:
        report(f"reading {dataset} and drawing its splits")
        paths = _write_splits(profile, dataset, data_dir, {split, "train"}, Path(folder))
        report(f"computing the judge's features, and the training images nearest to {split} images")
        train = make_training_set(paths["train"], judge)
        return Evaluator(
            judge=judge,
            reference=make_reference(
                paths[split], train, judge, config, inception=extractor, unlabelled=unlabelled
            ),
            config=config,
            train=train,
            inception=extractor,
            images=read_split(paths[split]).images,
            unlabelled=unlabelled,
        )


def _profile(dataset: str) -> Params:
    """Return the profile with which the published scores of a data set were measured.

    Raises:
        ConfigError: the data set has no published profile.
    """
    profile = profile_of(dataset)
    if profile is None:
        known = [f"{params.data.dataset} ({path})" for path, params in published_profiles()]
        raise ConfigError(
            f"dataset {dataset!r} has no published profile, so it is not known how to split and "
            f"score its images. Choose one of: {', '.join(known)}."
        )
    return profile


def _write_splits(
    profile: Params, dataset: str, data_dir: Path | None, names: set[str], folder: Path
) -> dict[str, Path]:
    """Write the splits in ``names`` to ``folder``, and return the path of each split.

    The files equal the pipeline's files byte by byte, because records hold their checksums.
    """
    directory = find_folder(get_dataset(dataset), data_dir)
    config = profile.data.model_copy(update={"directory": str(directory)})
    source = load_source(config)
    splits = make_splits(source, config)
    paths = {name: folder / f"{name}.safetensors" for name in names}
    for name, path in paths.items():
        write_split(path, name, splits[name], dataset, source.classes)
    return paths


def _draw(images: Tensor, config: EvaluationConfig, seed: int) -> Tensor:
    """Draw ``config.n_generated`` images at random, or return all images if there are fewer."""
    if len(images) <= config.n_generated:
        return images
    random = generator(config.seed, "samples to score", seed)
    return images[torch.randperm(len(images), generator=random)[: config.n_generated]]


def find_judge(dataset: str, device: str = "cpu") -> FrozenJudge:
    """Load the judge of a data set.

    Raises:
        ConfigError: the data set is not registered.
        DataError: the data set has no judge.
    """
    get_dataset(dataset)
    path = judge_file(dataset)
    if not path.is_file():
        known = ", ".join(name for name in dataset_names() if judge_file(name).is_file())
        raise DataError(f"{path} is missing. Choose a data set that has a judge: {known}.")
    return FrozenJudge(path, device)


def check_place(path: Path) -> None:
    """Check that a record can be written to ``path``, before the record is computed.

    Raises:
        ConfigError: the name does not end in .json, the path exists already, its folder does not
            exist, or the folder cannot be written to.
    """
    if path.suffix != ".json":
        raise ConfigError(f"--json {path}: the name must end in .json.")
    if path.exists():
        raise ConfigError(f"--json {path}: the path exists already. Give another, or delete it.")
    if not path.parent.is_dir():
        raise ConfigError(f"--json {path}: there is no folder {path.parent}. Create it first.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ConfigError(
            f"--json {path}: cannot be written ({error.strerror}). Give another path."
        ) from None
