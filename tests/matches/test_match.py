"""Run a whole match of tiny models, interrupted and resumed, and promote its finalists."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from conftest import stripes, torchs_settings
from ganvae.config import load_params
from ganvae.config.promotions import Effort
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import read_json, write_json
from ganvae.core.paths import ProfilePaths
from ganvae.data.source import LabelledImages
from ganvae.data.splits import Split
from ganvae.matches import budget, trial
from ganvae.matches.arena import enter
from ganvae.matches.promote import promote_finalists
from ganvae.matches.run import groups_of, read_part, run_match
from ganvae.matches.spec import Match
from ganvae.matches.trial import Job
from ganvae.scores.matches import FAMILIES, MATCHES, STAGES, Stage, read_stage, write_trained
from toy_match import NAME, write_match
from toy_study import make_profile

TEST = ProfilePaths("toy").split("test")


@pytest.fixture
def match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Match:
    monkeypatch.chdir(tmp_path)
    make_profile()
    return write_match()


def jobs_of(match: Match, stage: Stage) -> list[Job]:
    return [job for group in groups_of(NAME, match, stage) for job in group]


def perform(match: Match, stage: Stage) -> None:
    """Run all jobs of a stage in this process."""
    arena = enter(NAME, match)
    for job in jobs_of(match, stage):
        write_trained(Path(), NAME, arena.run(job))


@pytest.fixture(scope="module")
def performed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a complete match. It takes long, so each test gets a copy."""
    folder = tmp_path_factory.mktemp("match")
    with pytest.MonkeyPatch.context() as patch, torchs_settings():
        patch.chdir(folder)
        make_profile()
        match = write_match()
        perform(match, "search")
        perform(match, "selection")
    return folder


@pytest.fixture
def complete(performed: Path, match: Match) -> Match:
    shutil.copytree(performed, ".", dirs_exist_ok=True)
    return match


def test_a_match_trains_both_families_alike_and_never_opens_the_test_split(
    complete: Match,
) -> None:
    assert not TEST.exists()  # the toy profile has no test split to open
    search, selection = (read_stage(Path(), NAME, s) for s in STAGES[:2])
    assert [(r.family, r.trial) for r in search] == [
        (family, trial) for family in ("gan", "vae") for trial in range(3)
    ]
    assert len(selection) == 2 * 2 * 2
    for record in search:
        assert record.fid_judge is not None
        assert record.cpu_seconds > 0
        assert record.probe is not None
        planned = budget.steps_within(complete.seconds, record.probe)
        assert record.steps == planned == record.config["schedule"]["length"]
    for record in selection:  # the same configuration with the same steps, from another seed
        trial = next(t for t in search if (t.family, t.trial) == (record.family, record.trial))
        assert (record.config, record.steps) == (trial.config, trial.steps)
        assert record.fid_judge != trial.fid_judge


def test_the_finalists_are_promoted_by_the_rule(complete: Match) -> None:
    promote_finalists(NAME)
    params = load_params(Path("params.yaml"))
    selection = read_stage(Path(), NAME, "selection")
    for family, variant in (("gan", "gan-finalist"), ("vae", "vae-finalist")):
        sums: dict[int, float] = {}
        for record in selection:
            if record.family == family:
                sums[record.trial] = sums.get(record.trial, 0.0) + (record.fid_judge or 0.0)
        assert params.promoted[variant].trial == min(sums, key=lambda trial: sums[trial])
        origin = params.promoted[variant]
        assert (origin.study, origin.match) == ("toy", Effort(trials=3, seconds=1.0))
        seeds = [run.seed for run in params.runs.values() if run.variant == variant]
        assert seeds == complete.finalist_seeds
    promote_finalists(NAME)  # the same finalists again are no second look


def test_each_finalist_is_trained_with_one_change_at_a_time(
    complete: Match, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = {
        "seeds": [200, 201],
        "ablate": {"gan": ["encoding_dims"], "vae": ["hidden", "learning_rate"]},
        "budgets": [0.5],
        "split_seeds": [1],
    }
    match = write_match(why=why)
    for path in sorted((MATCHES / NAME).rglob("*-*.json")):  # records of the same match
        write_json(path, read_json(path) | {"match_sha256": match.sha256})
    jobs = jobs_of(match, "why")
    assert [job.family for job in jobs[:6]] == ["gan", "vae"] * 3  # the families take turns
    names = {family: [j.change for j in jobs if j.family == family][::2] for family in FAMILIES}
    common = ["0.5 of the steps", "split seed 1"]
    assert names["gan"] == ["unchanged", "without encoding_dims", *common]
    assert names["vae"] == ["unchanged", "without hidden", "without learning_rate", *common]
    assert len({job.path(NAME) for job in jobs}) == len(jobs)

    halves = [part.numpy() for part in stripes(120)]
    parts = [LabelledImages(*(half[k * 60 : k * 60 + 60] for half in halves)) for k in (0, 1)]
    divided = [Split(part, np.arange(60), "train") for part in parts]
    monkeypatch.setattr(trial, "load_source", lambda _: None)
    monkeypatch.setattr(trial, "resplit", lambda *_: divided)
    arena = enter(NAME, match)
    records = {job.change: arena.run(job) for job in jobs if (job.family, job.seed) == ("gan", 200)}
    unchanged = records["unchanged"]
    assert records["0.5 of the steps"].steps == round(unchanged.steps / 2)
    assert "encoding_dims" not in records["without encoding_dims"].config
    assert records["without encoding_dims"].steps == unchanged.steps
    assert records["split seed 1"].split_seed == 1
    assert records["split seed 1"].config == unchanged.config
    assert records["split seed 1"].fid_judge != unchanged.fid_judge


def test_a_match_goes_on_in_a_fresh_clone(complete: Match, tmp_path: Path) -> None:
    before = {r.trial: r for r in read_stage(Path(), NAME, "search") if r.family == "gan"}
    lost = MATCHES / NAME / "search/gan-01.json"
    lost.unlink()
    shutil.rmtree(".state", ignore_errors=True)
    with pytest.raises(UserError, match="2 of 3 trials"):
        jobs_of(complete, "selection")
    arena = enter(NAME, complete)
    again = arena.run(Job("search", "gan", 1, complete.seed))
    assert again.parameters == before[1].parameters


def test_an_interrupted_trial_keeps_the_steps_that_were_planned(
    match: Match, monkeypatch: pytest.MonkeyPatch
) -> None:
    arena = enter(NAME, match)
    job = Job("search", "vae", 0, match.seed)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trial, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            arena.run(job)
    (probe,) = Path(".state").rglob("probe.json")
    costs = read_json(probe)
    monkeypatch.setattr(trial, "probe", interrupted)  # must not be measured again
    assert arena.run(job).probe.model_dump() == costs  # type: ignore[union-attr]
    arena.forget(job)
    assert not list(Path(".state").rglob("probe.json"))


def test_a_diverged_trial_is_recorded_and_has_no_fid(match: Match) -> None:
    families = match.model_dump(mode="json")["families"]
    families["vae"]["parameters"]["learning_rate"] = {"choices": [1e30]}
    arena = enter(NAME, write_match(families=families))
    record = arena.run(Job("search", "vae", 0, match.seed))
    assert (record.status, record.fid_judge) == ("diverged", None)
    assert record.reason


def test_code_that_was_not_measured_cannot_record(match: Match) -> None:
    Path("src").mkdir()
    Path("src/new.py").write_text("x = 1\n")
    with pytest.raises(UserError, match="behaviour"):
        enter(NAME, match)


def test_records_are_kept_until_the_behaviour_of_edited_code_is_measured(complete: Match) -> None:
    """An edit of a comment makes no record invalid. So nobody is told to delete records."""
    Path("src").mkdir()
    Path("src/new.py").write_text("# a comment\n")
    with pytest.raises(UserError, match=r"Run `dvc repro behaviour/dvc\.yaml` first") as error:
        promote_finalists(NAME)
    assert "delete" not in str(error.value)
    with pytest.raises(UserError, match=r"Run `dvc repro behaviour/dvc\.yaml` first"):
        jobs_of(complete, "selection")


@pytest.mark.slow
def test_workers_share_a_match(match: Match, capsys: pytest.CaptureFixture[str]) -> None:
    small = write_match(trials=2, seconds=1.0, selection={"best": 1, "seeds": [101]})
    message = run_match(NAME, 2, part=(1, 2))
    assert "2 training runs of the stage search are missing" in message
    assert [(r.family, r.trial) for r in read_stage(Path(), NAME, "search")] == [
        ("gan", 0),
        ("vae", 0),
    ]
    assert "complete" in run_match(NAME, 2)
    selection = read_stage(Path(), NAME, "selection")
    assert len(selection) <= 2  # on a busy machine, trials may be over the budget
    assert not list(Path(".state").rglob("probe.json"))
    printed = capsys.readouterr()
    assert printed.out.count("CPU-seconds") == 2 * small.trials + len(selection)
    assert "complete" in run_match(NAME, 2)
    assert "CPU-seconds" not in capsys.readouterr().out
    promote_finalists(NAME)


def test_each_part_has_as_many_training_runs_of_each_family(complete: Match) -> None:
    for stage in STAGES:
        groups = list(groups_of(NAME, complete, stage))
        assert [[job.family for job in group] for group in groups] == [[*FAMILIES]] * len(groups)


@pytest.mark.parametrize(
    ("budget_seconds", "measured"), [(0.5, 0.1), (2.0, 0.1), (20.0, 1.0), (60.0, 3.0), (600.0, 3.0)]
)
def test_a_probe_is_a_share_of_the_trial_within_limits(
    budget_seconds: float, measured: float
) -> None:
    assert budget.probe_seconds(budget_seconds) == pytest.approx(measured)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", ""])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--part"):
        read_part(text)
