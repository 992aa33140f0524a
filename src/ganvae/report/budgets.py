"""The training times of the finalists, and whether they are equal."""

from ganvae.report.numbers import fixed
from ganvae.scores.comparison import Row

TOLERANCE = 1.1
"""Training times whose ratio is above this value are called unequal."""


def times(gan: Row | None, vae: Row | None) -> tuple[float, float] | None:
    """The mean training times of a GAN and a VAE in seconds. None if a time was not measured."""
    found = [row.scores["train_seconds"].mean for row in (gan, vae) if row and _timed(row)]
    return (found[0], found[1]) if len(found) == 2 else None


def unequal(seconds: tuple[float, float] | None) -> bool:
    """Whether two training times differ by more than 10 %."""
    return seconds is not None and max(seconds) > TOLERANCE * min(seconds)


def prefix(seconds: tuple[float, float] | None) -> str:
    """The beginning of a sentence: ``At these training budgets (47 and 46 seconds per run)``."""
    if seconds is None:
        return "At these training budgets"
    gan, vae = (f"{each:,.0f}" for each in seconds)
    words = "With unequal training budgets" if unequal(seconds) else "At these training budgets"
    return f"{words} ({gan} and {vae} seconds per run)"


def inequality(seconds: tuple[float, float] | None) -> str:
    """A sentence that says how unequal two training times are; "" if they are equal or unknown."""
    if seconds is None or not unequal(seconds):
        return ""
    gan, vae = seconds
    longer, shorter = ("GAN", "VAE") if gan > vae else ("VAE", "GAN")
    factor = fixed(max(seconds) / max(min(seconds), 1e-9), 2)
    return (
        f"The training budgets were not equal: the {longer} trained {factor} times as long as the "
        f"{shorter}."
    )


def _timed(row: Row) -> bool:
    return "train_seconds" in row.scores
