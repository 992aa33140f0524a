"""`ganvae` with some of its waiting cut short, and with moments at which it halts.

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
from ganvae.sweeps import mirror, objective, storage, worker

GO = Path("go")
"""Whatever has halted goes on when this file is there."""


def halted(number: int) -> Path:
    """The file that is there when process ``number`` has halted."""
    return Path(f"halted-{number}")


def halting(train: Callable[..., Any], at: str) -> Callable[..., Any]:
    """Let the process halt after a step of a training; both count from 1."""
    training, last = map(int, at.split(":"))
    begun = 0

    def halting_train(*arguments: Any) -> Any:
        nonlocal begun
        *given, watch = arguments
        begun += 1

        def watch_and_halt(step: int, *shown: Any) -> None:
            if watch:
                watch(step, *shown)
            if (begun, step) == (training, last):
                halted(os.getpid()).touch()
                while not GO.exists():
                    time.sleep(0.02)

        return train(*given, watch_and_halt)

    return halting_train


def write_opened(file: Path) -> None:
    """Write each path that is opened into ``file``, by Python or by safetensors."""
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
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    storage.HEARTBEAT_SECONDS, storage.GRACE_SECONDS = 1, 3
    storage.SQLITE_SECONDS = options.lock_seconds
    worker.WAIT_SECONDS = 0.2
    mirror.find_spec = lambda name: None  # without MLflow, whose tests are in test_mirror.py
    if options.opened:
        write_opened(options.opened)
    if options.halt:
        objective.train = halting(objective.train, options.halt)
    sys.argv[1:] = options.arguments
    app()


if __name__ == "__main__":
    main()
