"""Read the score records that a profile's stages wrote."""

from collections.abc import Iterable

from ganvae.config import Params
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.scores.catalogue import COSTS
from ganvae.scores.records import ScoreRecord, read_record, read_records


def collect_records(params: Params) -> list[ScoreRecord]:
    """All records of the profile: first the baselines, then the runs with their training costs."""
    baselines = ProfilePaths(params.profile).baselines / "scores.json"
    return [*read_records(baselines), *collect_runs(params, params.runs)]


def collect_runs(params: Params, keys: Iterable[str]) -> list[ScoreRecord]:
    """The records of the runs with these keys, each with its training costs."""
    paths = ProfilePaths(params.profile)
    records = []
    for key in keys:
        record = read_record(paths.run(key).scores)
        timing = read_json(paths.run(key).timing)
        times = {name: timing[name] for name in timing if name in COSTS}
        records.append(record.model_copy(update={"scores": record.scores | times}))
    return records
