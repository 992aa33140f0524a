"""The leaderboard, the comparisons between variants, and their tables."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from ganvae.config import Params, load_params
from ganvae.core.errors import ConfigError, UserError
from ganvae.report.findings import Findings
from ganvae.report.tables import write_leaderboard_csv, write_leaderboard_markdown
from ganvae.report.text import comparison_text
from ganvae.report.tuning import Tuning
from ganvae.scores.catalogue import COMPARED
from ganvae.scores.comparison import Comparison, as_json, compare, leaderboard
from ganvae.scores.departures import departures
from ganvae.scores.rankable import protocol_changes
from ganvae.scores.records import (
    Noise,
    ScoreRecord,
    read_records,
    write_records,
)
from toy_records import PROVENANCE, collapsed, record, runs, with_scores


def test_pin_14_rows_and_baselines_are_sorted_by_fid() -> None:
    """A variant can be worse than the ceiling. Runs without FID come last."""
    records = [
        record("worse", 0, 30.0),
        record("ceiling", 0, 25.0),
        record("better", 0, 9.0),
        record("broken", 0, None),
        record("floor", 0, 0.5),
    ]
    names = [row.variant for row in leaderboard(records)]
    assert names == ["floor", "better", "ceiling", "worse", "broken"]


def test_a_diverged_run_is_counted_but_enters_no_mean() -> None:
    row = leaderboard([record("gan", 0, 10.0), record("gan", 1, None), record("gan", 2, 12.0)])[0]
    assert (row.completed, row.diverged) == (2, 1)
    assert row.scores["fid_judge"].mean == pytest.approx(120**0.5)
    assert row.scores["fid_judge"].values == (10, 12)
    assert "elbo_bernoulli" not in row.scores


def test_a_collapsed_run_is_counted_and_enters_the_means() -> None:
    row = leaderboard([record("gan", 0, 10.0), collapsed(record("gan", 1, 90.0))])[0]
    assert (row.completed, row.collapsed, row.diverged, row.seeds) == (1, 1, 0, 2)
    assert row.scores["fid_judge"].mean == pytest.approx(30)  # the root of 10 x 90
    assert row.scores["fid_judge"].n == 2


def test_scores_of_a_diverged_run_are_ignored() -> None:
    broken = record("gan", 0, 99.0).model_copy(update={"status": "diverged", "reason": "NaN"})
    row = leaderboard([broken, record("gan", 1, 11.0)])[0]
    assert row.scores["fid_judge"].mean == 11


def test_the_steps_come_from_a_completed_run() -> None:
    early = record("gan", 0, None, training_steps=3)
    assert leaderboard([early, record("gan", 1, 11.0)])[0].steps == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol_version": 1}, "protocol_version 3 against 1"),
        ({"dataset": "fashion-mnist"}, "dataset mnist against fashion-mnis"),
        ({"split": "train"}, "split test against train"),
        ({"data_sha256": "c" * 64}, "data_sha256 bbbbbbbbbbbb against cccccccccccc"),
        ({"n_real": 50}, "n_real 100 against 50"),
        ({"n_generated": 50}, "n_generated 100 against 50"),
        ({"judge_sha256": "c" * 64}, "judge_sha256 aaaaaaaaaaaa against cccccccccccc"),
        ({"evaluation_seed": 1}, "evaluation_seed 0 against 1"),
        ({"inception_score_splits": 5}, "inception_score_splits 10 against 5"),
        ({"inversion_steps": 5}, "inversion_steps 400 against 5"),
        ({"n_real": 9, "split": "train"}, "split test against train, n_real 100 against 9"),
    ],
)
def test_records_measured_differently_are_not_ranked_together(
    change: dict[str, object], message: str
) -> None:
    other = record("b", 1, 1.0, **change)
    expected = rf"a \(seed 0\) and b \(seed 1\) cannot be ranked together, because .*: {message}"
    with pytest.raises(UserError, match=expected):
        leaderboard([record("a", 0, 1.0), record("a", 1, 1.0), other])
    with pytest.raises(UserError, match=expected):
        compare([record("a", 0, 1.0), other], None)


def inception(model: str, sha256: str | None) -> ScoreRecord:
    """A record with Inception scores, or without them if ``sha256`` is None."""
    scored = record(model, 0, 1.0, inception_sha256=sha256)
    return with_scores(scored, fid_inception=2.0) if sha256 else scored


def test_scores_from_two_inception_files_are_not_ranked_together() -> None:
    expected = (
        r"a \(seed 0\) and b \(seed 0\) cannot be ranked together, because .*: "
        r"inception_sha256 eeeeeeeeeeee against ffffffffffff\. "
    )
    with pytest.raises(UserError, match=expected):
        compare([inception("c", None), inception("a", "e" * 64), inception("b", "f" * 64)], None)
    rows = leaderboard([inception("a", "e" * 64), inception("b", "e" * 64), inception("c", None)])
    assert ["fid_inception" in row.scores for row in rows] == [True, True, False]


def test_a_variant_must_have_one_family() -> None:
    other = record("a", 1, 1.0).model_copy(update={"family": "vae"})
    expected = (
        r"a \(seed 0\) and a \(seed 1\): the family of a is gan in the first record but vae in"
    )
    with pytest.raises(UserError, match=expected):
        compare([record("b", 0, 1.0), record("a", 0, 1.0), other], None)


@pytest.mark.parametrize("name", ["floor", "ceiling"])
def test_names_of_baselines_are_reserved(name: str) -> None:
    mine = record(name, 0, 1.0).model_copy(update={"family": "gan"})
    with pytest.raises(
        UserError, match=rf"{name} \(seed 0\): the name \w+ is reserved for a baseline"
    ):
        compare([mine], None)


def test_weights_and_seeds_may_differ_in_one_ranking() -> None:
    other = PROVENANCE.model_copy(update={"weights_sha256": "d" * 64, "training_seed": 3})
    assert protocol_changes(PROVENANCE, other) == []


def test_training_noise_and_evaluation_noise_are_separate() -> None:
    records = runs("gan", [10.0, 14.0])
    records = [
        r.model_copy(update={"noise": {"fid_judge": Noise(standard_error=e, low=0, high=20)}})
        for r, e in zip(records, (0.3, 0.4), strict=True)
    ]
    row = leaderboard([*records, *runs("vae", [5.0])])[1]
    assert row.noise["fid_judge"].training == pytest.approx(8**0.5)
    assert row.noise["fid_judge"].evaluation == pytest.approx((0.125) ** 0.5)
    alone = leaderboard(runs("vae", [5.0]))[0].noise["fid_judge"]
    assert (alone.training, alone.evaluation) == (None, None)


# The scores that a judge of classes can measure.
OF_CLASSES = [score for score in COMPARED if score != "mode_kl_judge"]
SCORES = dict.fromkeys(OF_CLASSES[1:], 0.5)


def study(seeds: int) -> list[ScoreRecord]:
    """Records of two GANs and two worse VAEs with ``seeds`` seeds each, a hybrid and baselines."""
    records = []
    for start, model in enumerate(("good-gan", "gan", "good-vae", "vae")):
        fids = [10.0 * start + seed + 1 for seed in range(seeds)]
        records += runs(model, fids, **SCORES)
    hybrid = record("hybrid", 0, 99.0).model_copy(update={"family": "hybrid"})
    return [record("floor", 0, 0.1), *records, hybrid, record("ceiling", 0, 400.0)]


def test_all_pairs_of_variants_are_compared_with_the_better_first() -> None:
    pairs = compare(study(3), None).pairs
    names = [(pair.first, pair.second) for pair in pairs]
    order = ["good-gan", "gan", "good-vae", "vae", "hybrid"]
    assert names == [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    assert all(pair.effect < 1 and pair.score == "fid_judge" for pair in pairs)
    assert {pair.verdict for pair in pairs} == {"too few seeds"}


def test_pairs_are_corrected_together() -> None:
    """Six pairs have 5 against 5 seeds. Four pairs have 5 against 1 and are not tested."""
    pairs = compare(study(5), None).pairs
    assert sum(pair.p is not None for pair in pairs) == 6
    assert pairs[0].p == pytest.approx(12 / 252)
    assert pairs[0].verdict == "first better"


def test_pin_14_the_pair_of_finalists_has_a_single_p_value() -> None:
    """The other five pairs of 5 against 5 seeds are corrected for five tests."""
    found = compare(study(5), ("good-gan", "good-vae"))
    by_pair = {(pair.first, pair.second): pair for pair in found.pairs}
    assert by_pair["good-gan", "good-vae"] == found.finalists[0]
    assert by_pair["good-gan", "good-vae"].p == pytest.approx(2 / 252)
    assert by_pair["good-gan", "gan"].p == pytest.approx(10 / 252)
    worse_first = compare(study(5), ("gan", "good-vae"))
    (pair,) = [p for p in worse_first.pairs if {p.first, p.second} == {"gan", "good-vae"}]
    assert pair.p == worse_first.finalists[0].p == pytest.approx(2 / 252)


def test_finalists_are_compared_per_seed_and_fid_is_tested_alone() -> None:
    records = study(5)
    assert compare(records, None).finalists == []
    assert compare(records, ("good-gan", "absent")).finalists == []
    fid, *secondary = compare(records, ("good-gan", "good-vae")).finalists
    assert (fid.first, fid.second, fid.n_first, fid.n_second) == ("good-gan", "good-vae", 5, 5)
    assert fid.p == pytest.approx(2 / 252)
    assert [result.score for result in secondary] == OF_CLASSES[1:]
    assert all(result.smallest_p == pytest.approx(12 / 252) for result in secondary)


@pytest.mark.parametrize(
    ("finalists", "given"),
    [
        (("good-vae", "gan"), "good-vae is a vae, gan is a gan"),
        (("gan", "good-gan"), "gan is a gan, good-gan is a gan"),
        (("gan", "hybrid"), "gan is a gan, hybrid is a hybrid"),
        (("vae", "absent"), "vae is a vae"),
    ],
)
def test_finalists_must_be_a_gan_and_a_vae(finalists: tuple[str, str], given: str) -> None:
    with pytest.raises(
        ConfigError, match=f"^finalists must name a GAN and then a VAE, but {given}.$"
    ):
        compare(study(3), finalists)


def test_a_single_finalist_is_refused() -> None:
    with pytest.raises(ConfigError, match="finalists must name a GAN and a VAE, but has 1 names"):
        compare(study(3), ["gan"])  # type: ignore[arg-type]


def test_variants_set_aside_only_leave_the_families() -> None:
    whole, found = compare(study(3), None), compare(study(3), None, aside=["gan", "hybrid", "no"])
    assert (whole.aside, found.aside) == ([], ["gan"])
    assert (found.rows, found.pairs) == (whole.rows, whole.pairs)


def test_a_score_missing_on_one_side_is_not_compared() -> None:
    records = [*runs("gan", [1.0, 2.0]), *runs("vae", [3.0, 4.0], inverted_mse=0.1)]
    assert [result.score for result in compare(records, ("gan", "vae")).finalists] == ["fid_judge"]


def test_differences_include_collapsed_runs_but_no_diverged_ones() -> None:
    records = [*runs("gan", [1.0, 3.0]), collapsed(record("gan", 2, 11.0)), record("gan", 3, None)]
    pair = compare([*records, *runs("vae", [20.0, 20.0])], None).pairs[0]
    assert pair.n_first == 3
    assert pair.effect == pytest.approx(33 ** (1 / 3) / 20)


def test_a_flagged_record_is_not_ranked() -> None:
    flagged = record("gan", 3, 0.01, n_generated=9).model_copy(update={"flags": ["too few"]})
    found = compare([*runs("gan", [5.0, 7.0]), flagged], None)
    assert found.unranked == [flagged]
    assert found.rows[0].seeds == 2
    assert found.rows[0].scores["fid_judge"].values == (5, 7)


def test_the_comparison_can_be_written_as_json() -> None:
    flagged = record("x", 3, 1.0).model_copy(update={"flags": ["too few"]})
    found = compare([*study(3), flagged], ("gan", "vae"))
    content = as_json(found)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert list(content) == ["pairs", "finalists", "aside", "unranked"]
    assert content["finalists"][0]["better_low"] == found.finalists[0].better_low
    assert ScoreRecord.model_validate(content["unranked"][0]) == flagged


def markdown(path: Path, found: Comparison, records: list[ScoreRecord], **given: Any) -> str:
    fields: dict[str, Any] = {"departures": {}, "notes": {}, "tuning": Tuning()} | given
    findings = Findings(profile="laptop", comparison=found, records=records, **fields)
    write_leaderboard_markdown(path / "x.md", findings)
    return (path / "x.md").read_text()


def test_tables(tmp_path: Path) -> None:
    records = [record("gan", 0, 10.0), record("gan", 1, 14.0), record("gan", 2, None)]
    scored = (with_scores(r, kid_judge=0.123, density_judge=0.75) for r in records[:2])
    records = [*scored, records[2]]
    records.append(record("floor", 0, 0.25))
    found = compare(records, None)
    write_leaderboard_csv(tmp_path / "x.csv", found.rows)
    with (tmp_path / "x.csv").open() as file:
        floor, gan = csv.DictReader(file)
    assert (gan["variant"], gan["fid_judge_seeds"], gan["fid_judge_n"]) == ("gan", "10 14", "2")
    assert (gan["completed"], gan["collapsed"], gan["diverged"]) == ("2", "0", "1")
    factor = 1.4 ** (12.706205 / 2)  # Student's t times the standard error of two logarithms
    ends = [float(gan[f"fid_judge{part}"]) for part in ("", "_low", "_high")]
    assert ends == pytest.approx([140**0.5, 140**0.5 / factor, 140**0.5 * factor], rel=1e-6)
    assert (floor["fid_judge_low"], floor["elbo_bernoulli"]) == ("", "")

    changed = {"gan": {"schedule": ("9 steps", "4 epochs"), "hidden": ([8], [64, 8])}}
    notes = {"gan": "Its own rate is too low for so few steps."}
    text = markdown(
        tmp_path, found, records, departures=changed, notes=notes, tuning=Tuning(["gan"])
    )
    assert "| `gan` † | gan | 11.83 [1.40, 100.33] | 0.123 | 7 | 3 | 0 | 1 |" in text
    assert "Means of FID are geometric, with intervals on a log scale." in text
    assert "| `gan` | 10.00, 14.00 |" in text.split("## FID of every seed")[1]
    assert "\n| `gan` † | 0.750 |" in text.split("## Further scores")[1]
    assert (
        "- † marks tuned variants: their parameters were chosen by FID on the validation split. "
        "The other variants use the parameters of their sources, scaled down by hand to fit the "
        "training time. These parameters were not searched. Some were chosen by hand after a look "
        "at results.\n"
    ) in text
    assert "- Networks were trained in fp32. Weights and losses stay in fp32." in text
    assert "| floor (real training images) | reference | 0.25 |" in text
    assert "gan, seed 2, diverged: d_loss was NaN" in text
    assert "| 7 | 3 | 0 | 1 |" in text
    scaled_down = text.split("## What was scaled down")[1]
    assert (
        "- `gan`: schedule 9 steps (4 epochs); hidden [8] ([64, 8]). "
        "Its own rate is too low for so few steps.\n"
    ) in scaled_down
    for section in text.split("##"):
        table = [line for line in section.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in table}) in (0, 1)
    assert "## GAN against VAE" not in text, "there is no VAE"


def test_an_optional_score_has_a_csv_column_only_if_it_was_measured(tmp_path: Path) -> None:
    write_leaderboard_csv(tmp_path / "a.csv", leaderboard(runs("gan", [1.0], fid_inception=4.0)))
    write_leaderboard_csv(tmp_path / "b.csv", leaderboard(runs("gan", [1.0])))
    assert "fid_inception" in (tmp_path / "a.csv").read_text()
    assert "fid_inception" not in (tmp_path / "b.csv").read_text()


def test_tables_say_too_few_seeds_instead_of_a_p_value(tmp_path: Path) -> None:
    records = study(3)
    text = markdown(tmp_path, compare(records, ("good-gan", "good-vae")), records)
    assert "| FID (judge) ↓ | ratio 0.0827 [0.0211, 0.324] | 1.00 [0.50, 1.00] |  | too few" in text
    three = (
        "- Too few seeds: with 3 against 3 seeds, a rank test cannot be significant "
        "(the smallest possible p-value is 0.10).\n"
    )
    assert text.count(three) == 2  # below the finalists and below the pairs, once each
    assert (
        "| `good-gan` | `gan` | 0.152 [0.0398, 0.579] | 1.00 [0.50, 1.00] |  | too few seeds |"
        in text
    )
    assert " p = " not in text
    assert "- `gan`: 1.0 between seeds; evaluation noise was not measured." in text
    assert "- `hybrid`: only one seed;" in text


def test_enough_seeds_get_a_verdict(tmp_path: Path) -> None:
    records = study(5)
    text = markdown(tmp_path, compare(records, ("good-gan", "good-vae")), records)
    finalists = text.split("**The finalists**")[1].split("## The families")[0]
    assert "| 1.00 [0.64, 1.00] | 0.0079 | good-gan better |" in finalists
    assert finalists.count("| 1.0 | undecided |") == len(OF_CLASSES) - 1
    assert "| `good-gan` | `gan` |" in text
    assert "| 0.040 | good-gan better |" in text


def test_verdicts_respect_the_better_side_of_each_score(tmp_path: Path) -> None:
    gans = [with_scores(r, recall_judge=0.9 + r.seed / 100) for r in runs("gan", [9.0] * 6)]
    vaes = [with_scores(r, recall_judge=0.1 + r.seed / 100) for r in runs("vae", [9.0] * 6)]
    text = markdown(tmp_path, compare([*gans, *vaes], ("gan", "vae")), [*gans, *vaes])
    assert "| recall ↑ | +0.800 [" in text
    assert "| 1.00 [0.69, 1.00] | 0.0022 | gan better |" in text


def test_tables_say_when_correction_makes_significance_impossible(tmp_path: Path) -> None:
    records = [r for k in range(5) for r in runs(f"gan-{k}", [10.0 * k + s for s in range(5)])]
    text = markdown(tmp_path, compare(records, None), records)
    assert (
        "- Too few seeds: with 5 against 5 seeds, a rank test cannot be significant "
        "(the smallest possible p-value is 0.056)."
    ) in text


def test_markdown_says_how_finalists_were_chosen_and_what_was_set_aside(
    tmp_path: Path,
) -> None:
    records, finalists = study(3), ("good-gan", "good-vae")
    text = markdown(tmp_path, compare(records, finalists), records)
    assert "score of one seed. The finalists were named in the profile's parameters, not" in text
    assert "| 1 | `good-gan` | 1.82 [0.46, 7.22] | `good-vae` | 21.98 [19.64, 24.61] |" in text
    assert "not shown" not in text
    found = compare(records, finalists, aside=["vae"])
    text = markdown(tmp_path, found, records, tuning=Tuning(finalists))
    assert "score of one seed. The finalists are the GAN and the VAE whose parameters were" in text
    assert "| 2 | `gan` | 11.97 [9.73, 14.73] |  |  |" in text
    assert "picture or a likelihood are not shown: `vae`.\n" in text


def test_markdown_says_how_the_effort_was_unequal(tmp_path: Path) -> None:
    records, finalists = study(3), ("good-gan", "good-vae")
    tuning = Tuning(finalists, unequal="the GAN got a week", outside="A trial found more.")
    text = markdown(tmp_path, compare(records, finalists), records, tuning=tuning)
    section = text.split("## GAN against VAE")[1]
    effort = "The tuning effort was unequal. The GAN got a week."
    assert f"\n{effort} Beside the finalists, the GAN" in section
    assert " A trial found more.\n\n**The finalists**" in section


def test_one_pair_with_enough_seeds_has_the_p_of_the_finalists(tmp_path: Path) -> None:
    """Of 36 pairs, one has 5 against 5 seeds, and 14 have 5 against 3.

    Two tests of 5 against 3 seeds cannot both be significant after correction.
    """
    records = [*runs("gan", [1.0, 2, 3, 4, 5]), *runs("vae", [6.0, 7, 8, 9, 10])]
    records += [r for k in range(7) for r in runs(f"gan-{k}", [20.0 * k + s for s in range(3)])]
    found = compare(records, ("gan", "vae"))
    tested = [pair for pair in found.pairs if pair.p is not None]
    assert [(pair.first, pair.second) for pair in tested] == [("gan", "vae")]
    assert tested[0].p == found.finalists[0].p == pytest.approx(2 / 252)
    text = markdown(tmp_path, found, records)
    assert "enough seeds (1 of 36)." in text
    assert "- Too few seeds: with 5 against 3 seeds, a rank" in text
    assert "(the smallest possible p-value is 0.071)." in text


def test_departures_are_the_parameters_that_a_profile_changes(smoke: Params) -> None:
    changed = departures(smoke)["dcgan"]
    assert changed.keys() == {
        "schedule", "batch_size", "generator_channels", "discriminator_channels"
    }  # fmt: skip
    assert changed["generator_channels"] == ([16, 8], [128, 64])
    assert changed["schedule"] == ("40 steps", "90 epochs")
    assert departures(smoke)["vanilla-gan"]["hidden.generator"] == ([64], [256, 512, 1024])
    full = load_params(ROOT / "profiles/full/params.yaml")
    for model, changes in departures(full).items():
        is_variant = full.system(model) != model
        assert bool(changes) == is_variant, "the full profile runs every system's defaults"


def test_records_are_read_as_they_were_written(tmp_path: Path) -> None:
    records = [record("gan", 0, 10.0), record("gan", 1, None)]
    write_records(tmp_path / "scores.json", records)
    assert read_records(tmp_path / "scores.json") == records


def test_a_file_without_a_valid_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text('[{"variant": "gan"}]')
    with pytest.raises(UserError, match=r"not a score record \(family: Field required\)"):
        read_records(tmp_path / "scores.json")


@pytest.mark.parametrize(
    ("scores", "heads", "judged"),
    [
        ({"is_judge": 9.0}, "FID (judge) ↓ | IS (judge) ↑ | steps", "- FID and IS are"),
        ({"recall_judge": 0.5}, "FID (judge) ↓ | recall ↑ | steps", "- FID and recall are"),
        (
            {"modes_judge": 997.5, "mode_kl_judge": 0.034},
            "FID (judge) ↓ | modes ↑ | KL of modes ↓ | steps",
            "- FID, modes and KL of modes are",
        ),
    ],
)
def test_the_leaderboard_has_the_columns_that_its_judge_can_measure(
    tmp_path: Path, scores: dict[str, float], heads: str, judged: str
) -> None:
    records = [*runs("gan", [1.0, 2.0], **scores), *runs("vae", [3.0, 4.0], **scores)]
    found = compare(records, ("gan", "vae"))
    text = markdown(tmp_path, found, records)
    assert f"| variant | family | {heads} |" in text
    assert judged in text
    assert (" IS" in text) == ("is_judge" in scores)
    assert "labels" not in text
    if "modes_judge" in scores:
        assert "| 997.5 | 0.034 |" in text
        assert [result.score for result in found.finalists][1:] == ["mode_kl_judge"]
    assert ("IS" in comparison_text(found, [])) == ("is_judge" in scores)
