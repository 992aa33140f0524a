"""Which device computes, with how many threads and in which precision."""

import resource
import sys
from typing import Any, Literal, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch.utils.benchmark import Timer

from ganvae.core.errors import ConfigError

Precision = Literal["fp32", "bf16"]


class Settings(Protocol):
    """What is asked for: `ganvae.config.ComputeConfig`."""

    @property
    def device(self) -> Literal["auto", "cpu", "cuda"]: ...
    @property
    def threads(self) -> int | None: ...
    @property
    def precision(self) -> Literal["auto", "fp32", "bf16"]: ...


class Machine(NamedTuple):
    """What a model trains on: a device, and its networks' precision."""

    device: str = "cpu"
    precision: Precision = "fp32"


PROBE_REPEATS = 5


def use(settings: Settings) -> str:
    """Set this process's threads and return its device; ``auto`` takes a GPU where there is one.

    On a CPU it also lets oneDNN multiply matrices, where it does so in full precision.

    Raises:
        ConfigError: a GPU is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if settings.device == "cuda" and not available:
        raise ConfigError("compute.device = 'cuda': this machine has no GPU that torch can use.")
    if settings.threads:
        torch.set_num_threads(settings.threads)
        threadpool_limits(settings.threads, user_api="blas")  # of SciPy, if it is imported by now
    if available and settings.device != "cpu":
        return "cuda"
    _take_the_faster_matmul()
    return "cpu"


def use_to_train(settings: Settings) -> Machine:
    """The same, with the precision: as configured, or bf16 where the device has it and it pays.

    Raises:
        ConfigError: a GPU is asked for and there is none.
    """
    device = use(settings)
    in_hardware = _has_bf16(device)
    if settings.precision == "auto":
        pays = in_hardware and (device == "cuda" or _bf16_pays())
        return Machine(device, "bf16" if pays else "fp32")
    if settings.precision == "bf16" and not in_hardware:
        print("warning: compute.precision = 'bf16' on a processor without it: this is slow",
              file=sys.stderr)  # fmt: skip
    return Machine(device, settings.precision)


def peak_memory(device: str) -> int:
    """The most memory that this process has held so far, in bytes: the GPU's, or its own."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes if sys.platform == "darwin" else kilobytes * 1024


def _take_the_faster_matmul() -> None:
    """Let oneDNN multiply fp32 matrices where that loses no precision.

    By default they go to MKL, which has no fast path for AMD's processors: oneDNN's AVX-512 takes
    half the time there. torch hands them over only if oneDNN *may* round to bf16; whether it
    does depends on the processor, and where it does this is left alone.
    """
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    matmul.fp32_precision = "bf16"
    random = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, 256, generator=random) for _ in range(2))
    error = (a @ b - a.double() @ b.double()).abs().max()
    if error > 1e-3:  # in fp32 it is 3e-5, in bf16 0.3
        matmul.fp32_precision = "none"


def _has_bf16(device: str) -> bool:
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _bf16_pays() -> bool:
    """Whether a convolution of these models' size takes less time in bf16 on this CPU.

    Where it pays it pays twice over, so that a busy machine does not change the answer.
    """
    random = torch.Generator().manual_seed(0)
    operands = [torch.randn(64, 64, 14, 14, generator=random)]
    operands.append(torch.randn(64, 64, 3, 3, generator=random))

    def seconds(dtype: torch.dtype) -> float:
        images, weight = (x.to(dtype, memory_format=torch.channels_last) for x in operands)
        timer = Timer(
            "convolve(images, weight)",
            globals={"convolve": F.conv2d, "images": images, "weight": weight},
            num_threads=torch.get_num_threads(),
        )
        timer.timeit(2)  # warm up
        return min(timer.timeit(2).mean for _ in range(PROBE_REPEATS))

    return seconds(torch.float32) > seconds(torch.bfloat16)
