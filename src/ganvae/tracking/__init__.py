"""MLflow as a projection of `results/`: the only room that imports mlflow.

The settings below are read when mlflow is imported, so they are made here, before any module of
this package can import it. What the user has set in the environment stays.
"""

import os

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing is sent anywhere but to the store
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # an unreachable server: seconds, not 4 minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}

for _name, _value in _SETTINGS.items():
    os.environ.setdefault(_name, _value)
