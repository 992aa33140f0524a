"""The table of the systems after a short training and at their own budgets, and its sentences."""

from collections.abc import Sequence

from ganvae.report.own_budgets import Trained, budgets_markdown, in_both, owed
from ganvae.scores.comparison import Row, compare
from toy_report import record, runs

LOW, MIDDLE, HIGH = [5.0, 5.1, 5.2], [7.0, 7.1, 7.2], [10.0, 10.1, 10.2]
NAMES = ("gan-one", "gan-two", "vae-one")


def rows(*fids: Sequence[float | None]) -> list[Row]:
    """The leaderboard of NAMES with these FIDs, and of a tuned variant."""
    records = [
        each for name, column in zip(NAMES, fids, strict=True) for each in runs(name, column)
    ]
    return compare([*records, record("gan-tuned", 0, 1.0)], None).rows


def systems(short: list[Row], own: list[Row]) -> list[Trained]:
    return in_both(short, own, NAMES)


def test_a_line_has_both_places_and_the_ratio_of_the_fids() -> None:
    found = systems(rows(LOW, MIDDLE, HIGH), rows(HIGH, MIDDLE, LOW))
    _, _, first, second, third = budgets_markdown(found)
    assert first.startswith("| `vae-one` | vae | 3 | 10.10 [9.85, 10.35] |  | 1 | 5.10 [")
    assert first.endswith("| 0.505 [0.485, 0.526] |")
    assert second.startswith("| `gan-two` | gan | 2 |")
    assert second.endswith("| 1.00 [0.969, 1.03] |")
    assert third.startswith("| `gan-one` | gan | 1 |")


def test_systems_without_an_fid_in_both_profiles_and_tuned_variants_are_left_out() -> None:
    found = systems(rows(LOW, [None], HIGH), rows(LOW, MIDDLE, HIGH))
    assert [system.name for system in found] == ["`gan-one`", "`vae-one`"]


def test_a_sentence_names_the_pairs_that_clearly_change_their_order() -> None:
    found = systems(rows(LOW, MIDDLE, HIGH), rows(MIDDLE, LOW, HIGH))
    assert "3 systems, so 3 pairs" in owed(found)
    assert owed(found).endswith(
        "Pairs with a clear order at both budgets: 3. Pairs among them whose order changes with "
        "the budget: 1 (`gan-two` overtakes `gan-one`)."
    )


def test_a_pair_with_an_interval_around_1_or_a_single_seed_is_not_clear() -> None:
    wide = [4.0, 5.1, 30.0]
    assert "both budgets: 1." in owed(systems(rows(LOW, MIDDLE, wide), rows(MIDDLE, LOW, HIGH)))
    single = owed(systems(rows(LOW, [7.0], HIGH), rows(LOW, MIDDLE, HIGH)))
    assert single.endswith("budgets: 1. Pairs among them whose order changes with the budget: 0.")
