"""MLflow's web pages on all recorded runs."""

import json
import os
import socket
import sys
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode

from mlflow.entities import Run

from ganvae.errors import UserError
from ganvae.tracking.store import Store, connected, find_store
from ganvae.tracking.sync import current_runs, sync


def serve(port: int = 5000, host: str = "127.0.0.1") -> None:
    """Sync all profiles, print where to look, and become MLflow's server.

    Where ``MLFLOW_TRACKING_URI`` is a server, its address is printed and nothing is started.

    Raises:
        UserError: the port is taken.
        TrackingError: MLflow cannot be reached or written to.
    """
    store = find_store()
    if not store.is_server:
        _check_free(host, port)
    print(sync())
    with connected(store) as client:
        runs = current_runs(client)
    address = str(store) if store.is_server else f"http://{host}:{port}"
    for line in links(address, runs):
        print(line)
    if not store.is_server:
        print("Ready in a few seconds; Ctrl-C ends it.", flush=True)
        _become_server(store, host, port)


def links(address: str, runs: list[Run]) -> Iterator[str]:
    """What to open, a line each: charts by data set and profile, a GAN beside a VAE."""
    yield f"MLflow: {address}"
    for (dataset, profile), families in sorted(newest_by_family(runs).items()):
        any_run = next(iter(families.values()))
        charts = charts_url(address, any_run.info.experiment_id, profile)
        yield f"{dataset}, {profile} profile: {charts}"
        if "gan" in families and "vae" in families:
            pair = families["gan"], families["vae"]
            names = " and ".join(run.info.run_name for run in pair)
            yield f"{names}: {compare_url(address, pair)}"


def newest_by_family(runs: Iterable[Run]) -> dict[tuple[str, str], dict[str, Run]]:
    """The first run of each family, by data set and profile."""
    found: dict[tuple[str, str], dict[str, Run]] = {}
    for run in runs:
        tags = run.data.tags
        families = found.setdefault((tags["dataset"], tags["profile"]), {})
        families.setdefault(tags["family"], run)
    return found


def charts_url(address: str, experiment: str, profile: str) -> str:
    """The page with the charts of a profile's current runs, the best FID first.

    Without ``workflowType`` MLflow 3 opens its pages for language models.
    """
    query = {
        "workflowType": "machine_learning",
        "compareRunsMode": "CHART",
        "orderByKey": "metrics.`fid_judge`",
        "orderByAsc": "true",
        "searchFilter": f"tags.current = 'true' AND tags.profile = '{profile}'",
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
