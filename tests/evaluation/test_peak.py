"""The search of a peak on a grid finds the peak with few evaluations."""

import math

import pytest
import torch

from ganvae.evaluation.peak import climb, most_tried


@pytest.mark.parametrize("places", range(1, 40))
def test_the_peak_is_found_wherever_it_is(places: int) -> None:
    for peak in range(places):
        tried = climb(lambda place, peak=peak: -(abs(place - peak) ** 1.5), places)  # type: ignore[misc]
        assert max(tried, key=lambda place: tried[place]) == peak
        assert {peak - 1, peak, peak + 1} & {*range(places)} <= {*tried}
        assert len(tried) <= most_tried(places)


def test_seven_of_fourteen_places_are_tried() -> None:
    assert most_tried(14) == 7
    assert [*climb(lambda place: place, 14)] == [7, 3, 11, 9, 13, 12]


def test_no_place_is_tried_twice_and_the_largest_value_has_no_larger_neighbour() -> None:
    """This also holds for functions with many peaks."""
    for seed in range(50):
        values = torch.rand(14, generator=torch.Generator().manual_seed(seed)).tolist()
        calls: list[int] = []

        def value(place: int, calls: list[int] = calls, values: list[float] = values) -> float:
            calls.append(place)
            return values[place]

        tried = climb(value, 14)
        best = max(tried, key=lambda place: tried[place])
        assert len({*calls}) == len(calls) == len(tried) <= most_tried(14)
        assert {best - 1, best + 1} & {*range(14)} <= {*tried}


def test_values_that_are_not_finite_are_the_smallest() -> None:
    values = [math.nan, 1.0, 2.0, math.inf, -math.inf]
    tried = climb(lambda place: values[place], 5)
    assert tried[2] == max(value for value in tried.values() if math.isfinite(value))
    assert len(climb(lambda place: math.nan, 14)) == most_tried(14)
