"""The command line: quick, and one line for each error."""

import subprocess
import sys
from pathlib import Path

import pytest

from ganvae.data.registry import dataset_names
from ganvae.models.registry import model_names


def ganvae(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from ganvae.cli import app; app()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


def test_help_loads_neither_torch_nor_mlflow() -> None:
    script = """
import sys
from ganvae.cli import app
sys.argv = ["ganvae", "--help"]
try:
    app()
except SystemExit as end:
    assert end.code == 0
heavy = ("torch", "mlflow", "numpy", "pydantic", "matplotlib")
sys.exit(f"loaded: {[name for name in heavy if name in sys.modules]}")
"""
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert process.stderr.strip() == "loaded: []"
    for command in ("train", "sample", "sync", "ui", "fetch", "datasets", "models"):
        assert command in process.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "nope", "--directory", "there"], "error: dataset 'nope' is unknown"),
        (["nope"], "error: No such command 'nope'"),
        (["ui", "--port", "x"], "error: Invalid value for '--port': Input should be a valid int"),
        (["train", "nope"], "error: model 'nope' is unknown; there are: balanced-gan, "),
        (["train"], "error: Missing argument 'model'"),
        (["train", "dcgan", "--epoch", "1"], "error: No such option: --epoch"),
        (["train", "dcgan", "--epochs", "0"], "error: Invalid value for '--epochs': Input should"),
        (["train", "dcgan", "--epochs", "1", "--steps", "1"], "error: give --epochs or --steps"),
        (["train", "dcgan", "--batch_size", "1"], "error: dcgan.batch_size = 1: input should be"),
        (["train", "dcgan", "--beta_1", "1.5"], "error: dcgan.beta_1 = 1.5: input should be less"),
        (["train", "keras-dcgan", "--beta_1", ".5"], "error: keras-dcgan.beta_1: unknown key; al"),
        (["train", "dcgan", "--set", "x"], "error: --set x: expected KEY=VALUE"),
        (["train", "dcgan", "--set", "a.b=1"], "error: dcgan.a.b: dcgan has no section 'a'"),
        (["train", "dcgan", "--device", "tpu"], "error: compute.device = 'tpu': input should be"),
        (["train", "dcgan", "--dataset", "x"], "error: dataset 'x' is neither one of mnist nor"),
        (["train", "dcgan", "--data", "nowhere"], "error: nowhere"),
        (["sample", "nope"], "error: no pretrained model 'nope'; there are: "),
        (["sample", "no.safetensors"], "error: no.safetensors is missing"),
        (["sample", "vae-gan", "--out", "x.jpg"], "error: --out x.jpg: the name must end in .png"),
        (["sample", "vae-gan", "--n", "0"], "error: Invalid value for '--n': Input should be gr"),
        (["sync", "--profile", "nope"], "error: profile 'nope' has no folder in results"),
    ],
)
def test_an_error_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    process = ganvae(*arguments, cwd=tmp_path)
    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr.startswith(message)
    assert process.stderr.count("\n") == 1


def test_datasets_are_listed_a_line_each() -> None:
    lines = ganvae("datasets").stdout.splitlines()
    assert [line.split()[0] for line in lines] == dataset_names()


def test_models_are_listed_with_family_and_source() -> None:
    lines = ganvae("models").stdout.splitlines()
    assert [line.split()[0] for line in lines] == model_names()
    assert {line.split()[1] for line in lines} <= {"gan", "vae", "hybrid"}
    assert all(len(line.split()) > 2 for line in lines)
