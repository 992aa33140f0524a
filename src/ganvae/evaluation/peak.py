"""Search the peak of a function on an ordered grid, with few evaluations."""

import math
from collections.abc import Callable


def climb(value: Callable[[int], float], places: int) -> dict[int, float]:
    """Search the largest value of a function with a single peak.

    The search starts in the middle of the grid, with a wide step. It moves while a place one step
    away has a larger value, and then halves the step. So the two neighbours of the found peak are
    always tried. If the function has several peaks, the search finds one of them.

    Args:
        value: the function, of places from 0 to ``places`` - 1. Values that are not finite count
            as the smallest.
        places: the number of places of the grid, at least 1.

    Returns:
        A mapping from each place that was tried, at most `most_tried`, to its value. The largest
        value is the found peak.
    """
    tried: dict[int, float] = {}

    def height(place: int) -> float:
        if place not in tried:
            tried[place] = value(place)
        return tried[place] if math.isfinite(tried[place]) else -math.inf

    best, step = places // 2, max(1, 2 ** _halvings(places) // 2)
    while step:
        near = [place for place in (best - step, best + step) if 0 <= place < places]
        top = max([best, *near], key=height)
        best, step = top, step // 2 if top == best else step
    return tried


def most_tried(places: int) -> int:
    """Return the largest number of places that `climb` tries: two per step size, and the middle."""
    return min(places, 1 + 2 * _halvings(places))


def _halvings(places: int) -> int:
    """The number of step sizes, of which all steps together reach from the middle to an end."""
    return (places // 2).bit_length()
