"""Put each fault of faults.yaml into a copy of the repository, and check that a fingerprint moves.

    python tests/moved.py [pin ...]

Results depend on fingerprints of the code's behaviour. If a fault moves no fingerprint, the results
count as up to date. Faults that cannot move a fingerprint give the reason (`unseen`). The exit
status is 1 if any other fault moves none.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from pins import HEAVY, Bench, Fault, benches_in, read_faults, side_by_side

SHARED = (
    "options dcgan",
    "options bernoulli-vae",
    "options conv-vae",
    "options vae-gan",
    "options balanced-gan",
    "resume balanced-gan",
    "resume keras-dcgan",
    "scores bernoulli-vae",
    "scores conv-vae",
)
SCORES = ("samples", "scores bernoulli-vae", "scores dcgan")


def candidates(file: str) -> tuple[str, ...]:
    """The measurements to try for a fault in a file. One that moves is enough."""
    path = Path(file)
    if path.match("src/ganvae/models/systems/*.py"):
        system = path.stem.replace("_", "-")
        return tuple(f"{part} {system}" for part in ("options", "scores", "resume"))
    if path.parts[:3] == ("src", "ganvae", "data"):
        return ("prepare",)
    if path.stem in ("ais", "annealed", "annealing", "densities"):
        return ("log-likelihoods",)
    if path.parts[2] in ("metrics", "evaluation", "judge"):
        return SCORES
    return (*SHARED, *SCORES)


def measured(copy: Path, what: str) -> dict[str, Any]:
    """Measure the behaviour of the code in ``copy``, by fingerprint. Needs its own process."""
    from ganvae.pipeline.behaviour import measure, training

    part, _, system = what.partition(" ")
    if part == "options":
        return {f"train/{system}": {"options": measure._options(system)}}
    if part == "resume":
        with tempfile.TemporaryDirectory() as folder:
            measure._set_up()
            start = multiprocessing.get_context("fork").Process(
                target=training.start_of_defaults, args=(system, Path(folder))
            )
            start.start()
            start.join()
            return {f"train/{system}": measure._rest(system, Path(folder))}
    if part == "scores":
        return {f"evaluate/{system}": measure._scores(system)}
    if part == "log-likelihoods":
        return {"anneal": measure._log_likelihoods()}
    if part == "samples":
        return {"evaluate/samples": measure._sample_scores()}
    return {"prepare": measure._prepared()}


def first_moved(copy: Path, whole: dict[str, Any], wanted: tuple[str, ...]) -> str | None:
    """The first measurement that differs from ``whole`` or fails; None if all agree."""
    os.chdir(copy)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(copy / "src"))
    from ganvae.pipeline.behaviour.fingerprints import differences

    for what in wanted:
        try:
            records = json.loads(json.dumps(measured(copy, what)))
        except Exception as error:
            return f"{what}: {type(error).__name__}"
        for name, record in records.items():
            before = {part: whole[name][part] for part in record}
            if place := next(differences(before, record), None):
                return f"{what}: {place}"
    return None


def outcome(whole: dict[str, Any], bench: Bench, fault: Fault) -> str | None:
    """The measurement that a fault moves; None if it moves none."""
    path = fault.path(bench.copy)
    file = str(path.relative_to(bench.copy))
    as_it_was = path.read_text()
    path.write_text(fault.changed(bench.copy))
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("forkserver")) as pool:
            return pool.submit(first_moved, bench.copy, whole, candidates(file)).result()
    finally:
        path.write_text(as_it_was)


def whole_behaviour(copy: Path) -> dict[str, Any]:
    """All fingerprints of the code without faults, on this processor."""
    out = copy / "measured.json"
    subprocess.run(
        [sys.executable, "-m", "ganvae.pipeline.behaviour", str(out)],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy / "src")},
        check=True,
    )
    whole: dict[str, Any] = json.loads(out.read_text())
    return whole


def main(pins: set[int]) -> int:
    faults = [fault for fault in read_faults() if not pins or fault.pin in pins]
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    multiprocessing.get_context("forkserver").set_forkserver_preload([*HEAVY, "torch._dynamo"])
    start, unseen = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        seen = [fault for fault in faults if not fault.unseen]
        benches = benches_in(Path(folder).resolve())
        whole = whole_behaviour(benches[0].copy)
        work = partial(outcome, whole)
        for fault, place in side_by_side(benches, seen, work):
            unseen += place is None
            print(f"{fault.pin:>3}  {place or 'NO FINGERPRINT MOVES'}  {fault.what}", flush=True)
    for fault in faults:
        if fault.unseen:
            print(f"{fault.pin:>3}  not seen: {fault.unseen}  {fault.what}")
    seconds = time.monotonic() - start
    print(f"{len(seen) - unseen} of {len(seen)} faults move a fingerprint, in {seconds:.0f} s")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main({int(pin) for pin in sys.argv[1:]}))
