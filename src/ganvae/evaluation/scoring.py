"""`ganvae score`: samples of any model, measured as the evaluation stage measures its own."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ganvae.config import EvaluationConfig, InceptionConfig, Params
from ganvae.config.profiles import profile_of, published_profiles
from ganvae.core.errors import ConfigError, DataError
from ganvae.core.paths import CHECKOUT
from ganvae.core.seeds import generator
from ganvae.data.registry import get_dataset, judge_file
from ganvae.data.splits import load_source, make_splits
from ganvae.data.store import write_split
from ganvae.evaluation.baselines import BASELINES
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.inception import Inception
from ganvae.evaluation.reference import make_reference
from ganvae.evaluation.sampled import in_order
from ganvae.evaluation.training_set import make_training_set
from ganvae.judge.network import FrozenJudge
from ganvae.metrics.distances import nearest
from ganvae.scores.records import ScoreRecord, complete_scores

Family = Literal["gan", "vae", "hybrid", "other"]
SplitName = Literal["test", "validation", "train"]
Report = Callable[[str], None]

ENOUGH_TO_JUDGE = 20  # samples, to say that a model has collapsed
SAME = 1e-3  # a distance in the judge's features, where neighbours are whole units apart
COPIES_BY_CHANCE = 0.01  # of the samples, blank images say


def score_samples(
    images: Tensor,
    evaluator: Evaluator,
    *,
    model: str,
    family: Family,
    seed: int,
    report: Report = print,
) -> ScoreRecord:
    """Score uint8 images, N x C x H x W.

    If there are more images than the protocol takes, some are drawn. If there are fewer, the
    record has the scores that so few images allow, and a flag that keeps it out of rankings.

    Args:
        evaluator: of a data set's split (`evaluator_of`).
        model, family, seed: what made the images, for the record. The seed also decides all
            that is drawn here.
        report: gets a line before each long step.

    Raises:
        ConfigError: the model's name is a baseline's.
        DataError: the images have another shape than the data set's.
    """
    check_model(model)
    scored = _draw(in_order(images), evaluator.config, seed)
    of = "" if len(scored) == len(images) else f", drawn from {len(images):,}"
    report(f"scoring {len(scored):,} samples{of}")
    measured = evaluator.measure_samples(scored, seed)
    flags = [*measured.flags, *_known(scored, evaluator)]
    scores = complete_scores(measured.scores)
    found = vars(measured) | {"scores": scores, "flags": flags}
    if len(scored) < ENOUGH_TO_JUDGE:  # all may be of one class by chance
        found |= {"status": "completed", "reason": None}
    return ScoreRecord(
        variant=model,
        family=family,
        seed=seed,
        **found,
        provenance=evaluator.provenance(training_seed=seed, n_generated=len(scored)),
    )


def check_model(name: str) -> None:
    """Refuse names that only baselines may have.

    Raises:
        ConfigError: it is such a name.
    """
    if name in BASELINES:
        raise ConfigError(f"--model {name}: that name is a baseline's. Give another --model.")


def _known(images: Tensor, evaluator: Evaluator) -> Iterator[str]:
    """That samples are images of the very split they are scored against."""
    reference = evaluator.reference
    _, distance = nearest(evaluator.judge(images)[0], reference.features)
    copies = int((distance < SAME).sum())
    if copies > COPIES_BY_CHANCE * len(images):
        yield (
            f"{copies:,} of the samples are {reference.split} images themselves: not to be ranked"
        )


def evaluator_of(
    dataset: str,
    split: SplitName,
    data_dir: Path | None,
    judge: FrozenJudge,
    inception: InceptionConfig | None = None,
    report: Report = print,
) -> Evaluator:
    """An evaluator for a data set, made from its published files.

    It has the parameters of the data set's profile (for MNIST the laptop profile, params.yaml),
    so that its records rank with those in ``results/<profile>/scores.json``.

    Args:
        dataset: a registered name.
        data_dir: where its files are; by default in this clone.
        judge: of that data set (`find_judge`).
        inception: for scores in its features too.
        report: gets a line before each long step.

    Raises:
        ConfigError: no profile is of the data set.
        DataError: its files are missing or damaged, or the Inception file is not the one named.
    """
    profile = _profile(dataset)
    extractor = Inception(inception, judge.device) if inception else None
    with tempfile.TemporaryDirectory() as folder:
        report(f"reading {dataset} and drawing its splits")
        paths = _write_splits(profile, dataset, data_dir, {split, "train"}, Path(folder))
        report(f"judging the {split} images, looking for the training images nearest to them")
        train = make_training_set(paths["train"], judge)
        return Evaluator(
            judge=judge,
            reference=make_reference(paths[split], train, judge, extractor),
            config=profile.evaluation.model_copy(update={"inception": inception}),
            train=train,
            inception=extractor,
        )


def _profile(dataset: str) -> Params:
    """The profile by whose parameters the data set's published scores were taken.

    Raises:
        ConfigError: there is none.
    """
    profile = profile_of(dataset)
    if profile is None:
        known = [f"{params.data.dataset} ({path})" for path, params in published_profiles()]
        raise ConfigError(
            f"dataset {dataset!r} has no profile, which says how its images are split and scored; "
            f"there are those of {', '.join(known)}."
        )
    return profile


def _write_splits(
    profile: Params, dataset: str, data_dir: Path | None, names: set[str], folder: Path
) -> dict[str, Path]:
    """Write splits as the pipeline does, to the byte: their checksums go into the record."""
    place = data_dir or CHECKOUT / get_dataset(dataset).directory
    config = profile.data.model_copy(update={"directory": str(place)})
    source = load_source(config)
    splits = make_splits(source, config)
    paths = {name: folder / f"{name}.safetensors" for name in names}
    for name, path in paths.items():
        write_split(path, name, splits[name], dataset, source.classes)
    return paths


def _draw(images: Tensor, config: EvaluationConfig, seed: int) -> Tensor:
    """As many as the protocol takes, or all if there are no more."""
    if len(images) <= config.n_generated:
        return images
    random = generator(config.seed, "samples to score", seed)
    return images[torch.randperm(len(images), generator=random)[: config.n_generated]]


def find_judge(dataset: str, device: str = "cpu") -> FrozenJudge:
    """The judge that this clone has for a data set.

    Raises:
        ConfigError: no such data set.
        DataError: it has no judge.
    """
    get_dataset(dataset)
    path = judge_file(dataset)
    if not path.is_file():
        known = ", ".join(sorted(judge.stem for judge in path.parent.glob("*.safetensors")))
        raise DataError(f"{path} is missing: only these data sets have a judge here: {known}.")
    return FrozenJudge(path, device)


def check_place(path: Path) -> None:
    """Find out whether a record can be written to ``path`` before it is computed.

    Raises:
        ConfigError: the name does not end in .json, is that of something there, or cannot be
            written to.
    """
    if path.suffix != ".json":
        raise ConfigError(f"--json {path}: the name must end in .json.")
    if path.exists():
        raise ConfigError(f"--json {path}: is there already. Give another name, or delete it.")
    if not path.parent.is_dir():
        raise ConfigError(f"--json {path}: there is no folder {path.parent}. Make it first.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ConfigError(
            f"--json {path}: cannot be written ({error.strerror}). Give another place."
        ) from None
