"""The page's section of sweeps: present only with sweeps, and true to their records."""

from pathlib import Path
from typing import Any

from ganvae.config import Promotion
from ganvae.report.page import render
from ganvae.report.sweep_effects import EFFECTS
from toy_report import report, usual, write_sweep

HOSTILE = "<img src=x onerror=alert(1)>\"'&`{{ 7 }}"
PROMOTION = Promotion(study="toy", trial=1, fid_judge_validation=20.0, seeds=[100, 101])


def page(results: Path, **changes: Any) -> str:
    return render(report(results, usual(), root=results, **changes))


def test_a_page_without_sweeps_has_no_section(tmp_path: Path) -> None:
    html = page(tmp_path)
    assert 'id="sweeps"' not in html
    assert "#sweeps" not in html


def test_a_sweep_shows_its_search_space_and_findings(tmp_path: Path) -> None:
    html = page(tmp_path, studies=[write_sweep(tmp_path)])
    for text in (
        '<a href="#sweeps">Sweeps</a>',
        "<code>balance.ratio</code> (1 to 16, log scale, or off)",
        "3 trials: 2 completed, 1 pruned.",
        "The best trial is trial 1, with FID 20.00",
        "\N{MINUS SIGN}10.00 on average",
        "<code>beta_1</code>. Scored trials: FID rises with the parameter.",
        "no effect is shown",
        "correlation +0.60<small>+0.30 to +0.80, n = 20</small>",
        "No trial of this sweep is promoted",
    ):
        assert text in html, text


def test_the_pictures_of_a_sweep_have_alternative_texts(tmp_path: Path) -> None:
    html = page(tmp_path, studies=[write_sweep(tmp_path)])
    for title in ("History", "Each parameter on its own", "Pairs of parameters"):
        before, _, _ = html.partition(f'alt="{title} of the sweep toy: ')
        assert before != html, title
        assert before.rpartition("<img ")[2].startswith('src="data:image/')


def test_a_promoted_trial_is_shown_with_its_test_score(tmp_path: Path) -> None:
    sweeps = [write_sweep(tmp_path), write_sweep(tmp_path, study="other")]
    html = page(tmp_path, studies=sweeps, promoted={"gan-one": PROMOTION})
    start = "Trial 1, with FID 20.00 on the validation split, is promoted as <code>gan-one</code>."
    assert f"{start} Trained from new seeds, <code>gan-one</code> has FID 5.20 " in html
    assert html.count("is promoted as") == 1
    assert html.count("No trial of this sweep is promoted") == 1


def test_a_promoted_variant_without_runs_has_no_test_score(tmp_path: Path) -> None:
    html = page(tmp_path, studies=[write_sweep(tmp_path)], promoted={"gan-new": PROMOTION})
    assert "validation split, is promoted as <code>gan-new</code>.</p>" in html


def test_a_sweep_can_be_shown_from_its_record_alone(tmp_path: Path) -> None:
    record = write_sweep(tmp_path)
    for path in (tmp_path / "results/sweeps/toy").iterdir():
        if path.name == EFFECTS or path.suffix == ".png":
            path.unlink()
    html = page(tmp_path, studies=[record])
    assert "The best trial is trial 1" in html
    assert '<table class="effects">' not in html


def test_names_in_sweeps_are_escaped(tmp_path: Path) -> None:
    record = write_sweep(tmp_path).model_copy(update={"variant": HOSTILE, "space": HOSTILE})
    assert "<img src=x" not in page(tmp_path, studies=[record])
