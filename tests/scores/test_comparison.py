"""Leaderboard and tables."""

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


def test_rows_stand_from_floor_to_ceiling_best_model_first() -> None:
    records = [
        record("worse", 0, 30.0),
        record("ceiling", 0, 25.0),
        record("better", 0, 9.0),
        record("broken", 0, None),
        record("floor", 0, 0.5),
    ]
    names = [row.variant for row in leaderboard(records)]
    assert names == ["floor", "better", "worse", "broken", "ceiling"]


def test_a_diverged_run_is_counted_and_enters_no_mean() -> None:
    row = leaderboard([record("gan", 0, 10.0), record("gan", 1, None), record("gan", 2, 12.0)])[0]
    assert (row.completed, row.diverged) == (2, 1)
    assert row.scores["fid_judge"].mean == 11
    assert row.scores["fid_judge"].n == 2
    assert "elbo_bernoulli" not in row.scores


def test_a_collapsed_run_is_counted_and_enters_the_means() -> None:
    row = leaderboard([record("gan", 0, 10.0), collapsed(record("gan", 1, 90.0))])[0]
    assert (row.completed, row.collapsed, row.diverged, row.seeds) == (1, 1, 0, 2)
    assert row.scores["fid_judge"].mean == 50


def test_scores_of_a_diverged_run_are_not_used_even_if_it_has_some() -> None:
    broken = record("gan", 0, 99.0).model_copy(update={"status": "diverged", "reason": "NaN"})
    row = leaderboard([broken, record("gan", 1, 11.0)])[0]
    assert row.scores["fid_judge"].mean == 11


def test_the_steps_are_those_of_a_run_that_completed() -> None:
    early = record("gan", 0, None, training_steps=3)
    assert leaderboard([early, record("gan", 1, 11.0)])[0].steps == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol_version": 1}, "protocol_version 2 against 1"),
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
def test_what_was_measured_otherwise_is_not_ranked_together(
    change: dict[str, object], message: str
) -> None:
    other = record("b", 1, 1.0, **change)
    expected = rf"a \(seed 0\) and b \(seed 1\) cannot stand in one ranking: {message}"
    with pytest.raises(UserError, match=expected):
        leaderboard([record("a", 0, 1.0), record("a", 1, 1.0), other])
    with pytest.raises(UserError, match=expected):
        compare([record("a", 0, 1.0), other], None)


def inception(model: str, sha256: str | None) -> ScoreRecord:
    """A record with scores in the features of an Inception file; without one: None."""
    scored = record(model, 0, 1.0, inception_sha256=sha256)
    return with_scores(scored, fid_inception=2.0) if sha256 else scored


def test_scores_in_the_features_of_two_inception_files_are_not_mixed() -> None:
    expected = (
        r"a \(seed 0\) and b \(seed 0\) cannot stand in one ranking: "
        r"inception_sha256 eeeeeeeeeeee against ffffffffffff\. "
    )
    with pytest.raises(UserError, match=expected):
        compare([inception("c", None), inception("a", "e" * 64), inception("b", "f" * 64)], None)
    rows = leaderboard([inception("a", "e" * 64), inception("b", "e" * 64), inception("c", None)])
    assert ["fid_inception" in row.scores for row in rows] == [True, True, False]


def test_a_model_is_of_one_family() -> None:
    other = record("a", 1, 1.0).model_copy(update={"family": "vae"})
    expected = r"a \(seed 0\) and a \(seed 1\): a is of family gan in one and of family vae in "
    with pytest.raises(UserError, match=expected):
        compare([record("b", 0, 1.0), record("a", 0, 1.0), other], None)


@pytest.mark.parametrize("name", ["floor", "ceiling"])
def test_baselines_names_are_reserved(name: str) -> None:
    mine = record(name, 0, 1.0).model_copy(update={"family": "gan"})
    with pytest.raises(
        UserError, match=rf"{name} \(seed 0\): floor and ceiling are the baselines'"
    ):
        compare([mine], None)


def test_weights_and_seeds_may_differ_in_one_ranking() -> None:
    other = PROVENANCE.model_copy(update={"weights_sha256": "d" * 64, "training_seed": 3})
    assert protocol_changes(PROVENANCE, other) == []


def test_the_two_kinds_of_noise_stand_apart() -> None:
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


OF_CLASSES = [score for score in COMPARED if score != "mode_kl_judge"]  # by a judge of classes
SCORES = dict.fromkeys(OF_CLASSES[1:], 0.5)


def study(seeds: int) -> list[ScoreRecord]:
    """Two GANs and two VAEs of ``seeds`` seeds each, the GANs ahead, and both baselines."""
    records = []
    for start, model in enumerate(("good-gan", "gan", "good-vae", "vae")):
        fids = [10.0 * start + seed for seed in range(seeds)]
        records += runs(model, fids, **SCORES)
    hybrid = record("hybrid", 0, 99.0).model_copy(update={"family": "hybrid"})
    return [record("floor", 0, 0.1), *records, hybrid, record("ceiling", 0, 400.0)]


def test_every_two_models_are_compared_the_better_first_and_no_baseline() -> None:
    pairs = compare(study(3), None).pairs
    names = [(pair.first, pair.second) for pair in pairs]
    order = ["good-gan", "gan", "good-vae", "vae", "hybrid"]
    assert names == [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    assert all(pair.mean < 0 and pair.score == "fid_judge" for pair in pairs)
    assert {pair.verdict for pair in pairs} == {"too few seeds"}


def test_pairs_are_corrected_together() -> None:
    """Six pairs of 5 against 5, and four against one seed, which are no tests."""
    pairs = compare(study(5), None).pairs
    assert sum(pair.p is not None for pair in pairs) == 6
    assert pairs[0].p == pytest.approx(2 / 252)
    assert pairs[0].p_holm == pytest.approx(12 / 252)
    assert pairs[0].verdict == "second higher"


def test_families_are_compared_by_their_models_means() -> None:
    family = compare(study(3), None).families
    assert [one.score for one in family] == OF_CLASSES
    fid = family[0]
    assert (fid.first, fid.second, fid.n_first, fid.n_second) == ("gan", "vae", 2, 2)
    assert fid.mean == pytest.approx((1 + 11) / 2 - (21 + 31) / 2)


def test_finalists_are_compared_by_seed_and_fid_is_tested_alone() -> None:
    records = study(5)
    assert compare(records, None).finalists == []
    assert compare(records, ("good-gan", "absent")).finalists == []
    fid, *secondary = compare(records, ("good-gan", "good-vae")).finalists
    assert (fid.first, fid.second, fid.n_first, fid.n_second) == ("good-gan", "good-vae", 5, 5)
    assert fid.p_holm == fid.p == pytest.approx(2 / 252)
    assert [one.score for one in secondary] == OF_CLASSES[1:]
    assert all(one.smallest_p_holm == pytest.approx(12 / 252) for one in secondary)


@pytest.mark.parametrize(
    ("finalists", "found"),
    [
        (("good-vae", "gan"), "good-vae is a vae, gan is a gan"),
        (("gan", "good-gan"), "gan is a gan, good-gan is a gan"),
        (("gan", "hybrid"), "gan is a gan, hybrid is a hybrid"),
        (("vae", "absent"), "vae is a vae"),
    ],
)
def test_finalists_are_a_gan_and_a_vae(finalists: tuple[str, str], found: str) -> None:
    with pytest.raises(ConfigError, match=f"^finalists: {found}: give a GAN, then a VAE.$"):
        compare(study(3), finalists)


def test_what_is_set_aside_counts_in_neither_family_and_in_all_else() -> None:
    whole, found = compare(study(3), None), compare(study(3), None, aside=["gan", "hybrid", "no"])
    assert (whole.aside, found.aside) == ([], ["gan"])
    fid = found.families[0]
    assert (fid.n_first, fid.mean_first, fid.mean_second) == (1, 1, 26)
    assert (found.rows, found.pairs) == (whole.rows, whole.pairs)


def test_a_score_that_one_side_lacks_is_not_compared() -> None:
    records = [*runs("gan", [1.0, 2.0]), *runs("vae", [3.0, 4.0], inverted_mse=0.1)]
    assert [one.score for one in compare(records, ("gan", "vae")).finalists] == ["fid_judge"]


def test_differences_are_of_collapsed_runs_too_but_of_no_diverged_one() -> None:
    records = [*runs("gan", [1.0, 3.0]), collapsed(record("gan", 2, 11.0)), record("gan", 3, None)]
    pair = compare([*records, *runs("vae", [20.0, 20.0])], None).pairs[0]
    assert (pair.n_first, pair.mean) == (3, -15)


def test_a_flagged_record_is_never_ranked_however_it_was_measured() -> None:
    flagged = record("gan", 3, 0.01, n_generated=9).model_copy(update={"flags": ["too few"]})
    found = compare([*runs("gan", [5.0, 7.0]), flagged], None)
    assert found.unranked == [flagged]
    assert found.rows[0].seeds == 2
    assert found.rows[0].scores["fid_judge"].mean == 6


def test_the_comparison_is_plain_json() -> None:
    flagged = record("x", 3, 1.0).model_copy(update={"flags": ["too few"]})
    found = compare([*study(3), flagged], ("gan", "vae"))
    content = as_json(found)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert list(content) == ["pairs", "families", "finalists", "aside", "unranked"]
    assert content["finalists"][0]["bootstrap_low"] == found.finalists[0].bootstrap_low
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
    assert (gan["variant"], gan["fid_judge"], gan["fid_judge_n"]) == ("gan", "12.0", "2")
    assert (gan["completed"], gan["collapsed"], gan["diverged"]) == ("2", "0", "1")
    assert float(gan["fid_judge_ci95"]) == pytest.approx(12.706205 * 8**0.5 / 2**0.5, rel=1e-6)
    assert (floor["fid_judge_ci95"], floor["elbo_bernoulli"]) == ("", "")

    changed = {"gan": {"schedule": ("9 steps", "4 epochs"), "hidden": ([8], [64, 8])}}
    notes = {"gan": "Its own rate is too low for so few steps."}
    text = markdown(
        tmp_path, found, records, departures=changed, notes=notes, tuning=Tuning(["gan"])
    )
    assert "| `gan` † | gan | 12.00 ± 25.41 | 0.123 | 7 | 3 | 0 | 1 |" in text
    assert "\n| `gan` † | 0.750 |" in text.split("## Further scores")[1]
    assert (
        "- †: tuned, that is, parameters chosen by FID on the validation split. The "
        "others have their sources' parameters, scaled down by hand to the time there is; no "
        "search by score.\n"
    ) in text
    assert "- Networks were trained in fp32; weights and losses stay in fp32." in text
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


def test_an_optional_score_is_in_the_csv_where_there_is_one(tmp_path: Path) -> None:
    write_leaderboard_csv(tmp_path / "a.csv", leaderboard(runs("gan", [1.0], fid_inception=4.0)))
    write_leaderboard_csv(tmp_path / "b.csv", leaderboard(runs("gan", [1.0])))
    assert "fid_inception" in (tmp_path / "a.csv").read_text()
    assert "fid_inception" not in (tmp_path / "b.csv").read_text()


def test_too_few_seeds_are_said_instead_of_a_p_value(tmp_path: Path) -> None:
    records = study(3)
    text = markdown(tmp_path, compare(records, ("good-gan", "good-vae")), records)
    assert "| FID (judge) ↓ | −20.00 | −22.27 to −17.73 | −15.96 | 0.00 | too few seeds |" in text
    three = (
        "- Too few seeds: 3 against 3 seeds cannot reach significance with a rank test "
        "(the least possible p is 0.10).\n"
    )
    assert text.count(three) == 2  # below the finalists and below the pairs, once each
    assert "- Too few models: 2 against 2 models cannot" in text
    assert "| `good-gan` | `gan` | −10.00 | −12.27 to −7.73 | too few seeds |" in text
    assert " p = " not in text
    assert "- `gan`: 1.0 between seeds; evaluation noise was not measured." in text
    assert "- `hybrid`: one seed;" in text


def test_enough_seeds_get_a_verdict(tmp_path: Path) -> None:
    records = study(5)
    text = markdown(tmp_path, compare(records, ("good-gan", "good-vae")), records)
    finalists = text.split("**The finalists**")[1].split("**The families**")[0]
    assert "| 0.00 | good-gan better, p = 0.0079 |" in finalists
    assert finalists.count("| no difference shown, p = 1.0 |") == len(OF_CLASSES) - 1
    assert "| `good-gan` | `gan` |" in text
    assert "| good-gan better, p = 0.048 |" in text


def test_better_is_by_the_scores_own_side(tmp_path: Path) -> None:
    gans = [with_scores(r, recall_judge=0.9 + r.seed / 100) for r in runs("gan", [9.0] * 6)]
    vaes = [with_scores(r, recall_judge=0.1 + r.seed / 100) for r in runs("vae", [9.0] * 6)]
    text = markdown(tmp_path, compare([*gans, *vaes], ("gan", "vae")), [*gans, *vaes])
    assert "| recall ↑ | +0.800 |" in text
    assert "| 1.00 | gan better, p = 0.0022 |" in text


def test_correction_out_of_reach_is_called_that(tmp_path: Path) -> None:
    records = [r for k in range(5) for r in runs(f"gan-{k}", [10.0 * k + s for s in range(5)])]
    text = markdown(tmp_path, compare(records, None), records)
    assert (
        "- Too few seeds: 5 against 5 seeds cannot reach significance with a rank test "
        "(the least possible p is 0.056 after correction)."
    ) in text


def test_markdown_says_how_the_finalists_were_named_and_what_was_left_aside(
    tmp_path: Path,
) -> None:
    records, finalists = study(3), ("good-gan", "good-vae")
    text = markdown(tmp_path, compare(records, finalists), records)
    assert "a value a seed. The finalists are named in the profile's parameters, not picked" in text
    assert "Left aside" not in text
    found = compare(records, finalists, aside=["vae"])
    text = markdown(tmp_path, found, records, tuning=Tuning(finalists))
    assert "a value a seed. The finalists are the GAN and the VAE whose parameters were tun" in text
    assert "**The families**, 2 GANs against 1 VAEs" in text
    assert "Left aside, being there for a picture or a likelihood: `vae`. Hybrids" in text


def test_markdown_says_how_the_effort_was_unequal(tmp_path: Path) -> None:
    records, finalists = study(3), ("good-gan", "good-vae")
    tuning = Tuning(finalists, unequal="the GAN got a week", outside="A trial found more.")
    text = markdown(tmp_path, compare(records, finalists), records, tuning=tuning)
    section = text.split("## GAN against VAE")[1]
    assert "\nThe effort was unequal: the GAN got a week. Pairs of equal effort, by FID:" in section
    assert " A trial found more.\n\n**The finalists**" in section


def test_one_pair_with_enough_seeds_has_the_p_of_the_finalists(tmp_path: Path) -> None:
    """Of 36 pairs one is of 5 against 5, fourteen of 5 against 3: these cannot succeed twice."""
    records = [*runs("gan", [1.0, 2, 3, 4, 5]), *runs("vae", [6.0, 7, 8, 9, 10])]
    records += [r for k in range(7) for r in runs(f"gan-{k}", [20.0 * k + s for s in range(3)])]
    found = compare(records, ("gan", "vae"))
    tested = [pair for pair in found.pairs if pair.p is not None]
    assert [(pair.first, pair.second) for pair in tested] == [("gan", "vae")]
    assert tested[0].p_holm == found.finalists[0].p == pytest.approx(2 / 252)
    text = markdown(tmp_path, found, records)
    assert "whose seeds are enough for one to succeed (1 of 36), corrected together" in text
    assert "- Too few seeds: 5 against 3 seeds cannot reach" in text
    assert "(the least possible p is 0.071 after correction)." in text


def test_departures_are_what_the_profile_changes(smoke: Params) -> None:
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


def test_records_survive_the_disk(tmp_path: Path) -> None:
    records = [record("gan", 0, 10.0), record("gan", 1, None)]
    write_records(tmp_path / "scores.json", records)
    assert read_records(tmp_path / "scores.json") == records


def test_a_file_that_is_no_record(tmp_path: Path) -> None:
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
def test_the_leaderboard_has_the_columns_that_its_judge_gives(
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
        assert [one.score for one in found.finalists][1:] == ["mode_kl_judge"]
    assert ("IS" in comparison_text(found, [])) == ("is_judge" in scores)
