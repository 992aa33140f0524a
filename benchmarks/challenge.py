"""Try configurations that were chosen by hand, inside the search spaces of the matches.

A match draws its trials at random, so it may miss the best model of a family. This script trains
the configurations of challenges.yaml as trials of their match: in the same CPU-seconds, from the
seeds of the selection, scored on validation images by both judges. It refuses a configuration that
the match cannot draw. Test images are not used. Each record is written to challenge.csv at once.

    python benchmarks/challenge.py [NAME ...] [--jobs 2] [--keep]

NAME is a configuration (default: all). With --keep, the records of an earlier call stay.
"""

import argparse
import csv
import math
import multiprocessing
import os
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Self, get_args

from pydantic import Field, NonNegativeInt, TypeAdapter, model_validator

from ganvae.config import Section, parse
from ganvae.config.yaml import read_yaml
from ganvae.core.errors import UserError, exit_with_message
from ganvae.matches.arena import enter
from ganvae.matches.draw import Drawn, chosen, draw
from ganvae.matches.files import read_match
from ganvae.matches.spec import Match
from ganvae.matches.trial import Arena, Job
from ganvae.models.base import ImageShape, shape_of
from ganvae.scores.matches import Family, TrainedRecord, Value, read_stage
from ganvae.scores.selection import finalist
from results import report, table

FOLDER = Path(__file__).parent
CHALLENGES, TRIED = FOLDER / "challenges.yaml", FOLDER / "challenge.csv"


class Challenge(Section):
    """A configuration of a match that was chosen by hand, and why. Or a trial of the match.

    A trial is trained again with the number of steps that this machine does in the same seconds.
    """

    match: str
    family: Family
    idea: str = Field(min_length=1)
    system: str = ""
    parameters: dict[str, Value] = Field({})
    trial: NonNegativeInt | None = None

    @model_validator(mode="after")
    def _is_a_trial_or_a_configuration(self) -> Self:
        if (self.trial is None) != bool(self.system and self.parameters):
            raise ValueError("give either trial, or system and parameters")
        return self

    def drawn(self, match: Match, shape: ImageShape) -> Drawn:
        if self.trial is not None:
            return draw(match, self.family, self.trial, shape)
        return chosen(match, self.family, self.system, self.parameters, shape)


@dataclass(frozen=True)
class Tried:
    """The scores of one training run on validation images. They are NaN if the run diverged."""

    name: str
    match: str
    family: str
    seed: int
    steps: int
    cpu_seconds: float
    fid_judge: float
    fid_unlabelled: float


@cache
def arena(match: str) -> Arena:
    """What the runs of a match share."""
    return enter(match, read_match(match))


def attempt(name: str, challenge: Challenge, number: int, seed: int) -> None:
    """Train a configuration as a trial of its match, and add its scores to the file."""
    place = replace(arena(challenge.match), name=f"challenge-{name}-{seed}")  # of its checkpoints
    drawn = challenge.drawn(place.match, shape_of(place.images))
    job = Job("search", challenge.family, number, seed)
    run = tried_as(name, challenge.match, place.perform(job, drawn))
    with TRIED.open("a") as file:  # one short write, so lines of several processes do not mix
        file.write(",".join(map(str, astuple(run))) + "\n")
    place.forget(job)


def tried_as(name: str, match: str, record: TrainedRecord) -> Tried:
    fids = [math.nan if fid is None else fid for fid in (record.fid_judge, record.fid_unlabelled)]
    cost = record.steps, record.cpu_seconds
    return Tried(name, match, record.family, record.seed, *cost, *fids)


def read_tried() -> list[Tried]:
    with TRIED.open() as file:
        return TypeAdapter(list[Tried]).validate_python(list(csv.DictReader(file)))


def write_tried(tried: Sequence[Tried]) -> None:
    lines = [[field.name for field in fields(Tried)], *map(astuple, tried)]
    TRIED.write_text("".join(",".join(map(str, line)) + "\n" for line in lines))


def main() -> None:
    challenges = {
        name: parse(Challenge, values, name) for name, values in read_yaml(CHALLENGES).items()
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(challenges))
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--keep", action="store_true", help="keep the records of an earlier call")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(challenges):
        raise UserError(f"challenges.yaml has no {min(unknown)}. It has: {', '.join(challenges)}.")
    kept = read_tried() if arguments.keep and TRIED.exists() else []
    write_tried(kept)
    done = {(tried.name, tried.seed) for tried in kept}
    with ProcessPoolExecutor(arguments.jobs, multiprocessing.get_context("spawn")) as pool:
        waiting = [
            pool.submit(attempt, name, challenges[name], list(challenges).index(name), seed)
            for name in arguments.names
            for seed in read_match(challenges[name].match).selection.seeds
            if (name, seed) not in done
        ]
        for finished in as_completed(waiting):
            finished.result()
    write_tried(sorted(read_tried(), key=lambda t: (list(challenges).index(t.name), t.seed)))
    report(__file__, summary(challenges, read_tried()))


def summary(challenges: dict[str, Challenge], tried: Sequence[Tried]) -> str:
    header = ("configuration", "family", "idea", "CPU-s", "steps", "FID (judge)",
              "FID (second judge)")  # fmt: skip
    parts = []
    for match in dict.fromkeys(run.match for run in tried):
        rows = [_finalist(match, family) for family in get_args(Family)]
        for name, challenge in challenges.items():
            runs = [run for run in tried if run.name == name and run.match == match]
            if runs:
                rows.append((f"`{name}`", challenge.family, challenge.idea, *_scores(runs)))
        parts += [f"### Match `{match}`", table(header, rows)]
    parts.append(
        "FIDs compare with validation images. They are means over the three seeds of the "
        "selection, with the lowest and the highest one. The finalists have the values of the "
        "selection, and may have been trained on another processor. Some runs took over 10 "
        "% more than their CPU-seconds; a search would not select them. The configurations were "
        "chosen by hand after the matches, by scores on the same validation images: 29 other "
        "trainings, which are not in the table. The configurations are in "
        "[challenges.yaml](challenges.yaml), the runs in [challenge.csv](challenge.csv)."
    )
    return "\n\n".join(parts)


def _finalist(match: str, family: Family) -> tuple[str, ...]:
    rule, selection = read_match(match).rule, read_stage(Path(), match, "selection")
    best, _ = finalist(rule, read_stage(Path(), match, "search"), selection, family)
    of_finalist = [run for run in selection if (run.family, run.trial) == (family, best.trial)]
    runs = [tried_as("finalist", match, run) for run in of_finalist]
    return "finalist", family, f"trial {best.trial} of the match", *_scores(runs)


def _scores(runs: Sequence[Tried]) -> tuple[str, ...]:
    """The cells of a configuration: CPU-seconds, steps and the FIDs by both judges."""
    seconds = statistics.mean(run.cpu_seconds for run in runs)
    steps = statistics.mean(run.steps for run in runs)
    fids = [run.fid_judge for run in runs], [run.fid_unlabelled for run in runs]
    return f"{seconds:.0f}", f"{steps:,.0f}", *map(_fid, fids)


def _fid(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    exit_with_message(main)
