"""Measure training speed against baselines, and as a share of the processor's peak.

Each case trains the same networks from the same weights, with the same batch size and kind of
optimizer. One process alternates between the baseline, our fp32 and our bf16. Ratios are medians.

    python benchmarks/training.py [--repeats 5] [--seconds 1.0] [CASE ...]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from ganvae.config import ComputeConfig
from ganvae.core import compute
from ganvae.core.errors import exit_with_message
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import read_split
from ganvae.models.base import GenerativeModel
from ganvae.models.optimizers import KerasRMSprop
from ganvae.models.registry import build_model, system_config
from loops import Step, gan_step, in_memory, loaded, ours, vae_gan_step, vae_step
from plain import plain
from results import report, table


@dataclass(frozen=True)
class Case:
    """A system, its baseline, and the target speed-ups over the baseline in bf16 and fp32."""

    model: str
    settings: Mapping[str, Any]
    side: int
    baseline: str
    goals: tuple[float, float] | None
    threads: int | None = 1  # like the laptop profile; None for all cores
    batches: Callable[[Tensor, int], Iterator[Tensor]] = loaded


DATALOADER = "loop over a DataLoader"
MEMORY = "fp32 trainer in memory"
CASES = {
    "keras-dcgan": Case("keras-dcgan", {}, 28, DATALOADER, (4.5, 2.2), threads=None),
    "vanilla-gan": Case("vanilla-gan", {"batch_size": 64}, 28, DATALOADER, (4, 2)),
    "dcgan-32": Case("dcgan", {"batch_size": 64}, 32, DATALOADER, (4, 2)),
    "balanced-gan": Case("balanced-gan", {"balance": {"ratio": None}}, 28, DATALOADER, None),
    "bernoulli-vae": Case("bernoulli-vae", {"hidden": [400]}, 28, DATALOADER, (4, 2)),
    "conv-vae": Case("conv-vae", {}, 28, MEMORY, (1.6, 1.2), batches=in_memory),
    "vae-gan": Case("vae-gan", {}, 28, f"{MEMORY}, three passes", (2.5, 1.5), batches=in_memory),
}


def naive(model: GenerativeModel, images: Tensor, case: Case) -> Step:
    """The baseline's training step, with the model's networks in torch's own layers."""
    real = case.batches(images, model.real_images_per_step)
    example = torch.rand(2, *model.image_shape)
    latents = model.sample_prior(2, torch.Generator())

    def optimizer(name: str, network: nn.Module) -> Optimizer:
        group = model.optimizers()[name].param_groups[0]
        if "decay" in group:
            return KerasRMSprop(network.parameters(), group["lr"], group["decay"])
        return Adam(network.parameters(), group["lr"], group["betas"])

    networks = {
        name: plain(network, latents if name in ("generator", "decoder") else example)
        for name, network in model.named_children()
        if isinstance(network, nn.Sequential)
    }
    if "decoder" in networks:
        encoder, decoder = networks["encoder"], networks["decoder"]
        both = optimizer("vae", nn.ModuleList([encoder, decoder]))
        return vae_step(encoder, decoder, both, real, case.model == "conv-vae")
    optimizers = {name: optimizer(name, network) for name, network in networks.items()}
    if "encoder" in networks:
        return vae_gan_step(networks, optimizers, real, latents.shape[1])
    return gan_step(
        networks["generator"],
        networks["discriminator"],
        optimizers,
        real,
        lambda n: model.sample_prior(n, torch.default_generator),
        model.config.batch_size,  # type: ignore[union-attr]
        signed=case.model == "dcgan",
        fresh=case.model == "keras-dcgan",
    )


def steps_per_second(step: Step, seconds: float) -> float:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        count += 1
    return count / (time.perf_counter() - start)


def measure(case: Case, images: Tensor, repeats: int, seconds: float) -> dict[str, Any]:
    def model() -> GenerativeModel:
        config = system_config(case.model, case.settings)
        return build_model(case.model, config, (1, case.side, case.side), 0)

    steps = {
        "baseline": naive(model(), images, case),
        "fp32": ours(model(), images, "fp32"),
        "bf16": ours(model(), images, "bf16"),
    }
    with FlopCounterMode(display=False) as flops:
        steps["fp32"]()
    for step in steps.values():
        step()
        step()
    rounds = [
        {name: run(name, step, seconds) for name, step in steps.items()} for _ in range(repeats)
    ]
    ratios = {
        name: sorted(each[name] / each["baseline"] for each in rounds) for name in ("fp32", "bf16")
    }
    speed = {name: statistics.median(each[name] for each in rounds) for name in steps}
    return {"ratios": ratios, "speed": speed, "gigaflop": flops.get_total_flops() / 1e9}


def run(name: str, step: Step, seconds: float) -> float:
    """Measure the baseline with torch's own settings, or ours with the package's settings."""
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    if name == "baseline":
        matmul.fp32_precision = "none"
    else:
        compute.use(ComputeConfig(device="cpu", threads=torch.get_num_threads(), precision="auto"))
    return steps_per_second(step, seconds)


def measured_peaks(threads: int) -> dict[str, float]:
    """The speed of a large matrix product in each precision, in GFLOP/s, the best of ten."""
    torch.set_num_threads(threads)
    compute.use(ComputeConfig(device="cpu", threads=threads, precision="auto"))

    def peak(dtype: torch.dtype) -> float:
        a, b = (torch.randn(2048, 2048).to(dtype) for _ in range(2))
        return max(2 * 2048**3 / 1e9 * steps_per_second(lambda: a @ b, 0.2) for _ in range(10))

    return {"fp32": peak(torch.float32), "bf16": peak(torch.bfloat16)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=f"one or more of: {', '.join(CASES)}"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds per measurement")
    arguments = parser.parse_args()
    unknown = set(arguments.cases) - set(CASES)
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; choose from: {', '.join(CASES)}")
    images = read_split(ProfilePaths("laptop").split("train")).images
    cores = torch.get_num_threads()
    peaks = {threads: measured_peaks(threads) for threads in {1, cores}}
    rows = []
    for name in tqdm(arguments.cases or CASES, leave=False):
        case = CASES[name]
        threads = case.threads or cores
        torch.set_num_threads(threads)
        padded = F.pad(images, ((case.side - 28) // 2,) * 4)
        measured = measure(case, padded, arguments.repeats, arguments.seconds)
        rows.append(row(name, case, measured, threads, peaks[threads]))
    peak = "; ".join(
        f"{speed['bf16']:.0f} GFLOP/s in bf16 and {speed['fp32']:.0f} in fp32 with {threads} "
        "thread(s)"
        for threads, speed in peaks.items()
    )
    report(
        __file__,
        f"{table(HEADER, rows)}\n\n"
        "Speed-ups compare our steps per second with the baseline's. They are medians of "
        f"{arguments.repeats} repeats (lowest to highest). The share of the peak compares a step's "
        "operations per second with the best 2048 x 2048 matrix product on this machine: "
        f"{peak}. Systems have their defaults, except for: batch size 64 in vanilla-gan and "
        "dcgan-32, 32 x 32 pixels in dcgan-32, and one hidden layer of 400 in bernoulli-vae.",
    )


HEADER = (
    "case", "threads", "baseline", "bf16 speed-up", "fp32 speed-up", "target (bf16 / fp32)",
    "bf16 steps/s", "GFLOP per step", "bf16, share of peak", "fp32, share of peak",
)  # fmt: skip


def row(
    name: str, case: Case, measured: dict[str, Any], threads: int, peak: dict[str, float]
) -> tuple[str, ...]:
    def ratio(precision: str) -> str:
        values = measured["ratios"][precision]
        return f"{statistics.median(values):.2f} ({values[0]:.2f} to {values[-1]:.2f})"

    def share(precision: str) -> str:
        speed = measured["gigaflop"] * measured["speed"][precision]
        return f"{speed / peak[precision]:.0%}"

    return (
        name,
        str(threads),
        case.baseline,
        ratio("bf16"),
        ratio("fp32"),
        "{} / {}".format(*case.goals) if case.goals else "-",
        f"{measured['speed']['bf16']:.1f}",
        f"{measured['gigaflop']:.2f}",
        share("bf16"),
        share("fp32"),
    )


if __name__ == "__main__":
    exit_with_message(main)
