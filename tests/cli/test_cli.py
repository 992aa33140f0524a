"""The command line: it starts fast, and every error is one line."""

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from forks import ganvae
from ganvae import cli
from ganvae.cli import extras
from ganvae.core import assets
from ganvae.core.errors import UserError
from ganvae.core.files import write_json
from ganvae.data import registry
from ganvae.data.registry import dataset_names
from ganvae.models.registry import system_names
from ganvae.report.record_files import compare_given
from ganvae.scores.records import ScoreRecord, write_records
from toy_records import record, runs


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
    for command in ("train", "sample", "compare", "sync", "ui", "fetch", "datasets", "models"):
        assert command in process.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "nope", "--directory", "there"], "error: dataset 'nope' is unknown"),
        (["fetch", "lfw", "--edition", "x"], "error: lfw has no edition 'x'; choose one of: funne"),
        (
            ["fetch", "mnist", "--edition", "x"],
            "error: mnist has no edition 'x'; leave --edition out",
        ),
        (["nope"], "error: No such command 'nope'"),
        (["ui", "--port", "x"], "error: Invalid value for '--port': Input should be a valid int"),
        (
            ["train", "nope"],
            "error: system 'nope' is unknown. Choose one of these systems: balanced-gan, ",
        ),
        (["train"], "error: Missing argument 'system'"),
        (["train", "dcgan", "--epoch", "1"], "error: No such option: --epoch"),
        (["train", "dcgan", "--epochs", "0"], "error: Invalid value for '--epochs': Input should"),
        (["train", "dcgan", "--epochs", "1", "--steps", "1"], "error: --epochs and --steps are"),
        (["train", "dcgan", "--batch_size", "1"], "error: dcgan.batch_size is 1, but it should be"),
        (["train", "dcgan", "--beta_1", "1.5"], "error: dcgan.beta_1 is 1.5, but it should be l"),
        (["train", "keras-dcgan", "--beta_1", ".5"], "error: keras-dcgan.beta_1 is not a known k"),
        (["train", "dcgan", "--set", "x"], "error: --set x is not of the form KEY=VALUE"),
        (["train", "dcgan", "--set", "a.b=1"], "error: dcgan.a.b: dcgan has no section 'a'"),
        (["train", "dcgan", "--device", "tpu"], "error: compute.device is 'tpu', but it should"),
        (
            ["train", "dcgan", "--dataset", "x"],
            "error: dataset 'x' is neither a data set nor a folder",
        ),
        (["train", "dcgan", "--image-size", "9"], "error: data.size is 9, but the images of mnist"),
        (["train", "dcgan", "--channels", "2"], "error: data.channels is 2, but it should be 1 or"),
        (["train", "dcgan", "--data", "nowhere"], "error: nowhere"),
        (["sample", "nope"], "error: there is no pretrained model 'nope'. Profile laptop has"),
        (["sample", "no.safetensors"], "error: no.safetensors is missing"),
        (["sample", "vae-gan", "--out", "x.jpg"], "error: --out x.jpg: the name must end in .png"),
        (["sample", "vae-gan", "--n", "0"], "error: Invalid value for '--n': Input should be gr"),
        (["compare"], "error: Missing argument 'files'"),
        (["compare", "a.json"], "error: a.json is not a file. Give a file of score"),
        (["sync", "--profile", "nope"], "error: profile 'nope' has no folder results/nope"),
    ],
)
def test_an_error_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / ".dvc").mkdir()
    process = ganvae(*arguments, cwd=tmp_path)
    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr.startswith(message)
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        (["repro"], "dvc"),
        (["check-locks"], "dvc"),
        (["sync"], "mlflow"),
        (["ui"], "mlflow"),
        (["sample", "models:/mnist@champion-gan"], "mlflow"),
        (["sweep", "status", "--study", "x"], "optuna"),
        (["sweep", "match", "smoke"], "optuna"),
    ],
)
def test_a_command_names_the_extra_that_it_needs(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], package: str
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["ganvae", *arguments])
    message = rf"this command needs the package {package}, .* `pip install 'ganvae\[pipeline\]'`\.$"
    with pytest.raises(UserError, match=message):
        cli._run()


def test_the_packages_of_the_extra_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = " ".join(project["optional-dependencies"]["pipeline"])
    assert all(package in declared for package in extras.PIPELINE)


def test_data_sets_are_listed_in_columns_with_one_line_each() -> None:
    lines = ganvae("datasets").stdout.splitlines()
    assert [line.split()[0] for line in lines] == dataset_names()
    cells = {line.split()[0]: re.split(r"  +", line) for line in lines}
    mnist = [
        "1 x 28 x 28",
        "idx",
        "judge",
        "60,000 + 10,000 handwritten digits (LeCun et al., 1998)",
    ]
    assert cells["mnist"][1:] == mnist
    assert cells["stacked-mnist"][1:3] == ["3 x 28 x 28", "idx"]
    assert cells["lfw"][2] == "people"
    for name, line in cells.items():
        judged = (ROOT / f"judges/{name}.safetensors").is_file()
        assert line[3] == ("judge" if judged else "no judge")
    column = lines[0].index(cells["fashion-mnist"][4])
    assert all(line[column - 2 : column] == "  " != line[column] for line in lines)


def test_fetch_passes_the_folder_and_the_edition_to_the_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Path, str | None]] = []
    dataset = replace(
        registry.get_dataset("lfw"), fetch=lambda *given: asked.append(given), editions=("a", "b")
    )
    monkeypatch.setattr(registry, "get_dataset", lambda name: dataset)
    monkeypatch.setattr(assets, "CLONE", tmp_path)
    monkeypatch.delenv("GANVAE_DATA", raising=False)
    registry.fetch_dataset("lfw", None, None)
    registry.fetch_dataset("lfw", tmp_path / "there", "b")
    assert asked == [(tmp_path / "data/raw/lfw", None), (tmp_path / "there", "b")]


def test_systems_are_listed_with_family_and_source() -> None:
    lines = ganvae("models").stdout.splitlines()
    assert [line.split()[0] for line in lines] == system_names()
    assert {line.split()[1] for line in lines} <= {"gan", "vae", "hybrid"}
    assert all(len(line.split()) > 2 for line in lines)


def flagged(record: ScoreRecord) -> ScoreRecord:
    return record.model_copy(update={"flags": ["50 samples where the protocol takes 100"]})


def test_compare_ranks_the_records_of_several_files(tmp_path: Path) -> None:
    write_records(tmp_path / "a.json", [record("floor", 0, 0.1), *runs("gan", [5.0, 6.0, 7.0])])
    write_records(tmp_path / "b.json", [*runs("vae", [9.0, 10.0]), record("vae", 2, None)])
    write_json(tmp_path / "c.json", flagged(record("mine", 0, 1.0, n_generated=50)).model_dump())
    process = ganvae("compare", "a.json", "b.json", "c.json", "--json", "out.json", cwd=tmp_path)
    assert process.stderr == ""
    lines = process.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["variant", "floor", "gan", "vae"]
    column = lines[0].index("FID")
    cells = [line[column:].split("  ")[0] for line in lines[1:4]]
    assert cells == ["0.10", "5.94 [3.91, 9.03]", "9.49 [4.86, 18.53]"]
    assert lines[2].endswith("  3")
    assert lines[3].endswith("  3 (1 diverged)")
    pair = next(line for line in lines if line.startswith("gan : vae  FID  0.627"))
    assert pair.endswith("too few seeds")
    assert (
        "too few seeds: with 3 against 2 seeds, a rank test cannot be significant "
        "(the smallest possible p-value is 0.20)."
    ) in lines
    assert "not ranked: mine, seed 0: 50 samples where the protocol takes 100" in lines
    content = json.loads((tmp_path / "out.json").read_text())
    assert list(content) == ["rows", "pairs", "finalists", "aside", "unranked"]
    assert content["rows"][1]["scores"]["fid_judge"]["mean"] == pytest.approx(210 ** (1 / 3))
    assert content["pairs"][0]["effect"] == pytest.approx(210 ** (1 / 3) / 90**0.5)


def of_samples(record: ScoreRecord, samples: str | None) -> ScoreRecord:
    return record.model_copy(update={"samples_sha256": samples})


def test_compare_counts_the_same_samples_once_even_under_two_seeds(tmp_path: Path) -> None:
    first, second = (of_samples(r, 64 * str(r.seed)) for r in runs("gan", [5.0, 6.0]))
    again = of_samples(record("gan", 2, 6.0), second.samples_sha256)
    other = of_samples(record("other", 0, 6.0), second.samples_sha256)
    write_records(tmp_path / "a.json", [first, second, record("gan", 3, None)])
    write_records(tmp_path / "b.json", [first, again, other])
    output = ganvae("compare", "a.json", "b.json", cwd=tmp_path).stdout
    same = "have the same samples, so only the first record counts."
    assert f"note: a.json: gan, seed 0 and b.json: gan, seed 0 {same}" in output
    assert f"note: a.json: gan, seed 1 and b.json: gan, seed 2 {same}" in output
    assert output.count("only the first record counts") == 2
    assert output.splitlines()[1].split()[:3] == ["gan", "gan", "5.48"]
    assert output.splitlines()[2].split()[:3] == ["other", "gan", "6.00"]
    assert "GANs against VAEs" not in output


@pytest.mark.parametrize("samples", [("d" * 64, "e" * 64), ("d" * 64, None), (None, None)])
def test_two_different_records_of_the_same_seed_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: tuple[str | None, str | None]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, checksum in zip(("a.json", "b.json"), samples, strict=True):
        write_records(Path(name), [of_samples(record("gan", 1, 5.0), checksum)])
    message = (
        r"^a\.json and b\.json: there are two records of gan, seed 1, .* its own --seed .* --model"
    )
    with pytest.raises(UserError, match=message):
        compare_given([Path("a.json"), Path("b.json")])


def test_a_variant_with_two_families_is_reported_with_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_records(Path("a.json"), runs("a", [5.0, 6.0]))
    other = record("a", 2, 1.0).model_copy(update={"family": "hybrid"})
    write_records(Path("b.json"), [other])
    message = (
        r"^a\.json: a, seed 0 and b\.json: a, seed 2: the family of a is gan in the first record "
        r"but hybrid in the second"
    )
    with pytest.raises(UserError, match=message):
        compare_given([Path("a.json"), Path("b.json")])


@pytest.mark.parametrize(
    ("place", "message"),
    [("out.txt", "the name must end in .json"), ("folder.json", "the path exists already")],
)
def test_compare_checks_the_output_path_before_it_compares(
    tmp_path: Path, place: str, message: str
) -> None:
    write_records(tmp_path / "a.json", runs("gan", [5.0, 6.0]))
    (tmp_path / "folder.json").mkdir()
    process = ganvae("compare", "a.json", "--json", place, cwd=tmp_path)
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith(f"error: --json {place}: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([record("b", 0, 1.0, n_generated=50).model_dump()],
         "a.json: a, seed 0 and b.json: b, seed 0 cannot be ranked together, because"),
        ([{"variant": "b"}], "b.json: not a score record (family: Field required). If"),
        ({"variant": "b"}, "b.json: not a score record (family: Field required). If"),
        (7, "b.json: not a score record (top level: "),
    ],
)  # fmt: skip
def test_compare_explains_what_is_wrong_with_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_records(Path("a.json"), runs("a", [5.0, 6.0]))
    write_json(Path("b.json"), content)
    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        compare_given([Path("a.json"), Path("b.json")])


def test_compare_needs_a_record_without_flags(tmp_path: Path) -> None:
    write_records(tmp_path / "a.json", [flagged(record("a", 0, 1.0))])
    with pytest.raises(
        UserError, match=r"a\.json: no record can be ranked, because each record has a flag"
    ):
        compare_given([tmp_path / "a.json"])


def test_a_flagged_record_may_be_measured_differently(tmp_path: Path) -> None:
    other = flagged(record("b", 0, 1.0, n_generated=50))
    write_records(tmp_path / "a.json", [record("a", 0, 5.0), other])
    comparison, remarks = compare_given([tmp_path / "a.json"])
    assert [row.variant for row in comparison.rows] == ["a"]
    assert (comparison.unranked, remarks) == ([other], [])


def test_compare_takes_finalists(tmp_path: Path) -> None:
    records = [*runs("gan", [5.0, 6.0]), *runs("vae", [8.0, 9.0]), *runs("vae-odd", [99.0, 98.0])]
    write_records(tmp_path / "a.json", records)
    output = ganvae("compare", "a.json", "--finalists", "gan", "vae", cwd=tmp_path).stdout
    assert "The finalists (each value is one seed's score):" in output
    wrong = ganvae("compare", "a.json", "--finalists", "gan", "odd", cwd=tmp_path)
    assert (
        "no record has the variant 'odd'. Choose one of these variants: gan, vae, vae-odd."
        in wrong.stderr
    )


def test_compare_notes_the_same_samples_under_two_names(tmp_path: Path) -> None:
    same = {"samples_sha256": "e" * 64}
    both = [record(model, 0, 5.0).model_copy(update=same) for model in ("gan", "gan-again")]
    write_records(tmp_path / "a.json", both)
    output = ganvae("compare", "a.json", cwd=tmp_path).stdout
    assert "have the same samples under two variant names" in output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": {"fid_judge": -3.0}}, "scores.fid_judge is -3, but it must lie between 0 and"),
        ({"scores": {"recall_judge": 1.5}}, "scores.recall_judge is 1.5, but it must lie between"),
        ({"scores": {"fid_judge": 1e200}}, "scores.fid_judge is 1e+200, but it must lie between"),
        ({"scores": {"fid_judge": None}}, "the status is completed, but scores.fid_judge is miss"),
        ({"scores": {"beauty": 1.0}}, "scores.beauty is not a score of this version"),
        (
            {"scores": {"fid_judge": float("nan")}},
            "is not JSON (NaN is not a JSON number), so it",
        ),
        ({"scores": {"fid_judge": "5.0"}}, "not a score record (scores.fid_judge: Input should be"),
        ({"scores": {"fid_judge": True}}, "not a score record (scores.fid_judge: Input should be"),
        ({"scores": {"is_judge": 3.0}, "class_counts": [5, 5]}, "scores.is_judge is 3, but there"),
        ({"noise": {"fid_judge": {"standard_error": 1, "low": 9, "high": 1}}}, "an interval goes"),
        ({"noise": {"x": {"standard_error": 1, "low": 1, "high": 2}}}, "noise.x is not a score of"),
        ({"variant": "a\x1b[31m"}, "not a score record (variant: String should match pattern"),
        ({"variant": " a"}, "not a score record (variant: String should match pattern"),
        ({"seed": -1}, "not a score record (seed: Input should be greater than or equal to 0)"),
    ],
)
def test_compare_refuses_impossible_records_in_one_line(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    values = record("gan", 0, 5.0).model_dump()
    values |= change | {"scores": values["scores"] | change.get("scores", {})}
    (tmp_path / "a.json").write_text(json.dumps(values))
    stderr = ganvae("compare", "a.json", cwd=tmp_path).stderr
    assert stderr.startswith(("error: a.json: " + message, "error: a.json " + message))
    assert stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[]", "there are no score records"),
        (b"# a text", "a.json is not JSON (Expecting value: line 1 column 1 (char 0)), so"),
        (b"PK\x03\xff", "so it has no score record. `ganvae score SAMPLES --json FILE` writes"),
    ],
)
def test_compare_never_advises_to_delete_files_of_the_user(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    stderr = ganvae("compare", "a.json", cwd=tmp_path).stderr
    assert message in stderr
    assert "delete" not in stderr.lower()


def test_the_same_weights_do_not_count_as_two_seeds(tmp_path: Path) -> None:
    values = [record("gan", seed, 5.0).model_dump() for seed in (0, 1)]
    for value in values:
        value["provenance"]["weights_sha256"] = "e" * 64
    (tmp_path / "a.json").write_text(json.dumps(values))
    stderr = ganvae("compare", "a.json", cwd=tmp_path).stderr
    assert "both records have the same weights, so they come from one training run" in stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", ""], "an argument is empty"),
        (["repro", ""], "an argument is empty"),
        (["score", "loop.npy"], "loop.npy cannot be read"),
        (["score", "x.npy", "--model", "a\nb"], r"model, 'a\\nb', is empty, or has spaces"),
        (["score", "\x1b[31m.npy"], r"\\x1b\[31m"),
        (["sample", "dcgan", "--out", "y" * 300 + ".png"], "File name too long"),
        (["sample", "dcgan", "--n", "10001", "--out", "a.png"], "do not fit into one picture"),
        (["train", "dcgan", "--set", "beta_1=0.5", "--set", "beta_1=0.6"], "beta_1 is given twice"),
        (["train", "dcgan", "--threads", "100000"], "should be less than or equal to 1024"),
        (["train", "dcgan", "--dataset", ".", "--data", "x"], "--data x is given, but --dataset ."),
    ],
)
def test_odd_arguments_give_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "loop.npy").symlink_to("loop.npy")
    process = ganvae(*arguments, cwd=tmp_path)
    assert process.returncode == 1
    assert re.search(message, process.stderr), process.stderr
    assert process.stderr.count("\n") == 1
    assert "\x1b" not in process.stderr
