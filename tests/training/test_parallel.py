"""Several processes that train one run end where one process does.

Started by torchrun as a program, this file is what the processes of some tests do.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML
from torch import Tensor

from conftest import GREY, ROOT, stripes
from ganvae import compute
from ganvae.compute import Machine
from ganvae.config import Binarization, ComputeConfig, Params, read_yaml
from ganvae.data.source import LabelledImages
from ganvae.data.splits import Split
from ganvae.data.store import write_split
from ganvae.errors import ConfigError
from ganvae.models.priors import drawing_share, standard_normal, uniform
from ganvae.models.registry import build_model, model_class, model_config
from ganvae.paths import ProfilePaths
from ganvae.seeds import generator
from ganvae.training import parallel
from ganvae.training.batches import Batches
from ganvae.training.parallel import ALONE, Group, joined, share_of
from ganvae.training.runs import fingerprint
from ganvae.training.trainer import train

IMAGES = stripes(90)[0]
STEPS = 20
STOPPED_AT = 15  # the last checkpoint is of step 14
SCHEDULE = {
    "unit": "steps",
    "length": STEPS,
    "report_every": 5,
    "sample_every": 10,
    "checkpoint_every": 7,
}
MORE = {"ema": 0.8, "learning_rate_decay": "linear"}
BALANCE = {"balance": {"ratio": 1.03, "d_steps": 2}}
EQUAL: dict[str, dict[str, Any]] = {
    "bernoulli-vae": {**MORE, "binarize": "dynamic"},
    "conv-vae": {"importance_samples": 3},
    "vanilla-gan": {**MORE, **BALANCE},
    "dcgan": {**MORE, **BALANCE, "generator_norm": "none", "r1": 0.5, "r1_share": 0.25},
    "vae-gan": {**BALANCE},
}
"""Systems without batch norm and dropout, by name, with parameters that several processes must
keep to."""
AGREEING: dict[str, dict[str, Any]] = {
    "balanced-gan": {**MORE, "balance": {"ratio": 1.03}},
    "keras-dcgan": {},
}
"""Systems with both."""


def values(smoke: Params, name: str) -> dict[str, Any]:
    more = (EQUAL | AGREEING)[name]
    return smoke.models[name] | {"schedule": SCHEDULE, "batch_size": 16} | more


def work_through(plan: Path) -> None:
    """Train each case of a plan in this process's group and leave its results beside the plan."""
    torch.set_num_threads(1)
    with joined() as group:
        for name, case in json.loads(plan.read_text()).items():
            folder = plan.parent / name
            if case["fault"]:
                _fail_in_step(name, STOPPED_AT, case["fault"], group.rank)
            config = model_config(name, case["config"])
            result = train(name, config, IMAGES, seed=1, work=folder, group=group)
            torch.save(result.model.state_dict(), folder / f"weights-{group.rank}.pt")
            (folder / f"history-{group.rank}.json").write_text(json.dumps(result.history))


def _fail_in_step(name: str, last: int, fault: str, rank: int) -> None:
    """Let the second process be killed, or the first raise an exception, in a training step."""
    cls, calls = model_class(name), []
    honest = cls.train_step

    def train_step(self: Any, *arguments: Any) -> dict[str, Tensor]:
        calls.append(1)
        if len(calls) == last and (fault, rank) == ("killed", 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if len(calls) == last and (fault, rank) == ("raises", 0):
            raise RuntimeError
        return honest(self, *arguments)

    cls.train_step = train_step  # type: ignore[method-assign]


def torchrun(*command: str | Path, processes: int = 2) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return subprocess.run(
        [*launcher, f"--nproc_per_node={processes}", *map(str, command)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )


def train_by_two(folder: Path, smoke: Params, *names: str, fault: str | None = None) -> int:
    """The exit status of two processes that train each system in turn."""
    folder.mkdir(exist_ok=True)
    plan = folder / "plan.json"
    cases = {name: {"config": values(smoke, name), "fault": fault} for name in names}
    plan.write_text(json.dumps(cases))
    process = torchrun(Path(__file__), plan)
    print(process.stderr)
    return process.returncode


def weights_of(folder: Path, name: str, rank: int = 0) -> dict[str, Tensor]:
    loaded: dict[str, Tensor] = torch.load(folder / name / f"weights-{rank}.pt")
    return loaded


def history_of(folder: Path, name: str, rank: int = 0) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = json.loads((folder / name / f"history-{rank}.json").read_text())
    return rows


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.fixture(scope="module")
def by_two(smoke: Params, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes make of all systems."""
    folder = tmp_path_factory.mktemp("two")
    assert train_by_two(folder, smoke, *EQUAL, *AGREEING) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", EQUAL)
def test_two_processes_end_where_one_does(
    smoke: Params, name: str, by_two: Path, tmp_path: Path
) -> None:
    """Noise, order, binarisation, decay, average and the balance's turns are the same."""
    one = train(
        name, model_config(name, values(smoke, name)), IMAGES, seed=1, work=tmp_path / "one"
    )
    two = history_of(by_two, name)
    for row, twin in zip(one.history, two, strict=True):
        assert twin == pytest.approx(row, rel=1e-4)
    if "balance" in EQUAL[name]:
        assert 0 < sum(row["d_skipped"] + row["g_skipped"] for row in two) < len(two)
    torch.testing.assert_close(
        weights_of(by_two, name), one.model.state_dict(), rtol=1e-4, atol=1e-5
    )  # they have moved by 1e-3 and more


@pytest.mark.slow
@pytest.mark.parametrize("name", EQUAL | AGREEING)
def test_both_processes_have_the_same_weights_and_losses(name: str, by_two: Path) -> None:
    assert_same(weights_of(by_two, name, rank=0), weights_of(by_two, name, rank=1))
    assert history_of(by_two, name, rank=0) == history_of(by_two, name, rank=1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "fault"), [("balanced-gan", "raises"), ("keras-dcgan", "killed")])
def test_a_process_that_fails_ends_all_and_the_same_command_goes_on(
    smoke: Params, name: str, fault: str, by_two: Path, tmp_path: Path
) -> None:
    """Also where batch norm and dropout are: bit for bit what it would have been."""
    assert train_by_two(tmp_path, smoke, name, fault=fault) != 0
    assert (tmp_path / name / "checkpoint.pt").exists()
    assert not list(tmp_path.rglob("weights-*"))
    assert train_by_two(tmp_path, smoke, name) == 0
    assert_same(weights_of(tmp_path, name), weights_of(by_two, name))
    assert history_of(tmp_path, name) == history_of(by_two, name)


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The smoke profile's parameters in a working folder of its own, with a small training set."""
    monkeypatch.chdir(tmp_path)
    params = read_yaml(ROOT / "profiles/smoke/params.yaml")
    images, labels = (part.numpy() for part in stripes(90))
    split = Split(LabelledImages(images, labels), np.arange(90), "train")
    write_split(ProfilePaths("smoke").split("train"), "train", split, "mnist", tuple("0123456789"))
    return params


def train_stage(params: dict[str, Any], run: str) -> subprocess.CompletedProcess[str]:
    with Path("params.yaml").open("w") as file:
        YAML().dump(params, file)
    return torchrun(ROOT / "stages/train.py", "params.yaml", run)


@pytest.mark.slow
def test_one_process_writes_what_a_run_leaves(profile: dict[str, Any]) -> None:
    process = train_stage(profile, "dcgan-tuned-0")
    assert process.returncode == 0, process.stderr
    lines = process.stdout.splitlines()
    assert lines[0] == "dcgan-tuned-0: step 0 of 40"
    assert lines[-1].startswith("dcgan-tuned-0: completed after 40 steps")
    assert len(set(lines)) == len(lines), "only one process speaks"
    paths = ProfilePaths("smoke").run("dcgan-tuned-0")
    outcome = json.loads(paths.outcome.read_text())
    assert outcome["processes"] == 2
    assert outcome["images_per_step"] == outcome["config"]["batch_size"] == 32
    assert outcome["images_seen"] == 40 * 32
    assert paths.weights.exists()
    assert len(paths.history.read_text().splitlines()) == 1 + 4
    (live,) = Path(".state/live/smoke").iterdir()
    assert len(live.read_text().splitlines()) == 1 + 4
    assert [path.name for path in Path(".state").iterdir()] == ["live"]


@pytest.mark.slow
def test_weights_that_are_not_finite_end_the_run_in_all_processes(profile: dict[str, Any]) -> None:
    """The first process finds them, in a picture that the others do not draw."""
    profile["models"]["bernoulli-vae"] |= {
        "learning_rate": 1e30,
        "schedule": SCHEDULE | {"report_every": 20, "sample_every": 1},
    }
    process = train_stage(profile, "bernoulli-vae-0")
    assert process.returncode == 0, process.stderr
    outcome = json.loads(ProfilePaths("smoke").run("bernoulli-vae-0").outcome.read_text())
    assert outcome["status"] == "diverged"
    assert "samples at step" in outcome["reason"]


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared_out_is_one_clear_line(profile: dict[str, Any]) -> None:
    profile["models"]["dcgan-tuned"]["batch_size"] = 33
    process = train_stage(profile, "dcgan-tuned-0")
    assert process.returncode != 0
    assert [line for line in process.stderr.splitlines() if line.startswith("error: ")] == [
        "error: profiles/smoke/params.yaml: models.dcgan-tuned.batch_size = 33: must be a multiple "
        "of the number of processes, 2."
    ]
    assert not Path(".state").exists()


@pytest.mark.parametrize("draw", [standard_normal, uniform])
@pytest.mark.parametrize("shares", [1, 2, 3])
def test_shares_of_noise_add_up_to_what_one_process_draws(
    draw: Callable[[int, int, torch.Generator], Tensor], shares: int
) -> None:
    whole = draw(6 * shares, 5, generator(0, "noise"))
    for number in range(shares):
        random = generator(0, "noise")
        with drawing_share(number, shares):
            assert torch.equal(draw(6, 5, random), whole[number::shares])
        following = generator(0, "noise")
        draw(6 * shares, 5, following)
        assert torch.equal(draw(4, 5, random), draw(4, 5, following)), "whole again"


def test_all_noise_of_a_step_is_shared_out(smoke: Params, name: str) -> None:
    """A generator is left as one process leaves it: no model draws but from the priors."""
    config = model_config(name, smoke.models[name] | {"batch_size": 16})
    after = []
    for group in (ALONE, Group(0, 2), Group(1, 2)):
        model = build_model(name, share_of(config, group, name), GREY, seed=0)
        images = torch.rand(model.real_images_per_step, *GREY)
        random = generator(0, "noise")
        with drawing_share(group.rank, group.size):
            model.train_step(images, model.optimizers(), random)
        after.append(random.get_state())
    assert torch.equal(after[0], after[1])
    assert torch.equal(after[0], after[2])


@pytest.mark.parametrize("binarize", ["none", "static", "dynamic"])
def test_shares_of_a_batch_add_up_to_it(binarize: Binarization) -> None:
    whole = Batches(IMAGES, 12, 0, binarize)[9]
    for rank in range(3):
        share = Batches(IMAGES, 12, 0, binarize, Group(rank, 3))[9]
        assert torch.equal(share, whole[rank::3])


@pytest.mark.parametrize(
    ("batch_size", "size", "message"),
    [
        (10, 3, r"^models\.vanilla-gan\.batch_size = 10: must be a multiple .* processes, 3"),
        (10, 2, r"^in each of 2 processes: models\.vanilla-gan\.batch_size = 5: .* multiple of 2"),
    ],
)
def test_shares_are_equal_and_such_as_the_model_takes(
    smoke: Params, batch_size: int, size: int, message: str
) -> None:
    config = model_config("vanilla-gan", smoke.models["vanilla-gan"] | {"batch_size": batch_size})
    with pytest.raises(ConfigError, match=message):
        share_of(config, Group(0, size), "models.vanilla-gan")


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    with joined() as group:
        assert group == ALONE
        assert not torch.distributed.is_initialized()


def test_processes_of_several_machines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"TORCHELASTIC_RUN_ID": "run", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    store = torch.distributed.HashStore()
    monkeypatch.setattr(parallel, "rendezvous", lambda url: iter([(store, 0, 4)]))
    with pytest.raises(ConfigError, match=r"one machine: give --nnodes=1"), joined():
        raise AssertionError("joined")


def test_fewer_gpus_than_processes_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "use_to_train", lambda config: Machine("cuda", "bf16"))
    monkeypatch.setattr(Group, "of_first", lambda self, value: value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    config = ComputeConfig(device="auto", threads=1, precision="auto")
    assert parallel.use_to_train(config, ALONE) == Machine("cuda", "bf16")
    with pytest.raises(ConfigError, match=r"2 processes take a GPU each and there are 1"):
        parallel.use_to_train(config, Group(1, 2))


def test_the_number_of_processes_is_in_the_fingerprint_where_there_are_several(
    smoke: Params,
) -> None:
    config = model_config("dcgan", smoke.models["dcgan"])
    one, by_default, two = (
        fingerprint("dcgan", config, 0, "a", Machine(), *processes)
        for processes in ((1,), (), (2,))
    )
    assert one == by_default != two


if __name__ == "__main__":
    work_through(Path(sys.argv[1]))
