"""Several runs at once: their order, output, failures and Ctrl-C, with a stand-in for DVC."""

import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Timer
from types import SimpleNamespace

import psutil
import pytest
from filelock import FileLock

from conftest import ROOT
from ganvae.cli.pipeline import repro
from ganvae.config import Params, load_params
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import write_json
from ganvae.core.paths import ProfilePaths
from ganvae.pipeline import dvc, reproduction, runners
from ganvae.pipeline.reproduction import reproduce
from ganvae.report import provisional
from ganvae.report.provisional import Standing

STAND_IN = """
import json, os, signal, subprocess, sys
from pathlib import Path

if "status" in sys.argv:
    print(Path("status.json").read_text())
    sys.exit()
targets = sys.argv[sys.argv.index("repro") + 1:]
with open("log.txt", "a") as log:
    log.write(f"{os.getpid()} {' '.join(targets)}\\n")
print("Running", targets[-1], flush=True)
print("To enable auto staging, run:\\n\\tdvc config core.autostage true\\n\\tgit add dvc.lock")
if targets[-1].endswith("behaviour/dvc.yaml") and Path("measured.json").exists():
    Path("measured.json").rename("status.json")
if any(os.environ.get("FAILS", "nothing") in target for target in targets):
    sys.exit(1)
if any("@" in target for target in targets):
    stage = subprocess.Popen(["sleep", os.environ.get("SECONDS", "0")])  # as DVC starts a stage
    with open("log.txt", "a") as log:
        log.write(f"{stage.pid} stage\\n")
    if "STUBBORN" in os.environ:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    stage.wait()
    with open("log.txt", "a") as log:
        log.write(f"{stage.pid} ended\\n")
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The smoke profile's parameters with three stale runs, and a `dvc` that writes a log."""
    params = (ROOT / "profiles/smoke/params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(params.replace("root: ../..", "root: ."))
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "data/raw/mnist").mkdir(parents=True)
    (tmp_path / "data/raw/mnist/train-images-idx3-ubyte.gz").touch()
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dvc, "DVC", (sys.executable, str(tmp_path / "stand_in.py")))
    stale(
        tmp_path,
        *("train@dcgan-0", "train@vae-gan-0", "evaluate@conv-vae-0", "draw@conv-vae-0"),
        *("compare", "publish"),
    )
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


def stale(project: Path, *stages: str) -> None:
    (project / "status.json").write_text(json.dumps({stage: [] for stage in stages}))


def log(project: Path) -> list[str]:
    """The arguments of each call of the stand-in, in order."""
    lines = [line.split(maxsplit=1)[1] for line in (project / "log.txt").read_text().splitlines()]
    return [line for line in lines if line not in {"stage", "ended"}]


def record_time(project: Path, run: str, seconds: float) -> None:
    write_json(project / f"results/smoke/runs/{run}/timing.json", {"train_seconds": seconds})


def test_an_up_to_date_profile_is_reported(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale(project)
    reproduce(Path("dvc.yaml"), None)
    assert capsys.readouterr().out == "Data and pipelines are up to date.\n"
    assert not (project / "log.txt").exists()


def test_behaviour_is_measured_before_the_stale_stages_are_listed(project: Path) -> None:
    """DVC's status of a pipeline ignores the pipelines that it depends on."""
    stale(project, "behaviour/dvc.yaml:behaviour")
    moved = {"dvc.yaml:train@dcgan-0": [], "dvc.yaml:evaluate@dcgan-0": []}
    (project / "measured.json").write_text(json.dumps(moved))
    reproduce(Path("dvc.yaml"), 1)
    first, *rest = log(project)
    assert first == "behaviour/dvc.yaml"
    assert rest == ["--single-item dvc.yaml:train@dcgan-0 dvc.yaml:evaluate@dcgan-0 "
                    "dvc.yaml:draw@dcgan-0", "dvc.yaml"]  # fmt: skip


def test_the_finalists_come_first_then_the_longest_runs_then_the_rest(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_time(project, "dcgan-0", 5)
    record_time(project, "vae-gan-0", 50)
    record_time(project, "conv-vae-0", 20)
    record_time(project, "dcgan-tuned-0", 1)
    stale(
        project,
        *("train@dcgan-0", "train@vae-gan-0", "evaluate@conv-vae-0", "draw@conv-vae-0"),
        *("train@dcgan-tuned-0", "compare"),
    )
    reproduce(Path("dvc.yaml"), jobs=1)
    stages = [f"dvc.yaml:{stage}@{{0}}" for stage in ("train", "evaluate", "draw")]
    assert log(project) == [
        "--single-item " + " ".join(stages).format("dcgan-tuned-0"),
        "--single-item " + " ".join(stages).format("vae-gan-0"),
        "--single-item " + " ".join(stages[1:]).format("conv-vae-0"),
        "--single-item " + " ".join(stages).format("dcgan-0"),
        "dvc.yaml",
    ]
    lines = capsys.readouterr().out.splitlines()
    assert "           vae-gan-0 | Running dvc.yaml:draw@vae-gan-0" in lines
    assert "dcgan-0: done (4 of 4 runs)" in lines
    assert not any("autostage" in line or "git add" in line for line in lines)


def test_the_baselines_are_evaluated_beside_the_runs(project: Path) -> None:
    """They are independent of the runs. After the runs they would only keep one core busy."""
    stale(project, "train@dcgan-0", "baselines", "compare")
    reproduce(Path("dvc.yaml"), jobs=2)
    assert set(log(project)[:2]) == {
        "--single-item dvc.yaml:baselines",
        "--single-item dvc.yaml:train@dcgan-0 dvc.yaml:evaluate@dcgan-0 dvc.yaml:draw@dcgan-0",
    }


def annealing(project: Path, *runs: str) -> None:
    params = project / "params.yaml"
    section = f"annealing: {{runs: [{', '.join(runs)}], settings: {{}}}} "
    params.write_text(re.sub("annealing: .*?}", section, params.read_text()))


def test_log_likelihoods_are_estimated_after_the_other_stages_of_all_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    annealing(project, "dcgan-0", "conv-vae-0", "vanilla-gan-0")
    stale(project, "train@dcgan-0", "train@vae-gan-0", "anneal@vanilla-gan-0", "compare")
    reproduce(Path("dvc.yaml"), jobs=1)
    first, second, *rest = log(project)
    assert "train@" in first
    assert "train@" in second
    assert rest == [
        "--single-item dvc.yaml:anneal@dcgan-0",  # its weights may change
        "--single-item dvc.yaml:anneal@vanilla-gan-0",
        "dvc.yaml",
    ]
    assert "vanilla-gan-0: done (2 of 2 runs)" in capsys.readouterr().out


def test_a_stale_log_likelihood_makes_no_other_stage_run(project: Path) -> None:
    annealing(project, "dcgan-0", "conv-vae-0")
    stale(project, "anneal@dcgan-0")
    reproduce(Path("dvc.yaml"), jobs=1)
    assert log(project) == ["--single-item dvc.yaml:anneal@dcgan-0", "dvc.yaml"]


def test_a_published_run_of_a_fresh_clone_is_annealed_on_request(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clone has the weights of the run, but no splits. So DVC prepares the splits first."""

    def restored(params: Params) -> None:
        weights = ProfilePaths(params.profile).run("dcgan-0").weights
        weights.parent.mkdir(parents=True)
        weights.touch()

    annealing(project, "dcgan-0")
    deleted = {"changed outs": {"results/smoke/runs/dcgan-0/annealed.json": "deleted"}}
    status = {"prepare": MISSING, "train@vae-gan-0": MISSING, "anneal@dcgan-0": [*MISSING, deleted]}
    (project / "status.json").write_text(json.dumps(status))
    monkeypatch.setattr(reproduction, "restore", restored)
    reproduce(Path("dvc.yaml"), jobs=1, allow_missing=True)
    assert log(project) == [
        "dvc.yaml:reference",
        "--single-item dvc.yaml:anneal@dcgan-0",
        "--allow-missing dvc.yaml",
    ]


def test_after_each_run_the_leaderboard_shows_the_finished_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finished: list[set[str]] = []

    def write(params: Params, keys: set[str]) -> list[Standing]:
        finished.append(keys)
        return [("dcgan", "24.8", 1, 3)]

    monkeypatch.setattr(provisional, "write_provisional", write)
    stale(project, "train@dcgan-0", "train@conv-vae-0", "compare")
    reproduce(Path("dvc.yaml"), jobs=1)
    params = load_params(Path("params.yaml"))
    missing = [params.runs.keys() - keys for keys in finished]
    assert missing in ([{"conv-vae-0"}], [{"dcgan-0"}])
    assert "dcgan                  24.8  1 of 3" in capsys.readouterr().out


def test_an_error_of_the_leaderboard_stops_no_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale(project, "train@dcgan-0", "train@conv-vae-0", "compare")
    reproduce(Path("dvc.yaml"), jobs=1)  # fails to find the runs' records
    assert "standings | UserError: results/smoke/runs/" in capsys.readouterr().out
    assert log(project)[-1] == "dvc.yaml"


@pytest.mark.parametrize("name", ["prepare", "profiles/smoke/judge/dvc.yaml:mnist"])
def test_stages_that_all_runs_depend_on_come_first(name: str, project: Path) -> None:
    """Then all runs are requested, because DVC only knows afterwards which of them are stale."""
    stale(project, name)
    reproduce(Path("dvc.yaml"), jobs=1)
    runs = reproduction.load_params(project / "params.yaml").runs
    first, *middle, last = log(project)
    assert first == "dvc.yaml:reference"
    assert len(middle) == len(runs) + 1  # the runs and the baselines
    assert last == "dvc.yaml"


def test_runs_are_parallel(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDS", "3")
    reproduce(Path("dvc.yaml"), jobs=3)
    events = [line.split()[1] for line in (project / "log.txt").read_text().splitlines()]
    assert events[: events.index("ended")].count("stage") == 3


def test_after_a_failure_the_other_runs_are_completed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", "vae-gan-0")
    with pytest.raises(
        UserError, match=r"^vae-gan-0 failed\. See the output of vae-gan-0 above\.$"
    ):
        reproduce(Path("dvc.yaml"), jobs=1)
    assert len(log(project)) == 3, "all three runs were tried, and no comparison was made"


def test_a_disk_that_fills_up_ends_the_other_runs_too(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**arguments: object) -> None:
        if (project / "log.txt").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(**arguments)

    original = runners.TemporaryFile
    monkeypatch.setattr(runners, "TemporaryFile", full)
    monkeypatch.setenv("FAILS", "-0")  # each run
    with pytest.raises(UserError, match="cannot write to results/smoke/runs: No space left"):
        reproduce(Path("dvc.yaml"), jobs=1)
    assert len(log(project)) < 3


def test_a_bug_keeps_its_traceback_and_ends_the_other_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(runner: runners.Here, name: str, stages: object) -> None:
        raise ZeroDivisionError

    ended: list[str] = []
    monkeypatch.setattr(runners.Here, "run", run)
    monkeypatch.setattr(runners.Here, "end", lambda runner: ended.append("ended"))
    with pytest.raises(ZeroDivisionError):
        reproduce(Path("dvc.yaml"), jobs=1)
    assert ended


def test_a_clone_that_cannot_be_written_is_named_before_any_run(project: Path) -> None:
    (project / "results").touch()  # a file where a folder should be
    with pytest.raises(UserError, match="cannot write to results/smoke/runs"):
        reproduce(Path("dvc.yaml"), jobs=1)
    assert not (project / "log.txt").exists()


@pytest.mark.parametrize(
    ("number", "stubborn"),
    [
        (signal.SIGINT, False),
        (signal.SIGTERM, False),
        (signal.SIGHUP, False),
        (signal.SIGINT, True),
    ],
)
def test_ctrl_c_ends_all_children_and_their_stages(
    number: signal.Signals, stubborn: bool, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDS", "60")
    if stubborn:  # a child that ignores Ctrl-C is killed
        monkeypatch.setenv("STUBBORN", "1")
    script = (
        "import signal; from pathlib import Path; from ganvae.pipeline import dvc, reproduction;"
        # the tests may run under nohup, or in the background of a script
        "signal.signal(signal.SIGHUP, signal.SIG_DFL);"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        f"dvc.DVC = {dvc.DVC!r}; dvc.GRACE = 1.0;"
        "reproduction.reproduce(Path('dvc.yaml'), jobs=2)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    started = project / "log.txt"
    while not started.exists() or started.read_text().count("stage") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.send_signal(number)
    assert parent.wait(timeout=60) != 0
    processes = {int(line.split()[0]) for line in started.read_text().splitlines()}
    while any(map(psutil.pid_exists, processes)):  # init may need a moment to reap them
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(log(project)) == 2, "nothing was started afterwards"


def test_a_second_reproduction_says_which_one_is_running(project: Path) -> None:
    lock = FileLock(".state/repro.lock")
    Path(".state").mkdir()
    write_json(Path(".state/repro.json"), {"pipeline": "deep/dvc.yaml", "process": 123})
    with (
        lock,
        pytest.raises(UserError, match=r"process 123 on host unknown\) is already running"),
    ):
        reproduce(Path("dvc.yaml"), jobs=1)
    assert not (project / "log.txt").exists()
    reproduce(Path("dvc.yaml"), jobs=1)
    assert log(project)


@pytest.mark.parametrize("left", [False, True])
def test_a_second_reproduction_waits_until_the_first_has_said_who_it_is(
    left: bool, project: Path
) -> None:
    """Before, the file is missing, or it names a process that was killed."""
    Path(".state").mkdir()
    ended = subprocess.Popen(["true"])
    ended.wait()
    first = {"pipeline": "deep/dvc.yaml", "process": os.getpid(), "host": socket.gethostname()}
    if left:
        write_json(Path(".state/repro.json"), first | {"process": ended.pid})
    says = Timer(0.3, write_json, [Path(".state/repro.json"), first])
    says.start()
    with (
        FileLock(".state/repro.lock"),
        pytest.raises(UserError, match=rf"deep/dvc.yaml` \(process {os.getpid()} on host .* is al"),
    ):
        reproduce(Path("dvc.yaml"), jobs=1)
    says.join()


def test_a_first_reproduction_that_ends_just_now_is_not_named(project: Path) -> None:
    Path(".state").mkdir()
    with (
        FileLock(".state/repro.lock"),
        pytest.raises(UserError, match=r"^Another `ganvae repro` is already running in this clone"),
    ):
        reproduce(Path("dvc.yaml"), jobs=1)


def test_a_reproduction_on_another_host_is_refused(project: Path) -> None:
    running = Path(".state/repro.json")
    running.parent.mkdir()
    write_json(running, {"pipeline": "dvc.yaml", "process": 123, "host": "elsewhere"})
    with pytest.raises(UserError, match=r"host elsewhere\) may still be running .*repro\.json"):
        reproduce(Path("dvc.yaml"), jobs=1)
    running.unlink()
    reproduce(Path("dvc.yaml"), jobs=1)
    assert not running.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, UserError])
def test_the_next_command_repeats_a_sync_that_was_killed_or_failed(
    project: Path, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "src/ganvae").mkdir(parents=True)  # else it were a project, which writes tokens
    synced: list[str] = []

    def sync(profile: str) -> str:
        synced.append(profile)
        if len(synced) == 1:
            raise error
        return "synced"

    monkeypatch.setitem(sys.modules, "ganvae.tracking.sync", SimpleNamespace(sync=sync))
    params = (project / "params.yaml").read_text()
    own = params.replace("profiles/smoke/params.yaml", "params.yaml")
    (project / "params.yaml").write_text(own)
    stale(project, "compare")
    with suppress(KeyboardInterrupt):
        repro(Path("dvc.yaml"))
    stale(project)
    for _ in range(2):
        repro(Path("dvc.yaml"))
    assert synced == ["smoke", "smoke"]


def test_stages_of_another_profile_have_full_names(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale(project, "deep/dvc.yaml:train@dcgan-0")
    (project / "deep").mkdir()
    shutil.copy(project / "dvc.yaml", project / "deep")
    params = (project / "params.yaml").read_text()
    (project / "deep/params.yaml").write_text(params.replace("root: .", "root: .."))
    reproduce(project / "deep", jobs=1)  # a folder, with an absolute path
    first, last = log(project)
    assert first.startswith("--single-item deep/dvc.yaml:train@dcgan-0 deep/dvc.yaml:evaluate@")
    assert last == "deep/dvc.yaml"


MISSING = [
    {"changed deps": {"data/smoke/train.safetensors": "deleted"}},
    {"changed outs": {"artifacts/smoke/dcgan-0/weights.safetensors": "not in cache"}},
]


def test_runs_that_only_lack_files_are_kept_on_request(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "status.json").write_text(json.dumps({"prepare": MISSING, "train@dcgan-0": MISSING}))
    reproduce(Path("dvc.yaml"), jobs=1, allow_missing=True)
    assert capsys.readouterr().out == "Data and pipelines are up to date.\n"
    reproduce(Path("dvc.yaml"), jobs=1)
    stages = " ".join(f"dvc.yaml:{stage}@dcgan-0" for stage in ("train", "evaluate", "draw"))
    assert f"--single-item {stages}" in log(project)


@pytest.mark.parametrize(
    "finding",
    [
        "changed command",
        {"changed deps": {"behaviour/tokens/train/dcgan.json": "modified"}},
        {"changed outs": {"results/smoke/runs/dcgan-0/scores.json": "deleted"}},
    ],
)
@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_a_changed_run_without_weights_is_trained(
    project: Path, stage: str, finding: str | dict[str, dict[str, str]]
) -> None:
    status = {"train@vae-gan-0": MISSING, f"{stage}@dcgan-0": [*MISSING, finding]}
    (project / "status.json").write_text(json.dumps(status))
    reproduce(Path("dvc.yaml"), jobs=1, allow_missing=True)
    stages = " ".join(f"dvc.yaml:{stage}@dcgan-0" for stage in ("train", "evaluate", "draw"))
    assert log(project) == [
        "dvc.yaml:reference",
        f"--single-item {stages}",
        "--allow-missing dvc.yaml",
    ]


def test_a_missing_pipeline_is_an_error(project: Path) -> None:
    with pytest.raises(UserError, match=r"^elsewhere/dvc.yaml is not a pipeline"):
        reproduce(Path("elsewhere/dvc.yaml"), None)


def test_an_invalid_parameter_is_reported_before_any_stage_runs(project: Path) -> None:
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("r1: 1.0", "r1: -1.0"))
    with pytest.raises(ConfigError, match=r"dcgan-tuned\.r1 is -1"):
        reproduce(Path("dvc.yaml"), None)
    assert not (project / "log.txt").exists()


def test_missing_data_are_reported_before_any_stage_runs(project: Path) -> None:
    shutil.rmtree(project / "data/raw/mnist")
    missing = r"^data/raw/mnist has no files of mnist\. "
    fetch = "Run `ganvae fetch mnist --directory data/raw/mnist`, or set data.directory "
    with pytest.raises(UserError, match=missing + fetch):
        reproduce(Path("dvc.yaml"), None)
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(params.replace("layout: idx", "layout: folders"))
    with pytest.raises(UserError, match=missing + "Set data.directory in "):
        reproduce(Path("dvc.yaml"), None)
    assert not (project / "log.txt").exists()


def test_the_advice_on_missing_data_can_be_followed_from_any_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(project / "data/raw/mnist")
    monkeypatch.chdir(project.parent)
    folder = f"{project.name}/data/raw/mnist"
    params = reproduction.load_params(project / "params.yaml")
    with pytest.raises(
        UserError, match=f"^{folder} has .*`ganvae fetch mnist --directory {folder}`"
    ):
        reproduction.check_data(params, Path(project.name) / "dvc.yaml")


def test_a_hangup_stays_ignored_under_nohup(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        reproduce(Path("dvc.yaml"), jobs=1)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_default_number_of_jobs_fits_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    params = reproduction.load_params(ROOT / "profiles/smoke/params.yaml")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    for threads, jobs in ((1, 8), (2, 4), (3, 2), (16, 1), (None, 1)):
        compute = params.compute.model_copy(update={"threads": threads})
        assert reproduction.runs_at_once(params.model_copy(update={"compute": compute})) == jobs
