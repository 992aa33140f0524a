"""The sentences of the answer follow from the numbers."""

from dataclasses import replace

import pytest

from ganvae.config import Promotion
from ganvae.config.promotions import Effort
from ganvae.report.answer import Answer, answer
from ganvae.report.tuning import Tuning, naming
from ganvae.report.verdicts import SIDES, leader, winner
from ganvae.scores.comparison import compare
from ganvae.scores.records import ScoreRecord
from ganvae.scores.statistics import difference
from toy_report import record, runs

FINALISTS = ("gan-one", "vae-one")
LOW, HIGH = [5.0, 5.1, 5.2, 5.3, 5.4], [10.0, 10.1, 10.2, 10.3, 10.4]


def answer_from(gan: list[ScoreRecord], vae: list[ScoreRecord], *others: ScoreRecord) -> Answer:
    return answer(compare([*gan, *vae, *others], FINALISTS), FINALISTS)


def duel(gan: list[float | None], vae: list[float | None]) -> Answer:
    return answer_from(runs("gan-one", gan), runs("vae-one", vae))


def test_a_better_gan_is_named_with_its_interval_and_p() -> None:
    said = duel(LOW, HIGH)
    assert said.headline == "At these training budgets, the GAN has the lower FID."
    assert said.finalists == (
        "The primary outcome is FID in the features of the judge, this project's own classifier. "
        "Lower is better. `gan-one` scores "
        "5.20 [5.01, 5.40] over 5 seeds, and `vae-one` scores 10.20 [10.00, 10.40] over 5 seeds. "
        "The FID of the GAN is 0.510 times the FID of the VAE (95 % CI [0.491, 0.529]). A random "
        "run of the GAN has a lower FID than a random run of the VAE with an estimated probability "
        "of 1.00 (95 % CI [0.64, 1.00]). To call a difference meaningful, the interval must lie "
        "beyond 0.75. With 5 seeds against 5, no interval does, whatever the scores are. An exact "
        "rank test shows that the GAN has the lower FID (p = 0.0079)."
    )


def test_a_better_vae_is_named() -> None:
    said = duel(HIGH, LOW)
    assert said.headline == "At these training budgets, the VAE has the lower FID."
    assert "is 1.96 times the FID of the VAE (95 % CI [1.89, 2.04])" in said.finalists
    assert "an estimated probability of 0.00 (95 % CI [0.00, 0.36])" in said.finalists
    assert "An exact rank test shows that the VAE has the lower FID" in said.finalists


@pytest.mark.parametrize(("factor", "side"), [(0.5, "GAN"), (2.0, "VAE")])
def test_ten_separated_seeds_show_a_meaningful_difference(factor: float, side: str) -> None:
    fids = [10 + seed / 10 for seed in range(10)]
    said = duel([factor * fid for fid in fids], fids).finalists
    assert f"In favour of the {side}, the interval lies beyond 0.75, so the difference" in said


def test_ten_mixed_seeds_do_not_show_a_meaningful_difference() -> None:
    fids = [10 + seed / 10 for seed in range(10)]
    said = duel([fid - 0.3 for fid in fids], fids).finalists
    assert "a probability above 0.75 for either side, so a meaningful difference is not sh" in said


def test_equivalence_is_said_only_if_it_is_shown() -> None:
    said = duel([9.9, 9.95, 10.0, 10.05, 10.1], [9.92, 9.97, 10.02, 10.04, 10.11])
    assert said.headline == (
        "At these training budgets, the two are equivalent by FID: the ratio of their FIDs is "
        "shown to lie between 0.8 and 1.25."
    )
    assert said.finalists.endswith(
        "Two one-sided tests show that the ratio lies between 0.8 and 1.25."
    )


def test_an_fid_of_zero_has_no_ratio() -> None:
    said = duel([0.0, 1.0, 2.0, 3.0, 4.0], HIGH)
    assert "An FID of 0 has no logarithm, so there is no ratio. A random run" in said.finalists
    assert said.headline == "At these training budgets, the GAN has the lower FID."


def test_no_side_is_called_ahead_without_a_significant_test() -> None:
    said = duel([5.0, 6.0, 7.0, 8.0, 9.0], [5.5, 6.5, 7.5, 8.5, 4.5])
    assert said.headline == "At these training budgets, the comparison is undecided."
    assert "An exact rank test does not show a difference (p = 0.69)." in said.finalists
    assert (
        "A ratio between 0.8 and 1.25 is not shown, either. With these seeds and this spread, the "
        "test would show a ratio of 1.75 or 0.570 with a power of 80 %."
    ) in said.finalists
    assert "ahead" not in said.headline + said.finalists


def test_too_few_seeds_give_no_verdict_even_for_separated_scores() -> None:
    said = duel(LOW[:3], HIGH[:3])
    assert said.headline == "The GAN looks better, but there are too few seeds for a test."
    assert (
        "With 3 seeds against 3, an exact rank test cannot show a difference, because its p-value "
        "cannot fall below 0.10. Nevertheless, every value of the GAN is better than every value "
        "of the VAE."
    ) in said.finalists


def test_too_few_seeds_with_overlapping_scores_favour_no_side() -> None:
    said = duel([5.0, 9.0, 7.0], [6.0, 8.0, 7.5])
    assert said.headline == "There are too few seeds to tell which side is ahead."
    assert "cannot fall below 0.10." in said.finalists
    assert "Nevertheless" not in said.finalists


def test_one_seed_per_side_has_no_interval() -> None:
    said = duel([5.0], [10.0])
    assert said.headline == "There are too few seeds to tell which side is ahead."
    reason = "because an interval needs at least two values for the GAN side and two for"
    assert f"no confidence interval, {reason}" in said.finalists
    assert "1 seed, and" in said.finalists


@pytest.mark.parametrize(
    ("gan", "vae", "without"),
    [
        ([None, None], HIGH, "`gan-one` has no score (2 runs diverged)"),
        (LOW, [None], "`vae-one` has no score (1 run diverged)"),
        (
            [None, None],
            [None],
            "`gan-one` has no score (2 runs diverged) and `vae-one` has no score (1 run diverged)",
        ),
    ],
)
def test_a_finalist_whose_runs_all_diverged_has_no_score(
    gan: list[float | None], vae: list[float | None], without: str
) -> None:
    said = duel(gan, vae)
    assert said.headline == f"The question cannot be answered here: {without}."
    assert all(part in said.finalists for part in without.split(" and "))


def test_a_finalist_does_not_win_against_one_without_ranked_runs() -> None:
    gan = [*runs("gan-one", LOW, flags=["few samples"]), record("gan-one", 5, None)]
    reason = "`gan-one` has no score (1 run diverged and 5 runs flagged and therefore not ranked)"
    said = answer_from(gan, runs("vae-one", HIGH))
    assert said.headline == f"The question cannot be answered here: {reason}."
    assert f"{reason}, and `vae-one` scores 10.20 [10.00, 10.40] over 5 seeds." in said.finalists


def test_a_finalist_without_runs_has_no_score() -> None:
    said = answer_from([], runs("vae-one", HIGH))
    reason = "`gan-one` has no score (it has no runs)"
    assert said.headline == f"The question cannot be answered here: {reason}."


def test_the_headline_mentions_diverged_runs_of_a_finalist() -> None:
    clause = "Diverged runs are left out."
    gan, vae = runs("gan-one", LOW), runs("vae-one", [*HIGH, None])
    assert answer_from(gan, vae).headline == (
        f"At these training budgets, the GAN has the lower FID. {clause}"
    )
    others = runs("gan-two", [7.0, None])
    assert clause not in answer_from(gan, runs("vae-one", HIGH), *others).headline


def test_failed_runs_of_a_finalist_are_counted() -> None:
    gan = [*runs("gan-one", [*LOW, None]), record("gan-one", 6, 90.0, status="collapsed")]
    said = answer_from(gan, runs("vae-one", HIGH))
    assert "over 6 seeds (1 collapsed run included, 1 diverged run left out)" in said.finalists


def test_without_finalists_there_is_no_comparison() -> None:
    records = [*runs("gan-one", LOW), *runs("gan-two", [7.0]), *runs("vae-one", HIGH)]
    said = answer(compare(records, None), None)
    assert said.headline == "This profile names no GAN and no VAE to answer the question."
    assert "names no finalists" in said.finalists
    assert said.others == ""


def test_the_answer_says_how_the_finalists_were_named() -> None:
    tuned = naming(FINALISTS, Tuning(["vae-one", "gan-two", "gan-one"]))
    assert "whose parameters were tuned on the validation split, not the GAN" in tuned
    for names in ([], ["gan-one"], ["gan-two", "vae-two"]):
        assert naming(FINALISTS, Tuning(names)) == (
            "The finalists were named in the profile's parameters, not chosen by these scores."
        )
    elsewhere = naming(FINALISTS, Tuning(FINALISTS, tuned_on={"gan-one": "mnist"}))
    assert "validation" not in elsewhere
    assert elsewhere.endswith(
        "Not all parameters were chosen on this data set: those of `gan-one` on `mnist`."
    )


def other_criteria(scores: dict[str, tuple[list[float], list[float]]]) -> str:
    """The sentence on other criteria. The GAN is ahead by FID.

    ``scores``: by score, the values of the GAN and those of the VAE.
    """
    gan = [
        record(
            "gan-one", seed, fid, scores={name: values[0][seed] for name, values in scores.items()}
        )
        for seed, fid in enumerate(LOW)
    ]
    vae = [
        record(
            "vae-one", seed, fid, scores={name: values[1][seed] for name, values in scores.items()}
        )
        for seed, fid in enumerate(HIGH)
    ]
    return answer_from(gan, vae).others


MORE, LESS = [0.8, 0.81, 0.82, 0.83, 0.84], [0.6, 0.61, 0.62, 0.63, 0.64]
MIXED = [0.79, 0.85, 0.82, 0.7, 0.9]
IS_MORE, IS_LESS, IS_MIXED = ([1 + value for value in values] for values in (MORE, LESS, MIXED))


def test_criteria_that_disagree_are_listed_by_side() -> None:
    said = other_criteria(
        {
            "is_judge": (IS_MORE, IS_LESS),
            "inverted_mse": (MORE, LESS),
            "recall_judge": (MORE, MIXED),
        }
    )
    assert said == (
        "The other criteria do not all agree with FID: the GAN is ahead in IS, "
        "and the VAE is ahead in inverted MSE; recall is undecided."
    )


def test_criteria_that_agree_are_listed_together() -> None:
    said = other_criteria({"kid_judge": (LESS, MORE), "inverted_mse": (LESS, MORE)})
    assert said == (
        "The other criteria agree with FID: the GAN is ahead in KID, IS and inverted MSE."
    )


def test_criteria_without_a_difference_show_no_difference() -> None:
    said = other_criteria({"is_judge": (IS_MORE, IS_MIXED)})
    assert said == ("The other criteria favour no side: IS is undecided.")


def test_criteria_can_show_a_difference_that_fid_does_not() -> None:
    same = [5.0, 6.0, 7.0, 8.0, 9.0]
    gan = [record("gan-one", n, fid, scores={"is_judge": IS_MORE[n]}) for n, fid in enumerate(same)]
    vae = [record("vae-one", n, fid, scores={"is_judge": IS_LESS[n]}) for n, fid in enumerate(same)]
    said = answer_from(gan, vae).others
    assert said == (
        "The other criteria show a difference that FID does not show: the GAN is ahead in IS."
    )


def test_criteria_with_too_few_seeds_are_compared_by_their_means() -> None:
    said = duel(LOW[:3], HIGH[:3]).others
    assert said == (
        "The other criteria agree with FID: by the means alone (too few "
        "seeds to test), the GAN is ahead in IS."
    )


@pytest.mark.parametrize(
    ("seconds", "span"),
    [
        ((25.0, 70.0), "training budgets (25 to 70 seconds per run)"),
        ((50.0, 50.4), "training budgets (50 seconds per run)"),
        ((50.0, 600.0), "training budgets (50 seconds to 10 minutes per run)"),
        ((7200.0, 36_000.0), "training budgets (2.0 to 10 hours per run)"),
    ],
)
def test_the_caveat_names_the_budgets(seconds: tuple[float, float], span: str) -> None:
    gan = runs("gan-one", LOW, scores={"train_seconds": seconds[0]})
    vae = runs("vae-one", HIGH, scores={"train_seconds": seconds[1]})
    assert span in answer_from(gan, vae).caveat


@pytest.mark.parametrize(
    ("gan", "vae", "headline", "caveat"),
    [
        (47.0, 46.0, "At these training budgets (47 and 46 seconds per run), the GAN", ""),
        (50.0, 54.9, "At these training budgets (50 and 55 seconds per run), the GAN", ""),
        (
            98.0,
            50.0,
            "With unequal training budgets (98 and 50 seconds per run), the GAN has",
            "The training budgets were not equal: the GAN trained 1.96 times as long as the VAE. ",
        ),
        (
            63.0,
            241.0,
            "With unequal training budgets (63 and 241 seconds per run), the GAN has",
            "The training budgets were not equal: the VAE trained 3.83 times as long as the GAN. ",
        ),
    ],
)
def test_pin_14_unequal_training_times_are_said(
    gan: float, vae: float, headline: str, caveat: str
) -> None:
    said = answer_from(
        runs("gan-one", LOW, scores={"train_seconds": gan}),
        runs("vae-one", HIGH, scores={"train_seconds": vae}),
    )
    assert said.headline.startswith(headline)
    assert said.caveat.startswith(f"{caveat}These results hold only for")


def test_pairs_beside_the_finalists_have_their_training_times() -> None:
    records = [
        *runs("gan-one", LOW), *runs("vae-one", HIGH),
        *runs("gan-two", [20.0], scores={"train_seconds": 60.0}),
        *runs("vae-two", [10.0], scores={"train_seconds": 50.0}),
    ]  # fmt: skip
    said = answer(compare(records, FINALISTS), FINALISTS, Tuning(FINALISTS)).effort
    assert said.endswith(
        "the VAE `vae-two` (10.00, 50 s) is ahead of the GAN `gan-two` (20.00, 60 s), with "
        "training times that differ by more than 10 %."
    )


def test_the_caveat_does_not_need_training_times() -> None:
    assert duel(LOW, HIGH).caveat == (
        "These results hold only for these training budgets and model sizes."
    )


@pytest.mark.parametrize(("score", "side"), [("fid_judge", "GAN"), ("is_judge", "VAE")])
def test_sides_follow_the_better_direction_of_the_score(score: str, side: str) -> None:
    ahead, behind = SIDES if side == "GAN" else reversed(SIDES)
    assert (SIDES[ahead], winner(difference(score, "gan", LOW, "vae", HIGH))) == (side, ahead)
    assert leader(difference(score, "gan", LOW, "vae", HIGH)) == ahead
    assert winner(difference(score, "gan", HIGH, "vae", LOW)) == behind
    assert leader(difference(score, "gan", HIGH[:1], "vae", LOW[:1])) == behind
    assert winner(difference(score, "gan", HIGH[:1], "vae", LOW[:1])) is None
    assert leader(difference(score, "gan", LOW, "vae", LOW)) is None


def test_the_best_of_each_family_are_compared_beside_the_finalists() -> None:
    records = [
        *runs("gan-one", LOW), *runs("vae-one", HIGH),
        *runs("gan-two", [20.0, 21.0]), *runs("vae-two", [10.0, 11.0]), *runs("vae-odd", [9.0]),
        *runs("gan-swept", [7.0]), *runs("vae-swept", [8.0]),
    ]  # fmt: skip
    comparison = compare(records, FINALISTS, ["vae-odd"])
    swept = {name: origin() for name in ("gan-swept", "vae-swept")}
    assert answer(comparison, FINALISTS, Tuning([*FINALISTS, *swept], swept)).effort == (
        "Beside the finalists, the GAN and the VAE with the lowest FID compare as follows (FID, "
        "training time per run): among the untuned variants, the VAE `vae-two` (10.49) is ahead of "
        "the GAN `gan-two` (20.49); among the swept variants, the GAN `gan-swept` (7.00) is ahead "
        "of the VAE `vae-swept` (8.00)."
    )
    one = {"gan-swept": origin()}
    one_sided = answer(comparison, FINALISTS, Tuning([*FINALISTS, *swept], one)).effort
    assert "gan-two" in one_sided
    assert "swept" not in one_sided
    assert answer(comparison, FINALISTS).effort == ""
    assert answer(compare(records[:10], FINALISTS), FINALISTS, Tuning(FINALISTS)).effort == ""


def origin(study: str = "toy", match: Effort | None = None) -> Promotion:
    return Promotion(study=study, trial=3, fid_judge_validation=5.0, seeds=[100], match=match)


def test_an_answer_from_a_match_names_the_effort() -> None:
    effort = Effort(trials=60, seconds=90.0)
    matched = {name: origin("digits", effort) for name in FINALISTS}
    comparison = compare([*runs("gan-one", LOW), *runs("vae-one", HIGH)], FINALISTS)
    assert answer(comparison, FINALISTS, Tuning(FINALISTS, matched)).headline == (
        "After the same tuning effort for GANs and VAEs (60 random trials of 90 CPU-seconds each), "
        "at these training budgets, the GAN has the lower FID."
    )
    assert "come from the match `digits`" in naming(FINALISTS, Tuning(FINALISTS, matched))
    for other in (origin("digits"), origin("clothing", effort)):  # a sweep, another match
        apart = Tuning(FINALISTS, matched | {"vae-one": other})
        assert answer(comparison, FINALISTS, apart).headline.startswith("At these training")
        assert "match" not in naming(FINALISTS, apart)


def test_an_answer_with_unequal_effort_begins_with_the_effort() -> None:
    tuning = Tuning(FINALISTS, unequal="the GAN got a week", outside="A trial found more.")
    comparison = compare([*runs("gan-one", LOW), *runs("vae-one", HIGH)], FINALISTS)
    said = answer(comparison, FINALISTS, tuning)
    assert said.headline == (
        "The question is not settled, because the tuning effort was unequal. "
        "The GAN got a week. Between these two finalists, at these training budgets, the GAN has "
        "the lower FID."
    )
    assert said.effort == "A trial found more."


def test_the_tuning_mark_names_the_data_set_of_the_validation_split() -> None:
    tuning = Tuning(["gan-one", "vae-one"])
    assert tuning.mark == "their parameters were chosen by FID on the validation split"
    assert replace(tuning, tuned_on={"gan-one": "mnist"}).mark == (
        f"{tuning.mark} of this data set, except those of `gan-one`, which were chosen on the "
        "validation split of `mnist`"
    )
    assert Tuning(["gan-one"], tuned_on={"gan-one": "mnist"}).mark == (
        "their parameters were chosen by FID on another data set: those of `gan-one`, which were "
        "chosen on the validation split of `mnist`"
    )


def with_precision(variant: str, fids: list[float], precision: float) -> list[ScoreRecord]:
    scores = {"precision_judge": precision, "kid_judge": fids[0] / 100}
    return runs(variant, fids, scores=scores)


def test_a_criterion_by_which_noise_beats_a_finalist_is_named() -> None:
    remark = (
        "On this data set, precision does not distinguish images from noise: the ceiling, which is "
        "pure noise, scores 0.850, better than `vae-one`."
    )
    gan, vae = with_precision("gan-one", LOW, 0.9), with_precision("vae-one", HIGH, 0.8)
    said = answer_from(gan, vae, *with_precision("ceiling", [90.0], 0.85)).others
    assert said.endswith(remark)
    assert said.count("ceiling") == 1, "the ceiling is worse by KID and FID, where lower is better"
    weak_noise = with_precision("ceiling", [90.0], 0.75)
    assert "ceiling" not in answer_from(gan, vae, *weak_noise).others
    assert "ceiling" not in answer_from(gan, vae).others


def test_a_finalist_that_is_worse_than_noise_has_learned_too_little() -> None:
    gan, vae = with_precision("gan-one", LOW, 0.9), with_precision("vae-one", HIGH, 0.8)
    said = answer_from(gan, vae, *with_precision("ceiling", [8.0], 0.85)).others
    assert "a lower mean FID than `vae-one`, so this variant has learned too little" in said
    assert "does not distinguish" not in said, "precision is not to blame"
    assert "than `gan-one`" not in said
