"""The answer says what the numbers say, whichever they are."""

from dataclasses import replace

import pytest

from ganvae.report.answer import SIDES, Answer, answer
from ganvae.report.tuning import Tuning, naming
from ganvae.report.verdicts import leader, winner
from ganvae.scores.comparison import compare
from ganvae.scores.records import ScoreRecord
from ganvae.scores.statistics import difference
from toy_report import record, runs

FINALISTS = ("gan-one", "vae-one")
LOW, HIGH = [5.0, 5.1, 5.2, 5.3, 5.4], [10.0, 10.1, 10.2, 10.3, 10.4]


def of(gan: list[ScoreRecord], vae: list[ScoreRecord], *others: ScoreRecord) -> Answer:
    return answer(compare([*gan, *vae, *others], FINALISTS), FINALISTS)


def duel(gan: list[float | None], vae: list[float | None]) -> Answer:
    return of(runs("gan-one", gan), runs("vae-one", vae))


def test_a_better_gan_is_named_with_numbers_interval_and_p() -> None:
    said = duel(LOW, HIGH)
    assert said.headline == "At these budgets, the GAN."
    assert said.finalists == (
        "By FID in the judge's features, the primary outcome (lower is better), `gan-one` scores "
        "5.20 ± 0.20 over 5 seeds and `vae-one` scores 10.20 ± 0.20 over 5 seeds: a difference, "
        "GAN minus VAE, of −5.00, 95 % interval −5.23 to −4.77. An exact rank test shows the GAN "
        "ahead (p = 0.0079)."
    )


def test_a_better_vae_is_named() -> None:
    said = duel(HIGH, LOW)
    assert said.headline == "At these budgets, the VAE."
    assert "of +5.00, 95 % interval +4.77 to +5.23. An exact rank test shows the VAE ahead" in (
        said.finalists
    )


def test_no_difference_is_claimed_where_none_is_shown() -> None:
    said = duel([5.0, 6.0, 7.0, 8.0, 9.0], [5.5, 6.5, 7.5, 8.5, 4.5])
    assert said.headline == "At these budgets, no difference is shown."
    assert "An exact rank test does not show a difference (p = 0.69)." in said.finalists
    assert "ahead" not in said.headline + said.finalists


def test_too_few_seeds_give_no_verdict_however_far_apart() -> None:
    said = duel(LOW[:3], HIGH[:3])
    assert said.headline == "It looks like the GAN, but the seeds are too few to show it."
    assert (
        "3 seeds against 3 are too few for an exact rank test, whose p cannot fall below 0.10 "
        "even where, as here, every value of the GAN is the better one."
    ) in said.finalists


def test_too_few_seeds_that_do_not_even_hint() -> None:
    said = duel([5.0, 9.0, 7.0], [6.0, 8.0, 7.5])
    assert said.headline == "The seeds are too few to tell."
    assert "cannot fall below 0.10." in said.finalists
    assert "as here" not in said.finalists


def test_one_seed_each_has_no_interval() -> None:
    said = duel([5.0], [10.0])
    assert said.headline == "The seeds are too few to tell."
    assert "without an interval, which takes two values a side" in said.finalists
    assert "1 seed and" in said.finalists


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
def test_a_finalist_all_of_whose_runs_diverged(
    gan: list[float | None], vae: list[float | None], without: str
) -> None:
    said = duel(gan, vae)
    assert said.headline == f"The question cannot be answered here: {without}."
    assert all(part in said.finalists for part in without.split(" and "))


def test_a_finalist_without_any_ranked_run_wins_nothing_for_the_other() -> None:
    gan = [*runs("gan-one", LOW, flags=["few samples"]), record("gan-one", 5, None)]
    fate = "`gan-one` has no score (1 run diverged and 5 runs flagged and not ranked)"
    said = of(gan, runs("vae-one", HIGH))
    assert said.headline == f"The question cannot be answered here: {fate}."
    assert f"{fate} and `vae-one` scores 10.20 ± 0.20 over 5 seeds." in said.finalists


def test_a_finalist_that_was_never_run() -> None:
    said = of([], runs("vae-one", HIGH))
    fate = "`gan-one` has no score (no run of it is here)"
    assert said.headline == f"The question cannot be answered here: {fate}."


def test_the_headline_says_so_where_runs_of_a_finalist_diverged() -> None:
    clause = "This is of the runs that did not diverge."
    gan, vae = runs("gan-one", LOW), runs("vae-one", [*HIGH, None])
    assert of(gan, vae).headline == f"At these budgets, the GAN. {clause}"
    others = runs("gan-two", [7.0, None])
    assert clause not in of(gan, runs("vae-one", HIGH), *others).headline


def test_failures_of_a_finalist_are_told() -> None:
    gan = [*runs("gan-one", [*LOW, None]), record("gan-one", 6, 90.0, status="collapsed")]
    said = of(gan, runs("vae-one", HIGH))
    assert "over 6 seeds (1 of them collapsed and 1 more diverged)" in said.finalists


def test_without_finalists_the_families_answer() -> None:
    records = [*runs("gan-one", LOW), *runs("gan-two", [7.0]), *runs("vae-one", HIGH)]
    said = answer(compare(records, None), None)
    assert said.headline == "No GAN and VAE were named to answer it."
    assert "names no finalists" in said.finalists
    assert "the 2 GANs here average 6.10 and the 1 VAE 10.20: a" in said.families
    assert "For the families, further criteria" in said.others
    assert "(too few models to test)" in said.others


def test_a_model_counts_once_in_its_family() -> None:
    records = [*runs("gan-two", [1.0]), *runs("mix-one", [900.0])]
    said = of(runs("gan-one", LOW), runs("vae-one", HIGH), *records)
    assert "the 2 GANs here average 3.10 and the 1 VAE 10.20: a" in said.families
    assert "of −7.10, without an interval" in said.families
    assert "2 models against 1 are too few" in said.families
    assert said.families.endswith(
        "This is of these models, not of all GANs and VAEs: they were picked, and some are "
        "variants of one another."
    )


def test_models_left_aside_are_named_and_not_counted() -> None:
    records = [*runs("gan-one", LOW), *runs("vae-one", HIGH), *runs("vae-flat", [90.0])]
    aside = ("vae-flat", "vae-absent")
    said = answer(compare([*records, *runs("mix-one", [3.0])], FINALISTS, aside), FINALISTS)
    assert "the 1 VAE 10.20:" in said.families
    assert said.families.endswith(
        "Left aside, being there for a picture or a likelihood: `vae-flat`."
    )


def test_how_the_finalists_came_to_be() -> None:
    tuned = naming(FINALISTS, Tuning(["vae-one", "gan-two", "gan-one"]))
    assert "whose parameters were tuned on the validation split, not the best" in tuned
    for some in ([], ["gan-one"], ["gan-two", "vae-two"]):
        assert naming(FINALISTS, Tuning(some)) == (
            "The finalists are named in the profile's parameters, not picked by these scores."
        )
    elsewhere = naming(FINALISTS, Tuning(FINALISTS, tuned_on={"gan-one": "mnist"}))
    assert "validation" not in elsewhere
    assert elsewhere.endswith("The parameters of one were chosen on another data set.")


def test_a_family_that_is_not_there() -> None:
    said = answer(compare(runs("gan-one", LOW), FINALISTS), FINALISTS)
    assert said.families.startswith("The families cannot be compared")


def by(scores: dict[str, tuple[list[float], list[float]]]) -> str:
    """What is said of further criteria; by score, the GAN's values and the VAE's; FID: the GAN."""
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
    return of(gan, vae).others


MORE, LESS = [0.8, 0.81, 0.82, 0.83, 0.84], [0.6, 0.61, 0.62, 0.63, 0.64]
MIXED = [0.79, 0.85, 0.82, 0.7, 0.9]


def test_criteria_that_disagree_are_named() -> None:
    said = by(
        {"is_judge": (MORE, LESS), "inverted_mse": (MORE, LESS), "recall_judge": (MORE, MIXED)}
    )
    assert said == (
        "For the finalists, further criteria do not all agree: the GAN is ahead in IS, the VAE in "
        "inverted MSE; no difference is shown in recall."
    )


def test_criteria_that_agree() -> None:
    said = by({"kid_judge": (LESS, MORE), "inverted_mse": (LESS, MORE)})
    assert said == (
        "For the finalists, further criteria point the same way: the GAN is ahead in KID, IS and "
        "inverted MSE."
    )


def test_criteria_that_show_nothing() -> None:
    said = by({"is_judge": (MORE, MIXED)})
    assert said == (
        "For the finalists, further criteria tell no more: no difference is shown in IS."
    )


def test_criteria_may_show_what_fid_does_not() -> None:
    same = [5.0, 6.0, 7.0, 8.0, 9.0]
    gan = [record("gan-one", n, fid, scores={"is_judge": MORE[n]}) for n, fid in enumerate(same)]
    vae = [record("vae-one", n, fid, scores={"is_judge": LESS[n]}) for n, fid in enumerate(same)]
    said = of(gan, vae).others
    assert said == "For the finalists, further criteria tell more: the GAN is ahead in IS."


def test_criteria_with_too_few_seeds_are_told_by_their_means() -> None:
    said = duel(LOW[:3], HIGH[:3]).others
    assert said == (
        "For the finalists, further criteria point the same way: by the means alone (too few "
        "seeds to test) the GAN is ahead in IS."
    )


@pytest.mark.parametrize(
    ("seconds", "span"),
    [
        ((25.0, 70.0), "25 to 70 seconds of training a run"),
        ((50.0, 50.4), "50 seconds of training a run"),
        ((50.0, 600.0), "50 seconds to 10 minutes of training a run"),
        ((7200.0, 36_000.0), "2.0 to 10 hours of training a run"),
    ],
)
def test_the_caveat_names_the_budgets(seconds: tuple[float, float], span: str) -> None:
    gan = runs("gan-one", LOW, scores={"train_seconds": seconds[0]})
    vae = runs("vae-one", HIGH, scores={"train_seconds": seconds[1]})
    assert span in of(gan, vae).caveat


def test_without_times_the_caveat_stays() -> None:
    assert duel(LOW, HIGH).caveat == "All of this holds at these budgets and sizes alone."


@pytest.mark.parametrize(("score", "side"), [("fid_judge", "GAN"), ("is_judge", "VAE")])
def test_sides_follow_the_better_direction_of_the_score(score: str, side: str) -> None:
    here, there = SIDES if side == "GAN" else reversed(SIDES)
    assert (SIDES[here], winner(difference(score, "gan", LOW, "vae", HIGH))) == (side, here)
    assert leader(difference(score, "gan", LOW, "vae", HIGH)) == here
    assert winner(difference(score, "gan", HIGH, "vae", LOW)) == there
    assert leader(difference(score, "gan", HIGH[:1], "vae", LOW[:1])) == there
    assert winner(difference(score, "gan", HIGH[:1], "vae", LOW[:1])) is None
    assert leader(difference(score, "gan", LOW, "vae", LOW)) is None


def test_pairs_of_equal_effort_are_named() -> None:
    records = [
        *runs("gan-one", LOW), *runs("vae-one", HIGH),
        *runs("gan-two", [20.0, 21.0]), *runs("vae-two", [10.0, 11.0]), *runs("vae-odd", [9.0]),
        *runs("gan-swept", [7.0]), *runs("vae-swept", [8.0]),
    ]  # fmt: skip
    found = compare(records, FINALISTS, ["vae-odd"])
    swept = ["gan-swept", "vae-swept"]
    assert answer(found, FINALISTS, Tuning([*FINALISTS, *swept], swept)).effort == (
        "Pairs of equal effort, by FID: not tuned, the VAE `vae-two` (10.50) is ahead of the GAN "
        "`gan-two` (20.50); swept, the GAN `gan-swept` (7.00) is ahead of the VAE `vae-swept` "
        "(8.00)."
    )
    one_sided = answer(found, FINALISTS, Tuning([*FINALISTS, *swept], ["gan-swept"])).effort
    assert "gan-two" in one_sided
    assert "swept" not in one_sided
    assert answer(found, FINALISTS).effort == ""
    assert answer(compare(records[:10], FINALISTS), FINALISTS, Tuning(FINALISTS)).effort == ""


def test_an_answer_of_unequal_effort_begins_with_the_effort() -> None:
    tuning = Tuning(FINALISTS, unequal="the GAN got a week", outside="A trial found more.")
    found = answer(compare([*runs("gan-one", LOW), *runs("vae-one", HIGH)], FINALISTS), FINALISTS,
                   tuning)  # fmt: skip
    assert found.headline == (
        "Not settled, for the effort was unequal (the GAN got a week). Between these two "
        "finalists: at these budgets, the GAN."
    )
    assert found.effort == "A trial found more."


def test_a_mark_says_whose_validation_split_it_was() -> None:
    here = Tuning(["gan-one", "vae-one"])
    assert here.mark == "parameters chosen by FID on the validation split"
    assert replace(here, tuned_on={"gan-one": "mnist"}).mark == (
        f"{here.mark} (those of `gan-one` on mnist's)"
    )


def with_precision(model: str, fids: list[float], precision: float) -> list[ScoreRecord]:
    scores = {"precision_judge": precision, "kid_judge": fids[0] / 100}
    return runs(model, fids, scores=scores)


def test_a_criterion_by_which_noise_is_better_than_a_finalist_is_named() -> None:
    remark = (
        "By precision the ceiling, pixels drawn by themselves, is better (0.850) than `vae-one`: "
        "here it does not tell images from noise."
    )
    gan, vae = with_precision("gan-one", LOW, 0.9), with_precision("vae-one", HIGH, 0.8)
    said = of(gan, vae, *with_precision("ceiling", [90.0], 0.85)).others
    assert said.endswith(remark)
    assert said.count("ceiling") == 1, "by KID and FID, where lower is better, it is not"
    assert "ceiling" not in of(gan, vae, *with_precision("ceiling", [90.0], 0.75)).others
    assert "ceiling" not in of(gan, vae).others
