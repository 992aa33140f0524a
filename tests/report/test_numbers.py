"""Numbers as text: digits, signs, units and arrows."""

import pytest

from ganvae.report.numbers import duration, fixed, listed, p_value, significant
from ganvae.report.scores import (
    arrow,
    bracketed,
    estimated,
    heading,
    name,
    printed,
    seed_values,
    signed,
    title,
)
from ganvae.scores.catalogue import TABLED, better
from ganvae.scores.intervals import Estimate


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (5.1129, 3, "5.11"),
        (-13.18, 3, "−13.2"),
        (394.55, 3, "395"),
        (12_345.6, 3, "12,346"),
        (0.012345, 3, "0.0123"),
        (0.0, 3, "0.00"),
        (-0.00001, 1, "−0.00001"),
    ],
)
def test_numbers_have_the_wanted_significant_digits(value: float, digits: int, text: str) -> None:
    assert significant(value, digits) == text


def test_a_number_that_rounds_to_zero_has_no_sign() -> None:
    assert fixed(-0.004, 2) == "0.00"
    assert fixed(-0.006, 2) == "−0.01"
    assert printed("fid_judge", -0.004) == "0.00"
    assert printed("fid_judge", -0.006) == "−0.01"


def of(mean: float, low: float | None, high: float | None, n: int = 3) -> Estimate:
    return Estimate(mean, low, high, (mean,) * n)


def test_a_mean_and_its_interval_have_the_decimals_of_their_score() -> None:
    assert estimated("fid_judge", of(5.2345, 4.8812, 5.6991)) == ("5.23", "[4.88, 5.70]")
    assert estimated("inverted_mse", of(0.0121, 0.01168, 0.01252)) == (
        "0.0121",
        "[0.0117, 0.0125]",
    )
    assert estimated("parameters", of(12345.0, 12345.0, 12345.0)) == ("12,345", "")
    assert estimated("fid_judge", of(5.2345, None, None, 1)) == ("5.23", "")
    assert estimated("kid_inception", of(0.01234, -0.001, 0.02)) == ("12.34", "[−1.00, 20.00]")


def test_the_values_of_few_seeds_are_shown() -> None:
    assert seed_values("fid_judge", Estimate(5.0, 4.0, 6.0, (4.125, 6.0))) == "4.12, 6.00"
    assert seed_values("fid_judge", of(5.0, None, None, 1)) == ""
    assert seed_values("fid_judge", of(5.0, 4.0, 6.0, 6)) == ""


def test_differences_have_a_sign() -> None:
    assert signed("fid_judge", 1.5) == "+1.50"
    assert signed("fid_judge", -1.5) == "−1.50"
    assert signed("fid_judge", 0.004) == signed("fid_judge", -0.004) == "0.00"
    assert signed("fid_judge", 10.0) == "+10.00"
    assert signed("kid_inception", -0.0012) == "−1.20"
    assert bracketed(-6.023, 4.218, lambda value: signed("fid_judge", value)) == "[−6.02, +4.22]"
    assert bracketed(None, None, str) == ""


def test_p_values_have_two_significant_digits() -> None:
    assert p_value(0.00794) == "p = 0.0079"
    assert p_value(0.73) == "p = 0.73"
    assert p_value(0.0004) == "p < 0.001"
    assert p_value(None) == ""


def test_durations_have_a_fitting_unit() -> None:
    assert duration(55.4) == "55 seconds"
    assert duration(600) == "10 minutes"
    assert duration(9000) == "2.5 hours"


def test_names_are_joined_into_a_list() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_the_name_of_a_score_depends_on_its_place() -> None:
    assert heading("fid_judge_infinity") == "FID (judge), N → ∞ ↓"
    assert title("fid_judge_infinity") == "FID, N → ∞"
    assert heading("closer_to_train_pixels") == "closer to train (pixels)"
    assert title("kid_inception") == "KID (Inception) \N{MULTIPLICATION SIGN} 1000"
    assert name("kid_inception") == "KID (Inception)"


def test_arrows_point_in_the_better_direction() -> None:
    arrows = {score: arrow(score) for score in TABLED}
    assert arrows["fid_judge"] == "↓"
    assert arrows["is_judge"] == "↑"
    assert {score for score, direction in arrows.items() if direction} == {
        score for score in TABLED if better(score)
    }
