"""The training times of the finalists, and whether they are equal."""

from ganvae.report.numbers import duration, fixed
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


def budget(seconds: tuple[float, float]) -> str:
    """Sentences with the training times of a GAN and a VAE, and whether they are unequal."""
    gan, vae = seconds
    sentence = f"A run trains for {_length(gan)} (GAN) or {_length(vae)} (VAE)."
    if not unequal(seconds):
        return sentence
    longer = "GAN" if gan > vae else "VAE"
    factor = fixed(max(seconds) / min(seconds), 1) if min(seconds) else "many"
    return (
        f"{sentence} So the training budgets were not equal: the {longer} trained {factor} times "
        "as long."
    )


def _timed(row: Row) -> bool:
    return "train_seconds" in row.scores


def _length(seconds: float) -> str:
    """A training time in seconds, and for long times also in minutes or hours."""
    text = duration(seconds)
    return text if text.endswith("seconds") else f"{seconds:,.0f} seconds ({text})"
