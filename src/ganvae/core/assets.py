"""The read-only files of the program: judges, parameter files, search spaces and published weights.

A clone of the repository has these files in several folders. A wheel has copies of them in the
folder ``ganvae/assets``, at the same paths as in a clone. setup.py makes the copies. All code finds
these files through this module.
"""

from importlib.resources import files
from pathlib import Path


def find_clone(package: Path) -> Path | None:
    """Return the root of the clone that a package is imported from. None for an installed wheel.

    Only a wheel has the folder ``assets``. An editable installation imports the package from the
    folder ``src`` of a clone.

    Args:
        package: the folder of the package ``ganvae``.
    """
    return None if (package / "assets").is_dir() else package.parents[1]


PACKAGE = Path(str(files("ganvae"))).resolve()
CLONE = find_clone(PACKAGE)
"""The root of the clone that this program runs from, or None for an installed wheel."""
ROOT = CLONE or PACKAGE / "assets"
"""The folder of the read-only files. Below this folder, a wheel has the same paths as a clone."""
