"""Measure the scores that need only images, not the model that generated the images."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ganvae.config import MIN_IMAGES_A_SPLIT, EvaluationConfig
from ganvae.core.seeds import derive, generator
from ganvae.evaluation.divergence import centres_of, divergence
from ganvae.evaluation.neighbours import K, neighbour_scores
from ganvae.evaluation.reference import Reference
from ganvae.evaluation.yardstick import Yardstick
from ganvae.judge.kinds import JudgeKind
from ganvae.metrics.classes import PRESENT, class_counts, class_distance, classes_present
from ganvae.metrics.distances import nearest, pixels
from ganvae.metrics.fid import FidTo, fid
from ganvae.metrics.inception_score import inception_score
from ganvae.metrics.kid import kid
from ganvae.metrics.memorisation import closer_to_train
from ganvae.metrics.modes import kl_from_even, modes_covered
from ganvae.metrics.noise import evaluation_noise, fid_curve, fid_infinity
from ganvae.metrics.vendi import vendi_score
from ganvae.scores.catalogue import SCORES
from ganvae.scores.records import Noise

Scores = dict[str, float | None]


@dataclass(frozen=True)
class Measured:
    """The measurements of a set of samples. `ScoreRecord` has fields of the same names.

    A score is absent from ``scores`` if there are too few samples, or if this kind of judge cannot
    measure the score. ``class_counts`` is None unless the judge classifies. ``status`` is
    ``collapsed`` if nearly all samples are of one class. Collapsed samples keep their scores.
    """

    scores: Scores
    noise: dict[str, Noise]
    class_counts: list[int] | None
    samples_sha256: str
    fid_curve: list[tuple[int, float]]
    flags: list[str]
    status: Literal["completed", "collapsed"]
    reason: str | None


@dataclass(frozen=True)
class _Samples:
    """The judge's features and logits of samples, the training seed, and the yardstick."""

    features: Tensor
    logits: Tensor
    seed: int
    yardstick: Yardstick

    @property
    def reference(self) -> Reference:
        return self.yardstick.reference

    @property
    def config(self) -> EvaluationConfig:
        return self.yardstick.config

    def seed_for(self, purpose: str) -> int:
        return derive(self.config.seed, purpose, self.seed)


def measure(images: Tensor, training_seed: int, yardstick: Yardstick) -> Measured:
    """Measure all scores of uint8 images, N x C x H x W.

    The images are sorted first, so the order of ``images`` does not change the scores.

    Args:
        training_seed: the training seed of the images' model, from which random draws derive.
        yardstick: the judge, the reference and the settings.
    """
    images = in_order(images)
    judge, config, inception = yardstick.judge, yardstick.config, yardstick.inception
    features, logits = judge(images, config.batch_size)
    samples = _Samples(features, logits, training_seed, yardstick)
    counts = class_counts(logits)
    scores = _spread(judge.kind, counts) | _memorisation(images, samples)
    scores["vendi_judge"] = vendi_score(features)
    noise: dict[str, Noise] = {}
    curve: list[tuple[int, float]] = []
    flags = list(_shortages(len(images), features.shape[1], yardstick))
    if inception:
        flags += _inception_shortage(len(images), samples.reference.inception)
    if len(images) > features.shape[1]:
        curve = _frechet(samples, scores, noise)
    if judge.kind in SCORES["is_judge"].judges and len(images) >= _least_for_inception_score(
        config
    ):
        _inception_score(samples, scores, noise)
    if len(images) > K:
        _neighbours(samples, scores, noise)
    _divergence(samples, scores)
    if yardstick.unlabelled:
        second = yardstick.unlabelled(images, config.batch_size)
        flags += _second_judge(second, samples.reference.unlabelled, scores)
    if inception:
        scores |= _in_inception_features(inception(images, config.batch_size), samples)
    digest = hashlib.sha256(images.contiguous().numpy().tobytes()).hexdigest()
    collapse = _collapse(counts)
    return Measured(
        scores=scores,
        noise=noise,
        class_counts=counts if judge.kind == "classes" else None,
        samples_sha256=digest,
        fid_curve=curve,
        flags=flags,
        status="collapsed" if collapse else "completed",
        reason=collapse,
    )


def in_order(images: Tensor) -> Tensor:
    """Sort uint8 images by their pixels, so that equal sets of images give equal tensors."""
    rows = np.ascontiguousarray(images.flatten(start_dim=1).numpy())
    order = rows.view(np.dtype((np.void, rows.shape[1]))).ravel().argsort(kind="stable")
    return images[torch.from_numpy(order)]


def _spread(kind: JudgeKind, counts: Sequence[int]) -> Scores:
    """Measure how evenly the samples spread over the judge's classes or modes.

    For a judge of identities the result is empty. Generated faces need not spread evenly over the
    people that the judge was trained on.
    """
    if kind == "classes":
        return {
            "class_distance_judge": class_distance(counts),
            "classes_judge": float(classes_present(counts)),
        }
    if kind == "channels":
        return {
            "modes_judge": float(modes_covered(counts)),
            "mode_kl_judge": kl_from_even(counts),
        }
    return {}


def _collapse(counts: Sequence[int]) -> str | None:
    """Return a text if nearly all samples are of one class (a collapse), else None."""
    if classes_present(counts) != 1:
        return None
    most, share = np.argmax(counts), 100 / (PRESENT * len(counts))
    return f"only class {most} has more than {share:.2g} % of the samples"


def _least_for_inception_score(config: EvaluationConfig) -> int:
    return MIN_IMAGES_A_SPLIT * config.inception_score_splits


def _shortages(n: int, d: int, yardstick: Yardstick) -> Iterator[str]:
    """Yield a flag for each problem with the number ``n`` of samples, with ``d`` features each.

    One flag says that the record is not ranked. The other flags name scores that need more samples.
    """
    kind, config = yardstick.judge.kind, yardstick.config
    if n != config.n_generated:
        yield (
            f"{n:,} samples were scored, but the protocol needs {config.n_generated:,}, "
            "so the record is not ranked"
        )
    if n <= d:
        yield f"FID with {d} features needs more than {d} samples"
    least = _least_for_inception_score(config)
    if kind in SCORES["is_judge"].judges and n < least:
        yield f"the Inception Score needs at least {least} samples"
    if n <= K:
        yield f"KID, precision, recall, density and coverage need more than {K} samples"
    centres = centres_of(yardstick.train.features, config)
    if yardstick.reference.fld_baseline is not None and n < centres:
        yield f"FLD needs at least {centres} samples"


def _inception_shortage(n: int, real: Tensor) -> Iterator[str]:
    """Yield a flag if ``n`` samples or the real images, N x d, are too few for their FID."""
    least = real.shape[1]
    if min(n, len(real)) <= least:
        yield (
            f"FID over {least:,} Inception features needs more than {least:,} samples, and as "
            "many real images"
        )


def _frechet(samples: _Samples, scores: Scores, noise: dict[str, Noise]) -> list[tuple[int, float]]:
    """Add FID and the extrapolated FID to ``scores``, and the noise of FID to ``noise``.

    Returns:
        Pairs of a number of samples and the FID of that number of samples.
    """
    # Convert to double precision once here, not in every resample.
    to_real, generated = FidTo(samples.reference.features), samples.features.double()
    score = to_real(generated)
    noise["fid_judge"] = _noise(samples, lambda index: to_real(generated[index]), score)
    curve = fid_curve(to_real, generated, seed=samples.seed_for("fid curve"))
    scores |= {"fid_judge": score, "fid_judge_infinity": fid_infinity(curve)}
    return curve


def _inception_score(samples: _Samples, scores: Scores, noise: dict[str, Noise]) -> None:
    splits, seed = samples.config.inception_score_splits, samples.seed_for("inception score")
    mean, deviation = inception_score(samples.logits, splits=splits, seed=seed)
    scores |= {"is_judge": mean, "is_judge_std": deviation}
    noise["is_judge"] = _noise(
        samples,
        lambda index: inception_score(samples.logits[index], splits=splits, seed=seed)[0],
        mean,
    )


def _noise(samples: _Samples, statistic: Callable[[np.ndarray], float], score: float) -> Noise:
    noise = evaluation_noise(
        statistic,
        len(samples.features),
        point=score,
        resamples=samples.config.bootstrap_resamples,
        seed=samples.seed_for("bootstrap"),
    )
    return Noise(**noise._asdict())


def _neighbours(samples: _Samples, scores: Scores, noise: dict[str, Noise]) -> None:
    real, generated = samples.reference.features, samples.features
    mean, deviation = kid(real=real, generated=generated, seed=samples.seed_for("kid"))
    scores |= {"kid_judge": mean, "kid_judge_std": deviation}
    shares, noises = neighbour_scores(
        real=real,
        generated=generated,
        halves=samples.config.half_samples,
        seed=samples.seed_for("halves"),
    )
    scores |= shares
    noise |= noises


def _divergence(samples: _Samples, scores: Scores) -> None:
    """Add FLD and its gap to ``scores``, unless there are too few samples or no baseline."""
    reference, config, train = samples.reference, samples.config, samples.yardstick.train
    centres = centres_of(train.features, config)
    if reference.fld_baseline is None or len(samples.features) < centres:
        return
    random = generator(config.seed, "samples of FLD", samples.seed)
    drawn = samples.features[torch.randperm(len(samples.features), generator=random)[:centres]]
    measured = divergence(drawn, train.features, reference.features, reference.fld_baseline, config)
    scores |= {"fld_judge": measured.fld, "fld_gap_judge": measured.gap}


def _memorisation(images: Tensor, samples: _Samples) -> Scores:
    """Measure the ``closer_to_train_*`` scores of a random part of the samples.

    The result is empty if the reference is the training split.
    """
    reference, train = samples.reference, samples.yardstick.train
    if reference.split == "train":
        return {}
    random = generator(samples.config.seed, "memorisation", samples.seed)
    drawn = torch.randperm(len(images), generator=random)[: samples.config.memorisation_samples]
    _, in_features = nearest(samples.features[drawn], train.features)
    _, in_pixels = nearest(pixels(images[drawn]), pixels(train.images))
    return {
        "closer_to_train_judge": closer_to_train(
            generated=in_features, held_out=reference.to_train_judge
        ),
        "closer_to_train_pixels": closer_to_train(
            generated=in_pixels, held_out=reference.to_train_pixels
        ),
    }


def _second_judge(features: Tensor, real: Tensor, scores: Scores) -> Iterator[str]:
    """Add FID in the second judge's features to ``scores``, or yield a flag on too few samples."""
    n, d = features.shape
    if n > d:
        scores["fid_unlabelled"] = fid(real=real, generated=features)
    else:
        yield f"FID of the second judge, with {d} features, needs more than {d} samples"


def _in_inception_features(features: Tensor, samples: _Samples) -> Scores:
    real = samples.reference.inception
    n, d = features.shape
    scores: Scores = {"fid_inception": None, "kid_inception": None}
    if min(n, len(real)) > d:
        scores["fid_inception"] = fid(real=real, generated=features)
    if n > K:
        seed = samples.seed_for("kid inception")
        scores["kid_inception"], _ = kid(real=real, generated=features, seed=seed)
    return scores
