"""The two baselines of every table: real training images (floor) and random pixels (ceiling)."""

import torch
from torch import Tensor

from ganvae.config import Params
from ganvae.core.errors import ConfigError
from ganvae.core.images import from_uint8, to_uint8
from ganvae.core.seeds import generator
from ganvae.evaluation.evaluator import Evaluator
from ganvae.evaluation.runs import make_evaluator
from ganvae.scores.records import ScoreRecord, complete_scores


def floor(train: Tensor, n: int, random: torch.Generator) -> Tensor:
    """Draw ``n`` different training images, which are scored like generated images.

    Args:
        train: uint8, N x C x H x W.

    Raises:
        ConfigError: there are fewer than ``n`` training images.
    """
    if n > len(train):
        raise ConfigError(
            f"evaluation.n_generated is {n}, but there are only {len(train)} training images. The "
            "floor scores n_generated different training images. Give a smaller number."
        )
    return train[torch.randperm(len(train), generator=random)[:n]]


def ceiling(train: Tensor, n: int, random: torch.Generator) -> Tensor:
    """Draw ``n`` uint8 images of independent Gaussian pixels.

    Each pixel has the mean and standard deviation of the pixel at its position in the training
    images. Pixels are drawn as floats, clamped to [0, 1], and converted to uint8.

    Args:
        train: uint8, N x C x H x W.
    """
    pixels = from_uint8(train)
    mean, deviation = pixels.mean(dim=0), pixels.std(dim=0)
    noise = torch.randn(n, *mean.shape, generator=random)
    return to_uint8((mean + deviation * noise).clamp(0, 1))


BASELINES = {"floor": floor, "ceiling": ceiling}


def evaluate_baselines(params: Params) -> list[tuple[ScoreRecord, Tensor]]:
    """Score both baselines once per baseline seed of the profile.

    Returns:
        Pairs of a record and the images that were scored, uint8, N x C x H x W.
    """
    evaluator = make_evaluator(params)
    seeds = params.baselines.seeds
    return [_baseline(evaluator, name, seed) for name in BASELINES for seed in seeds]


def _baseline(evaluator: Evaluator, name: str, seed: int) -> tuple[ScoreRecord, Tensor]:
    random = generator(evaluator.config.seed, name, seed)
    images = BASELINES[name](evaluator.train.images, evaluator.config.n_generated, random)
    measured = evaluator.measure_samples(images, seed)
    scores = complete_scores(measured.scores)
    fields = vars(measured) | {"status": "completed", "reason": None, "scores": scores}
    record = ScoreRecord(
        variant=name,
        family="reference",
        seed=seed,
        **fields,
        provenance=evaluator.provenance(training_seed=seed),
    )
    return record, images
