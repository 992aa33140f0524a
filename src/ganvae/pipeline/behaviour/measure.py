"""Run all measurements of behaviour in parallel, each in its own process."""

import io
import json
import multiprocessing
import os
import pkgutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from ganvae.models import systems

# These imports take seconds: they happen once, in the process that all others are forked from.
PRELOADED = [
    "ganvae.pipeline.behaviour.annealing",
    "ganvae.pipeline.behaviour.catalogue",
    "ganvae.pipeline.behaviour.drawing",
    "ganvae.pipeline.behaviour.preparing",
    "ganvae.pipeline.behaviour.scoring",
    "ganvae.pipeline.behaviour.training",
    "matplotlib.pyplot",
    "sklearn.model_selection",
    "torch._dynamo",
    "torchmetrics.image.fid",
]
SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that limit the threads of numerical libraries; `measure` sets each to 1.

More threads would change the order of additions, and therefore the rounded sums.
"""

Record = dict[str, Any]


def measure(names: Iterable[str] | None = None) -> dict[str, Record]:
    """Measure the code; return a mapping from fingerprint to record.

    A fingerprint is a named part of the behaviour, such as ``train/dcgan``, ``evaluate/dcgan`` or
    ``draw``.

    Args:
        names: the fingerprints to measure; by default all.
    """
    wanted = set(fingerprint_names() if names is None else names)
    trained = [system for system in system_names() if f"train/{system}" in wanted]
    os.environ |= dict.fromkeys(SINGLE, "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    cores = len(os.sched_getaffinity(0))
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(cores, context, max_tasks_per_child=1) as pool,
    ):
        work = {system: Path(folder) / system for system in trained}
        # The longest tasks start first and the shortest last, so that all cores end together.
        starts = [pool.submit(_start, system, work[system]) for system in trained]
        others: dict[str, Future[Record]] = {
            name: pool.submit(take) for name, take in _others().items() if name in wanted
        }
        for start in starts:
            start.result()
        rests = {system: pool.submit(_rest, system, work[system]) for system in trained}
        options = {system: pool.submit(_options, system) for system in trained}
        measured = {
            f"train/{s}": {**rests[s].result(), "options": options[s].result()} for s in trained
        }
        measured |= {name: future.result() for name, future in others.items()}
        plain: dict[str, Record] = json.loads(json.dumps(measured))  # as if read from a file
        return plain


def system_names() -> list[str]:
    """Return the names of all systems, without loading torch."""
    modules = pkgutil.iter_modules(systems.__path__)
    return sorted(module.name.replace("_", "-") for module in modules)


def fingerprint_names() -> list[str]:
    """Return the names of all fingerprints."""
    return [*(f"train/{system}" for system in system_names()), *_others()]


def joint_tokens() -> dict[str, tuple[str, ...]]:
    """Return a mapping from each joint token to the names of the fingerprints that form it.

    A token is a small file that changes only when measured behaviour changes. A joint token changes
    when the token of any of its fingerprints changes. A stage then depends on one token instead of
    several, so that locks stay small.
    """
    joint: dict[str, tuple[str, ...]] = {}
    for system in system_names():
        joint[f"evaluate-run/{system}"] = ("evaluate/samples", f"evaluate/{system}")
        joint[f"draw-run/{system}"] = ("draw", f"evaluate/{system}")
    return joint


def _others() -> dict[str, Callable[[], Record]]:
    models = {f"evaluate/{system}": partial(_scores, system) for system in system_names()}
    return {
        "anneal": _log_likelihoods,
        "draw": _pictures,
        "evaluate/samples": _sample_scores,
        **models,
        "prepare": _prepared,
        "publish": _published,
        "systems": _systems,
    }


def _set_up() -> None:
    """Set up this process for a measurement: one CPU thread, fp32, quick PNG files, no output."""
    from ganvae.core.compute import use
    from ganvae.pipeline.behaviour.training import ONE_THREAD

    use(ONE_THREAD)
    _write_png_quickly()
    sys.stdout = sys.stderr = io.StringIO()  # takes the lines and bars of progress


def _write_png_quickly() -> None:
    """Turn off Pillow's slow search for the smallest PNG file, because only pixels are measured."""
    from PIL.Image import Image

    save = Image.save

    def quickly(image: Image, *place: Any, **options: Any) -> None:
        if options.pop("optimize", False):
            options["compress_level"] = 1
        save(image, *place, **options)

    Image.save = quickly  # type: ignore[method-assign, assignment]


def _start(system: str, work: Path) -> None:
    from ganvae.pipeline.behaviour.training import start_of_defaults

    _set_up()
    start_of_defaults(system, work)


def _rest(system: str, work: Path) -> Record:
    from ganvae.pipeline.behaviour.training import rest_of_defaults

    _set_up()
    return rest_of_defaults(system, work)


def _options(system: str) -> Record:
    from ganvae.pipeline.behaviour.training import options

    _set_up()
    return options(system)


def _scores(system: str) -> Record:
    from ganvae.pipeline.behaviour.scoring import model_scores

    _set_up()
    return model_scores(system)


def _sample_scores() -> Record:
    from ganvae.pipeline.behaviour.scoring import sample_scores

    _set_up()
    return sample_scores()


def _log_likelihoods() -> Record:
    from ganvae.pipeline.behaviour.annealing import log_likelihoods

    _set_up()
    return log_likelihoods()


def _prepared() -> Record:
    from ganvae.pipeline.behaviour.preparing import prepared

    return prepared()


def _published() -> Record:
    from ganvae.pipeline.behaviour.preparing import published

    _set_up()
    return published()


def _systems() -> Record:
    from ganvae.pipeline.behaviour.catalogue import systems

    return systems()


def _pictures() -> Record:
    from ganvae.pipeline.behaviour.drawing import pictures

    _set_up()
    return pictures()
