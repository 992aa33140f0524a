"""All measurements side by side, each in a process of its own."""

import json
import multiprocessing
import os
import pkgutil
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from ganvae.models import systems

# What takes seconds to import is imported once, by the process that all others are forks of.
PRELOADED = [
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
"""How many threads the numerical libraries take: one each, as sums depend on it."""

Record = dict[str, Any]


def measure(names: Iterable[str] | None = None) -> dict[str, Record]:
    """What the code does, by fingerprint: ``train/dcgan``, ``evaluate/dcgan``, ..., ``draw``.

    Args:
        names: which fingerprints; by default all.
    """
    wanted = set(fingerprint_names() if names is None else names)
    trained = [module for module in system_modules() if f"train/{module}" in wanted]
    os.environ |= dict.fromkeys(SINGLE, "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    cores = len(os.sched_getaffinity(0))
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(cores, context, max_tasks_per_child=1) as pool,
    ):
        work = {module: Path(folder) / module for module in trained}
        # The longest come first, the shortest last, so that all cores end at about one time.
        starts = [pool.submit(_start, module, work[module]) for module in trained]
        others: dict[str, Future[Record]] = {
            name: pool.submit(take) for name, take in _others().items() if name in wanted
        }
        for start in starts:
            start.result()
        rests = {module: pool.submit(_rest, module, work[module]) for module in trained}
        options = {module: pool.submit(_options, module) for module in trained}
        measured = {
            f"train/{m}": {**rests[m].result(), "options": options[m].result()} for m in trained
        }
        measured |= {name: future.result() for name, future in others.items()}
        plain: dict[str, Record] = json.loads(json.dumps(measured))  # as they are read again
        return plain


def system_modules() -> list[str]:
    """The modules of all systems; their names are those of fingerprints, too."""
    return sorted(module.name for module in pkgutil.iter_modules(systems.__path__))


def fingerprint_names() -> list[str]:
    """All there are."""
    return [*(f"train/{module}" for module in system_modules()), *_others()]


def joint_tokens() -> dict[str, tuple[str, ...]]:
    """Tokens that change with any of several others: one a stage, so that locks stay small."""
    joint: dict[str, tuple[str, ...]] = {}
    for module in system_modules():
        joint[f"evaluate-run/{module}"] = ("evaluate/samples", f"evaluate/{module}")
        joint[f"draw-run/{module}"] = ("draw", f"evaluate/{module}")
    return joint


def _others() -> dict[str, Callable[[], Record]]:
    models = {f"evaluate/{module}": partial(_scores, module) for module in system_modules()}
    return {
        "draw": _pictures,
        "evaluate/samples": _sample_scores,
        **models,
        "prepare": _prepared,
        "publish": _published,
        "systems": _systems,
    }


def _system(module: str) -> str:
    """The name of the system in a module; sets up this process as a stage sets up its own."""
    from ganvae.core.compute import use
    from ganvae.pipeline.behaviour.training import ONE_THREAD

    use(ONE_THREAD)
    _write_png_quickly()
    return module.replace("_", "-")


def _write_png_quickly() -> None:
    """Do not look for the smallest file: only pixels are read, and that is most of the time."""
    from PIL.Image import Image

    save = Image.save

    def quickly(image: Image, *place: Any, **options: Any) -> None:
        if options.pop("optimize", False):
            options["compress_level"] = 1
        save(image, *place, **options)

    Image.save = quickly  # type: ignore[method-assign, assignment]


def _start(module: str, work: Path) -> None:
    from ganvae.pipeline.behaviour.training import start_of_defaults

    start_of_defaults(_system(module), work)


def _rest(module: str, work: Path) -> Record:
    from ganvae.pipeline.behaviour.training import rest_of_defaults

    return rest_of_defaults(_system(module), work)


def _options(module: str) -> Record:
    from ganvae.pipeline.behaviour.training import options

    return options(_system(module))


def _scores(module: str) -> Record:
    from ganvae.pipeline.behaviour.scoring import model_scores

    return model_scores(_system(module))


def _sample_scores() -> Record:
    from ganvae.pipeline.behaviour.scoring import sample_scores

    _system("")
    return sample_scores()


def _prepared() -> Record:
    from ganvae.pipeline.behaviour.preparing import prepared

    return prepared()


def _published() -> Record:
    from ganvae.pipeline.behaviour.preparing import published

    _system("")
    return published()


def _systems() -> Record:
    from ganvae.pipeline.behaviour.catalogue import systems

    return systems()


def _pictures() -> Record:
    from ganvae.pipeline.behaviour.drawing import pictures

    _system("")
    return pictures()
