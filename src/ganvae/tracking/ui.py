"""MLflow's web pages on all recorded runs."""

import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode

from mlflow.entities import Run

from ganvae.core.errors import exit_with_message
from ganvae.tracking.champions import FAMILIES
from ganvae.tracking.recorded import current_runs
from ganvae.tracking.runs import VALIDATION
from ganvae.tracking.store import connected, find_store
from ganvae.tracking.sync import sync
from ganvae.tracking.tags import CURRENT, LEVEL


def show(address: str) -> None:
    """Sync all profiles and print what to open on the server at ``address``."""
    report = sync()
    with connected(find_store()) as client:
        runs = current_runs(client)
    print("\n".join([str(report), *links(address, runs)]), flush=True)


def links(address: str, runs: Iterable[Run]) -> Iterator[str]:
    """What to open, a line each: charts by data set and profile, the best GAN beside the best VAE.

    Args:
        runs: those that show the present results, the newest first.
    """
    yield f"MLflow: {address}"
    for (dataset, profile), those in sorted(_by_profile(runs).items()):
        experiment = those[0].info.experiment_id
        for level, what in (("variant", "means over seeds"), ("run", "all runs")):
            url = charts_url(address, experiment, profile, level)
            yield f"{dataset}, {profile} profile, {what}: {url}"
        pair = [run for family in FAMILIES if (run := best_run(those, family))]
        if len(pair) == len(FAMILIES):
            means = [mean for run in pair if (mean := _mean_of(run, those))]
            yield from (_side_by_side(address, runs) for runs in (pair, means) if runs)


def best_run(runs: Iterable[Run], family: str) -> Run | None:
    """A family's best on the validation split, as its champion is; the first if none is known."""
    singles = [run for run in runs if _has(run, level="run", family=family)]
    return min(singles, key=lambda run: run.data.metrics.get(VALIDATION, math.inf), default=None)


def charts_url(address: str, experiment: str, profile: str, level: str) -> str:
    """The page with the charts of a profile's models or runs, the best FID first.

    Runs that are still training are shown too. Without ``workflowType`` MLflow 3 opens its pages
    for language models.
    """
    shown = {"profile": profile, LEVEL: level}
    equal = [f"tags.{name} = '{value}'" for name, value in shown.items()]
    query = {
        "workflowType": "machine_learning",
        "compareRunsMode": "CHART",
        "orderByKey": "metrics.`fid_judge`",
        "orderByAsc": "true",
        "searchFilter": " AND ".join([f"tags.{CURRENT} != 'false'", *equal]),
    }
    return f"{address}/#/experiments/{experiment}/runs?{urlencode(query, quote_via=quote)}"


def compare_url(address: str, runs: Iterable[Run]) -> str:
    """The page of the server at ``address`` that puts ``runs`` side by side.

    MLflow's page finds ``runs`` only if it comes first.
    """
    runs = list(runs)
    query = {
        "runs": json.dumps([run.info.run_id for run in runs]),
        "experiments": json.dumps(sorted({run.info.experiment_id for run in runs})),
        "workflowType": "machine_learning",
    }
    return f"{address}/#/compare-runs?{urlencode(query, quote_via=quote)}"


def _by_profile(runs: Iterable[Run]) -> dict[tuple[str, str], list[Run]]:
    found: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        found[run.data.tags["dataset"], run.data.tags["profile"]].append(run)
    return found


def _mean_of(run: Run, runs: Iterable[Run]) -> Run | None:
    """The run of the model that ``run`` is of, if there is one."""
    variant = run.data.tags["variant"]
    return next((one for one in runs if _has(one, level="variant", variant=variant)), None)


def _has(run: Run, **tags: str) -> bool:
    return tags.items() <= run.data.tags.items()


def _side_by_side(address: str, runs: list[Run]) -> str:
    names = " and ".join(run.info.run_name for run in runs)
    return f"{names}: {compare_url(address, runs)}"


if __name__ == "__main__":
    exit_with_message(lambda: show(sys.argv[1]))
