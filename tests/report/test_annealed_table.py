"""Log-likelihoods of GANs and VAEs stand in one table, beside those of a paper."""

from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.config import AnnealingConfig, AnnealingSettings, load_params
from ganvae.core.files import write_json
from ganvae.core.paths import ProfilePaths
from ganvae.report.findings import findings_of
from ganvae.report.page import render
from ganvae.report.published.annealed import annealed_of, annealed_table
from ganvae.report.published.tables import published_markdown
from ganvae.report.tables import write_leaderboard_markdown
from ganvae.scores.annealed import LikelihoodRecord
from toy_annealed import annealed, without_density
from toy_report import report, usual

REASON = "the discriminator accepts samples, so their density is unknown"
RECORDS = [
    annealed("gan-one", 0, 600.0, standard_error=3.0, gap=1.0),
    annealed("gan-one", 1, 610.0, standard_error=4.0, gap=2.0, variance=0.01),
    annealed("vae-one", 0, 1234.56, prior="mixture", gap=-0.04, gap_standard_error=0.5),
    without_density("gan-wild", REASON, seed=0),
    without_density("gan-wild", REASON, seed=3),
]
TITLE = "Log-likelihood of continuous MNIST by annealed importance sampling"


def cells(records: list[LikelihoodRecord]) -> dict[str, tuple[str, ...]]:
    return {line.label: line.cells for line in annealed_table(records).lines}


def test_each_variant_has_one_line_after_those_of_the_paper() -> None:
    table = annealed_table(RECORDS)
    assert table.title == TITLE
    assert [line.label for line in table.lines] == [
        "VAE-50", "GAN-50", "VAE-10", "GAN-10", "`gan-one`", "`vae-one`", "`gan-wild`",
    ]  # fmt: skip
    assert {line.source for line in table.lines[:4]} == {"1611.04273"}
    found = cells(RECORDS)
    quoted = {label: found[label] for label in ("VAE-50", "GAN-50", "VAE-10", "GAN-10")}
    assert quoted == {
        "VAE-50": ("991.4 ± 6.5", "", "1.540", "", "", "10,000", ""),
        "GAN-50": ("627.3 ± 8.8", "", "10.045", "", "", "10,000", ""),
        "VAE-10": ("705.4 ± 7.4", "", "0.832", "", "", "10,000", ""),
        "GAN-10": ("328.8 ± 5.5", "", "0.934", "", "", "10,000", ""),
    }
    assert "used 1,000 test images" in " ".join(annealed_table(RECORDS).remarks)
    assert found["`gan-one`"] == (
        "605.0 ± 3.5", "[541.5, 668.5]", "1.5 ± 0.1", "normal", "0.01, 0.02", "1,000", "2",
    )  # fmt: skip
    assert found["`vae-one`"] == ("1,234.6 ± 3.0", "", "0.0 ± 0.5", "mixture", "0.02", "1,000", "1")


def test_a_sampler_without_a_density_has_empty_cells_and_a_reason() -> None:
    assert cells(RECORDS)["`gan-wild`"] == ("", "", "", "normal", "", "", "")
    assert (
        f"`gan-wild`, seeds 0 and 3: no value, because {REASON}." in annealed_table(RECORDS).remarks
    )
    mixed = [annealed("gan-one", 0), without_density("gan-one", "the training run diverged: x", 1)]
    assert cells(mixed)["`gan-one`"][-1] == "1"
    assert annealed_table(mixed).remarks[-1] == (
        "`gan-one`, seed 1: no value, because the training run diverged: x."
    )


def test_the_remarks_use_the_numbers_of_the_records() -> None:
    text = " ".join(annealed_table([annealed("gan-one", images=77, chains=5, simulated=9)]).remarks)
    assert "over 77 test images" in text
    assert "from 5 chains per image" in text
    assert "on 9 images that the model has drawn" in text


def test_a_variance_at_an_end_of_the_candidates_is_named() -> None:
    assert "candidate." not in " ".join(annealed_table(RECORDS).remarks)
    for variance, name in ((0.005, "smallest"), (0.05, "largest")):
        records = [*RECORDS, annealed("vae-two", variance=variance)]
        remark = f"The variance of `vae-two` is the {name} candidate. So another variance may give"
        assert remark in " ".join(annealed_table(records).remarks)


def test_on_other_data_sets_the_table_has_no_published_numbers() -> None:
    table = annealed_table([annealed("gan-one", dataset="fashion-mnist")])
    assert table.title == TITLE.replace("MNIST", "fashion-mnist")
    assert [line.label for line in table.lines] == ["`gan-one`"]
    assert "Wu et al." not in " ".join(table.remarks)


def test_the_leaderboard_and_the_page_show_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listed = AnnealingConfig(runs=["dcgan-0"], settings=AnnealingSettings())
    smoke = load_params(ROOT / "profiles/smoke/params.yaml")
    params = smoke.model_copy(update={"annealing": listed})
    assert annealed_of(params) == []
    write_json(ProfilePaths("smoke").run("dcgan-0").annealed, annealed("dcgan").model_dump())
    findings = findings_of(params, usual())
    write_leaderboard_markdown(tmp_path / "x.md", findings)
    text = (tmp_path / "x.md").read_text()
    assert f"\n\n## Beside published numbers\n\n**{TITLE}**\n\n| model | log p(x), nats ↑ |" in text
    assert "| `dcgan` | 600.0 ± 3.0 |" in text
    assert published_markdown(annealed_of(params))[2] == f"**{TITLE}**"

    html = render(report(tmp_path, usual(), published=findings.published))
    assert f"<caption>{TITLE}</caption>" in html
    assert "<code>dcgan</code></th><td>600.0 ± 3.0</td>" in html
