"""Programs that some tests need, and that a machine may lack."""

import os
from typing import NoReturn

import pytest


def skip_without(what: str, packages: str) -> NoReturn:
    """Skip the test, because the machine lacks what it needs. In CI, the test fails.

    Args:
        what: the missing program or programs.
        packages: the Debian packages that have them.
    """
    reason = f"no {what} here (Debian and Ubuntu: `apt-get install {packages}`)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
