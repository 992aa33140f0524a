"""`ganvae score` measures samples of any model in the same way as the pipeline."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from conftest import GREY, ROOT, stripes
from ganvae import api, cli
from ganvae.config import (
    DataConfig,
    EvaluationConfig,
    InceptionConfig,
    JudgeNetworkConfig,
    Params,
)
from ganvae.core import assets
from ganvae.core.errors import ConfigError, DataError, UserError
from ganvae.core.files import sha256
from ganvae.core.seeds import global_seed
from ganvae.core.tensors import save_tensors
from ganvae.data.places import VARIABLE
from ganvae.data.samples import read_samples
from ganvae.data.source import LabelledImages, Source
from ganvae.data.splits import make_splits
from ganvae.data.store import write_split
from ganvae.evaluation import scoring
from ganvae.evaluation.baselines import floor
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.reference import make_reference
from ganvae.evaluation.sampled import in_order
from ganvae.evaluation.training_set import make_training_set
from ganvae.judge.network import FrozenJudge, Judge
from ganvae.report.score_text import score_text
from ganvae.scores.catalogue import REQUIRED
from ganvae.scores.rankable import protocol_changes
from ganvae.scores.records import ScoreRecord, read_record, read_records

N = 50  # images that the small protocol needs
EVALUATION = EvaluationConfig(
    n_generated=N,
    batch_size=25,
    inception_score_splits=4,
    seed=0,
    bootstrap_resamples=20,
    half_samples=20,
    memorisation_samples=40,
    fld_samples=30,
    fld_images=40,
)
IMAGES, LABELS = stripes(320)
SAMPLES = IMAGES[260:]  # in neither training nor test set
SOURCE = Source(
    LabelledImages(IMAGES[:200].numpy(), LABELS[:200].numpy()),
    LabelledImages(IMAGES[200:260].numpy(), LABELS[200:260].numpy()),
    tuple("0123456789"),
)


@pytest.fixture
def profile(smoke: Params) -> Params:
    sizes = {"train_size": None, "validation_size": 60, "test_size": None}
    data = smoke.data.model_copy(update=sizes)
    return smoke.model_copy(update={"data": data, "evaluation": EVALUATION})


@pytest.fixture
def judge(tmp_path: Path) -> FrozenJudge:
    network = JudgeNetworkConfig(channels=[4], strides=[2], features=8, dropout=0)
    with global_seed(0, "judge"):
        weights = Judge(network, GREY, classes=10).state_dict()
    card = {"network": network.model_dump(), "image_shape": GREY, "classes": 10}
    save_tensors(tmp_path / "judge.safetensors", weights, card)
    return FrozenJudge(tmp_path / "judge.safetensors")


Score = Callable[..., ScoreRecord]


@pytest.fixture
def score(judge: FrozenJudge, profile: Params, monkeypatch: pytest.MonkeyPatch) -> Score:
    """`score_samples` with a small data set, judge and protocol."""
    monkeypatch.setattr(scoring, "load_source", lambda config: SOURCE)
    monkeypatch.setattr(scoring, "_profile", lambda dataset: profile)
    monkeypatch.setattr(scoring, "find_judge", lambda dataset, device: judge)
    monkeypatch.setattr(api, "KEPT", {})

    def score(images: Tensor, **given: Any) -> ScoreRecord:
        split, inception = given.pop("split", "test"), given.pop("inception", None)
        report = given.get("report", lambda line: None)
        about = {"model": "mine", "family": "gan", "seed": 3, "report": report}
        evaluator = scoring.evaluator_of("mnist", split, None, judge, inception, report)
        return scoring.score_samples(images, evaluator, **about | given)

    return score


def by_hand(folder: Path, profile: Params, judge: FrozenJudge, split: str) -> Evaluator:
    """An evaluator made by the same steps as in the stages prepare, reference and evaluate."""
    splits = make_splits(SOURCE, profile.data)
    for name in splits:
        write_split(folder / name, name, splits[name], "mnist", SOURCE.classes)
    train = make_training_set(folder / "train", judge)
    return Evaluator(
        judge, make_reference(folder / split, train, judge, EVALUATION), EVALUATION, train
    )


@pytest.mark.parametrize("split", ["test", "validation", "train"])
def test_a_record_equals_the_record_of_the_pipeline(
    tmp_path: Path, score: Score, profile: Params, judge: FrozenJudge, split: str
) -> None:
    record = score(SAMPLES[:N], split=split)
    evaluator = by_hand(tmp_path, profile, judge, split)
    measured = evaluator.measure_samples(SAMPLES[:N], 3)
    assert set(record.scores) == set(REQUIRED)
    found = {name: value for name, value in record.scores.items() if value is not None}
    assert found == measured.scores
    assert {"fid_judge", "kid_judge", "is_judge", "coverage_judge"} <= set(found)
    assert record.noise == measured.noise
    assert record.class_counts == measured.class_counts
    assert record.provenance == evaluator.provenance(training_seed=3)
    assert record.provenance.data_sha256 == sha256(tmp_path / split)
    assert (record.variant, record.family, record.seed) == ("mine", "gan", 3)
    assert record.flags == []


def test_too_many_images_are_sampled_at_random(score: Score) -> None:
    lines: list[str] = []
    record = score(SAMPLES, report=lines.append)
    assert lines[-1] == "scoring 50 samples, drawn from 60"
    assert record.provenance.n_generated == N
    assert record.flags == []
    assert record == score(SAMPLES)
    assert record == score(SAMPLES.flip(0)), "the order of images must not matter"
    drawn = scoring._draw(torch.arange(60), EVALUATION, seed=3)
    assert len(drawn.unique()) == N
    assert record == score(in_order(SAMPLES)[drawn])
    assert not torch.equal(drawn, scoring._draw(torch.arange(60), EVALUATION, seed=4))
    assert not torch.equal(drawn.sort().values, torch.arange(N))


def test_too_few_images_get_only_meaningful_scores(score: Score) -> None:
    few = score(SAMPLES[:30])
    assert few.provenance.n_generated == 30
    assert few.flags[0] == (
        "30 samples were scored, but the protocol needs 50, so the record is not ranked"
    )
    assert few.scores["fid_judge"] is not None
    assert few.scores["is_judge"] is None  # needs four splits of ten images
    assert score(SAMPLES[:8]).scores["fid_judge"] is None  # needs more images than features
    assert score(SAMPLES[:1]).scores["classes_judge"] == 1


def test_collapse_is_reported(score: Score) -> None:
    same = SAMPLES[:1].repeat(N, 1, 1, 1)
    record = score(same)
    assert record.status == "collapsed"
    assert record.reason is not None
    assert re.fullmatch(r"only class \d has more than 1 % of the samples", record.reason)
    assert record.scores["fid_judge"] is not None
    assert score(SAMPLES[:N]).status == "completed"
    assert score(same[:1]).status == "completed"  # a single image is always of one class


def test_copies_of_the_real_images_are_flagged(score: Score) -> None:
    sets = {"test": SOURCE.test, "train": SOURCE.train}
    for split, source in sets.items():
        real = torch.from_numpy(source.images)[:N]
        for copies in (real, nearly(real)):
            record = score(copies)
            (flag,) = record.flags
            n = int(flag.split()[0])  # some of the training set is in the validation split
            assert n > N / 2
            assert flag == (
                f"{n} of {N} samples are copies of {split} images, so the record is not ranked"
            )
            assert record.noise == {}, "resamples of copies are no independent draws"
    assert score(SAMPLES[:N]).flags == []


def nearly(images: Tensor) -> Tensor:
    """The images with every pixel changed by at most one grey level."""
    random = torch.Generator().manual_seed(0)
    change = torch.randint(-1, 2, images.shape, generator=random)
    return (images.int() + change).clamp(0, 255).to(torch.uint8)


def test_repeated_samples_are_flagged(score: Score) -> None:
    repeated = SAMPLES[:5].repeat(N // 5, 1, 1, 1)
    record = score(repeated)
    assert record.flags == [
        f"only 5 of {N} samples differ from each other, so they are no independent draws and the "
        "record is not ranked"
    ]
    assert record.noise == {}
    (flag,) = score(nearly(repeated)).flags
    assert int(flag.split()[1]) <= N // 2, "the samples form pairs at least"


def test_the_name_of_a_baseline_is_refused(score: Score) -> None:
    with pytest.raises(ConfigError, match="model, 'floor', is reserved for a baseline"):
        score(SAMPLES[:N], model="floor")


def test_scoring_leaves_the_global_generators_alone(score: Score) -> None:
    states = torch.get_rng_state(), np.random.get_state()[1].tolist()
    score(SAMPLES)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]


class Tiny(torch.nn.Module):
    """A small network in place of Inception."""

    def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
        return images.to(torch.float32).mean(dim=2).flatten(1)[:, :12]


def test_inception_scores_need_an_extractor(tmp_path: Path, score: Score) -> None:
    assert "fid_inception" not in score(SAMPLES[:N]).scores
    torch.jit.script(Tiny()).save(str(tmp_path / "tiny.pt"))
    checksum = sha256(tmp_path / "tiny.pt")
    config = InceptionConfig(file=str(tmp_path / "tiny.pt"), sha256=checksum)
    record = score(SAMPLES[:N], inception=config)
    assert record.provenance.inception_sha256 == checksum
    assert (record.scores["fid_inception"] or 0) > 0
    wrong = config.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(DataError, match=f"inception.sha256 is {'0' * 64}"):
        score(SAMPLES[:N], inception=wrong, report=pytest.fail)  # fails before any work


def ganvae(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> None:
    """Run the command line in this process, so that errors are raised."""
    monkeypatch.setattr(sys, "argv", ["ganvae", *map(str, arguments)])
    cli._run()


def test_the_command_prints_and_writes_the_record(
    tmp_path: Path,
    score: Score,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number, image in enumerate(SAMPLES[:30].numpy()):
        path = tmp_path / f"samples/{number % 3}/{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(path)
    ordered = torch.cat([SAMPLES[:30][start::3] for start in range(3)])
    np.savez(tmp_path / "samples.npz", images=(ordered / 255).numpy())
    (tmp_path / "new").mkdir()
    for name in ("samples", "samples.npz"):
        place = tmp_path / "new" / f"{name}.json"
        ganvae(monkeypatch, "score", tmp_path / name, "--json", place, "--seed", "3")
    folder, array = (read_record(tmp_path / f"new/{n}.json") for n in ("samples", "samples.npz"))
    assert folder == array
    assert folder == score(ordered, model="samples", family="other")
    output = capsys.readouterr()
    assert output.out == 2 * (score_text(folder) + "\n")
    # One line per long step. The second call keeps the evaluator of the first.
    assert [line.split()[0] for line in output.err.splitlines()] == [
        "reading",
        "computing",
        "scoring",
        "scoring",
    ]


def test_a_call_takes_arrays_and_tensors_like_files(
    tmp_path: Path, score: Score, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "samples.npy", SAMPLES[:30].numpy())
    record = api.score(str(tmp_path / "samples.npy"), seed=3)
    assert capsys.readouterr().out.splitlines()[-1] == "scoring 30 samples"
    alike = score(SAMPLES[:30], model="samples", family="other")
    assert dict(record) == dict(alike)
    for images in (SAMPLES[:30], SAMPLES[:30].numpy()[:, 0], SAMPLES[:30] / 255):
        assert api.score(images, seed=3, report=lambda line: None) == record
    assert record.fid_judge == record.scores["fid_judge"]
    assert {"fid_judge", "provenance"} <= set(dir(record))
    with pytest.raises(AttributeError, match=r"'fid' is neither a field .* scores: fid_judge,"):
        _ = record.fid
    assert repr(record) == str(record) == score_text(record)
    assert "95 % CI" in record._repr_html_()
    (tmp_path / "a.json").write_text(record.model_dump_json())
    assert read_record(tmp_path / "a.json") == alike


def test_an_evaluator_is_kept_only_for_equal_arguments(score: Score) -> None:
    lines: list[str] = []
    for split in ("test", "test", "validation"):
        api.score(SAMPLES[:30], split=split, report=lines.append)
    assert [line.split()[0] for line in lines].count("reading") == 2
    assert len(api.KEPT) == 1


def test_the_text_has_the_scores_and_the_flags(score: Score, judge: FrozenJudge) -> None:
    record = score(SAMPLES[:30])
    text = score_text(record)
    lines = text.splitlines()
    assert lines[0] == "mine (gan), seed 3: 30 samples against 60 test images of mnist"
    assert lines[1] == f"judge {judge.sha256[:12]}, protocol {record.provenance.protocol_version}"
    assert lines[3].split("  ")[0] == "score"
    fid = next(line for line in lines if line.startswith("fid_judge "))
    noise = record.noise["fid_judge"]
    assert f"  {record.scores['fid_judge']:.4g}  {noise.low:.4g} to {noise.high:.4g}" in fid
    assert fid.endswith("  lower")
    assert lines[3].index("95 %") == fid.index(f"{noise.low:.4g} to")
    assert "is_judge" not in text
    assert lines[-len(record.flags) :] == [f"flag: {flag}" for flag in record.flags]


SOME = "some.npy"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'samples'"),
        (["nowhere"], r"nowhere cannot be read \(No such file or directory\)\. Give an \.npz"),
        ([SOME, "--dataset", "minst"], "dataset 'minst' is unknown; choose one of: .*mnist"),
        ([SOME, "--split", "dev"], "Invalid value for '--split': .*dev"),
        ([SOME, "--family", "flow"], "Invalid value for '--family': .*flow"),
        ([SOME, "--seed", "-1"], "Invalid value for '--seed'"),
        ([SOME, "--device", "tpu"], r"compute\.device is 'tpu'"),
        ([SOME, "--json", "folder.json"], "--json folder.json: the path exists already"),
        ([SOME, "--json", SOME], "--json some.npy: the name must end in .json"),
        (
            [SOME, "--json", f"{SOME}/x.json"],
            r"there is no folder some\.npy\. Create it first",
        ),
        (
            [SOME, "--inception", "x.pt"],
            "--inception and --inception-sha256 must be given together",
        ),
        ([SOME, "--inception-sha256", "0" * 64], "must be given together"),
        ([SOME, "--inception", "x.pt", "--inception-sha256", "0"], r"inception\.sha256 is '0'"),
        ([SOME, "--inception", "x.pt", "--inception-sha256", "0" * 64], "there is no such file"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save(SOME, SAMPLES[:5].numpy())
    Path("folder.json").mkdir()
    monkeypatch.setattr(scoring, "load_source", lambda config: pytest.fail("the computation began"))
    with pytest.raises(UserError, match=message) as error:
        ganvae(monkeypatch, "score", *arguments)
    assert "\n" not in str(error.value)


def test_images_of_another_size_are_refused(
    tmp_path: Path, score: Score, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 32, 32), np.uint8))
    with pytest.raises(DataError, match=r"shape N x 32 x 32, but they must have N x 1 x 28 x 28"):
        ganvae(monkeypatch, "score", tmp_path / "a.npy")


def test_checking_a_path_changes_no_files(tmp_path: Path) -> None:
    scoring.check_place(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ConfigError, match="the path exists already"):
        scoring.check_place(tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == "{}"


def test_only_registered_data_sets_have_judges() -> None:
    assert scoring.find_judge("mnist").sha256 == sha256(ROOT / "judges/mnist.safetensors")
    with pytest.raises(ConfigError, match="'minst' is unknown"):
        scoring.find_judge("minst")


def test_without_a_judge_the_data_sets_with_judges_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges/mnist.safetensors").touch()
    message = r"fashion-mnist\.safetensors is missing\. Choose a data set that has a judge: mnist\."
    with pytest.raises(DataError, match=message):
        scoring.find_judge("fashion-mnist")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with five profiles, each with its own split seed."""
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    monkeypatch.setattr(assets, "CLONE", tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    params = (ROOT / "profiles/smoke/params.yaml").read_text()
    folders = [
        (".", "mnist"),
        ("profiles/fashion", "fashion-mnist"),
        ("profiles/fashion-again", "fashion-mnist"),
        ("profiles/full", "lfw"),
        ("profiles/smoke", "stacked-mnist"),
    ]
    for seed, (folder, dataset) in enumerate(folders):
        text = params.replace("dataset: mnist", f"dataset: {dataset}")
        text = text.replace("split_seed: 0", f"split_seed: {seed}")
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "params.yaml").write_text(text)
    return tmp_path


def test_a_data_set_is_scored_with_its_first_profile(clone: Path) -> None:
    assert scoring._profile("mnist").data.split_seed == 0
    assert scoring._profile("fashion-mnist").data.split_seed == 1


@pytest.mark.parametrize("dataset", ["lfw", "stacked-mnist"])
def test_unpublished_profiles_are_not_used_for_scoring(clone: Path, dataset: str) -> None:
    known = r"mnist \(params\.yaml\), fashion-mnist \(profiles/fashion/params\.yaml\), fashion-"
    with pytest.raises(
        ConfigError, match=f"^dataset '{dataset}' has no published profile, .* of: {known}"
    ):
        scoring._profile(dataset)


def test_the_files_in_the_clone_are_read_by_default(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, str, int]] = []

    def load_source(config: DataConfig) -> Source:
        read.append((config.dataset, config.directory, config.split_seed))
        raise DataError("enough")

    monkeypatch.setattr(scoring, "load_source", load_source)
    profile = scoring._profile("fashion-mnist")
    (clone / "data/raw/fashion-mnist").mkdir(parents=True)
    (clone / "data/raw/fashion-mnist/images").touch()
    for place in (None, clone / "elsewhere"):
        with pytest.raises(DataError, match="enough"):
            scoring._write_splits(profile, "fashion-mnist", place, {"test"}, clone)
    assert read == [
        ("fashion-mnist", str(clone / "data/raw/fashion-mnist"), 1),
        ("fashion-mnist", str(clone / "elsewhere"), 1),
    ]


@pytest.mark.slow
@pytest.mark.long
def test_mnist_scores_separate_real_blurred_and_noise_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = scoring.find_judge("mnist")
    evaluator = scoring.evaluator_of("mnist", "test", None, judge)
    quick = evaluator.config.model_copy(update={"bootstrap_resamples": 20})
    evaluator = replace(evaluator, config=quick)

    def score(images: Tensor) -> ScoreRecord:
        return scoring.score_samples(images, evaluator, model="mine", family="other", seed=0)

    random = torch.Generator().manual_seed(0)
    real = floor(evaluator.train.images, 10_000, random)
    blurred = torch.from_numpy(gaussian_filter(real.numpy(), (0, 0, 1, 1)))
    test = read_samples(ROOT / "data/raw/mnist/t10k-images-idx3-ubyte.gz", GREY).images
    sets = {"test": test, "train": real, "blurred": blurred}
    records = {name: score(images) for name, images in sets.items()}
    fid = {name: record.scores["fid_judge"] or 0 for name, record in records.items()}
    baselines = read_records(ROOT / "results/laptop/baselines/scores.json")
    fid["noise"] = next(b.scores["fid_judge"] or 0 for b in baselines if b.variant == "ceiling")
    assert fid["test"] < 1e-3
    assert 0.1 < fid["train"] < 0.25
    assert fid["train"] * 10 < fid["blurred"] < fid["noise"] / 2
    copied = {name: records[name].scores["closer_to_train_pixels"] or 0 for name in records}
    assert copied["train"] == pytest.approx(1, abs=0.01)
    assert copied["test"] == pytest.approx(0.5, abs=0.03)

    pipeline = read_record(ROOT / "results/laptop/runs/dcgan-tuned-3/scores.json")
    assert protocol_changes(records["train"].provenance, pipeline.provenance) == []

    (tmp_path / "folder").mkdir()
    for number, image in enumerate(test[:300].numpy()):
        Image.fromarray(image[0]).save(tmp_path / f"folder/{number:05d}.png")
    np.savez(tmp_path / "array.npz", images=test[:300].numpy())
    folder, array = (
        score(read_samples(tmp_path / n, GREY).images) for n in ("folder", "array.npz")
    )
    assert folder == array
    assert folder.flags
