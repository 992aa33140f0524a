"""`ganvae` with shorter waiting times, and with an option to halt at a training step.

python toy_worker.py [--halt TRAINING:STEP] [--opened FILE] [--lock-seconds S] -- ARGUMENT ...
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ganvae.core.tensors
from ganvae.cli import app
from ganvae.sweeps import objective, storage, worker
from ganvae.tracking import mirror

GO = Path("go")
"""A halted process continues when this file exists."""


def halted(number: int) -> Path:
    """The file that exists when the process with the id ``number`` has halted."""
    return Path(f"halted-{number}")


def halting(train: Callable[..., Any], at: str) -> Callable[..., Any]:
    """Let the process halt after a step of a training run. Both are counted from 1."""
    training, last = map(int, at.split(":"))
    begun = 0

    def halting_train(*arguments: Any) -> Any:
        nonlocal begun
        *others, watch = arguments
        begun += 1

        def watch_and_halt(step: int, *shown: Any) -> None:
            if watch:
                watch(step, *shown)
            if (begun, step) == (training, last):
                halted(os.getpid()).touch()
                while not GO.exists():
                    time.sleep(0.02)

        return train(*others, watch_and_halt)

    return halting_train


def write_opened(file: Path) -> None:
    """Write each path that Python or safetensors opens into ``file``."""
    opened = file.open("a", buffering=1)
    safe_open = ganvae.core.tensors.safe_open

    def note(path: object) -> None:
        if isinstance(path, str | bytes | Path):
            opened.write(f"{path!s}\n")

    def noted_open(path: Any, *arguments: Any, **options: Any) -> Any:
        note(path)
        return safe_open(path, *arguments, **options)

    ganvae.core.tensors.safe_open = noted_open
    sys.addaudithook(lambda event, values: note(values[0]) if event == "open" else None)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--halt", metavar="TRAINING:STEP")
    parser.add_argument("--opened", type=Path)
    parser.add_argument("--lock-seconds", type=float, default=60)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
    storage.HEARTBEAT_SECONDS, storage.GRACE_SECONDS = 1, 3
    storage.SQLITE_SECONDS = options.lock_seconds
    worker.WAIT_SECONDS = 0.2
    mirror.find_spec = lambda name: None  # without MLflow, which test_mirror.py tests
    if options.opened:
        write_opened(options.opened)
    if options.halt:
        objective.train = halting(objective.train, options.halt)
    sys.argv[1:] = options.arguments
    app()


if __name__ == "__main__":
    main()
