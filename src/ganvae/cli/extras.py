"""The check for packages that only some commands need."""

from importlib.util import find_spec

from ganvae.core.errors import UserError

PIPELINE = ("dvc", "mlflow", "optuna")
"""Packages of the extra ``pipeline`` that commands check for. One of them implies all others."""


def need(package: str) -> None:
    """Check that a package of the extra ``pipeline`` is installed, without importing the package.

    Raises:
        UserError: the package is not installed. The message says how to install it.
    """
    assert package in PIPELINE
    if find_spec(package) is None:
        raise UserError(
            f"this command needs the package {package}, which is not installed. Run "
            "`pip install 'ganvae[pipeline]'`."
        )
