"""The page's section on the two judges: how far their orders of the variants agree."""

from collections.abc import Sequence
from typing import Any

from ganvae.report.numbers import fixed
from ganvae.scores.agreement import agreement
from ganvae.scores.comparison import Row


def judges_section(rows: Sequence[Row]) -> dict[str, Any] | None:
    """The contents of the section as text. None if too few variants have FIDs of both judges."""
    found = agreement(rows)
    if found is None:
        return None
    return {
        "variants": found.variants,
        "tau": fixed(found.tau, 2),
        "rho": fixed(found.rho, 2),
        "ranks": list(zip(found.variants, found.first, found.second, strict=True)),
    }
