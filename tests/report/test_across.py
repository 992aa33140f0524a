"""The sentences of the page across data sets follow from the numbers."""

import math
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from ruamel.yaml import YAML

from conftest import ROOT
from forks import python
from ganvae.config import Params, parse, read_yaml
from ganvae.core.errors import ConfigError
from ganvae.core.files import write_json
from ganvae.report.across import (
    DataSet,
    across,
    correlations,
    data_set,
    places,
    ratio,
    untuned,
)
from ganvae.report.across_figure import draw_across
from ganvae.report.across_text import (
    agreement,
    headline,
    ratio_text,
    standing,
    write_across_markdown,
)
from ganvae.report.scores import TIMES
from ganvae.scores.records import ScoreRecord, write_records
from ganvae.scores.statistics import Estimate
from toy_report import record, runs

LOW, HIGH = [5.0, 5.1, 5.2, 5.3, 5.4], [10.0, 10.1, 10.2, 10.3, 10.4]
MIXED = [4.9, 5.15, 5.25, 5.35, 5.45]
SHAPE = (1, 28, 28)
FILE = "params.yaml"


def values(profile: str, **changes: Any) -> dict[str, Any]:
    """The values of a params.yaml with two finalists, updated by ``changes``."""
    own = {
        "profile": profile,
        "file": FILE,
        "promotions": "promoted.yaml",
        "judge": f"{profile}.safetensors",
        "variants": {"gan-one": {}, "vae-one": {}},
        "runs": {
            "gan-one-0": {
                "variant": "gan-one",
                "system": "gan-one",
                "seed": 0,
                "file": FILE,
            }
        },
        "finalists": ["gan-one", "vae-one"],
        "tuned": ["gan-one", "vae-one"],
    }
    common = ("root", "data", "by_class", "compute", "evaluation", "baselines", "pretrained")
    laptop = read_yaml(ROOT / "params.yaml")
    return {key: laptop[key] for key in common} | own | changes


def params(profile: str, **changes: Any) -> Params:
    return parse(Params, values(profile, **changes), profile)


def on_data_set(name: str, records: Sequence[ScoreRecord]) -> list[ScoreRecord]:
    """The same records, measured on the data set ``name``."""
    return [
        each.model_copy(update={"provenance": each.provenance.model_copy(update={"dataset": name})})
        for each in records
    ]


def toy_set(name: str, *records: ScoreRecord, **changes: Any) -> DataSet:
    return data_set(params(name, **changes), on_data_set(name, records), 1000, SHAPE)


def duel(name: str, gan: Sequence[float | None], vae: Sequence[float | None]) -> DataSet:
    return toy_set(name, *runs("gan-one", gan), *runs("vae-one", vae))


def test_a_ratio_has_geometric_means_and_welchs_interval_of_logarithms() -> None:
    log_difference = duel("a", [2.0, 8.0], [16.0, 16.0]).finalists
    assert log_difference is not None
    # geometric means 4 and 16; standard error log(2), one degree of freedom
    margin = math.log(2) * 12.7062047364
    assert ratio(log_difference) == pytest.approx(
        (0.25, 0.25 / math.exp(margin), 0.25 * math.exp(margin))
    )


def test_a_ratio_of_one_seed_per_side_has_no_interval() -> None:
    log_difference = duel("a", [5.0], [10.0]).finalists
    assert log_difference is not None
    assert ratio_text(log_difference) == "0.500"


def test_data_sets_are_tested_together() -> None:
    alone = across([duel("a", LOW, HIGH)])[0].finalists
    together = [each.finalists for each in across([duel(name, LOW, HIGH) for name in "abcd"])]
    assert alone is not None
    assert alone.p_holm == pytest.approx(2 / 252)
    assert [each.p_holm for each in together if each] == pytest.approx([8 / 252] * 4)


def test_seeds_that_suffice_for_one_data_set_can_be_too_few_for_two() -> None:
    one, other = duel("a", LOW[:4], HIGH[:4]), duel("b", LOW[:4], HIGH[:4])
    assert standing(across([one])[0].finalists) == "GAN ahead"
    assert {standing(each.finalists) for each in across([one, other])} == {"too few seeds"}


def test_two_profiles_of_one_data_set_are_refused() -> None:
    other = data_set(params("b"), on_data_set("a", runs("gan-one", LOW)), 1000, SHAPE)
    with pytest.raises(ConfigError, match="profiles a and b use the same data set"):
        across([duel("a", LOW, HIGH), other])


GAN, VAE = (LOW, HIGH), (HIGH, LOW)
NONE, FEW, LOST = (LOW, MIXED), ([5.0], [10.0]), ([None, None], HIGH)


@pytest.mark.parametrize(
    ("duels", "said"),
    [
        ([GAN], "the tuned GAN is ahead by FID on the one data set."),
        ([GAN, GAN], "the tuned GAN is ahead by FID on all 2 data sets."),
        ([VAE, VAE], "the tuned VAE is ahead by FID on all 2 data sets."),
        (
            [GAN, VAE, GAN],
            "the tuned GAN is ahead by FID on 2 of 3 data sets (a and c), and the tuned VAE is "
            "ahead on 1 data set (b).",
        ),
        (
            [GAN, NONE],
            "the tuned GAN is ahead by FID on 1 of 2 data sets (a), and the tuned VAE is ahead on "
            "no data set. On 1 data set (b), no difference is shown.",
        ),
        (
            [VAE, FEW],
            "the tuned VAE is ahead by FID on 1 of 2 data sets (a), and the tuned GAN is ahead on "
            "no data set. On 1 data set (b), there are too few seeds to tell which side is ahead.",
        ),
        (
            [NONE, FEW],
            "neither the tuned GAN nor the tuned VAE is shown to be ahead by FID on any of the 2 "
            "data sets. On 1 data set (a), no difference is shown. On 1 data set (b), there are "
            "too few seeds to tell which side is ahead.",
        ),
        (
            [FEW],
            "neither the tuned GAN nor the tuned VAE is shown to be ahead by FID on the one data "
            "set. On 1 data set (a), there are too few seeds to tell which side is ahead.",
        ),
        (
            [GAN, LOST],
            "the tuned GAN is ahead by FID on 1 of 2 data sets (a), and the tuned VAE is ahead on "
            "no data set. On 1 data set (b), a GAN or a VAE with a score is missing. Diverged "
            "runs are left out.",
        ),
    ],
)
def test_the_headline_counts_the_data_sets(
    duels: list[tuple[list[float | None], list[float | None]]], said: str
) -> None:
    sets = [duel(name, *fids) for name, fids in zip("abc", duels, strict=False)]
    assert headline(across(sets)) == f"At these training budgets, {said}"


def test_untuned_finalists_are_not_called_tuned() -> None:
    dataset = toy_set("a", *runs("gan-one", LOW), *runs("vae-one", HIGH), tuned=[])
    assert headline([dataset]) == (
        "At these training budgets, the GAN is ahead by FID on the one data set."
    )


def test_the_headline_begins_with_unequal_effort() -> None:
    effort = {"unequal": "the GAN got a week", "outside": ""}
    unequal = toy_set("a", *runs("gan-one", LOW), *runs("vae-one", HIGH), effort=effort)
    other = duel("b", LOW, HIGH)
    assert headline([unequal]).startswith(
        "The question is not settled, because the tuning effort was unequal on the one data set. "
        "At these training budgets, the tuned GAN is ahead"
    )
    assert "was unequal on a. At these" in headline(across([unequal, other]))


FIDS = {
    name: [Estimate(mean, None, 1) if mean else None for mean in means]
    for name, means in {
        "gan-a": (1.0, 10.0, 3.0),
        "gan-b": (2.0, 30.0, 2.0),
        "vae-c": (3.0, 20.0, 1.0),
        "vae-d": (3.0, None, 0.5),
    }.items()
}


def test_places_are_counted_among_the_systems_with_a_score() -> None:
    assert places(FIDS) == {
        "gan-a": [1, 1, 4],
        "gan-b": [2, 3, 3],
        "vae-c": [3, 2, 2],
        "vae-d": [3, None, 1],
    }


def test_orders_are_correlated_over_the_systems_with_a_score_on_every_data_set() -> None:
    systems, rhos = correlations(FIDS)
    assert systems == 3
    # ranks 1 2 3, 1 3 2 and 3 2 1: 1 - 6 sum(d^2) / (3 x 8)
    assert rhos == pytest.approx([0.5, -1.0, -0.5])


def test_two_systems_have_no_correlation() -> None:
    assert correlations({name: FIDS[name] for name in ("gan-a", "vae-d")}) == (1, [])


def untuned_set(name: str, fids: Sequence[float], **changes: Any) -> DataSet:
    """Three untuned systems with one FID each, and variants that do not count among them."""
    systems = ("gan-x", "vae-y", "vae-z")
    others = {"gan-variant": "gan-x", "gan-tuned": "gan-tuned", "vae-aside": "vae-aside"}
    system_of = {system: system for system in systems} | others
    records = [record(system, 0, fid) for system, fid in zip(systems, fids, strict=True)]
    return toy_set(
        name,
        *records,
        *(record(variant, 0, 1.0) for variant in (*others, "mix-one")),
        variants={variant: {} for variant in system_of},
        runs={
            f"{variant}-0": {
                "variant": variant,
                "system": system,
                "seed": 0,
                "file": FILE,
            }
            for variant, system in system_of.items()
        },
        finalists=[],
        tuned=["gan-tuned"],
        aside=["vae-aside"],
        **changes,
    )


def test_untuned_systems_are_sorted_by_mean_place_without_variants() -> None:
    sets = [untuned_set("a", [2.0, 9.0, 3.0]), untuned_set("b", [30.0, 90.0, 20.0])]
    assert list(untuned([*sets, untuned_set("c", [5.0, 4.0, 3.0])])) == ["vae-z", "gan-x", "vae-y"]


def test_the_agreement_gives_the_mean_correlation_and_its_range() -> None:
    one, same = untuned_set("a", [1.0, 2.0, 3.0]), untuned_set("b", [10.0, 20.0, 30.0])
    assert agreement([one, same]).startswith(
        "For the 3 systems with a score on every data set, Spearman's rank correlation between "
        "two data sets is 1.0. A value of 1 means the same ranking, and −1 means the reverse "
        "ranking. No test was made."
    )
    said = agreement([one, same, untuned_set("c", [3.0, 2.0, 1.0])])
    assert "is −0.33 on average over 3 pairs of data sets (−1.0 to 1.0)" in said


def test_the_agreement_needs_two_data_sets() -> None:
    assert agreement([untuned_set("a", [1.0, 2.0, 3.0])]) == (
        "The similarity of the rankings cannot be measured, because this needs at least two data "
        "sets, and at least three systems with a score on every data set."
    )


def page(path: Path, *sets: DataSet) -> str:
    write_across_markdown(path, across(sets), "across.png")
    return path.read_text()


def test_the_page_has_one_line_per_data_set(tmp_path: Path) -> None:
    floor = runs("floor", [0.2, 0.2])
    first = toy_set("a", *floor, *runs("gan-one", LOW), *runs("vae-one", [*HIGH, None]))
    said = page(tmp_path / "across.md", first, duel("b", [5.0], [10.0]))
    assert (
        f"| a | 1,000 of 1{TIMES}28{TIMES}28 | `gan-one` 5.20 ± 0.20 (5 seeds) | `vae-one` 10.20 "
        "± 0.20 (5 seeds, 1 diverged) | 0.20 | 0.510 (0.491 to 0.529) | 0.0079 | GAN ahead |"
    ) in said
    assert "| `gan-one` 5.00 (1 seed) | `vae-one` 10.00 (1 seed) |  | 0.500 |  | too few" in said
    assert "Too few seeds: with 1 against 1 seeds, a rank test cannot be significant" in said
    assert "[report](b/report.html)" in said
    assert f"| `{'b' * 16}` | `{'a' * 16}` |" in said


def test_the_page_marks_finalists_without_a_score_or_a_name(tmp_path: Path) -> None:
    unnamed = toy_set("b", *runs("gan-one", LOW), finalists=[])
    said = page(tmp_path / "across.md", duel("a", [None], HIGH), unnamed)
    assert "| `gan-one`: no score | `vae-one` 10.20 ± 0.20 (5 seeds) |  |  |  | no comp" in said
    assert "| not named | not named |  |  |  | no comparison |" in said


def test_other_criteria_come_from_each_profiles_own_comparison(tmp_path: Path) -> None:
    def without_is(variant: str, fids: Sequence[float]) -> list[ScoreRecord]:
        return [
            record(variant, seed, fid, scores={"is_judge": None, "kid_judge": fid})
            for seed, fid in enumerate(fids)
        ]

    said = page(
        tmp_path / "across.md",
        duel("a", LOW, HIGH),
        toy_set("b", *without_is("gan-one", HIGH), *without_is("vae-one", LOW)),
        duel("c", LOW[:2], HIGH[:2]),
    )
    assert "| IS (judge) ↑ | GAN |  | too few seeds |" in said
    assert "| KID (judge) ↓ |  | VAE |  |" in said
    assert "| recall ↑" not in said


def test_criteria_by_which_noise_is_better_name_their_data_set(tmp_path: Path) -> None:
    def with_kid(variant: str, fids: Sequence[float], kid: float) -> list[ScoreRecord]:
        return runs(variant, fids, scores={"kid_judge": kid})

    both = [*with_kid("gan-one", LOW, 0.1), *with_kid("vae-one", HIGH, 0.3)]
    said = page(
        tmp_path / "across.md",
        toy_set("a", *both, *with_kid("ceiling", [90.0], 0.5)),
        toy_set("b", *both, *with_kid("ceiling", [90.0], 0.2)),
    )
    assert "- b: on this data set, KID does not distinguish images from noise: the ceiling," in said
    assert "- a:" not in said


def test_the_figure_has_one_line_per_data_set_even_without_comparison(tmp_path: Path) -> None:
    sets = across([duel(name, *fids) for name, fids in zip("abc", (GAN, FEW, LOST), strict=True)])
    heights = []
    for n in (1, 3):
        draw_across(tmp_path / f"{n}.png", sets[:n])
        with Image.open(tmp_path / f"{n}.png") as picture:
            heights.append(picture.height)
    assert heights[0] < heights[1]


def write_profile(root: Path, name: str) -> None:
    """Write a profile's params.yaml and the results that the stage reads."""
    YAML().dump(values(name), root / f"{name}.yaml")
    records = on_data_set(name, [*runs("gan-one", LOW), *runs("vae-one", HIGH)])
    write_records(root / "results" / name / "scores.json", records)
    write_json(root / f"results/{name}/runs/gan-one-0/outcome.json", {"train_images": 60_000})
    write_json(root / f"{name}.json", {"image_shape": [3, 32, 32]})


def call_stage(root: Path, *profiles: str) -> subprocess.CompletedProcess[str]:
    files = [f"{name}.yaml" for name in profiles]
    YAML().dump({"profiles": files}, root / "results/params.yaml")
    return python(ROOT / "stages/across.py", "results/params.yaml", cwd=root)


def test_the_stage_writes_the_page_and_the_figure(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_profile(tmp_path, name)
    assert call_stage(tmp_path, "a", "b").stdout == "results/across.md: 2 data sets\n"
    said = (tmp_path / "results/across.md").read_text()
    assert f"| b | 60,000 of 3{TIMES}32{TIMES}32 |" in said
    with Image.open(tmp_path / "results/across.png") as picture:
        assert 800 < picture.width < 1000


def test_a_profile_without_results_gives_a_one_line_error(tmp_path: Path) -> None:
    write_profile(tmp_path, "a")
    (tmp_path / "results/a/scores.json").unlink()
    process = call_stage(tmp_path, "a")
    assert process.returncode == 1
    assert process.stderr == (
        "error: results/a/scores.json is missing. Run `ganvae repro dvc.yaml` to write this file.\n"
    )
