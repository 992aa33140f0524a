"""Precision, recall, density and coverage of samples, and the noise of these scores."""

from torch import Tensor

from ganvae.metrics.noise import half_sample_noise, noise_of_mean
from ganvae.metrics.prdc import neighbourhoods
from ganvae.scores.catalogue import SCORES
from ganvae.scores.records import Noise

K = 5  # neighbours of precision, recall, density and coverage


def neighbour_scores(
    *, real: Tensor, generated: Tensor, halves: int, seed: int
) -> tuple[dict[str, float | None], dict[str, Noise]]:
    """Measure the four scores and their noise from the draw of the samples.

    Precision and density are means over samples, so their noise follows from the spread over the
    samples. Recall and coverage depend on all samples at once, so random halves are scored.

    Args:
        real, generated: the judge's features, N x d and M x d, each with more than `K` rows.
        halves: the number of random halves.
        seed: the seed of the halves.
    """
    found = neighbourhoods(real=real, generated=generated, k=K)
    scores = found.scores
    recall, coverage = half_sample_noise(
        found.of_half,
        len(generated),
        points=(scores.recall, scores.coverage),
        halves=halves,
        seed=seed,
    )
    noises = {
        "precision_judge": noise_of_mean((found.balls > 0).double()),
        "recall_judge": recall,
        "density_judge": noise_of_mean(found.balls / K),
        "coverage_judge": coverage,
    }
    return (
        {f"{name}_judge": score for name, score in scores._asdict().items()},
        {name: _within_range(name, *noise) for name, noise in noises.items()},
    )


def _within_range(name: str, error: float, low: float, high: float) -> Noise:
    """Cut an interval off at the least and the largest possible value of its score.

    An interval that lies beyond one of these values, as that of a recall near 0 can, becomes this
    value.
    """
    least, most = SCORES[name].range
    low, high = (min(max(end, least), most) for end in (low, high))
    return Noise(standard_error=error, low=low, high=high)
