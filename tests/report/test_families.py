"""The families are shown side by side, and never tested."""

from ganvae.report.families import about_families, side_by_side
from ganvae.scores.comparison import compare
from toy_report import runs

RECORDS = [
    *runs("gan-two", [20.0]),
    *runs("gan-one", [5.0]),
    *runs("gan-lost", [None]),
    *runs("vae-one", [9.0]),
    *runs("vae-flat", [90.0]),
    *runs("mix-one", [1.0]),
    *runs("floor", [0.1]),
]


def test_variants_of_both_families_are_side_by_side_the_best_first() -> None:
    assert side_by_side(compare(RECORDS, None)) == [
        (("gan-one", "5.00"), ("vae-one", "9.00")),
        (("gan-two", "20.00"), ("vae-flat", "90.00")),
    ]


def test_variants_set_aside_are_named_and_not_shown() -> None:
    comparison = compare(RECORDS, None, ("vae-flat", "vae-absent"))
    assert side_by_side(comparison) == [
        (("gan-one", "5.00"), ("vae-one", "9.00")),
        (("gan-two", "20.00"), ("", "")),
    ]
    assert about_families(comparison).endswith("a likelihood are not shown: `vae-flat`.")
    assert "not shown" not in about_families(compare(RECORDS, None))
