"""Measure how good samples are after so many CPU-seconds of training.

Each training run has one thread and a budget of CPU-seconds, which includes what is fitted for
sampling. A probe finds how many steps fit into the budget, as in a match. All other parameters stay
those of the variant, also where another length or another budget would want others. Scores compare
10,000 samples with the test set. Nothing is chosen by them. Each point is written to quality.csv at
once, and Ctrl-C ends with a table of the points so far. With --keep, points of an
earlier call with the same profile and the same parameters stay, and are not measured again.

    python benchmarks/quality.py [--params params.yaml] [--variants gan-finalist vae-finalist]
        [--budgets 60 480] [--seeds 3] [--jobs 2] [--keep]
"""

import argparse
import contextlib
import csv
import hashlib
import json
import math
import multiprocessing
import os
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

from matplotlib.axes import Axes
from pydantic import TypeAdapter

from ganvae.config import Params, load_params
from ganvae.core import compute
from ganvae.core.errors import UserError, exit_with_message
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import read_split
from ganvae.evaluation.runs import make_evaluator
from ganvae.matches.budget import Diverged, probe, scheduled, steps_within
from ganvae.models.registry import system_class, system_config
from ganvae.pictures.canvas import figure
from ganvae.report.vector import COLOURS
from ganvae.scores.records import read_records
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import train
from results import report, table

FOLDER = Path(__file__).parent
POINTS = FOLDER / "quality.csv"
SCORES = ("fid_judge", "fid_unlabelled", "closer_to_train_pixels")


@dataclass(frozen=True)
class Point:
    """The scores of one training run. They are NaN if the run diverged.

    ``parameters`` is the beginning of a checksum of the variant's parameters.
    """

    profile: str
    parameters: str
    variant: str
    family: str
    seed: int
    budget: int
    cpu_seconds: float
    steps: int
    fid_judge: float
    fid_unlabelled: float
    closer_to_train_pixels: float


def measure(params: Params, variant: str, seed: int, budget: int) -> None:
    """Train a variant within a budget, and add its point to the file."""
    machine = compute.use_to_train(params.compute.model_copy(update={"threads": 1}))
    system = params.system(variant)
    config = system_config(system, params.variants[variant])
    images = read_split(ProfilePaths(params.profile).split("train")).images
    spec = RunSpec(system, config, seed, machine, variant)
    steps, spent, values = 0, 0.0, [math.nan] * len(SCORES)
    with contextlib.suppress(Diverged), tempfile.TemporaryDirectory() as folder:
        steps = steps_within(budget, probe(spec, images, budget))
        spec = replace(spec, config=scheduled(system, config, steps))
        result = train(spec, images, Path(folder))
        spent = round(result.cpu_seconds, 1)
        if result.status == "completed":
            evaluator = make_evaluator(params)
            scores = evaluator.measure_samples(evaluator.generate(result.model, seed), seed).scores
            values = [round(_known(scores[name]), 4) for name in SCORES]
    family = system_class(system).family
    origin = (params.profile, checksum(params, variant))
    point = Point(*origin, variant, family, seed, budget, spent, steps, *values)
    with POINTS.open("a") as file:  # one short write, so lines of several processes do not mix
        file.write(",".join(map(str, astuple(point))) + "\n")


def _known(score: float | None) -> float:
    return math.nan if score is None else score


def checksum(params: Params, variant: str) -> str:
    values = json.dumps(params.variants[variant], sort_keys=True, default=str)
    return hashlib.sha256(values.encode()).hexdigest()[:12]


def read_points() -> list[Point]:
    with POINTS.open() as file:
        return TypeAdapter(list[Point]).validate_python(list(csv.DictReader(file)))


def kept_points(params: Params) -> list[Point]:
    """The points of an earlier call that this profile would measure in the same way."""
    if not POINTS.exists():
        return []
    return [
        point
        for point in read_points()
        if point.profile == params.profile
        and point.variant in params.variants
        and point.parameters == checksum(params, point.variant)
    ]


def write_points(points: list[Point]) -> None:
    lines = [[field.name for field in fields(Point)], *(astuple(point) for point in points)]
    POINTS.write_text("".join(",".join(map(str, line)) + "\n" for line in lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--variants", nargs="+", help="default: the finalists")
    parser.add_argument("--budgets", type=int, nargs="+", default=[60, 480])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--keep", action="store_true", help="keep the points of an earlier call")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    names = arguments.variants or params.finalists
    if unknown := set(names) - set(params.variants):
        raise UserError(
            f"--variants: unknown variant {', '.join(sorted(unknown))}. Choose from: "
            f"{', '.join(params.variants)}"
        )
    floors = measured_floors(params)
    kept = kept_points(params) if arguments.keep else []
    write_points(kept)
    measured = {(point.variant, point.budget, point.seed) for point in kept}
    with ProcessPoolExecutor(arguments.jobs, multiprocessing.get_context("spawn")) as pool:
        waiting = [
            pool.submit(measure, params, name, seed, budget)
            for budget in sorted(arguments.budgets, reverse=True)
            for seed in range(arguments.seeds)
            for name in names
            if (name, budget, seed) not in measured
        ]
        try:
            for done in as_completed(waiting):
                done.result()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
    order = list(params.variants)
    points = sorted(read_points(), key=lambda p: (p.budget, order.index(p.variant), p.seed))
    draw(FOLDER / "quality.png", points, floors["fid_judge"])
    picture = "![FID against CPU-seconds of training](quality.png)"
    report(__file__, f"{summary(points, floors)}\n\n{picture}")


def measured_floors(params: Params) -> dict[str, float]:
    path = ProfilePaths(params.profile).baselines / "scores.json"
    floors = [record.scores for record in read_records(path) if record.variant == "floor"]
    return {name: statistics.mean(_known(scores[name]) for scores in floors) for name in SCORES}


def summary(points: list[Point], floors: dict[str, float]) -> str:
    header = ("variant", "budget", "CPU-s", "steps", "FID (judge)", "FID (second judge)",
              "closer to train (pixels)", "seeds")  # fmt: skip
    groups = dict.fromkeys((point.variant, point.budget) for point in points)
    rows = [_row([p for p in points if (p.variant, p.budget) == group], floors) for group in groups]
    text = (
        "FIDs are geometric means over seeds, with the lowest and the highest one, and the "
        "multiple of the floor. The floors are "
        f"{floors['fid_judge']:.3f} (judge) and {floors['fid_unlabelled']:.3f} (second judge). "
        "The data are in [quality.csv](quality.csv)."
    )
    return f"{table(header, rows)}\n\n{text}"


def _row(points: list[Point], floors: dict[str, float]) -> tuple[str, ...]:
    """The cells of a variant at a budget, over the seeds that did not diverge."""
    seeds = len(points)
    points = [point for point in points if not math.isnan(point.fid_judge)] or points
    return (
        points[0].variant,
        str(points[0].budget),
        f"{statistics.mean(point.cpu_seconds for point in points):.0f}",
        f"{statistics.mean(point.steps for point in points):.0f}",
        _fid([point.fid_judge for point in points], floors["fid_judge"]),
        _fid([point.fid_unlabelled for point in points], floors["fid_unlabelled"]),
        f"{statistics.mean(point.closer_to_train_pixels for point in points):.3f}",
        str(seeds) if len(points) == seeds else f"{len(points)} of {seeds}",
    )


def _fid(values: list[float], floor: float) -> str:
    mean = statistics.geometric_mean(values)
    return f"{mean:.2f} ({min(values):.2f} to {max(values):.2f}; {mean / floor:.1f} x)"


def draw(path: Path, points: list[Point], floor: float) -> None:
    with figure(path, 6.4, 4.2) as canvas:
        ax = canvas.subplots()
        ax.set(xscale="log", yscale="log", xlabel="training, CPU-seconds", ylabel="FID (judge)")
        for name in dict.fromkeys(point.variant for point in points):
            own = [point for point in points if point.variant == name]
            _draw_variant(ax, name, own)
        ax.axhline(floor, color=COLOURS["reference"], linewidth=1)
        ax.text(0.01, floor * 1.06, "floor: real training images", fontsize=8,
                transform=ax.get_yaxis_transform())  # fmt: skip
        ticks = sorted({point.budget for point in points})
        ax.set_xticks(ticks, map(str, ticks))
        ax.minorticks_off()
        ax.spines[["top", "right"]].set_visible(False)


def _draw_variant(ax: Axes, name: str, points: list[Point]) -> None:
    """Draw each run as a point, the means as a line, and the name at its end."""
    colour = COLOURS[points[0].family]
    x = [point.cpu_seconds for point in points]
    ax.plot(x, [point.fid_judge for point in points], "o", color=colour, markersize=4, alpha=0.5)
    means = []
    for budget in sorted({point.budget for point in points}):
        at = [point for point in points if point.budget == budget]
        spent = statistics.mean(point.cpu_seconds for point in at)
        means.append((spent, statistics.geometric_mean([point.fid_judge for point in at])))
    ax.plot(*zip(*means, strict=True), "-", color=colour)
    ax.annotate(name, means[-1], (6, 0), textcoords="offset points", va="center", fontsize=8,
                color=colour)  # fmt: skip
    ax.margins(x=0.2)


if __name__ == "__main__":
    exit_with_message(main)
