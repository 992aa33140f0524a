"""Time scores against their usual implementations, which give equal values.

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
from ganvae.metrics import likelihood
from ganvae.metrics.fid import fid
from ganvae.metrics.prdc import prdc
from ganvae.models.registry import build_model, system_config
from ganvae.models.vae import AutoencodingModel
from results import report, table

K = 5
LATENTS = 5_000  # per image, as in profiles/likelihood
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


def bound(model: AutoencodingModel, images: Tensor, latents_a_pass: int) -> tuple[float, ...]:
    """Bound log p(x) on one thread, as a run does, with so many latents decoded at a time."""
    threads, usual = torch.get_num_threads(), likelihood.LATENTS_A_PASS
    compute.use(ComputeConfig(device="cpu", threads=1, precision="auto"))
    likelihood.LATENTS_A_PASS = latents_a_pass
    try:
        random = torch.Generator().manual_seed(0)
        bounds = likelihood.importance_weighted_bound(model, images, k=LATENTS, random=random)
    finally:
        likelihood.LATENTS_A_PASS = usual
        torch.set_num_threads(threads)
    return tuple(bounds.tolist())


def convolutional_vae() -> AutoencodingModel:
    """An untrained `conv-vae` with cross-entropy, as in profiles/likelihood."""
    config = system_config("conv-vae", {"likelihood": "bernoulli"})
    model = build_model("conv-vae", config, (1, 28, 28), 0)
    assert isinstance(model, AutoencodingModel)
    return model


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
    vae = convolutional_vae()
    binary = torch.randint(0, 2, (2, 1, 28, 28), generator=torch.Generator().manual_seed(0)).float()
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
        (
            f"bound of log p(x), conv-vae; 2 images x {LATENTS:,} latents",
            "all latents in one pass",
            2,
            lambda: bound(vae, binary, LATENTS),
            lambda: bound(vae, binary, likelihood.LATENTS_A_PASS),
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
        f"Medians of {repeats} repeats on all threads, for log p(x) on one. "
        "Both implementations give the same values."
    )
    report(__file__, f"{table(header, rows)}\n\n{note}")


if __name__ == "__main__":
    main()
