"""Run the training runs of a match that have no record yet."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from ganvae.config import load_params
from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import remove_folder, write_json
from ganvae.core.lock import alone
from ganvae.matches.arena import enter
from ganvae.matches.check import check_changed, check_records
from ganvae.matches.files import read_match
from ganvae.matches.report import write_report
from ganvae.matches.spec import Match
from ganvae.matches.trial import Job
from ganvae.matches.why import changed_finalists
from ganvae.matches.workers import submit, workers
from ganvae.pipeline.reproduction import runs_at_once
from ganvae.scores.matches import (
    FAMILIES,
    MATCHES,
    STAGES,
    Stage,
    TrainedRecord,
    match_path,
    read_match_record,
    read_stage,
)
from ganvae.scores.selection import best_trials
from ganvae.tracking.mirror import Mirror
from ganvae.training.runs import STATE

Part = tuple[int, int]
"""(k, n): the k-th of n parts, from 1."""


def run_match(name: str, processes: int | None = None, part: Part = (1, 1)) -> str:
    """Run all training runs of a match that are missing: first the search, then the selection.

    Args:
        processes: the number of worker processes; by default as many as fit on the CPU cores.
        part: run only the k-th of n parts, so that n machines can share a match.

    Returns:
        A line for the user: the match is complete, or how many training runs are missing.

    Raises:
        ConfigError: the match does not exist or is invalid.
        UserError: the data are not prepared, records do not belong to this match, or another
            process runs this match.
    """
    match = read_match(name)
    busy = (
        f"match {name} is already running in this folder. Wait until it has ended. To share a "
        "match between machines, give each machine a clone of the repository and its own --part."
    )
    with alone(STATE / "matches" / f"{name}.lock", busy):
        _write_record(name, match)
        _forget_recorded(name)
        missing = _run(name, match, processes, part)
        write_report(Path(), name)
    if missing:
        return f"{name}: {missing}"
    return f"{name}: complete. `ganvae sweep finalists {name}` promotes the finalists."


def _write_record(name: str, match: Match) -> None:
    """Write what all training runs share, or check that nothing of it has changed.

    Raises:
        UserError: the data, the judge or the match file have changed since the first training run.
    """
    path, arena = match_path(name), enter(name, match)
    if not path.exists():
        write_json(path, arena.record().model_dump(mode="json"))
        return
    before = read_match_record(path)
    for field, value in arena.checksums.items():
        if getattr(before, field) != value:
            raise UserError(
                f"{path}: {field} has changed since the first training run of match {name}. "
                "Restore the old file from git, or give the match another name."
            )


def _forget_recorded(name: str) -> None:
    """Delete the checkpoints of recorded training runs.

    They are left if a worker is killed after it has written a record.
    """
    for stage in STAGES:
        for record in (MATCHES / name / stage).glob("*.json"):
            with suppress(FileNotFoundError):
                remove_folder(STATE / "matches" / name / stage / record.stem)


def _run(name: str, match: Match, processes: int | None, part: Part) -> str:
    """Run the missing training runs of a part. Return what is still missing, or ""."""
    k, n = part
    mirror = Mirror("training runs")
    count = processes or runs_at_once(load_params(Path(match.params)))
    with workers(name, match, count) as pool:
        for stage in STAGES:
            groups = list(groups_of(name, match, stage))
            jobs = [job for group in groups[k - 1 :: n] for job in group]
            _perform(pool, name, stage, [job for job in jobs if _lacks(name, job)], mirror)
            if still := sum(_lacks(name, job) for group in groups for job in group):
                return f"{still} training runs of the stage {stage} are missing"
    return ""


def read_part(text: str) -> Part:
    """Read a part such as ``1/2``: the first of two.

    Raises:
        ConfigError: the text is no such part.
    """
    if not (found := re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)) or int(found[1]) > int(
        found[2]
    ):
        raise ConfigError(f"--part {text} is not a part. Give a part such as 1/2 or 2/2.")
    return int(found[1]), int(found[2])


def groups_of(name: str, match: Match, stage: Stage) -> Iterator[list[Job]]:
    """Yield the training runs of a stage in groups, each with one training run per family.

    A group stays on one machine. So both families share fast and slow machines, and a machine that
    changes its speed during the match slows both families down.

    Raises:
        UserError: records do not belong to this match, or an earlier stage is not complete.
    """
    search, selection, why = (read_stage(Path(), name, each) for each in STAGES)
    check_records(name, match, [*search, *selection, *why])
    if stage == "search":
        yield from _search(match)
    elif stage == "selection":
        yield from _selection(match, search)
    else:
        check_changed(name, match, search, selection, why)
        yield from changed_finalists(match, search, selection)


def _lacks(name: str, job: Job) -> bool:
    return not job.path(name).exists()


def _search(match: Match) -> Iterator[list[Job]]:
    for number in range(match.trials):
        yield [Job("search", family, number, match.seed) for family in FAMILIES]


def _selection(match: Match, search: Sequence[TrainedRecord]) -> Iterator[list[Job]]:
    best = {family: best_trials(match.rule, search, family) for family in FAMILIES}
    for place in range(match.selection.best):
        for seed in match.selection.seeds:
            trials = [best[family][place] for family in FAMILIES if place < len(best[family])]
            yield [Job("selection", trial.family, trial.trial, seed, trial) for trial in trials]


def _perform(
    pool: ProcessPoolExecutor, name: str, stage: Stage, jobs: Sequence[Job], mirror: Mirror
) -> None:
    """Perform training runs. Print a line after each, and show it in MLflow."""
    if not jobs:
        return
    with tqdm(total=len(jobs), desc=f"{name}, {stage}", disable=None, unit="run") as bar:
        for future in as_completed(submit(pool, jobs)):
            bar.write(_line(future.result()))
            bar.update()
            mirror.match(name)


def _line(record: TrainedRecord) -> str:
    now = datetime.now().strftime("%H:%M:%S")
    seed = "" if record.stage == "search" else f", seed {record.seed}"
    seed += f", {record.change}" if record.change else ""
    result = record.status if record.fid_judge is None else f"FID {record.fid_judge:.2f}"
    flag = ", off budget" if record.flagged else ""
    return (
        f"{now} {record.family} {record.trial}{seed}: {record.system}, {record.steps} steps, "
        f"{record.cpu_seconds:.0f} CPU-seconds{flag}, {result}"
    )
