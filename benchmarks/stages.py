"""Measure the time of each kind of stage in `make repro`, by running one stage at a time again.

A stage writes the same bytes as before.

    python benchmarks/stages.py [--pipeline dvc.yaml]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from ganvae.config import load_params
from ganvae.core.errors import UserError, exit_with_message
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from results import report, table

ONCE = ("prepare", "by_class", "reference", "baselines", "publish", "compare", "report")


def seconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def check_up_to_date(pipeline: Path) -> None:
    status = [sys.executable, "-m", "dvc", "status", "--json", str(pipeline)]
    stale = json.loads(subprocess.run(status, capture_output=True, check=True).stdout)
    if stale:
        first = ", ".join(sorted(stale)[:3])
        raise UserError(f"{len(stale)} stages are not up to date ({first}, ...): run `make repro`.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pipeline", type=Path, default=Path("dvc.yaml"))
    pipeline = parser.parse_args().pipeline
    params = load_params(pipeline.with_name("params.yaml"))
    paths = ProfilePaths(params.profile)
    first = {run.variant: key for key, run in reversed(params.runs.items())}  # one run per variant
    runs = len(params.runs)
    check_up_to_date(pipeline)

    def stage(name: str, *arguments: str) -> float:
        return seconds(sys.executable, f"stages/{name}.py", params.file, *arguments)

    each = {name: (1, stage(name)) for name in ONCE}
    training = [float(read_json(paths.run(key).timing)["train_seconds"]) for key in params.runs]
    each["train"] = runs, statistics.mean(training)
    for name in ("evaluate", "draw"):
        each[name] = runs, statistics.mean(stage(name, key) for key in first.values())
    total = sum(count * took for count, took in each.values())
    rows = [
        (name, str(count), f"{took:.1f}", f"{count * took:.0f}", f"{count * took / total:.0%}")
        for name, (count, took) in each.items()
    ]
    rows.append(("all", "", "", f"{total:.0f}", "100%"))
    check_up_to_date(pipeline)
    ganvae = str(Path(sys.executable).with_name("ganvae"))
    idle = statistics.median(seconds(ganvae, "repro", str(pipeline)) for _ in range(3))
    imports = "import dvc.repo, dvc.commands.status"
    start_up = statistics.median(seconds(sys.executable, "-c", imports) for _ in range(3))
    header = ("stage", "runs", "seconds each", "core-seconds", "share")
    report(
        __file__,
        f"{table(header, rows)}\n\n"
        f"The pipeline is `{pipeline}`. Training times are from the runs, which trained side by "
        "side. All other stages ran here, one at a time. If all stages are up to date, `ganvae "
        f"repro` takes {idle:.1f} s, of which {start_up:.1f} s are for importing DVC.",
    )


if __name__ == "__main__":
    exit_with_message(main)
