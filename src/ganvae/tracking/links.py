"""Make links to MLflow's pages, and write a note with links on each experiment's page."""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, urlencode

from mlflow import MlflowClient
from mlflow.entities import Run

from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.matches import STAGES
from ganvae.tracking.champions import FAMILIES
from ganvae.tracking.names import CURRENT, LEVEL, MATCH, VALIDATION, metric

NOTE = "mlflow.note.content"
MOST_TRIALS = 10
"""The number of trials per family on the page that compares trials. MLflow limits the note."""

LEVELS = {"variant": "variants (means over seeds)", "run": "runs"}


def write_notes(client: MlflowClient, runs: Iterable[Run]) -> None:
    """Write a note with links on the page of each data set in MLflow.

    Args:
        runs: the MLflow runs that show the current results.
    """
    _write_notes(client, runs, _note)


def write_match_notes(client: MlflowClient, runs: Iterable[Run]) -> None:
    """Write a note with links on the page of each experiment of matches in MLflow.

    Args:
        runs: the MLflow runs of all matches that show the current results.
    """
    _write_notes(client, runs, _match_note)


def _write_notes(
    client: MlflowClient, runs: Iterable[Run], note: Callable[[str, list[Run]], Iterator[str]]
) -> None:
    by_experiment: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_experiment[run.info.experiment_id].append(run)
    for experiment, experiment_runs in by_experiment.items():
        text = "\n\n".join(note(experiment, experiment_runs))
        if client.get_experiment(experiment).tags.get(NOTE) != text:
            client.set_experiment_tag(experiment, NOTE, text)


def _note(experiment: str, runs: Iterable[Run]) -> Iterator[str]:
    """Yield one paragraph per profile.

    The paragraph links to the profile's charts, and to a page with its best GAN and best VAE.
    """
    by_profile: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_profile[run.data.tags["profile"]].append(run)
    for profile, profile_runs in sorted(by_profile.items()):
        charts = [
            f"[{title}]({charts_url(experiment, level=level, profile=profile)})"
            for level, title in LEVELS.items()
        ]
        line = f"**{profile}**: charts of {' and '.join(charts)}"
        pair = [run for family in FAMILIES if (run := best_run(profile_runs, family))]
        if len(pair) == len(FAMILIES):
            names = " and ".join(run.info.run_name for run in pair)
            line += f"; [{names} side by side]({compare_url(pair)})"
        yield line


def _match_note(experiment: str, runs: Iterable[Run]) -> Iterator[str]:
    """Yield one paragraph per match.

    The paragraph links to charts of each stage, and to a page with the best trials of each family.
    """
    by_match: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_match[run.data.tags[MATCH]].append(run)
    for match, match_runs in sorted(by_match.items()):
        charts = [
            f"[the {stage}]({charts_url(experiment, VALIDATION, match=match, stage=stage)})"
            for stage in STAGES
        ]
        line = f"**{match}** ({match_runs[0].data.tags['profile']}): charts of "
        best = [run for family in FAMILIES for run in _best_trials(match_runs, family)]
        link = f"; [the best trials of both families side by side]({compare_url(best)})"
        yield line + " and ".join(charts) + (link if best else "")


def _best_trials(runs: Iterable[Run], family: str) -> list[Run]:
    """Return the family's trials of the search with the lowest FIDs, at most `MOST_TRIALS`."""
    wanted, name = {"stage": "search", "family": family}, metric(VALIDATION)
    scored = [run for run in runs if wanted.items() <= run.data.tags.items()]
    scored = [run for run in scored if name in run.data.metrics]
    return sorted(scored, key=lambda run: float(run.data.metrics[name]))[:MOST_TRIALS]


def best_run(runs: Iterable[Run], family: str) -> Run | None:
    """Return the family's MLflow run with the lowest FID on the validation split.

    If no run has this score, the first run of the family is returned. None if the family has no
    runs.
    """
    wanted = {LEVEL: "run", "family": family}
    singles = [run for run in runs if wanted.items() <= run.data.tags.items()]
    name = metric(VALIDATION)
    return min(singles, key=lambda run: run.data.metrics.get(name, math.inf), default=None)


def experiment_url(address: str, experiment: str) -> str:
    """Return the URL of the page with an experiment's charts, on the server at ``address``."""
    return f"{address}/#/experiments/{experiment}/runs?{_query({'compareRunsMode': 'CHART'})}"


def charts_url(experiment: str, score: str = PRIMARY, **tags: str) -> str:
    """Return a link, relative to MLflow's server, to charts of MLflow runs, lowest score first.

    The page also shows training runs that are still in progress.

    Args:
        experiment: the id of the experiment.
        score: the score that orders the runs, by its name in `metric`.
        tags: the tags of the MLflow runs to show, such as ``level`` and ``profile``.
    """
    equal = [f"tags.{name} = '{value}'" for name, value in tags.items()]
    query = {
        "compareRunsMode": "CHART",
        "orderByKey": f"metrics.`{metric(score)}`",
        "orderByAsc": "true",
        "searchFilter": " AND ".join([f"tags.{CURRENT} != 'false'", *equal]),
    }
    return f"#/experiments/{experiment}/runs?{_query(query)}"


def compare_url(runs: Iterable[Run]) -> str:
    """Return a link, relative to MLflow's server, to a page that shows ``runs`` side by side.

    MLflow reads the query parameter ``runs`` only if this parameter comes first.
    """
    runs = list(runs)
    query = {
        "runs": json.dumps([run.info.run_id for run in runs]),
        "experiments": json.dumps(sorted({run.info.experiment_id for run in runs})),
    }
    return f"#/compare-runs?{_query(query)}"


def _query(parameters: dict[str, str]) -> str:
    """Encode query parameters, and add ``workflowType``.

    Without ``workflowType``, MLflow 3 opens its pages for language models.
    """
    return urlencode(parameters | {"workflowType": "machine_learning"}, quote_via=quote)
