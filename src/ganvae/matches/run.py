"""Run the training runs of a match that have no record yet, in several processes."""

import multiprocessing
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from ganvae.core.errors import ConfigError, UserError
from ganvae.core.files import write_json
from ganvae.matches.check import check_records
from ganvae.matches.report import write_report
from ganvae.matches.spec import Match, read_match
from ganvae.matches.trial import Arena, Job, enter
from ganvae.matches.why import changed_finalists
from ganvae.scores.matches import (
    FAMILIES,
    STAGES,
    Stage,
    TrainedRecord,
    match_path,
    read_match_record,
    read_stage,
    write_trained,
)
from ganvae.scores.selection import best_trials

_arena: Arena | None = None  # of a worker process


def run_match(name: str, workers: int | None = None, part: tuple[int, int] = (1, 1)) -> str:
    """Run all training runs of a match that are missing: first the search, then the selection.

    Args:
        workers: the number of processes; by default one per CPU core.
        part: (k, n): run only the k-th of n parts, so that n machines can share a match.

    Returns:
        A line for the user on what is there, and what is missing.

    Raises:
        ConfigError: the match does not exist or is invalid.
        UserError: the data are not prepared, or records do not belong to this match.
    """
    match = read_match(name)
    _write_record(name, match)
    k, n = part
    for stage in STAGES:
        jobs = list(jobs_of(name, match, stage))
        to_do = [job for job in jobs[k - 1 :: n] if _lacks(name, job)]
        run_jobs(name, match, stage, to_do, workers)
        if still := sum(_lacks(name, job) for job in jobs):
            write_report(Path(), name)
            return f"{name}: {still} training runs of the stage {stage} are missing"
    write_report(Path(), name)
    return f"{name}: complete. `ganvae sweep finalists {name}` promotes the finalists."


def _write_record(name: str, match: Match) -> None:
    """Write what all training runs share, or check that nothing of it has changed.

    Raises:
        UserError: the data, the judge or the match file have changed since the first training run.
    """
    path, record = match_path(name), enter(name, match).record()
    if not path.exists():
        write_json(path, record.model_dump(mode="json"))
        return
    before = read_match_record(path)
    for field in ("match_sha256", "train_sha256", "validation_sha256", "judge_sha256"):
        if getattr(before, field) != getattr(record, field):
            raise UserError(
                f"{path}: {field} has changed since the first training run of match {name}. "
                "Restore the old file from git, or give the match another name."
            )


def read_part(text: str) -> tuple[int, int]:
    """Read a part such as ``1/2``: the first of two.

    Raises:
        ConfigError: the text is no such part.
    """
    if not (found := re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)) or int(found[1]) > int(
        found[2]
    ):
        raise ConfigError(f"--part {text} is not a part. Give a part such as 1/2 or 2/2.")
    return int(found[1]), int(found[2])


def jobs_of(name: str, match: Match, stage: Stage) -> Iterator[Job]:
    """Yield the training runs of a stage. The two families take turns.

    So a machine that changes its speed during the match slows both families down.

    Raises:
        UserError: records do not belong to this match, or an earlier stage is not complete.
    """
    if stage == "search":
        return _search(match)
    search, selection = (read_stage(Path(), name, earlier) for earlier in STAGES[:2])
    check_records(name, match, [*search, *selection])
    if stage == "selection":
        return _selection(match, search)
    return changed_finalists(match, search, selection)


def _lacks(name: str, job: Job) -> bool:
    return not job.path(name).exists()


def _search(match: Match) -> Iterator[Job]:
    for number in range(match.trials):
        for family in FAMILIES:
            yield Job("search", family, number, match.seed)


def _selection(match: Match, search: Sequence[TrainedRecord]) -> Iterator[Job]:
    best = {family: best_trials(match.rule, search, family) for family in FAMILIES}
    for place in range(match.selection.best):
        for seed in match.selection.seeds:
            for family in FAMILIES:
                if place < len(best[family]):
                    trial = best[family][place]
                    yield Job("selection", family, trial.trial, seed, trial)


def run_jobs(
    name: str, match: Match, stage: Stage, jobs: Sequence[Job], workers: int | None = None
) -> None:
    """Perform training runs in several processes, and write a record after each.

    Raises:
        UserError: a worker process was killed.
    """
    if not jobs:
        return
    workers = min(len(jobs), workers or len(os.sched_getaffinity(0)))
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _start_worker, (name, match))
    try:
        with tqdm(total=len(jobs), desc=f"{name}, {stage}", disable=None, unit="run") as bar:
            for future in as_completed([pool.submit(_perform, job) for job in jobs]):
                record = future.result()
                write_trained(Path(), name, record)
                bar.write(_line(record))
                bar.update()
    except BrokenProcessPool:
        raise UserError(
            f"a worker of match {name} was killed. Finished training runs are not lost. Run the "
            "same command again to resume."
        ) from None
    except KeyboardInterrupt:
        print("interrupted: run the same command again to resume from the last checkpoints")
        raise
    finally:
        for process in (pool._processes or {}).values():
            process.terminate()
        pool.shutdown(cancel_futures=True)


def _start_worker(name: str, match: Match) -> None:
    global _arena
    _arena = enter(name, match)


def _perform(job: Job) -> TrainedRecord:
    assert _arena is not None
    return _arena.run(job)


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
