"""The page's section of sweeps: there where there are sweeps, and no more than they show."""

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


def test_without_sweeps_there_is_no_section(tmp_path: Path) -> None:
    html = page(tmp_path)
    assert 'id="sweeps"' not in html
    assert "#sweeps" not in html


def test_a_sweep_says_what_was_searched_and_found(tmp_path: Path) -> None:
    html = page(tmp_path, studies=[write_sweep(tmp_path)])
    for text in (
        '<a href="#sweeps">Sweeps</a>',
        "<code>balance.ratio</code> (1 to 16, log scale, or off)",
        "3 trials: 2 completed, 1 pruned.",
        "Best: trial 1, FID 20.00",
        "\N{MINUS SIGN}10.00 on average",
        "<code>beta_1</code>: among the scored trials FID rises with it",
        "no effect shown",
        "correlation +0.60<small>+0.30 to +0.80, n = 20</small>",
        "None of its trials is promoted",
    ):
        assert text in html, text


def test_its_pictures_are_in_the_page_and_say_what_they_are(tmp_path: Path) -> None:
    html = page(tmp_path, studies=[write_sweep(tmp_path)])
    for title in ("History", "Each parameter by itself", "Pairs of parameters"):
        before, _, _ = html.partition(f'alt="{title} of the sweep toy: ')
        assert before != html, title
        assert before.rpartition("<img ")[2].startswith('src="data:image/')


def test_what_was_promoted_stands_with_its_score_on_test(tmp_path: Path) -> None:
    sweeps = [write_sweep(tmp_path), write_sweep(tmp_path, study="other")]
    html = page(tmp_path, studies=sweeps, promoted={"gan-one": PROMOTION})
    start = "Trial 1 is promoted as <code>gan-one</code>, trained from fresh seeds: "
    assert f"{start}FID 20.00 on validation, 5.20 " in html
    assert html.count("is promoted as") == 1
    assert html.count("None of its trials is promoted") == 1


def test_a_promoted_model_without_runs_has_no_score_yet(tmp_path: Path) -> None:
    html = page(tmp_path, studies=[write_sweep(tmp_path)], promoted={"gan-new": PROMOTION})
    assert "<code>gan-new</code>, trained from fresh seeds: FID 20.00 on validation.</p>" in html


def test_a_record_alone_is_enough(tmp_path: Path) -> None:
    record = write_sweep(tmp_path)
    for path in (tmp_path / "results/sweeps/toy").iterdir():
        if path.name == EFFECTS or path.suffix == ".png":
            path.unlink()
    html = page(tmp_path, studies=[record])
    assert "Best: trial 1" in html
    assert '<table class="effects">' not in html


def test_names_are_text_whatever_is_in_them(tmp_path: Path) -> None:
    record = write_sweep(tmp_path).model_copy(update={"variant": HOSTILE, "space": HOSTILE})
    assert "<img src=x" not in page(tmp_path, studies=[record])
