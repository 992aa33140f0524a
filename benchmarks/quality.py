"""FID (judge) against training time, for the laptop profile's presets and tuned variants.

Each model trains on one thread for several budgets of CPU-seconds: the tuned variants and the
presets they vary for all of them, the other presets up to 240. A model whose learning rate does
not decay goes on from one budget to the next; one whose does is trained anew for each, since its
schedule depends on the length. Scores are of 10,000 images against the test set.

    python benchmarks/quality.py [--params params.yaml] [--budgets 30 60 120 240 480]
        [--seeds 1] [--jobs 2] [MODEL ...]
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path

from ganvae import compute
from ganvae.config import ModelConfig, Params, load_params
from ganvae.data.store import read_split
from ganvae.evaluation.records import read_records
from ganvae.evaluation.runs import make_evaluator
from ganvae.files import write_csv
from ganvae.models.registry import model_config
from ganvae.paths import ProfilePaths
from ganvae.report.figures import FAMILY_COLOURS
from ganvae.report.pictures.canvas import figure
from ganvae.training.trainer import TrainingResult, train
from results import report, table

PROBE_STEPS = 100
OTHERS_UP_TO = 240  # CPU-seconds
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Point:
    """One model after so much training."""

    model: str
    family: str
    seed: int
    budget: int
    cpu_seconds: float
    steps: int
    fid_judge: float


def with_length(config: ModelConfig, steps: int) -> ModelConfig:
    """The same for so many steps, with no pictures between first and last."""
    schedule = {"unit": "steps", "length": steps, "report_every": min(100, steps)}
    schedule |= {"sample_every": steps, "checkpoint_every": steps, "marks": []}
    return config.model_validate(config.model_dump() | {"schedule": schedule})


def curve(params: Params, name: str, seed: int, budgets: list[int]) -> list[Point]:
    machine = compute.use_to_train(params.compute.model_copy(update={"threads": 1}))
    system = params.system(name)
    config = model_config(system, params.models[name])
    images = read_split(ProfilePaths(params.profile).split("train")).images
    evaluator = make_evaluator(params)

    def seconds(steps: int, work: Path) -> tuple[float, TrainingResult]:
        start = time.process_time()
        short = with_length(config, steps)
        result = train(system, short, images, seed=seed, work=work, machine=machine, label=name)
        return time.process_time() - start, result

    points, spent = [], 0.0
    goes_on = config.learning_rate_decay == "none"
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(2):  # the first warms up
            _, probe = seconds(PROBE_STEPS, Path(folder) / f"probe-{turn}")
        for budget in sorted(budgets):
            steps = max(1, round(budget / probe.seconds * PROBE_STEPS))
            work = Path(folder) / ("all" if goes_on else str(budget))
            took, result = seconds(steps, work)
            spent = spent + took if goes_on else took
            fid = float("nan")
            if result.status == "completed":
                scores = evaluator.score_generated(evaluator.generate(result.model, seed), seed)
                fid = scores["fid_judge"]
            family = result.model.family
            points.append(Point(name, family, seed, budget, spent, steps, fid))
    return points


def draw(path: Path, points: list[Point], floor: float, tuned: list[str]) -> None:
    with figure(path, 7.6, 5.2) as canvas:
        ax = canvas.subplots()
        for name in dict.fromkeys(point.model for point in points):
            own = [point for point in points if point.model == name]
            budgets = sorted({point.budget for point in own})
            at = [[p for p in own if p.budget == budget] for budget in budgets]
            x = [sum(p.cpu_seconds for p in group) / len(group) for group in at]
            y = [sum(p.fid_judge for p in group) / len(group) for group in at]
            (line,) = ax.plot(
                x,
                y,
                "o-" if name in tuned else "o--",
                color=FAMILY_COLOURS[own[0].family],
                linewidth=2.2 if name in tuned else 1.0,
                markersize=4,
            )
            ax.annotate(name, (x[-1], y[-1]), xytext=(5, 0), textcoords="offset points",
                        va="center", fontsize=8, color=line.get_color())  # fmt: skip
        ax.axhline(floor, color=FAMILY_COLOURS["reference"], linewidth=1)
        ax.annotate("floor: real training images", (ax.get_xlim()[0], floor), fontsize=8,
                    xytext=(4, 3), textcoords="offset points")  # fmt: skip
        ax.set(xscale="log", yscale="log", xlabel="training, CPU-seconds", ylabel="FID (judge)")
        ax.set_xlim(right=ax.get_xlim()[1] * 1.9)
        ax.spines[["top", "right"]].set_visible(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--budgets", type=int, nargs="+", default=[30, 60, 120, 240, 480])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    models = arguments.models or presets_and_tuned(params)
    if unknown := set(models) - set(params.models):
        parser.error(f"unknown model {', '.join(unknown)}; there are: {', '.join(params.models)}")
    floor = measured_floor(params)
    points: list[Point] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.jobs, context) as pool:
        waiting = [
            pool.submit(curve, params, name, seed, affordable(params, name, arguments.budgets))
            for name in models
            for seed in range(arguments.seeds)
        ]
        for done in as_completed(waiting):
            points += done.result()
            print(done.result()[-1], flush=True)
    points.sort(key=lambda point: (list(params.models).index(point.model), point.seed))
    text = summary(points, floor, arguments.budgets)
    text += f"\n\n{arguments.seeds} seed(s), one thread a run, {arguments.jobs} runs at once."
    if models != presets_and_tuned(params):
        print(text)  # a part does not replace the whole
        return
    columns = [field.name for field in fields(Point)]
    write_csv(FOLDER / "quality.csv", [vars(point) for point in points], columns)
    draw(FOLDER / "quality.png", points, floor, params.tuned)
    picture = "![FID against training CPU-seconds](quality.png)"
    report(__file__, f"{text} Also as [quality.csv](quality.csv).\n\n{picture}")


def presets_and_tuned(params: Params) -> list[str]:
    """The tuned ones first: they take longest."""
    presets = [name for name in params.models if name == params.system(name)]
    return [*params.tuned, *presets]


def affordable(params: Params, name: str, budgets: list[int]) -> list[int]:
    compared = {params.system(tuned) for tuned in params.tuned}
    return [b for b in budgets if b <= OTHERS_UP_TO or params.system(name) in compared]


def measured_floor(params: Params) -> float:
    path = ProfilePaths(params.profile).baselines / "scores.json"
    records = [record for record in read_records(path) if record.model == "floor"]
    return statistics.mean(record.scores["fid_judge"] for record in records)


def summary(points: list[Point], floor: float, budgets: list[int]) -> str:
    rows = []
    for name in dict.fromkeys(point.model for point in points):
        cells = []
        for budget in budgets:
            at = [p.fid_judge for p in points if p.model == name and p.budget == budget]
            cells.append(f"{(fid := statistics.mean(at)):.2f} ({fid / floor:.0f} x)" if at else "")
        rows.append((name, *cells))
    header = ("model", *(f"{budget} CPU-s" for budget in budgets))
    return f"{table(header, rows)}\n\nFID (judge), and how many times the floor ({floor:.3f})."


if __name__ == "__main__":
    main()
