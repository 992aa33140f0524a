"""Read the score records that the pipeline wrote for a profile."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ganvae.config import Params
from ganvae.core.errors import UserError
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.models.registry import system_config
from ganvae.scores.catalogue import COSTS
from ganvae.scores.records import ScoreRecord, read_record, read_records


def collect_records(params: Params) -> list[ScoreRecord]:
    """Read all records of a profile: the baselines, the training runs, and submitted samples.

    The records of training runs include training costs, such as training time.
    """
    baselines = ProfilePaths(params.profile).baselines / "scores.json"
    runs = collect_runs(params, params.runs)
    return [*read_records(baselines), *runs, *collect_submitted(params)]


def collect_submitted(params: Params) -> list[ScoreRecord]:
    """Read the records of samples that were handed in, by the names of their files.

    Raises:
        UserError: a record has the name of a variant, which was added later.
    """
    records = []
    for path in _submitted(params):
        record = read_record(path)
        if record.variant in params.variants:
            raise UserError(
                f"{path} has the name of the variant {record.variant} in {params.file}. Rename the "
                "variant, or delete the file and submit the samples under another --model."
            )
        records.append(record)
    return records


def submitted_texts(params: Params) -> dict[Path, bytes]:
    """Read the files of the records of samples that were handed in."""
    return {path: path.read_bytes() for path in _submitted(params)}


def check_submitted(params: Params, before: Mapping[Path, bytes]) -> None:
    """Check that no record was handed in or changed while a stage ran.

    DVC takes the folder's checksum after the stage. A record that arrived meanwhile would count as
    read, and pages would never show it.

    Args:
        before: the result of `submitted_texts` before the stage read the records.

    Raises:
        UserError: the records differ.
    """
    if submitted_texts(params) != before:
        raise UserError(
            f"{ProfilePaths(params.profile).submitted} changed while this stage ran. Run the same "
            "command again."
        )


def _submitted(params: Params) -> list[Path]:
    return sorted(ProfilePaths(params.profile).submitted.glob("*.json"))


def collect_runs(params: Params, keys: Iterable[str]) -> list[ScoreRecord]:
    """Read the records of the training runs with these keys, and add each run's training costs."""
    paths = ProfilePaths(params.profile)
    records = []
    for key in keys:
        record = read_record(paths.run(key).scores)
        timing = read_json(paths.run(key).timing)
        times = {name: timing[name] for name in timing if name in COSTS}
        share = budget_share(read_json(paths.run(key).outcome))
        scores = record.scores | times | {"budget_share": share}
        records.append(record.model_copy(update={"scores": scores}))
    return records


def budget_share(outcome: Mapping[str, Any]) -> float | None:
    """Return how far a training run came, as a share of its system's own budget.

    The own budget is the default schedule of the system with its default batches. Both are counted
    in training images. None if the system does not say how many images a step takes.

    Args:
        outcome: the outcome of the training run.
    """
    default = system_config(outcome["system"], {})
    if default.schedule.unit == "epochs":
        return outcome["images_seen"] / (default.schedule.length * outcome["train_images"])
    per_step = getattr(default, "real_images_per_step", None)
    return outcome["images_seen"] / (default.schedule.length * per_step) if per_step else None
