"""Test `ganvae sweep promote` on copies of the repository's profiles."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from conftest import ROOT
from forks import ganvae
from ganvae import cli
from ganvae.config import Params, Promotion, load_params, parse, read_yaml
from ganvae.config.promotions import Promotions, merge, read_promotions, write_promotions
from ganvae.core.errors import ConfigError, UserError
from ganvae.models.registry import system_config
from ganvae.report.notes import notes_of
from ganvae.scores.studies import SWEEPS, StudyRecord, TrialRecord, write_study
from ganvae.sweeps import variant
from ganvae.sweeps.space import applied

FILES = {
    "laptop": Path("params.yaml"),
    "smoke": Path("profiles/smoke/params.yaml"),
    "full": Path("profiles/full/params.yaml"),
}
SMOKE = FILES["smoke"]
BALANCE = {"balance.ratio": 4.123456789, "balance.d_steps": 1, "balance.g_steps": 3}
LOST = ("failed", "pruned", "lost", "diverged")


def promoted(params: Path) -> Path:
    """The promotions file next to a params.yaml."""
    return params.with_name("promoted.yaml")


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the parameters of all profiles."""
    for path in FILES.values():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
        shutil.copy(ROOT / promoted(path), tmp_path / promoted(path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trial(number: int, fid: float | None, **changes: Any) -> TrialRecord:
    """A trial with a score, or a pruned trial."""
    fields: dict[str, Any] = {
        "number": number,
        "status": "pruned" if fid is None else "completed",
        "parameters": BALANCE,
        "values": [] if fid is None else [fid],
        "seeds": {} if fid is None else {100: fid - 1, 101: fid + 1},
        "started": 1.0,
        "finished": 2.0,
    }
    return TrialRecord(**fields | changes)


def study(name: str = "toy", profile: str = "smoke", **changes: Any) -> StudyRecord:
    """Write the record of a study of balanced-gan. Trial 2 is the best, and some have no score."""
    fields: dict[str, Any] = {
        "study": name,
        "space": "dg-balance",
        "variant": "balanced-gan",
        "system": "balanced-gan",
        "family": "gan",
        "profile": profile,
        "dataset": "mnist",
        "objectives": ["fid_judge"],
        "seeds": [100, 101],
        "n_generated": 5000,
        "budget": "updates",
        "base": load_params(FILES[profile]).variants["balanced-gan"],
        "parameters": {},
        "pruner": None,
        "train_sha256": "a",
        "validation_sha256": "b",
        "judge_sha256": "c",
        "trials": [
            trial(0, 30.0, parameters={}, current=True),
            trial(1, 20.0, parameters={"balance.ratio": None, "learning_rate": 1e-05}),
            trial(2, 12.3456789),
            *(trial(3 + n, None, status=status) for n, status in enumerate(LOST)),
        ],
    }
    record = StudyRecord(**fields | changes)
    write_study(Path(), record)
    return record


def promote(*arguments: str, name: str = "toy") -> None:
    """Run `ganvae sweep promote --study toy ...` in this process."""
    command = ["sweep", "promote", "--study", name, *arguments]
    cli.commands(command, standalone_mode=False)


SCHEDULE = ("length", "report_every", "sample_every", "checkpoint_every", "marks")
SCHEDULES = {  # half as long, since D and G together have twice as many updates per step
    "laptop": (600, 25, 50, 200, [0, 300, 600]),
    "smoke": (20, 5, 10, 10, []),
    "full": (5000, 50, 250, 250, [0, 2500, 5000]),
}


@pytest.mark.parametrize("profile", FILES)
def test_a_promotion_is_written_to_its_own_file_and_not_to_params_yaml(profile: str) -> None:
    study(profile=profile)
    path = FILES[profile]
    before, known = path.read_bytes(), read_promotions(promoted(path))
    promote("--as", "toy-swept", "--seeds", "5,7")
    assert path.read_bytes() == before
    text = promoted(path).read_text()
    where = f"variant: toy-swept, system: balanced-gan, seed: 5, file: {promoted(path)}"
    assert text.startswith("# Variants promoted from sweeps. `ganvae sweep promote` rewrites")
    assert f"\n  toy-swept-5: {{{where}}}\n" in text
    after = read_promotions(promoted(path))
    assert list(after.runs) == [*known.runs, "toy-swept-5", "toy-swept-7"]
    assert list(after.variants) == [*known.variants, "toy-swept"]
    section = after.variants["toy-swept"]
    assert section["balance"] == {"g_steps": 3, "ratio": 4.12346}
    assert tuple(section["schedule"].get(key, []) for key in SCHEDULE) == SCHEDULES[profile]
    assert after.promoted["toy-swept"] == Promotion(
        study="toy", trial=2, fid_judge_validation=12.3457, seeds=[100, 101]
    )
    assert not list(path.parent.glob(".*.tmp")), "no temporary file stays"


def test_the_variant_has_the_trials_parameters_without_defaults() -> None:
    record = study()
    promote()
    params = load_params(SMOKE)
    section = params.variants["balanced-gan-swept"]
    parameters = BALANCE | {"balance.ratio": 4.12346}
    wanted = applied("balanced-gan", record.base, parameters, updates=True)
    assert system_config("balanced-gan", section) == wanted
    for key in section:
        shorter = {name: value for name, value in section.items() if name != key}
        assert system_config("balanced-gan", shorter) != wanted, f"{key} is its default"
    assert [key for key in params.runs if "swept" in key] == [
        f"balanced-gan-swept-{seed}" for seed in range(5)
    ]
    assert params.tuned == ["dcgan-tuned", "balanced-gan-swept"]


def test_a_trial_other_than_the_best_is_promoted_by_its_number() -> None:
    study(budget="steps")
    promote("--trial", "1")
    section = load_params(SMOKE).variants["balanced-gan-swept"]
    assert (section["balance"], section["learning_rate"]) == ({"ratio": None}, 1e-05)


def test_a_variant_with_only_defaults_has_an_empty_section(
    capsys: pytest.CaptureFixture[str],
) -> None:
    study(profile="full", base={})
    promote("--trial", "0")
    assert read_promotions(promoted(FILES["full"])).variants["balanced-gan-swept"] == {}
    out = capsys.readouterr().out
    assert "note: this trial has the same parameters as balanced-gan before the sweep\n" in out
    assert "`ganvae repro profiles/full/dvc.yaml` trains these runs" in out


def test_promoting_the_same_trial_again_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    study()
    promote()
    by_hand = promoted(SMOKE).read_text().replace("g_steps: 3,", "g_steps:   3,")
    promoted(SMOKE).write_text(by_hand)
    promote()
    assert promoted(SMOKE).read_text() == by_hand
    assert capsys.readouterr().out.splitlines()[-1] == (
        "profiles/smoke/promoted.yaml: balanced-gan-swept already has the parameters of trial 2 "
        "of study 'toy' (FID 12.35 on the validation split); no change"
    )


def test_two_promotions_at_once_keep_both_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second promotion start when the first one has read the promotions file."""
    study()
    read, others = variant.read_promotions, []

    def read_and_start_another(path: Path) -> Promotions:
        promotions = read(path)
        if not others:
            others.append(Thread(target=promote, args=("--as", "second-swept")))
            others[0].start()
            others[0].join(1.0)
        return promotions

    monkeypatch.setattr(variant, "read_promotions", read_and_start_another)
    promote("--as", "first-swept")
    others[0].join()
    assert {"first-swept", "second-swept"} <= read_promotions(promoted(SMOKE)).variants.keys()


def test_another_trial_replaces_the_earlier_one() -> None:
    study()
    study("other", trials=[trial(9, 11.0, parameters={"batch_size": 16})], budget="steps")
    promote("--as", "other-swept", name="other")
    promote("--seeds", "3,4")
    promote("--as", "last-swept", "--trial", "1")
    before = promoted(SMOKE).read_text()
    promote(name="other")
    params = load_params(SMOKE)
    ours = "balanced-gan-swept"
    assert list(params.promoted) == ["other-swept", ours, "last-swept"]
    assert (params.promoted[ours].study, params.promoted[ours].trial) == ("other", 9)
    assert params.variants[ours] == params.variants["other-swept"]
    assert [run.seed for run in params.runs.values() if run.variant == ours] == [0, 1, 2, 3, 4]
    promote("--seeds", "3,4")
    again = load_params(SMOKE)
    assert (again.promoted[ours].study, again.promoted[ours].trial) == ("toy", 2)
    assert [run.seed for run in again.runs.values() if run.variant == ours] == [3, 4]
    assert sorted(before) == sorted(promoted(SMOKE).read_text())


def test_notes_about_the_promotion_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    study(base={"batch_size": 16}, trials=[trial(4, 50.0, status="collapsed")])
    promote("--seeds", "1")
    assert capsys.readouterr().out.splitlines() == [
        "profiles/smoke/promoted.yaml: balanced-gan-swept has the parameters of trial 4 of study "
        "'toy' (FID 50.00 on the validation split); training seeds: 1",
        "note: variants.balanced-gan has changed since the study was created. The promoted variant "
        "builds on the earlier parameters.",
        "note: this trial collapsed. For at least one seed, nearly all samples have one class.",
        "`ganvae repro profiles/smoke/dvc.yaml` trains these runs, and skips runs that are up to "
        "date",
    ]
    assert load_params(SMOKE).variants["balanced-gan-swept"]["batch_size"] == 16


def refused(error: type[UserError], message: str, *arguments: str, name: str = "toy") -> None:
    files = [*FILES.values(), *map(promoted, FILES.values())]
    before = {path: path.read_bytes() for path in files}
    with pytest.raises(error) as raised:
        promote(*arguments, name=name)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
    assert before == {path: path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (
            UserError,
            "study 'toy' has no trial 99 in its record. The record has trials 0 to 6",
            "--trial 99",
        ),
        *(
            (
                UserError,
                f"trial {3 + n} of study 'toy' has no score (status: {status})",
                f"--trial {3 + n}",
            )
            for n, status in enumerate(LOST)
        ),
        (ConfigError, "--seeds has 100, but study 'toy' already trained", "--seeds 1,100"),
        (ConfigError, "--seeds 1,x is not a list of different whole numbers", "--seeds 1,x"),
        (ConfigError, "--seeds 1,1 is not a list of different whole numbers", "--seeds 1,1"),
        (ConfigError, "--seeds -1 is not a list of different whole numbers", "--seeds=-1"),
        (ConfigError, "--seeds 4294967296 is not a list", "--seeds=4294967296"),
        (ConfigError, f"--seeds {'9' * 5000} is not a list", f"--seeds={'9' * 5000}"),
        (ConfigError, "--as dcgan-tuned is already the name of a system", "--as dcgan-tuned"),
        (ConfigError, "--as floor is already the name of a system", "--as floor"),
        (ConfigError, "--as A.b is not a valid name. Use lower-case letters", "--as A.b"),
    ],
)
def test_a_promotion_that_is_not_possible_changes_no_file(
    error: type[UserError], message: str, arguments: str
) -> None:
    study()
    refused(error, message, *arguments.split())


def test_the_name_of_a_system_is_reserved_even_if_the_profile_lacks_it() -> None:
    values = read_yaml(SMOKE)
    values["variants"].pop("conv-vae")
    values["runs"].pop("conv-vae-0")
    with SMOKE.open("w") as file:
        YAML().dump(values, file)
    study()
    refused(ConfigError, "--as conv-vae is already the name of a system", "--as", "conv-vae")


def test_a_study_without_a_usable_trial_is_refused() -> None:
    study()
    (SWEEPS / "toy").rename(SWEEPS / "renamed")
    refused(
        UserError,
        "study 'toy' has no record results/sweeps/toy/study.json (studies with",
    )
    study("empty", trials=[trial(0, None)])
    refused(UserError, "study 'empty' has no trial with a score", name="empty")
    write_study(Path(), study("elsewhere").model_copy(update={"profile": "cluster"}))
    refused(UserError, "study 'elsewhere' belongs to profile 'cluster', but nei", name="elsewhere")
    study("unfit", trials=[trial(0, 1.0, parameters={"balance.ratio": -1.0})])
    refused(ConfigError, "variants.balanced-gan.balance.ratio is -1.0, but it sh", name="unfit")


def test_a_promoted_variant_cannot_change_its_system() -> None:
    study()
    promote("--as", "swept")
    vae = {"variant": "bernoulli-vae", "system": "bernoulli-vae", "budget": "steps", "base": {}}
    study("vae", trials=[trial(0, 1.0, parameters={"beta": 2.0})], **vae)
    refused(
        ConfigError,
        "--as swept is a variant of system balanced-gan, but study 'vae' searched system bern",
        *("--as", "swept"),
        name="vae",
    )


def test_with_two_objectives_the_error_lists_the_pareto_front() -> None:
    points = [[9.0, 40.0], [12.0, 8.0], [12.0, 9.0], [11.0, 50.0]]
    trials = [trial(n, 1.0, values=values) for n, values in enumerate(points)]
    study(objectives=["fid_judge", "train_seconds"], trials=trials)
    refused(
        UserError,
        "study 'toy' has two objectives, so no single trial is the best. Choose a trial with "
        "--trial. Trials on the Pareto front: trial 0 (fid_judge 9.00, train_seconds 40.00); "
        "trial 1 (fid_judge 12.00, train_seconds 8.00).",
    )
    promote("--trial", "1")
    assert load_params(SMOKE).promoted["balanced-gan-swept"].fid_judge_validation == 12.0


def test_a_variant_in_both_files_is_refused() -> None:
    study()
    promote("--as", "swept", "--seeds", "0")
    text = SMOKE.read_text()
    SMOKE.write_text(text.replace("\nvariants:\n", "\nvariants:\n  swept: {}\n"))
    with pytest.raises(ConfigError, match=r"promoted\.yaml: variants\.swept is in params.yaml too"):
        load_params(SMOKE)


def test_a_damaged_promotions_file_is_an_error_in_one_line() -> None:
    study()
    promoted(SMOKE).write_text("runs: {}\nmodels: {}\n")
    refused(ConfigError, "profiles/smoke/promoted.yaml: models is not a known key. Allowed here:")
    promoted(SMOKE).write_text("runs: [\n")
    with pytest.raises(ConfigError, match=r"promoted\.yaml is not valid YAML"):
        load_params(SMOKE)


def test_without_a_promotions_file_no_variant_is_promoted() -> None:
    promoted(SMOKE).unlink()
    assert load_params(SMOKE).promoted == {}


def test_in_a_shell_a_wrong_study_is_one_line_and_a_right_study_is_promoted() -> None:
    study(profile="laptop")
    wrong = ganvae("sweep", "promote", "--study", "tyo")
    assert wrong.returncode == 1
    assert wrong.stderr == (
        "error: study 'tyo' has no record results/sweeps/tyo/study.json (studies with a record: "
        "toy). Run `ganvae sweep report --study tyo` to write this record.\n"
    )
    right = ganvae("sweep", "promote", "--study", "toy", "--as", "toy-swept", "--seeds", "0, 1")
    assert (right.returncode, right.stderr) == (0, "")
    assert right.stdout.splitlines()[-1].startswith("`ganvae repro` trains these runs")
    assert load_params(FILES["laptop"]).promoted["toy-swept"].trial == 2


def promoted_params(**promotion: Any) -> Params:
    values = read_yaml(ROOT / SMOKE)
    of_trial = {"study": "toy", "trial": 17, "fid_judge_validation": 12.3, "seeds": [100, 101]}
    values["promoted"] = {"dcgan-tuned": of_trial | promotion}
    values["runs"]["dcgan-tuned-0"]["file"] = values["promotions"]
    return parse(Params, values, "params.yaml")


def test_the_reports_notes_name_the_source_of_the_parameters() -> None:
    params = promoted_params()
    origin = (
        "The parameters are from trial 17 of the sweep `toy`, with FID 12.30 on the validation "
        "split (mean over seeds 100 and 101). The runs in this report use other seeds."
    )
    assert notes_of(params) == {"dcgan-tuned": origin}
    with_notes = params.model_copy(update={"notes": {"dcgan-tuned": "Narrow.", "dcgan": "Wide."}})
    assert notes_of(with_notes) == {"dcgan-tuned": f"Narrow. {origin}", "dcgan": "Wide."}
    assert "split (seed 100). The runs" in notes_of(promoted_params(seeds=[100]))["dcgan-tuned"]


def test_a_promotions_file_has_the_origin_of_each_variant() -> None:
    Path("promoted.yaml").write_text("variants: {toy: {}}\n")
    with pytest.raises(ConfigError, match="toy has a section under variants, but no section"):
        read_promotions(Path("promoted.yaml"))


def test_params_yaml_holds_no_promotions() -> None:
    values = promoted_params().model_dump()
    with pytest.raises(ConfigError, match=r"params\.yaml has the key promoted.*promoted\.yaml"):
        merge(values, Promotions(), Path("promoted.yaml"))


@pytest.mark.parametrize("tuned", [None, 3, "dcgan", [{"a": 1}]])
def test_a_list_of_tuned_variants_of_another_type_is_one_line(tuned: object) -> None:
    of_trial = {"study": "toy", "trial": 17, "fid_judge_validation": 12.3, "seeds": [100]}
    added = Promotions.model_validate({"variants": {"swept": {}}, "promoted": {"swept": of_trial}})
    merged = merge(read_yaml(ROOT / SMOKE) | {"tuned": tuned}, added, Path("promoted.yaml"))
    with pytest.raises(ConfigError, match=r"tuned(\.0)? is "):
        parse(Params, merged, "params.yaml")


def test_a_promoted_variant_must_be_a_tuned_variant() -> None:
    values = promoted_params().model_dump()
    with pytest.raises(ConfigError, match=r"promoted names dcgan-tuned, but .* is not in tuned"):
        parse(Params, values | {"tuned": []}, "params.yaml")
    with pytest.raises(ConfigError, match="promoted names nope, but nope has no section under"):
        parse(
            Params,
            values | {"promoted": values["promoted"] | {"nope": values["promoted"]["dcgan-tuned"]}},
            "params.yaml",
        )
    with pytest.raises(ConfigError, match=r"seeds is \[\], but the list should have at least"):
        promoted_params(seeds=[])


@pytest.fixture
def reproduced(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A study, and a pipeline of two runs with empty outputs that DVC takes as up to date."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(clone / "site"))
    for name in ("behaviour/tokens", "src", "stages"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, clone / name, ignore=ignored)
    shutil.copy(ROOT / "dvc.yaml", clone)
    values = read_yaml(ROOT / SMOKE) | {"root": ".", "judge": "judge.bin"}
    values |= {"file": "params.yaml", "promotions": "promoted.yaml"}
    values["runs"] = {key: values["runs"][key] for key in ("balanced-gan-0", "bernoulli-vae-0")}
    for run in values["runs"].values():
        run["file"] = "params.yaml"
    values["variants"] = {key[:-2]: values["variants"][key[:-2]] for key in values["runs"]}
    values |= {"finalists": [], "aside": [], "tuned": [], "tuned_on": {}}
    write_promotions(Path("promoted.yaml"), Promotions())
    with FILES["laptop"].open("w") as file:
        YAML().dump(values, file)
    (clone / values["data"]["directory"]).mkdir(parents=True)
    (clone / "judge.bin").touch()
    for kind in ("matches", "submitted"):
        (clone / "results" / kind).mkdir(parents=True)
        (clone / "results" / kind / "README.md").touch()
    study()
    dvc("init", "--no-scm", "--quiet")
    for stage in Repo(str(clone)).index.stages:
        for out in stage.outs:
            path = Path(out.fs_path)
            (path if path.suffix else path / "file").parent.mkdir(parents=True, exist_ok=True)
            (path if path.suffix else path / "file").touch()
    dvc("commit", "--force", "--quiet")


def dvc(*arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
@pytest.mark.usefixtures("reproduced")
def test_after_a_promotion_only_its_runs_and_the_stages_with_all_runs_are_stale() -> None:
    assert json.loads(dvc("status", "--json")) == {}
    promote("--seeds", "0,1")
    of_runs = {
        f"{stage}@balanced-gan-swept-{seed}"
        for stage in ("train", "evaluate", "draw")
        for seed in (0, 1)
    }
    of_all = {"publish", "compare", "report"}
    assert json.loads(dvc("status", "--json")).keys() == of_runs | of_all
