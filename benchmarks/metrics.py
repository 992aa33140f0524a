"""Time FID and precision/recall against their usual implementations, which give equal values.

python benchmarks/metrics.py [--repeats 5]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from ganvae.config import ComputeConfig
from ganvae.core import compute
from ganvae.metrics.fid import fid
from ganvae.metrics.prdc import prdc
from results import report, table

K = 5
Score = Callable[[], tuple[float, ...]]


class Precomputed(nn.Module):
    """A stand-in for torchmetrics' feature extractor; it returns features unchanged."""

    num_features = 2048

    def forward(self, features: Tensor) -> Tensor:
        return features


def torchmetrics_fid(real: Tensor, generated: Tensor) -> tuple[float, ...]:
    metric = FrechetInceptionDistance(feature=Precomputed())
    metric.set_dtype(torch.float64)
    metric.update(real.double(), real=True)
    metric.update(generated.double(), real=False)
    return (float(metric.compute()),)


def full_matrix_prdc(real: Tensor, generated: Tensor) -> tuple[float, ...]:
    """Precision, recall, density and coverage from full distance matrices, as in the papers."""
    real_radii = torch.cdist(real, real).kthvalue(K + 1, dim=1).values
    generated_radii = torch.cdist(generated, generated).kthvalue(K + 1, dim=1).values
    between = torch.cdist(real, generated)
    in_real_ball = between < real_radii[:, None]
    return (
        in_real_ball.any(dim=0).float().mean().item(),
        (between < generated_radii).any(dim=1).float().mean().item(),
        in_real_ball.float().sum(dim=0).mean().item() / K,
        (between.min(dim=1).values < real_radii).float().mean().item(),
    )


def features(d: int, *, shift: float, scale: float, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(10_000, d, generator=random) * scale + shift


def seconds(score: Score) -> tuple[tuple[float, ...], float]:
    start = time.perf_counter()
    value = score()
    return value, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    wide = [features(2048, shift=s, scale=c, seed=k) for k, s, c in ((0, 0, 1), (1, 0.1, 1.1))]
    narrow = [features(128, shift=s, scale=c, seed=k) for k, s, c in ((2, 0, 1), (3, 0.1, 0.9))]
    cases: list[tuple[str, str, float, Score, Score]] = [
        (
            "precision, recall, density, coverage; 10,000 x 128 features",
            "full distance matrices",
            5,
            lambda: full_matrix_prdc(*narrow),
            lambda: prdc(real=narrow[0], generated=narrow[1], k=K),
        ),
        (
            "FID; 10,000 x 2,048 features",
            "torchmetrics",
            3.5,
            lambda: torchmetrics_fid(*wide),
            lambda: (fid(real=wide[0], generated=wide[1]),),
        ),
    ]
    rows = []
    for name, baseline, aim, theirs, ours in cases:
        times: list[tuple[float, float]] = []
        for _ in range(repeats):
            torch.backends.mkldnn.matmul.fp32_precision = "none"  # type: ignore[attr-defined]
            expected, slow = seconds(theirs)
            compute.use(ComputeConfig(device="cpu", threads=None, precision="auto"))
            value, fast = seconds(ours)
            assert np.allclose(value, expected, rtol=1e-4, atol=0), (value, expected)
            times.append((slow, fast))
        slow, fast = (statistics.median(column) for column in zip(*times, strict=True))
        ratio = statistics.median(a / b for a, b in times)
        rows.append((name, baseline, str(aim), f"{slow:.2f}", f"{fast:.2f}", f"{ratio:.1f}"))
    header = ("score", "baseline", "target speed-up", "baseline, s", "ours, s", "speed-up")
    note = (
        f"Medians of {repeats} repeats on all threads. Both implementations give the same values."
    )
    report(__file__, f"{table(header, rows)}\n\n{note}")


if __name__ == "__main__":
    main()
