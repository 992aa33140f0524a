"""`ganvae submit`: what is taken, what is refused, and how the rows are marked."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from conftest import ROOT
from ganvae.cli.project import commands
from ganvae.config import Params
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import write_json
from ganvae.evaluation import submitted
from ganvae.evaluation.submitted import _place, submit_record
from ganvae.report.families import side_by_side
from ganvae.report.tables import _headline, _notes
from ganvae.report.tuning import Tuning, other_pairs
from ganvae.scores.collected import collect_submitted
from ganvae.scores.comparison import compare
from ganvae.scores.records import ScoreRecord, write_records
from toy_records import record, runs, with_scores


@pytest.fixture
def folder(tmp_path: Path, smoke: Params, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a profile whose baselines were scored."""
    monkeypatch.chdir(tmp_path)
    write_records(Path("results/smoke/baselines/scores.json"), runs("floor", [0.1, 0.2]))
    return tmp_path


def theirs(fid: float = 3.0, seed: int = 0, model: str = "their-gan") -> ScoreRecord:
    found = record(model, seed, fid, weights_sha256=None, training_steps=None)
    return found.model_copy(update={"samples_sha256": f"{model} {seed}"})


def write(found: ScoreRecord) -> Path:
    write_json(Path("theirs.json"), found.model_dump())
    return Path("theirs.json")


def test_a_record_becomes_a_record_of_the_profile(folder: Path, smoke: Params) -> None:
    path, found = submit_record(smoke, write(theirs()))
    assert path == Path("results/submitted/smoke/their-gan-0.json")
    assert collect_submitted(smoke) == [found] == [theirs()]


def test_the_same_model_and_seed_is_refused_twice(folder: Path, smoke: Params) -> None:
    submit_record(smoke, write(theirs()))
    with pytest.raises(UserError, match=r"their-gan-0\.json exists already. Give another --seed"):
        submit_record(smoke, write(theirs(fid=1.0)))
    submit_record(smoke, write(theirs(seed=1)))
    assert [found.scores["fid_judge"] for found in collect_submitted(smoke)] == [3.0, 3.0]


def test_of_two_submissions_of_one_name_at_once_the_second_is_refused(
    folder: Path, smoke: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = submitted._place

    def place_before_the_other(*arguments: Any) -> Path:
        path = place(*arguments)
        write_json(path, theirs(fid=1.0).model_dump())
        return path

    monkeypatch.setattr(submitted, "_place", place_before_the_other)
    with pytest.raises(UserError, match=r"their-gan-0\.json exists already"):
        submit_record(smoke, write(theirs(seed=0).model_copy(update={"samples_sha256": "other"})))
    assert [found.scores["fid_judge"] for found in collect_submitted(smoke)] == [1.0]


def test_the_same_samples_are_no_second_seed(folder: Path, smoke: Params) -> None:
    submit_record(smoke, write(theirs()))
    again = theirs(seed=1).model_copy(update={"samples_sha256": "their-gan 0"})
    with pytest.raises(UserError, match="same samples were submitted before, as their-gan, seed 0"):
        submit_record(smoke, write(again))
    assert len(collect_submitted(smoke)) == 1


def test_a_model_has_one_family(folder: Path, smoke: Params) -> None:
    submit_record(smoke, write(theirs()))
    other = theirs(seed=1).model_copy(update={"family": "other"})
    with pytest.raises(UserError, match=r"seed 0 is gan\. Give --family gan, or another --model"):
        submit_record(smoke, write(other))


def test_given_names_replace_those_of_a_record(folder: Path, smoke: Params) -> None:
    path, found = submit_record(smoke, write(theirs()), model="mine", family="other", seed=4)
    assert path == Path("results/submitted/smoke/mine-4.json")
    assert (found.variant, found.family, found.seed) == ("mine", "other", 4)
    assert found.provenance.training_seed == theirs().provenance.training_seed
    assert collect_submitted(smoke) == [found]


def test_the_command_passes_given_names_on(
    folder: Path, smoke: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = str(ROOT / "profiles/smoke")
    names: list[dict[str, object]] = []

    def submit(_params: Params, file: Path, **given: object) -> tuple[Path, ScoreRecord]:
        names.append(given)
        return file, theirs()

    monkeypatch.setattr(submitted, "submit_record", submit)
    monkeypatch.setattr(submitted, "submit_samples", submit)
    Path("theirs.v1").mkdir()
    for file in ("theirs.json", "theirs.npz"):
        Path(file).touch()
    for options in ([], ["--model", "a", "--family", "gan", "--seed", "0"]):
        for file in ("theirs.json", "theirs.npz"):
            result = CliRunner().invoke(commands, ["submit", file, "--profile", profile, *options])
            assert result.exit_code == 0, result.output
    CliRunner().invoke(commands, ["submit", "theirs.v1/", "--profile", profile])
    assert names.pop()["model"] == "theirs.v1"
    for given in names:
        given.pop("report", None)
    assert names[:2] == [
        {"model": None, "family": None, "seed": None},
        {"model": "theirs", "family": "other", "seed": 0},
    ]
    assert names[2:] == [{"model": "a", "family": "gan", "seed": 0}] * 2


def test_scores_from_another_inception_file_are_refused(folder: Path, smoke: Params) -> None:
    """Otherwise, every later comparison of the profile would fail."""

    def inception(model: str, checksum: str) -> ScoreRecord:
        found = with_scores(theirs(model=model), fid_inception=5.0)
        provenance = found.provenance.model_copy(update={"inception_sha256": checksum})
        return found.model_copy(update={"provenance": provenance})

    submit_record(smoke, write(inception("first-gan", "a" * 64)))
    submit_record(smoke, write(inception("second-gan", "a" * 64)))
    with pytest.raises(UserError, match=r"first-gan, seed 0 and third-gan.*inception_sha256 aaa"):
        submit_record(smoke, write(inception("third-gan", "b" * 64)))
    kept = collect_submitted(smoke)
    assert [found.variant for found in kept] == ["first-gan", "second-gan"]
    assert compare([*runs("floor", [0.1, 0.2]), *kept], None).rows


def test_a_variant_with_the_name_of_a_submission_is_refused(folder: Path, smoke: Params) -> None:
    submit_record(smoke, write(theirs()))
    section = {"their-gan": smoke.variants["dcgan"]}
    later = smoke.model_copy(update={"variants": smoke.variants | section})
    with pytest.raises(UserError, match=r"their-gan-0\.json has the name of the variant their-gan"):
        collect_submitted(later)


def test_submissions_that_are_not_ranked_are_named(folder: Path) -> None:
    flagged = theirs().model_copy(update={"flags": ["50 samples were scored"]})
    records = [*runs("our-gan", [5.0, 6.0]), flagged]
    notes = _notes(compare(records, None).rows, records, Tuning())
    assert "- their-gan, seed 0, is not ranked: 50 samples were scored." in notes


def test_a_record_that_was_measured_otherwise_is_refused(folder: Path, smoke: Params) -> None:
    fewer = record("their-gan", 0, 3.0, weights_sha256=None, n_generated=50)
    with pytest.raises(UserError, match="another way than the profile smoke: n_generated 50 agai"):
        submit_record(smoke, write(fewer))
    assert collect_submitted(smoke) == []


def test_a_file_that_is_no_record_is_not_to_be_deleted(folder: Path, smoke: Params) -> None:
    Path("mine.json").write_text("[1")
    with pytest.raises(
        UserError, match=r"^mine\.json is not JSON .*so it has no score record\. `gan"
    ):
        submit_record(smoke, Path("mine.json"))


def test_the_record_of_a_training_run_is_refused(folder: Path, smoke: Params) -> None:
    with pytest.raises(UserError, match="is the record of a training run of this program"):
        submit_record(smoke, write(record("their-gan", 0, 3.0)))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dcgan", "'dcgan' is a variant of profiles/smoke/params.yaml"),
        ("floor", "reserved for a baseline"),
        ("../x", "cannot be the name of a file"),
        (".x", "cannot be the name of a file"),
        ("", "is empty"),
    ],
)
def test_names_that_are_taken_or_no_names_are_refused(
    folder: Path, smoke: Params, name: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        _place(smoke, name, 0)


@pytest.mark.parametrize("late", [False, True])
def test_a_record_that_arrives_during_the_comparison_is_not_lost(
    folder: Path, smoke: Params, late: bool
) -> None:
    """DVC takes the folder's checksum after the stage, so the stage fails and runs again."""
    submit_record(smoke, write(theirs()))
    main = runpy.run_path(str(ROOT / "stages/compare.py"))["main"]
    nothing = SimpleNamespace(comparison=SimpleNamespace(rows=[]))
    writers = [name for name in main.__globals__ if name.startswith("write_")]
    main.__globals__.update(dict.fromkeys(writers, lambda *_: None))
    main.__globals__.update(
        load_params=lambda _: smoke,
        findings_of=lambda *_: nothing,
        collect_records=collect_submitted,
        draw_comparison=lambda *_: late and submit_record(smoke, write(theirs(4.0, seed=1))),
    )
    if not late:
        main("params.yaml")
        return
    with pytest.raises(UserError, match=r"^results/submitted/smoke changed while this stage ran"):
        main("params.yaml")


def compared() -> list[ScoreRecord]:
    """Our GAN and VAE, and a better GAN that was handed in."""
    return [*runs("our-gan", [5.0, 6.0, 7.0]), *runs("our-vae", [8.0, 9.0, 9.5]), theirs(1.0)]


def test_submitted_rows_are_marked_and_the_mark_is_explained() -> None:
    found = compare(compared(), None)
    assert [row.variant for row in found.rows if row.submitted] == ["their-gan"]
    lines = _headline(found.rows, tuned=["our-vae"])
    assert lines[2].startswith("| `their-gan` ‡ |")
    assert lines[3].startswith("| `our-gan` |")
    assert lines[4].startswith("| `our-vae` † |")
    notes = "\n".join(_notes(found.rows, compared(), Tuning()))
    assert "- ‡ marks samples that were handed in." in notes
    trained = compare(compared()[:-1], None)
    assert "‡" not in "\n".join(_notes(trained.rows, compared()[:-1], Tuning()))


def test_samples_of_unknown_effort_stand_for_no_family() -> None:
    """They neither win at equal effort, nor appear beside the families' variants."""
    found = compare(compared(), None)
    tuned = Tuning(tuned=["other"])
    assert "their-gan" not in other_pairs(found, tuned)
    assert "the GAN `our-gan`" in other_pairs(found, tuned)
    assert [gan for (gan, _), _ in side_by_side(found)] == ["our-gan"]
