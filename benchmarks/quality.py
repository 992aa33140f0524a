"""Measure FID (judge) against training time, for the laptop profile's presets and tuned variants.

Each variant trains on one thread for several budgets of CPU-seconds. If its learning rate does not
decay, training continues from one budget to the next. Otherwise the variant is trained again for
each budget, since its schedule depends on the length. FID compares 10,000 images with the test set.
Each point is written to quality.csv at once, and Ctrl-C ends with a table of the points so far.

    python benchmarks/quality.py [--params params.yaml] [--budgets 30 60 120]
        [--more dcgan-tuned=480 ...] [--seeds 1] [--jobs 2]
"""

import argparse
import csv
import multiprocessing
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from matplotlib.axes import Axes

from ganvae.config import ModelConfig, Params, load_params
from ganvae.core import compute
from ganvae.core.errors import exit_with_message
from ganvae.core.paths import ProfilePaths
from ganvae.data.store import read_split
from ganvae.evaluation.runs import make_evaluator
from ganvae.models.registry import system_config
from ganvae.pictures.canvas import figure
from ganvae.report.vector import COLOURS
from ganvae.scores.records import read_records
from ganvae.training.spec import RunSpec
from ganvae.training.trainer import TrainingResult, train
from results import report, table

PROBE_STEPS = 100
FOLDER = Path(__file__).parent
POINTS = FOLDER / "quality.csv"


@dataclass(frozen=True)
class Point:
    """The score of one variant after one training budget."""

    model: str
    family: str
    seed: int
    budget: int
    cpu_seconds: float
    steps: int
    fid_judge: float


def with_length(config: ModelConfig, steps: int) -> ModelConfig:
    """The same configuration for this many steps, with pictures at the first and last step only."""
    schedule = {"unit": "steps", "length": steps, "report_every": min(100, steps)}
    schedule |= {"sample_every": steps, "checkpoint_every": steps, "marks": []}
    return config.model_validate(config.model_dump() | {"schedule": schedule})


def curve(params: Params, name: str, seed: int, budgets: list[int]) -> None:
    """Train for each budget in turn, and add each point to the file."""
    machine = compute.use_to_train(params.compute.model_copy(update={"threads": 1}))
    system = params.system(name)
    config = system_config(system, params.variants[name])
    images = read_split(ProfilePaths(params.profile).split("train")).images
    evaluator = make_evaluator(params)

    def seconds(steps: int, work: Path) -> tuple[float, TrainingResult]:
        start = time.process_time()
        short = with_length(config, steps)
        result = train(RunSpec(system, short, seed, machine, variant=name), images, work)
        return time.process_time() - start, result

    spent = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(2):  # the first warms up
            _, probe = seconds(PROBE_STEPS, Path(folder) / f"probe-{turn}")
        per_step = probe.seconds / PROBE_STEPS
        steps = 0
        for budget in sorted(budgets):
            steps += max(1, round((budget - spent) / per_step))
            took, result = seconds(steps, Path(folder) / "all")
            spent += took
            per_step = spent / steps
            fid = float("nan")
            if result.status == "completed":
                images = evaluator.generate(result.model, seed)
                fid = evaluator.measure_samples(images, seed).scores["fid_judge"]
            family = result.model.family
            add(Point(name, family, seed, budget, round(spent, 1), steps, round(fid, 3)))


def add(point: Point) -> None:
    with POINTS.open("a") as file:  # one short write, so lines of several processes do not mix
        file.write(",".join(map(str, astuple(point))) + "\n")


def read_points() -> list[Point]:
    kinds = [field.type for field in fields(Point)]
    with POINTS.open() as file:
        rows = list(csv.reader(file))[1:]
    return [Point(*(kind(cell) for kind, cell in zip(kinds, row, strict=True))) for row in rows]


def draw(path: Path, points: list[Point], floor: float, tuned: list[str]) -> None:
    with figure(path, 7.8, 5.2) as canvas:
        ax = canvas.subplots()
        ax.set(xscale="log", yscale="log", xlabel="training, CPU-seconds", ylabel="FID (judge)")
        ends = {}
        for name in dict.fromkeys(point.model for point in points):
            own = [point for point in points if point.model == name]
            at = [[p for p in own if p.budget == b] for b in sorted({p.budget for p in own})]
            x = [statistics.mean(point.cpu_seconds for point in group) for group in at]
            y = [statistics.mean(point.fid_judge for point in group) for group in at]
            style = ("o-", 2.2) if name in tuned else ("o--", 1.0)
            colour = COLOURS[own[0].family]
            ax.plot(x, y, style[0], color=colour, linewidth=style[1], markersize=4)
            ends[name] = (x[-1], y[-1], colour)
        _label(ax, ends)
        ax.axhline(floor, color=COLOURS["reference"], linewidth=1)
        ax.text(0.01, floor * 1.06, "floor: real training images", fontsize=8,
                transform=ax.get_yaxis_transform())  # fmt: skip
        ticks = [15, 30, 60, 120, 240, 480]
        ax.set_xticks(ticks, map(str, ticks))
        ax.minorticks_off()
        ax.spines[["top", "right"]].set_visible(False)


def _label(ax: Axes, ends: dict[str, tuple[float, float, str]]) -> None:
    """Write the names in a column, without overlap, each with a line to the end of its curve."""
    right = 1.25 * max(x for x, _, _ in ends.values())
    ax.set_xlim(right=2.6 * right)
    height = 0.0
    for name, (x, y, colour) in sorted(ends.items(), key=lambda item: item[1][1]):
        height = max(y, 1.28 * height)
        ax.annotate(name, (x, y), (right, height), va="center", fontsize=8, color=colour,
                    arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.4})  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--budgets", type=int, nargs="+", default=[30, 60, 120])
    parser.add_argument("--more", nargs="*", default=["dcgan-tuned=480"], metavar="VARIANT=SECONDS")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    names = [*params.tuned, *(name for name in params.variants if name == params.system(name))]
    more = [item.partition("=") for item in arguments.more]
    if unknown := {name for name, _, _ in more} - set(names):
        parser.error(
            f"--more: unknown variant {', '.join(unknown)}; choose from: {', '.join(names)}"
        )
    floor = measured_floor(params)
    tasks = [(name, [int(budget)]) for name, _, budget in more]
    for name in names:
        config = system_config(params.system(name), params.variants[name])
        if config.learning_rate_decay == "none":
            tasks.append((name, arguments.budgets))
        else:
            tasks += [(name, [budget]) for budget in arguments.budgets]
    POINTS.write_text(",".join(field.name for field in fields(Point)) + "\n")
    with ProcessPoolExecutor(arguments.jobs, multiprocessing.get_context("spawn")) as pool:
        waiting = [
            pool.submit(curve, params, name, seed, budgets)
            for seed in range(arguments.seeds)
            for name, budgets in sorted(tasks, key=lambda task: -sum(task[1]))
        ]
        try:
            for done in as_completed(waiting):
                done.result()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
    points = sorted(read_points(), key=lambda p: (names.index(p.model), p.budget, p.seed))
    draw(FOLDER / "quality.png", points, floor, params.tuned)
    text = summary(points, floor)
    text += f"\n\n{arguments.seeds} seed(s), one thread per run, {arguments.jobs} runs at once."
    picture = "![FID against training CPU-seconds](quality.png)"
    note = "Empty cells are not measured. The data are in [quality.csv](quality.csv)."
    report(__file__, f"{text} {note}\n\n{picture}")


def measured_floor(params: Params) -> float:
    path = ProfilePaths(params.profile).baselines / "scores.json"
    records = [record for record in read_records(path) if record.variant == "floor"]
    return statistics.mean(record.scores["fid_judge"] for record in records)


def summary(points: list[Point], floor: float) -> str:
    rows = []
    budgets = sorted({point.budget for point in points})
    for name in dict.fromkeys(point.model for point in points):
        cells = []
        for budget in budgets:
            at = [point for point in points if (point.model, point.budget) == (name, budget)]
            cells.append(_cell(at, floor) if at else "")
        rows.append((name, *cells))
    header = ("variant", *(f"about {budget} CPU-s" for budget in budgets))
    text = (
        "Each cell shows FID (judge), its multiple of the floor, and the CPU-seconds of training."
    )
    return f"{table(header, rows)}\n\n{text} The floor is {floor:.3f}."


def _cell(at: list[Point], floor: float) -> str:
    fid = statistics.mean(point.fid_judge for point in at)
    spent = statistics.mean(point.cpu_seconds for point in at)
    return f"{fid:.2f} ({fid / floor:.0f} x) in {spent:.0f}"


if __name__ == "__main__":
    exit_with_message(main)
