"""The second judge: optional, known by its checksum, and with scores of its own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import GREY, ROOT, stripes
from ganvae.config import EvaluationConfig, UnlabelledJudgeConfig
from ganvae.core.errors import DataError
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.measuring import Measuring
from ganvae.evaluation.runs import make_evaluator
from ganvae.evaluation.second_judge import second_judge
from ganvae.metrics.fid import fid
from ganvae.pipeline.behaviour.scoring import in_a_folder
from ganvae.pipeline.behaviour.toy_profile import write_profile, write_unlabelled
from ganvae.scores.rankable import protocol_changes


def both(shape: tuple[int, int, int]) -> tuple[Evaluator, Evaluator]:
    """Evaluators of one toy profile, without and with a second judge."""
    kind = "channels" if shape[0] == 3 else "classes"
    return tuple(  # type: ignore[return-value]
        make_evaluator(write_profile(shape, kind, unlabelled=unlabelled))
        for unlabelled in (False, True)
    )


@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 12, 12)])
def test_pin_25_the_second_judge_adds_its_fid_and_changes_no_other_score(
    shape: tuple[int, int, int],
) -> None:
    with in_a_folder():
        without, judged = both(shape)
        images = stripes(80, (shape[0], 28, 28))[0][:, :, :12, :12]
        first, second = without.measure_samples(images, 0), judged.measure_samples(images, 0)
    assert "fid_unlabelled" not in first.scores
    assert judged.unlabelled is not None
    expected = fid(real=judged.reference.unlabelled, generated=judged.unlabelled(images))
    assert second.scores.pop("fid_unlabelled") == pytest.approx(expected, rel=1e-6)
    assert replace(second, scores=first.scores) == first
    assert second.scores == pytest.approx(first.scores)
    provenances = [judge.provenance(training_seed=0) for judge in (without, judged)]
    assert provenances[1].unlabelled_judge_sha256 == judged.unlabelled.sha256
    (change,) = protocol_changes(*provenances)
    assert change.startswith("unlabelled_judge_sha256 None against ")


def test_too_few_samples_for_the_second_judge_are_flagged() -> None:
    with in_a_folder():
        _, judged = both((1, 12, 12))
        few = judged.measure_samples(stripes(80)[0][:8, :, :12, :12], 0)
    assert "fid_unlabelled" not in few.scores
    assert "FID of the second judge, with 8 features, needs more than 8 samples" in few.flags


def test_a_second_judge_with_another_checksum_is_refused(tmp_path: Path) -> None:
    given = write_unlabelled(tmp_path / "second.safetensors", GREY)
    config: dict[str, Any] = {"file": "second.safetensors", "sha256": given["sha256"]}

    def load() -> object:
        settings = EvaluationConfig(unlabelled_judge=UnlabelledJudgeConfig(**config))
        return second_judge(settings, root=tmp_path)

    assert load()
    config["sha256"] = "0" * 64
    with pytest.raises(DataError, match=rf"file is {given['sha256']}, and .*sha256 is {'0' * 64}"):
        load()
    assert second_judge(EvaluationConfig()) is None


def test_images_of_another_shape_are_refused(tmp_path: Path) -> None:
    write_unlabelled(tmp_path / "second.safetensors", GREY)
    digest = write_unlabelled(tmp_path / "second.safetensors", GREY)["sha256"]
    given = UnlabelledJudgeConfig(file="second.safetensors", sha256=digest)
    judge = second_judge(EvaluationConfig(unlabelled_judge=given), root=tmp_path)
    assert judge
    with pytest.raises(DataError, match=r"shape \(3, 28, 28\), but the second judge was trained"):
        judge(torch.zeros(2, 3, 28, 28, dtype=torch.uint8))


def test_the_first_judge_is_no_second_judge() -> None:
    first = UnlabelledJudgeConfig(file="judges/mnist.safetensors", sha256="0" * 64)
    with pytest.raises(DataError, match=r"judges/mnist\.safetensors"):
        second_judge(EvaluationConfig(unlabelled_judge=first), root=ROOT)


def test_the_measuring_file_has_the_checksum_of_the_second_judge() -> None:
    with in_a_folder():
        from ganvae.evaluation.measuring import write_measuring

        write_measuring(write_profile((1, 12, 12), "classes", unlabelled=True))
        text = Path("data/toy/measuring.json").read_text()
    assert "second.safetensors" in Measuring.model_validate_json(text).md5
