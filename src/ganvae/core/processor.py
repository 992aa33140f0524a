"""The kind of this machine's processor, which decides how numbers are rounded."""

import os
import re
from pathlib import Path

import torch


def processor(threads: int) -> str:
    """Describe what decides how numbers are rounded: vendor, instructions, torch, threads.

    Args:
        threads: the number of threads that compute, at least 1.
    """
    instructions = [torch.backends.cpu.get_cpu_capability()]
    found = torch.cpu.get_capabilities()
    instructions += [name for name in ("avx512_bf16", "amx_bf16") if found.get(name)]
    limits = [f"{name}={os.environ[name]}" for name in sorted(os.environ) if "CPU_ISA" in name]
    count = "1 thread" if threads == 1 else f"{threads} threads"
    return ", ".join([_vendor(), *instructions, *limits, f"torch {torch.__version__}", count])


def _vendor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    match = re.search(r"vendor_id\s*:\s*(\S+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return match[1] if match else os.uname().machine
