"""Show `results/` in MLflow. No other package imports mlflow.

mlflow reads the settings below when it is imported. So they are set here, before any module of this
package imports it. Settings that the user has made in the environment take precedence.
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
