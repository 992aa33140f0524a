"""The sentences of the page across data sets follow from the numbers."""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
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
    check_sets,
    correlations,
    data_set,
    overall,
    places,
    untuned,
)
from ganvae.report.across_figure import draw_across
from ganvae.report.across_headline import headline
from ganvae.report.across_text import (
    agreement,
    ratio_text,
    write_across_markdown,
)
from ganvae.report.scores import TIMES
from ganvae.scores.intervals import Estimate
from ganvae.scores.records import ScoreRecord, write_records
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
        "annealing": {"runs": []},
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
        "pretrained": "all",
    }
    common = ("root", "data", "by_class", "compute", "evaluation", "baselines")
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


def test_a_ratio_has_geometric_means_and_brackets() -> None:
    found = duel("a", LOW, HIGH).finalists
    assert found is not None
    assert ratio_text(found) == "0.510 [0.491, 0.529]"


def test_a_ratio_of_one_seed_per_side_has_no_interval() -> None:
    found = duel("a", [5.0], [10.0]).finalists
    assert found is not None
    assert ratio_text(found) == "0.500"


def test_the_ratio_over_data_sets_has_one_weight_per_data_set() -> None:
    """The ratios are 1 / 4 and 8 / 1. The third data set has no ratio."""
    sets = [
        duel("a", [2.0, 2.0], [8.0, 8.0]),
        duel("b", [8.0] * 4, [1.0, 1.0]),
        duel("c", [None], HIGH),
        duel("d", [0.0, 1.0], HIGH),
    ]
    pooled = overall(sets)
    assert pooled is not None
    assert (pooled.sets, pooled.ratio) == (2, pytest.approx((8 / 4) ** 0.5))
    assert overall(sets[2:]) is None


def test_the_mean_over_data_sets_never_mixes_protocols() -> None:
    old = [duel(name, LOW, HIGH) for name in ("a", "b")]
    provenance = old[0].provenance.model_copy(update={"protocol_version": 1})
    old = [replace(each, provenance=provenance) for each in old]
    other = duel("c", HIGH, LOW)
    pooled, alone = overall([*old, other]), overall(old)
    assert pooled == alone
    text = headline([*old, other])
    assert "On average over 2 data sets" in text
    left_out = "This average leaves out c (protocol 3), since the other data sets were measured"
    assert f"{left_out} by protocol 1." in text
    assert "leaves out" not in headline(old)
    assert overall([old[0], other]) == overall([other])  # the newer protocol, if equally many


def test_two_profiles_of_one_data_set_are_refused() -> None:
    other = data_set(params("b"), on_data_set("a", runs("gan-one", LOW)), 1000, SHAPE)
    with pytest.raises(ConfigError, match="profiles a and b use the same data set"):
        check_sets([duel("a", LOW, HIGH), other])


GAN, VAE = (LOW, HIGH), (HIGH, LOW)
OPEN, FEW, LOST = (LOW, MIXED), ([5.0], [10.0]), ([None, None], HIGH)
ONE = "On one data set, the FID of the tuned GAN is 0.510 times the FID of the tuned VAE"
LAST = ", at these training budgets."


@pytest.mark.parametrize(
    ("duels", "said"),
    [
        (
            [GAN],
            f"The interval shows a lower FID of the GAN on the one data set. {ONE} (95 % CI "
            f"[0.494, 0.525]){LAST}",
        ),
        (
            [GAN, VAE, GAN],
            "The interval shows a lower FID of the GAN on a and c. The interval shows a lower FID "
            "of the VAE on b. On average over 3 data sets, the FID of the tuned GAN is 0.799 times "
            f"the FID of the tuned VAE (95 % CI [0.785, 0.813]){LAST} The data sets disagree, so "
            "this average describes none of them.",
        ),
        (
            [GAN, OPEN],
            "The interval shows a lower FID of the GAN on a. On b, the interval of the ratio "
            "includes 1. On average over 2 data sets, the FID of the tuned GAN is 0.713 times the "
            f"FID of the tuned VAE (95 % CI [0.694, 0.733]){LAST}",
        ),
        (
            [VAE, FEW],
            "The interval shows a lower FID of the VAE on a. On b, the ratio has no interval. On "
            "average over 2 data sets, the FID of the tuned GAN is 0.990 times the FID of the "
            f"tuned VAE{LAST}",
        ),
        (
            [GAN, LOST],
            "The interval shows a lower FID of the GAN on a. On b, a GAN or a VAE with a score is "
            f"missing. {ONE} (95 % CI [0.494, 0.525]){LAST} Diverged runs are left out.",
        ),
        (
            [LOST],
            "On a, a GAN or a VAE with a score is missing. No data set has a GAN and a VAE to "
            "compare. Diverged runs are left out.",
        ),
    ],
)
def test_the_headline_has_the_mean_ratio_and_the_data_sets(
    duels: list[tuple[list[float | None], list[float | None]]], said: str
) -> None:
    sets = [duel(name, *fids) for name, fids in zip("abc", duels, strict=False)]
    assert headline(sets).endswith(said)


def test_untuned_finalists_are_not_called_tuned() -> None:
    dataset = toy_set("a", *runs("gan-one", LOW), *runs("vae-one", HIGH), tuned=[])
    assert "the FID of the GAN is 0.510 times the FID of the VAE (" in headline([dataset])


def test_the_headline_begins_with_unequal_effort() -> None:
    effort = {"unequal": "the GAN got a week", "outside": ""}
    unequal = toy_set("a", *runs("gan-one", LOW), *runs("vae-one", HIGH), effort=effort)
    other = duel("b", LOW, HIGH)
    assert headline([unequal]).startswith(
        "The question is not settled, because the tuning effort was unequal on the one data set. "
        "The interval shows a lower FID of the GAN"
    )
    assert "was unequal on a. The interval" in headline([unequal, other])


def timed(name: str, gan: float, vae: float) -> DataSet:
    return toy_set(
        name,
        *runs("gan-one", LOW, scores={"train_seconds": gan}),
        *runs("vae-one", HIGH, scores={"train_seconds": vae}),
    )


def test_unequal_training_times_are_named(tmp_path: Path) -> None:
    sets = [timed("a", 98.0, 50.0), timed("b", 50.0, 54.0), timed("c", 241.0, 267.0)]
    assert headline(sets).endswith(
        "The training times of the GAN and the VAE differ by more than 10 % on a and c."
    )
    said = page(tmp_path / "across.md", *sets)
    assert "| 98 s / 50 s (unequal) |" in said
    assert "| 50 s / 54 s |" in said


FIDS = {
    name: [Estimate(mean, None, None, (mean,)) if mean else None for mean in means]
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
    write_across_markdown(path, sets, "across.png")
    return path.read_text()


def test_the_page_has_one_line_per_data_set_and_their_mean(tmp_path: Path) -> None:
    floor = runs("floor", [0.2, 0.2])
    first = toy_set("a", *floor, *runs("gan-one", LOW), *runs("vae-one", [*HIGH, None]))
    said = page(tmp_path / "across.md", first, duel("b", [5.0], [10.0]))
    assert (
        f"| a | 1,000 of 1{TIMES}28{TIMES}28 | `gan-one` 5.20 [5.01, 5.40] (5 seeds) | `vae-one` "
        "10.20 [10.00, 10.40] (5 seeds, 1 diverged) | 0.20 |  | 0.510 [0.491, 0.529] | 1.00 [0.64, "
        "1.00] |"
    ) in said
    assert "| `gan-one` 5.00 (1 seed) | `vae-one` 10.00 (1 seed) |  |  | 0.500 | 1.00 |" in said
    assert "| **mean over 2 data sets** |  |  |  |  |  | **0.505** |  |" in said
    assert "[report](b/report.html)" in said
    assert f"| `{'b' * 16}` | `{'a' * 16}` |" in said
    assert "p = " not in said


def test_the_page_marks_finalists_without_a_score_or_a_name(tmp_path: Path) -> None:
    unnamed = toy_set("b", *runs("gan-one", LOW), finalists=[])
    said = page(tmp_path / "across.md", duel("a", [None], HIGH), unnamed)
    assert (
        "| `gan-one`: no score | `vae-one` 10.20 [10.00, 10.40] (5 seeds) |  |  | no comp" in said
    )
    assert "| not named | not named |  |  | no comparison |  |" in said


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
    sets = [duel(name, *fids) for name, fids in zip("abc", (GAN, FEW, LOST), strict=True)]
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
