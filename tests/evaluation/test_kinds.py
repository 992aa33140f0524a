"""Scores by judges of identities and by judges with one class per channel."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from conftest import stripes, tiny_model
from ganvae.config import EvaluationConfig, InversionConfig, JudgeNetworkConfig, Params
from ganvae.core.seeds import global_seed
from ganvae.core.tensors import save_tensors
from ganvae.data.source import LabelledImages
from ganvae.data.splits import Split
from ganvae.data.store import StoredSplit, write_split
from ganvae.evaluation import evaluator as module
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.reference import make_reference
from ganvae.evaluation.sampled import Measured
from ganvae.evaluation.training_set import TrainingSet
from ganvae.judge.kinds import JudgeKind
from ganvae.judge.network import FrozenJudge, Judge
from ganvae.metrics.modes import kl_from_even
from ganvae.scores.catalogue import CATALOGUE

NETWORK = JudgeNetworkConfig(channels=[4], strides=[2], features=8, dropout=0)
CONFIG = EvaluationConfig(
    n_generated=50,
    inception_score_splits=5,
    bootstrap_resamples=20,
    half_samples=20,
    memorisation_samples=40,
    fld_samples=30,
    fld_images=40,
    inversion=InversionConfig(images=10, restarts=1, steps=1),
)

CHANNELS_OF = {"sha256": "", "classes": 10}


def judge_of(kind: JudgeKind, folder: Path) -> FrozenJudge:
    """An untrained judge: of ten classes, of 20 people, or of ten digits in three channels."""
    outputs = {"classes": 10, "identities": 20, "channels": 10}[kind]
    with global_seed(0, "judge"):
        weights = Judge(NETWORK, (1, 28, 28), outputs).state_dict()
    card = {"network": NETWORK.model_dump(), "image_shape": (1, 28, 28), "classes": outputs}
    if kind == "channels":
        card |= {"image_shape": (3, 28, 28), "classes": 1000, "channels_of": CHANNELS_OF}
    save_tensors(folder / kind, weights, card | {"kind": kind})
    return FrozenJudge(folder / kind)


def images_for(judge: FrozenJudge, n: int) -> Tensor:
    return stripes(n, judge.image_shape)[0]


def evaluator_of(kind: JudgeKind, folder: Path) -> tuple[Evaluator, StoredSplit]:
    judge = judge_of(kind, folder)
    images = images_for(judge, 140)
    labels, index = torch.arange(60) % 7, torch.arange(60)
    names = tuple(f"Person {label}" for label in range(7))
    split = StoredSplit(images[:60], labels, index, "toy", "test", "train", names)
    data = LabelledImages(split.images.numpy(), labels.numpy())
    write_split(folder / "test", "test", Split(data, index.numpy(), "train"), "toy", names)
    train = TrainingSet(images[60:], judge(images[60:])[0])
    reference = make_reference(folder / "test", train, judge, CONFIG)
    return Evaluator(judge, reference, CONFIG, train), split


def measured_by(kind: JudgeKind, folder: Path) -> Measured:
    judged, split = evaluator_of(kind, folder)
    return judged.measure_samples(split.images[:50], 0)


GENERAL = {"fid_judge", "kid_judge", "recall_judge", "closer_to_train_judge"}
OF_CLASSES = {"is_judge", "is_judge_std", "class_distance_judge", "classes_judge"}
OF_MODES = {"modes_judge", "mode_kl_judge"}


@pytest.mark.parametrize(
    ("kind", "has"), [("classes", OF_CLASSES), ("identities", set()), ("channels", OF_MODES)]
)
def test_each_kind_of_judge_gives_only_meaningful_scores(
    tmp_path: Path, kind: JudgeKind, has: set[str]
) -> None:
    measured = measured_by(kind, tmp_path)
    found = set(measured.scores)
    assert GENERAL | has <= found
    assert not found & ((OF_CLASSES | OF_MODES) - has)
    of_samples = {score for score in CATALOGUE if score.group in ("samples", "modes")}
    by_this_judge = {s.name for s in of_samples if kind in s.judges and not s.optional}
    assert found == by_this_judge - {"fid_unlabelled"}, "there is no second judge"
    assert ("is_judge" in measured.noise) == (kind == "classes")
    assert (measured.class_counts is None) == (kind != "classes")
    assert measured.flags == []


def test_modes_are_counted_from_the_judges_verdicts(tmp_path: Path) -> None:
    judged, split = evaluator_of("channels", tmp_path)
    scores = judged.measure_samples(split.images[:50], 0).scores
    verdicts = judged.judge(split.images[:50])[1].argmax(dim=1)
    assert scores["modes_judge"] == len(verdicts.unique())
    expected = kl_from_even(torch.bincount(verdicts, minlength=1000).tolist())
    assert scores["mode_kl_judge"] == pytest.approx(expected)
    single = judged.measure_samples(split.images[:1].repeat(50, 1, 1, 1), 0)
    assert single.scores["modes_judge"] == 1
    assert single.scores["mode_kl_judge"] == pytest.approx(math.log(1000))


@pytest.mark.parametrize(("kind", "share"), [("classes", "1"), ("identities", "0.5")])
def test_every_kind_of_judge_detects_a_collapse(
    tmp_path: Path, kind: JudgeKind, share: str
) -> None:
    judged, split = evaluator_of(kind, tmp_path)
    same = split.images[:1].repeat(50, 1, 1, 1)
    verdict = int(judged.judge(same[:1])[1].argmax())
    measured = judged.measure_samples(same, 0)
    assert measured.status == "collapsed"
    assert measured.reason == f"only class {verdict} has more than {share} % of the samples"


def test_samples_of_many_people_are_not_collapsed(tmp_path: Path) -> None:
    judged, split = evaluator_of("identities", tmp_path)
    judge = judged.judge

    class Certain(FrozenJudge):
        """A judge that sees another person in every image."""

        def __init__(self) -> None:
            self.kind = "identities"

        def __call__(self, images: Tensor, batch_size: int = 125) -> tuple[Tensor, Tensor]:
            return judge(images)[0], torch.eye(20)[torch.arange(len(images)) % 20]

    measured = replace(judged, judge=Certain()).measure_samples(split.images[:50], 0)
    assert (measured.status, measured.reason) == ("completed", None)


@pytest.mark.parametrize("kind", ["identities", "channels"])
def test_label_kept_needs_a_judge_that_knows_the_labels(
    tmp_path: Path, kind: JudgeKind, smoke: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged, split = evaluator_of(kind, tmp_path)
    monkeypatch.setattr(module, "invert", lambda model, images, settings, **options: images)
    truth = judged.judge(split.images)[1].argmax(dim=1)
    scores = judged.score_inversion(tiny_model(smoke, "dcgan"), replace(split, labels=truth), 0)
    assert scores["inverted_mse"] == 0
    assert scores["inverted_label_kept_judge"] == (None if kind == "identities" else 1)


def test_no_flag_for_an_inception_score_that_the_judge_cannot_measure(tmp_path: Path) -> None:
    judged, split = evaluator_of("identities", tmp_path)
    flags = judged.measure_samples(split.images[:30], 0).flags
    assert flags == [
        "30 samples were scored, but the protocol needs 50, so the record is not ranked"
    ]
