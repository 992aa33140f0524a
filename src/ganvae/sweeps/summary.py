"""Write `summary.md` and `trials.csv` of a study: the search space, the results, the effects."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganvae.core.files import write_csv
from ganvae.report import sweep_text as text
from ganvae.report.numbers import fixed, listed
from ganvae.report.page_tables import Cell
from ganvae.report.sweep_effects import EffectsRecord
from ganvae.scores.studies import StudyRecord, TrialRecord
from ganvae.sweeps.effects import ranges_of
from ganvae.sweeps.front import pareto_front
from ganvae.sweeps.space import current_values

SHOWN = 5


def summary(record: StudyRecord, effects: EffectsRecord, pictures: Sequence[str]) -> str:
    """Return the text of `summary.md`.

    Args:
        pictures: names of picture files in the folder of `summary.md`; each name is a key of
            `ganvae.report.sweep_text.PICTURES`.
    """
    parts = [
        f"# Sweep `{record.study}`",
        f"This study searched parameters of `{record.variant}` ({record.profile} profile, "
        f"{record.dataset}) in the search space `sweeps/{record.space}.yaml`. "
        f"{_budget(record)}The value of a trial is {text.measured_what(record)}. Lower is better. "
        "No trial used the test split.",
        "## Search space",
        _table(["parameter", "range", "current"], _ranges(record)),
        _pruning(record),
        "## Cost",
        text.budget_text(record),
        "## Best trials",
        text.best_text(record),
    ]
    if record.scored:
        parts += [_best_table(record), text.OPTIMISM]
    if len(record.objectives) > 1 and record.scored:
        parts += ["## Pareto front", _front(record)]
    parts += ["## Effect of each parameter", _bullets(text.findings(record, effects))]
    if text.has_numbers(effects):
        parts += [_table(text.HEADS, _effects(record, effects)), _how_to_read(record)]
    if pictures:
        parts.append("## Pictures")
    parts += [
        f"**{text.PICTURES[name].title}.** {text.PICTURES[name].caption}\n\n"
        f"![{text.PICTURES[name].title}]({name})"
        for name in pictures
    ]
    return "\n\n".join(parts) + "\n"


def write_trials(path: Path, record: StudyRecord) -> None:
    """Write a CSV file with one row per trial. Times are in UTC."""
    rows = [_row(record, trial) for trial in record.trials]
    columns = ["number", "status", "reason", "current", "retry_of", *record.parameters]
    columns += record.objectives
    columns += sorted({name for row in rows for name in row if name.startswith("seed_")})
    curve = {name for row in rows for name in row if name.startswith("curve_")}
    columns += sorted(curve, key=lambda name: int(name.removeprefix("curve_")))
    write_csv(path, rows, [*columns, "seconds", "started", "finished"])


def _row(record: StudyRecord, trial: TrialRecord) -> dict[str, Any]:
    return {
        **trial.model_dump(include={"number", "status", "reason", "retry_of", "seconds"}),
        "current": trial.current or None,
        **{name: "off" if value is None else value for name, value in trial.parameters.items()},
        **dict(zip(record.objectives, trial.values, strict=False)),
        **{f"seed_{seed}": fid for seed, fid in trial.seeds.items()},
        **{f"curve_{moment}": fid for moment, fid in trial.curve.items()},
        "started": _time(trial.started),
        "finished": _time(trial.finished),
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _budget(record: StudyRecord) -> str:
    if record.budget == "steps":
        return ""
    return (
        "In every trial, the discriminator D and the generator G together have as many updates as "
        "with the current parameters. Updates that the balance rule skips count, too. "
    )


def _ranges(record: StudyRecord) -> Iterator[list[str]]:
    current = dict(current_values(ranges_of(record), record.system, record.base))
    for name, range_ in record.parameters.items():
        yield [f"`{name}`", text.range_text(range_), text.value_text(current[name])]


def _pruning(record: StudyRecord) -> str:
    if record.pruner is None:
        return "No trial was pruned."
    name, checks = record.pruner["name"], record.pruner["checks"]
    if record.pruner["by"] == "seed":
        p = record.pruner["p"]
        return f"Trials with a high FID were pruned after a seed ({name}, p = {p:g})."
    moments = listed([f"{100 * share:g} %" for share in checks])
    return f"Trials with a high FID were pruned at {moments} of the first seed's training ({name})."


def _best_table(record: StudyRecord) -> str:
    best = sorted(record.scored, key=lambda trial: trial.values[0])[:SHOWN]
    shown = [*best, *([record.current] if record.current and record.current not in best else [])]
    lines = []
    for trial in shown:
        number = f"{trial.number} (current)" if trial.current else str(trial.number)
        values = [text.value_text(trial.parameters.get(name)) for name in record.parameters]
        seeds = [fixed(trial.seeds[seed], 2) for seed in record.seeds]
        lines.append([number, trial.status, *values, fixed(trial.values[0], 2), *seeds])
    heads = ["trial", "status", *(f"`{name}`" for name in record.parameters), "FID"]
    return _table([*heads, *(f"seed {seed}" for seed in record.seeds)], lines)


def _front(record: StudyRecord) -> str:
    heads = ["trial", *(text.OBJECTIVES[name] for name in record.objectives), "parameters"]
    lines = [
        [str(t.number), *(fixed(value, 2) for value in t.values), text.parameters_text(t)]
        for t in pareto_front(record)
    ]
    return _table(heads, lines)


def _effects(record: StudyRecord, effects: EffectsRecord) -> Iterator[list[str]]:
    for effect in effects.effects:
        columns = text.effect_cells(effect, checked=record.pruner is not None)
        yield [f"`{effect.parameter}`", *("; ".join(map(_inline, cells)) for cells in columns)]


def _inline(cell: Cell) -> str:
    return f"{cell.text} ({cell.below})" if cell.below else cell.text


def _how_to_read(record: StudyRecord) -> str:
    check = f" The first check measures {text.check_text(record)}." if record.pruner else ""
    what = (
        "The table shows rank correlations with FID and differences in FID, with 95 % confidence "
        "intervals."
    )
    return f"{what}{check}\n\n{_bullets(text.CAVEATS)}"


def _table(heads: Sequence[str], lines: Iterator[list[str]] | Sequence[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
