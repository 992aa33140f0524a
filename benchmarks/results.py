"""Print the results of benchmarks, and write them to RESULTS.md."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch

RESULTS = Path(__file__).with_name("RESULTS.md")


def report(script: str, text: str) -> None:
    """Print a benchmark's results, and replace its section in RESULTS.md."""
    print(text)
    section = f"## `{Path(script).name}`\n\n{machine()}\n\n{text}\n\n"
    content = RESULTS.read_text() if RESULTS.exists() else "# Results\n\n"
    heading = re.escape(section.splitlines()[0])
    content, found = re.subn(
        rf"^{heading}\n.*?(?=^## |\Z)", lambda _: section, content, flags=re.DOTALL | re.MULTILINE
    )
    RESULTS.write_text((content if found else content.rstrip() + "\n\n" + section).rstrip() + "\n")


def machine() -> str:
    """The date, processor and versions, in one line."""
    features = torch.cpu.get_capabilities()
    kinds = [name for name in ("avx2", "avx512_f", "avx512_bf16", "amx_bf16") if features.get(name)]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(os.sched_getaffinity(0))} cores of "
        f"{features.get('cpu_name', platform.processor())} ({', '.join(kinds)}), "
        f"Python {platform.python_version()}, torch {torch.__version__}."
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table. All columns except the first are aligned to the right."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
