"""Choice of the device, the number of threads and the numeric precision."""

import resource
import sys
import time
from typing import Any, Literal, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from threadpoolctl import threadpool_limits
from torch.utils.benchmark import Timer

from ganvae.core.errors import ConfigError

Precision = Literal["fp32", "bf16"]


class Settings(Protocol):
    """The requested device, number of threads and precision: a `ganvae.config.ComputeConfig`."""

    @property
    def device(self) -> Literal["auto", "cpu", "cuda"]: ...
    @property
    def threads(self) -> int | None: ...
    @property
    def precision(self) -> Literal["auto", "fp32", "bf16"]: ...


class Machine(NamedTuple):
    """The device for a training run, and the numeric precision of the networks in training."""

    device: str = "cpu"
    precision: Precision = "fp32"


PROBE_REPEATS = 5


def use(settings: Settings) -> str:
    """Set the number of threads of this process, and return the device: ``cpu`` or ``cuda``.

    The device ``auto`` becomes ``cuda`` if torch can use a GPU. On a GPU, convolutions in fp32 keep
    full precision: by default, torch lets cuDNN round to TF32. On a CPU, this function lets oneDNN
    multiply matrices if oneDNN keeps full fp32 precision on this processor.

    Raises:
        ConfigError: the settings ask for a GPU, but torch finds no GPU.
    """
    available = torch.cuda.is_available()
    if settings.device == "cuda" and not available:
        raise ConfigError(
            "compute.device is 'cuda', but torch finds no GPU on this machine. Use 'auto' or 'cpu'."
        )
    if settings.threads:
        torch.set_num_threads(settings.threads)
        threadpool_limits(settings.threads, user_api="blas")  # of SciPy, if already imported
    if available and settings.device != "cpu":
        torch.backends.cudnn.fp32_precision = "ieee"
        return "cuda"
    _take_the_faster_matmul()
    return "cpu"


def use_to_train(settings: Settings) -> Machine:
    """Set up this process as `use` does, and return the device and precision for training.

    The precision ``auto`` becomes bf16 on a GPU with bf16 instructions. On a CPU with bf16
    instructions, ``auto`` becomes bf16 if a test convolution is faster in bf16. Else, ``auto``
    becomes fp32. Numbers below the smallest normal float become zero.

    Raises:
        ConfigError: the settings ask for a GPU, but torch finds no GPU.
    """
    device = use(settings)
    # Parts of a network without gradients, as after a posterior collapse, have moments in Adam that
    # shrink to denormal numbers. On some processors, a training step then takes 1.4 times as long.
    torch.set_flush_denormal(True)
    in_hardware = _has_bf16(device)
    if settings.precision == "auto":
        pays = in_hardware and (device == "cuda" or _bf16_pays())
        return Machine(device, "bf16" if pays else "fp32")
    if settings.precision == "bf16" and not in_hardware:
        print(
            "warning: compute.precision is 'bf16', but this processor has no bf16 instructions. "
            "Training will be slow. Use 'auto' or 'fp32'.",
            file=sys.stderr,
        )
    return Machine(device, settings.precision)


def peak_memory(device: str) -> int:
    """Peak memory of this process so far, in bytes: GPU memory for ``cuda``, else RAM."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes if sys.platform == "darwin" else kilobytes * 1024


def _take_the_faster_matmul() -> None:
    """Let oneDNN multiply fp32 matrices if oneDNN keeps full precision on this processor.

    By default, torch uses MKL, and MKL has no fast path for AMD processors. On AMD processors with
    AVX-512, oneDNN takes half the time of MKL. torch hands matrices to oneDNN only if oneDNN *may*
    round the matrices to bf16. On some processors, oneDNN does round. On these processors, this
    function reverts the setting.
    """
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    matmul.fp32_precision = "bf16"
    random = torch.Generator().manual_seed(0)
    a, b = (torch.randn(256, 256, generator=random) for _ in range(2))
    error = (a @ b - a.double() @ b.double()).abs().max()
    if error > 1e-3:  # the error is 3e-5 in fp32 and 0.3 in bf16
        matmul.fp32_precision = "none"


def _has_bf16(device: str) -> bool:
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _bf16_pays() -> bool:
    """Return whether a convolution of typical size is faster in bf16 than in fp32 on this CPU.

    On CPUs that are faster in bf16, a convolution in bf16 takes about half the time. CPU time is
    compared, because on a busy machine other programs take part of the wall time.
    """
    random = torch.Generator().manual_seed(0)
    operands = [torch.randn(64, 64, 14, 14, generator=random)]
    operands.append(torch.randn(64, 64, 3, 3, generator=random))

    def seconds(dtype: torch.dtype) -> float:
        images, weight = (x.to(dtype, memory_format=torch.channels_last) for x in operands)
        timer = Timer(
            "convolve(images, weight)",
            globals={"convolve": F.conv2d, "images": images, "weight": weight},
            timer=time.process_time,
            num_threads=torch.get_num_threads(),
        )
        timer.timeit(2)  # warm up
        return min(timer.timeit(2).mean for _ in range(PROBE_REPEATS))

    return seconds(torch.float32) > seconds(torch.bfloat16)
