"""The records that a profile's stages wrote."""

from collections.abc import Iterable

from ganvae.config import Params
from ganvae.core.files import read_json
from ganvae.core.paths import ProfilePaths
from ganvae.scores.catalogue import COSTS
from ganvae.scores.records import ScoreRecord, read_record, read_records


def collect_records(params: Params) -> list[ScoreRecord]:
    """The profile's records, baselines first, each run's with its training times."""
    baselines = ProfilePaths(params.profile).baselines / "scores.json"
    return [*read_records(baselines), *collect_runs(params, params.runs)]


def collect_runs(params: Params, keys: Iterable[str]) -> list[ScoreRecord]:
    """The records of some of the profile's runs, each with its training times."""
    paths = ProfilePaths(params.profile)
    records = []
    for key in keys:
        record = read_record(paths.run(key).scores)
        timing = read_json(paths.run(key).timing)
        times = {name: timing[name] for name in timing if name in COSTS}
        records.append(record.model_copy(update={"scores": record.scores | times}))
    return records
