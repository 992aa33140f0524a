"""Read the score records that the pipeline wrote for a profile."""

from collections.abc import Iterable

from ganvae.config import Params
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.scores.catalogue import COSTS
from ganvae.scores.records import ScoreRecord, read_record, read_records


def collect_records(params: Params) -> list[ScoreRecord]:
    """Read all records of a profile: first the baselines, then the training runs.

    The records of training runs include training costs, such as training time.
    """
    baselines = ProfilePaths(params.profile).baselines / "scores.json"
    return [*read_records(baselines), *collect_runs(params, params.runs)]


def collect_runs(params: Params, keys: Iterable[str]) -> list[ScoreRecord]:
    """Read the records of the training runs with these keys, and add each run's training costs."""
    paths = ProfilePaths(params.profile)
    records = []
    for key in keys:
        record = read_record(paths.run(key).scores)
        timing = read_json(paths.run(key).timing)
        times = {name: timing[name] for name in timing if name in COSTS}
        records.append(record.model_copy(update={"scores": record.scores | times}))
    return records
