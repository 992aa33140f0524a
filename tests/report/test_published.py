"""Numbers from papers appear only beside scores that they compare with."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import ROOT
from ganvae.config import load_params
from ganvae.core.files import write_json
from ganvae.core.paths import ProfilePaths
from ganvae.report.findings import Findings
from ganvae.report.page import render
from ganvae.report.published.choice import published_of, published_tables
from ganvae.report.published.own import Training
from ganvae.report.published.tables import HEADING, PublishedTable, published_markdown
from ganvae.report.scores import TIMES
from ganvae.report.tables import write_leaderboard_markdown
from ganvae.report.tuning import NOT_TUNED
from ganvae.scores.comparison import compare
from ganvae.scores.records import Noise, ScoreRecord
from toy_report import PROVENANCE, record, report, usual


def trained(variant: str) -> Training:
    assert variant not in ("floor", "ceiling"), "a baseline has no training"
    return Training(54_900, 5 if variant.startswith("vae") else 1)


def counted(variant: str, seed: int, modes: float, kl: float, n: int = 26_000) -> ScoreRecord:
    """A run on stacked digits."""
    measured = PROVENANCE.model_copy(update={"dataset": "stacked-mnist", "n_generated": n})
    scores = {"modes_judge": modes, "mode_kl_judge": kl}
    return record(variant, seed, 5.0, scores=scores, provenance=measured)


def bounded(variant: str, seed: int, bound: float, k: int = 5000, **changes: object) -> ScoreRecord:
    """A run on black-and-white digits, with a standard error of 0.5 over images."""
    measured = {"dataset": "mnist", "importance_samples": k} | changes
    return record(
        variant,
        seed,
        9.0,
        family="vae",
        scores={"importance_bound_binarised": bound},
        noise={"importance_bound_binarised": Noise(standard_error=0.5, low=0, high=1)},
        provenance=PROVENANCE.model_copy(update=measured),
    )


def tables(records: Sequence[ScoreRecord]) -> list[PublishedTable]:
    return published_tables(compare(records, None).rows, records, trained)


STACKED = [
    counted("floor", 0, 1000, 0.06),
    counted("floor", 1, 1000, 0.06),
    counted("ceiling", 0, 3, 6.0),
    counted("gan-one", 0, 900, 0.5),
    counted("gan-one", 1, 910, 0.6),
    counted("vae-one", 0, 800, 0.25),
]
BLACK_AND_WHITE = [bounded("vae-one", seed, bound) for seed, bound in enumerate((-86.0, -88.0))]


def cells(lines: Sequence[str], label: str) -> list[str]:
    """The cells of the Markdown table's line with this label."""
    (line,) = [line for line in lines if line.startswith(f"| {label}")]
    return line.strip("| ").split(" | ")[1:]


def test_modes_are_shown_beside_published_ones() -> None:
    lines = published_markdown(tables(STACKED))
    assert lines[0] == f"## {HEADING}"
    assert cells(lines, "VEEGAN ([1705.07761]")[:2] == ["150.0", "2.95"]
    assert cells(lines, "PacDCGAN2 ([1712.04086]")[:2] == ["1,000.0", "0.06"]
    assert cells(lines, "R3GAN ([2501.05441]")[:2] == ["1,000.0", "0.029"]
    assert cells(lines, "`gan-one`") == [
        "905.0 [841.5, 968.5]", "0.548 [0.172, 1.744]", "2", "4,500", "54,900", "1,000",
    ]  # fmt: skip
    assert cells(lines, "`vae-one`")[:3] == ["800.0", "0.250", "1"]
    assert cells(lines, "floor")[:3] == ["1,000.0", "0.060", "2"]
    assert not any("ceiling" in line for line in lines)


def test_submitted_samples_have_no_training_to_show() -> None:
    ours = counted("gan-theirs", 0, 990, 0.1)
    scores = {name: score for name, score in ours.scores.items() if name != "parameters"}
    provenance = ours.provenance.model_copy(update={"weights_sha256": None})
    handed_in = ours.model_copy(update={"scores": scores, "provenance": provenance})
    lines = published_markdown(tables([*STACKED, handed_in]))
    assert cells(lines, "`gan-theirs`")[:3] == ["990.0", "0.100", "1"]
    assert "".join(cells(lines, "`gan-theirs`")[3:]).strip(" |") == ""


def test_the_remarks_on_modes_use_the_numbers_of_the_records() -> None:
    text = "\n".join(published_markdown(tables(STACKED)))
    assert "in 26,000 samples, and the published modes in as many." in text
    assert f"(1,000 − 1) / (2{TIMES}26,000) = 0.019" in text
    assert f"`{'a' * 16}…`" in text  # the judge
    few = [counted("gan-one", 0, 900, 0.5, n=2000)]
    text = "\n".join(published_markdown(tables(few)))
    assert "in 2,000 samples, and the published modes in 26,000." in text
    assert f"(2{TIMES}2,000) = 0.250" in text


def test_likelihoods_are_shown_beside_published_ones() -> None:
    lines = published_markdown(tables(BLACK_AND_WHITE))
    published = [line.split(" | ") for line in lines if "1509.00519" in line]
    assert [(cell[1], cell[3]) for cell in published] == [
        ("86.76", "1"), ("85.54", "5"), ("84.78", "50"),
    ]  # fmt: skip
    warmed_up = "VAE with KL warm-up ([nbip/IWAE](https://github.com/nbip/IWAE))"
    assert cells(lines, warmed_up)[:3] == ["86.32", "", "1"]
    assert cells(lines, "`vae-one`") == [
        "87.00 [74.29, 99.71]", "0.50", "5", "2", "4,500", "54,900", "1,000",
    ]  # fmt: skip
    text = "\n".join(lines)
    assert "10,000 test images" in text
    assert "k = 5,000 here and 5,000 in the paper" in text
    assert "k = 1,000 here" in "\n".join(published_markdown(tables([bounded("vae", 0, -90, 1000)])))


def test_a_missing_standard_error_gives_an_empty_cell() -> None:
    mixed = bounded("mix-one", 0, -99.0).model_copy(update={"noise": {}})
    lines = published_markdown(tables([mixed]))
    assert cells(lines, "`mix-one`")[:4] == ["99.00", "", "1", "1"]


@pytest.mark.parametrize(
    "records",
    [
        usual(),
        [bounded("vae-one", 0, -87.0, k=999)],
        [bounded("vae-one", 0, -87.0, dataset="fashion-mnist")],
        [STACKED[0], record("gan-one", 0, None, provenance=STACKED[0].provenance)],
        [each.model_copy(update={"flags": ["too few"]}) for each in STACKED],
        [],
    ],
    ids=["ordinary", "loose bound", "other images", "only the floor", "flagged", "no records"],
)
def test_other_records_have_no_published_section(
    records: list[ScoreRecord], tmp_path: Path
) -> None:
    assert tables(records) == []
    assert published_markdown([]) == []
    if len(records) > 5:  # the records of an ordinary profile
        assert HEADING not in render(report(tmp_path, usual()))


def test_the_leaderboard_and_the_page_show_the_tables(tmp_path: Path) -> None:
    published = tables(STACKED)
    path = tmp_path / "x.md"
    findings = Findings(
        profile="toy", comparison=compare(STACKED, None), records=STACKED, departures={}, notes={},
        tuning=NOT_TUNED, published=published,
    )  # fmt: skip
    write_leaderboard_markdown(path, findings)
    text = path.read_text()
    assert "\n\n## Beside published numbers\n\n**Modes" in text
    assert text.index("## Further scores") < text.index(HEADING) < text.index("## What was scaled")

    html = render(report(tmp_path, STACKED, None, published=published))
    assert '<a href="#published">Beside published numbers</a>' in html
    section = html[html.index('<section id="published">') :].partition("</section>")[0]
    assert '<a href="https://arxiv.org/abs/1705.07761">1705.07761</a>' in section
    assert re.search(r"<code>gan-one</code></th><td>905\.0 \[841\.5, 968\.5\]</td>", section)
    assert "draws from the uniform distribution" in section
    assert "`" not in section


def test_the_training_of_a_variant_comes_from_its_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    params = load_params(ROOT / "profiles/smoke/params.yaml")
    outcome = {"train_images": 300, "config": {"importance_samples": 7}}
    write_json(ProfilePaths("smoke").run("bernoulli-vae-binary-0").outcome, outcome)
    records = [bounded("bernoulli-vae-binary", 0, -90.0, 5000)]
    (table,) = published_of(params, compare(records, None).rows, records)
    assert table.lines[-1].cells == ("90.00", "0.50", "7", "1", "4,500", "300", "1,000")
    assert published_of(params, compare(usual(), None).rows, usual()) == []
