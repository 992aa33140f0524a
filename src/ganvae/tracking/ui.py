"""MLflow's web pages on all recorded runs."""

import json
import math
import os
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode

from mlflow.entities import Run

from ganvae.errors import UserError, exit_with_message
from ganvae.live import start_follower
from ganvae.tracking.champions import FAMILIES
from ganvae.tracking.recorded import current_runs
from ganvae.tracking.runs import VALIDATION
from ganvae.tracking.store import Store, connected, find_store
from ganvae.tracking.sync import sync
from ganvae.tracking.tags import CURRENT, LEVEL


def serve(port: int = 5000, host: str = "127.0.0.1") -> None:
    """Become MLflow's server; meanwhile other processes sync and say where to look.

    One more shows trainings while they go on. All end with the server. Where
    ``MLFLOW_TRACKING_URI`` is a server, it is synced, and nothing is started.

    Raises:
        UserError: the port is taken.
        TrackingError: MLflow cannot be reached or written to.
    """
    store = find_store()
    if store.is_server:
        show(str(store))
        return
    _check_free(host, port)
    with connected(store):  # makes the database, if there is none, before two others open it
        pass
    print("Ready in a few seconds; Ctrl-C ends it.", flush=True)
    subprocess.Popen([sys.executable, "-m", "ganvae.tracking.ui", f"http://{host}:{port}"])
    start_follower()
    _become_server(store, host, port)


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
        for level, what in (("model", "means of the models"), ("run", "all runs")):
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
    model = run.data.tags["model"]
    return next((one for one in runs if _has(one, level="model", model=model)), None)


def _has(run: Run, **tags: str) -> bool:
    return tags.items() <= run.data.tags.items()


def _side_by_side(address: str, runs: list[Run]) -> str:
    names = " and ".join(run.info.run_name for run in runs)
    return f"{names}: {compare_url(address, runs)}"


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                f"port {port} of {host} cannot be used ({error.strerror}): "
                f"try `ganvae ui --port {port + 1}`."
            ) from None


def _become_server(store: Store, host: str, port: int) -> None:
    """Replace this process by a server of two processes; MLflow's default is fifteen (3 GB)."""
    command = [sys.executable, "-m", "mlflow", "server"]
    command += ["--host", host, "--port", str(port), "--workers", "1"]
    command += ["--artifacts-destination", str(store.artifacts)]
    command += ["--uvicorn-opts", "--log-level warning"]
    environment = {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": store.uri,  # not on the command line: it may hold a password
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    os.execve(sys.executable, command, environment)


if __name__ == "__main__":
    exit_with_message(lambda: show(sys.argv[1]))
