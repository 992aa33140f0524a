"""Several runs at once: order, output, failure and Ctrl-C, with a stand-in for DVC."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.config import Params, load_params
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import write_json
from ganvae.pipeline import dvc, reproduction
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
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The smoke profile's parameters, all of its runs stale, and a `dvc` that writes a log."""
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
    """What the stand-in was called with, in order."""
    lines = [line.split(maxsplit=1)[1] for line in (project / "log.txt").read_text().splitlines()]
    return [line for line in lines if line != "stage"]


def took(project: Path, run: str, seconds: float) -> None:
    write_json(project / f"results/smoke/runs/{run}/timing.json", {"train_seconds": seconds})


def test_nothing_to_do_is_said_at_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale(project)
    reproduce(Path("dvc.yaml"), None)
    assert capsys.readouterr().out == "Data and pipelines are up to date.\n"
    assert not (project / "log.txt").exists()


def test_behaviour_is_measured_before_it_is_decided_what_there_is_to_do(project: Path) -> None:
    """DVC's status of a pipeline does not look at what it depends on in another file."""
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
    took(project, "dcgan-0", 5)
    took(project, "vae-gan-0", 50)
    took(project, "conv-vae-0", 20)
    took(project, "dcgan-tuned-0", 1)
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


def test_the_baselines_are_made_beside_the_runs(project: Path) -> None:
    """No run waits for them, and they for none: at the end they would keep one core busy alone."""
    stale(project, "train@dcgan-0", "baselines", "compare")
    reproduce(Path("dvc.yaml"), jobs=2)
    assert set(log(project)[:2]) == {
        "--single-item dvc.yaml:baselines",
        "--single-item dvc.yaml:train@dcgan-0 dvc.yaml:evaluate@dcgan-0 dvc.yaml:draw@dcgan-0",
    }


def test_after_each_run_the_leaderboard_is_one_of_those_that_are_done(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[set[str]] = []

    def write(params: Params, keys: set[str]) -> list[Standing]:
        done.append(keys)
        return [("dcgan", "24.8", 1, 3)]

    monkeypatch.setattr(provisional, "write_provisional", write)
    stale(project, "train@dcgan-0", "train@conv-vae-0", "compare")
    reproduce(Path("dvc.yaml"), jobs=1)
    params = load_params(Path("params.yaml"))
    missing = [params.runs.keys() - keys for keys in done]
    assert missing in ([{"conv-vae-0"}], [{"dcgan-0"}])
    assert "dcgan                24.8  1 of 3" in capsys.readouterr().out


def test_no_training_ends_because_it_cannot_be_shown(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale(project, "train@dcgan-0", "train@conv-vae-0", "compare")
    reproduce(Path("dvc.yaml"), jobs=1)  # there are no records
    assert "standings | UserError: results/smoke/runs/" in capsys.readouterr().out
    assert log(project)[-1] == "dvc.yaml"


@pytest.mark.parametrize("name", ["prepare", "profiles/smoke/judge/dvc.yaml:mnist"])
def test_what_all_runs_need_comes_first(name: str, project: Path) -> None:
    """Then DVC is asked about every run: whether it changes shows only afterwards."""
    stale(project, name)
    reproduce(Path("dvc.yaml"), jobs=1)
    runs = reproduction.load_params(project / "params.yaml").runs
    first, *middle, last = log(project)
    assert first == "dvc.yaml:reference"
    assert len(middle) == len(runs) + 1  # and the baselines
    assert last == "dvc.yaml"


def test_runs_go_side_by_side(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDS", "1.5")
    start = time.monotonic()
    reproduce(Path("dvc.yaml"), jobs=3)
    assert time.monotonic() - start < 3 * 1.5


def test_a_failure_is_named_and_the_other_runs_are_completed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", "vae-gan-0")
    with pytest.raises(UserError, match=r"^vae-gan-0 failed; see above\.$"):
        reproduce(Path("dvc.yaml"), jobs=1)
    assert len(log(project)) == 3, "all three runs were tried, and no comparison was made"


@pytest.mark.parametrize(
    ("number", "stubborn"),
    [
        (signal.SIGINT, False),
        (signal.SIGTERM, False),
        (signal.SIGHUP, False),
        (signal.SIGINT, True),
    ],
)
def test_ctrl_c_ends_all_children_and_theirs(
    number: signal.Signals, stubborn: bool, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDS", "60")
    if stubborn:  # what does not mind a Ctrl-C is killed
        monkeypatch.setenv("STUBBORN", "1")
    script = (
        "import signal; from pathlib import Path; from ganvae.pipeline import dvc, reproduction;"
        # the tests may be under nohup, or in the background of a script
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
    for line in (project / "log.txt").read_text().splitlines():
        with pytest.raises(ProcessLookupError):
            os.kill(int(line.split()[0]), 0)
    assert len(log(project)) == 2, "nothing was started afterwards"


def test_another_profiles_stages_go_by_their_full_names(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale(project, "deep/dvc.yaml:train@dcgan-0")
    (project / "deep").mkdir()
    shutil.copy(project / "dvc.yaml", project / "deep")
    params = (project / "params.yaml").read_text()
    (project / "deep/params.yaml").write_text(params.replace("root: .", "root: .."))
    reproduce(project / "deep", jobs=1)  # a folder, and not a relative path
    first, last = log(project)
    assert first.startswith("--single-item deep/dvc.yaml:train@dcgan-0 deep/dvc.yaml:evaluate@")
    assert last == "deep/dvc.yaml"


def test_a_pipeline_that_is_not_there(project: Path) -> None:
    with pytest.raises(UserError, match=r"^elsewhere/dvc.yaml: no such pipeline"):
        reproduce(Path("elsewhere/dvc.yaml"), None)


def test_a_faulty_section_is_found_before_anything_runs(project: Path) -> None:
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("r1: 1.0", "r1: -1.0"))
    with pytest.raises(ConfigError, match=r"dcgan-tuned\.r1 = -1"):
        reproduce(Path("dvc.yaml"), None)
    assert not (project / "log.txt").exists()


def test_missing_data_are_named_before_anything_runs(project: Path) -> None:
    shutil.rmtree(project / "data/raw/mnist")
    missing = r"^data/raw/mnist: no folder with files of mnist\. "
    fetch = "Get them with `ganvae fetch mnist --directory data/raw/mnist`, or name theirs in "
    with pytest.raises(UserError, match=missing + fetch):
        reproduce(Path("dvc.yaml"), None)
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(params.replace("layout: idx", "layout: folders"))
    with pytest.raises(UserError, match=missing + "Name theirs in "):
        reproduce(Path("dvc.yaml"), None)
    assert not (project / "log.txt").exists()


def test_nohup_is_respected(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        reproduce(Path("dvc.yaml"), jobs=1)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_runs_at_once_are_as_many_as_have_cores_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    params = reproduction.load_params(ROOT / "profiles/smoke/params.yaml")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    for threads, jobs in ((1, 8), (2, 4), (3, 2), (16, 1), (None, 1)):
        compute = params.compute.model_copy(update={"threads": threads})
        assert reproduction._jobs(params.model_copy(update={"compute": compute})) == jobs
