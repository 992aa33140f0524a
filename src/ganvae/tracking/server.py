"""Start MLflow's server by replacing the current process.

To start the server sooner, this module does not import MLflow.
"""

import os
import socket
import subprocess
import sys

from ganvae.core.errors import UserError
from ganvae.core.live import start_follower
from ganvae.core.paths import project_root
from ganvae.tracking.store import Store, connected, find_store


def serve(port: int = 5000, host: str = "127.0.0.1") -> None:
    """Replace this process with MLflow's server, and start two further processes.

    One process syncs the results and prints links to the pages. The other process shows training
    runs during training. If ``MLFLOW_TRACKING_URI`` is the address of a server, the results are
    synced to this address, and no server is started.

    Raises:
        UserError: the working directory is not in a project or a clone, or the port is taken.
        TrackingError: MLflow cannot be reached or written to.
    """
    project_root()
    store = find_store()
    if store.is_server:
        from ganvae.tracking.ui import show

        show(str(store))
        return
    _check_free(host, port)
    if not (store.sqlite_file and store.sqlite_file.exists()):
        with connected(store):  # creates the database before two processes open it
            pass
    print("MLflow is ready in a few seconds. Press Ctrl-C to stop it.", flush=True)
    subprocess.Popen([sys.executable, "-m", "ganvae.tracking.ui", f"http://{host}:{port}"])
    start_follower()
    _become_server(store, host, port)


def _check_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                f"port {port} of {host} cannot be used ({error.strerror}). "
                f"Try `ganvae ui --port {port + 1}`."
            ) from None


def _become_server(store: Store, host: str, port: int) -> None:
    """Replace this process with MLflow's server, which then consists of two processes.

    By default MLflow would start fifteen processes, which need 3 GB of memory.
    """
    command = [sys.executable, "-m", "mlflow", "server"]
    command += ["--host", host, "--port", str(port), "--workers", "1"]
    command += ["--artifacts-destination", str(store.artifacts)]
    command += ["--uvicorn-opts", "--log-level warning"]
    environment = {
        **os.environ,
        "MLFLOW_REGISTRY_STORE_URI": store.uri,
        "MLFLOW_BACKEND_STORE_URI": store.uri,  # not on the command line: it may hold a password
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONWARNINGS": "ignore",  # MLflow's libraries warn about each other
    }
    os.execve(sys.executable, command, environment)
