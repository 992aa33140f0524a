"""Show `results/` in MLflow. No other package of ganvae imports mlflow.

On import, mlflow reads its settings from environment variables. So this file sets the variables,
before any module of this package imports mlflow. Variables that the user has set are not changed.
"""

import os

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # send data only to the store
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # an unreachable server fails in seconds
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}

for _name, _value in _SETTINGS.items():
    os.environ.setdefault(_name, _value)
