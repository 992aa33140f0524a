"""Find the profile of a command, and work in the root of its project."""

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ganvae.core.errors import ConfigError, UserError

if TYPE_CHECKING:
    from ganvae.config import Params

PARAMS = "params.yaml"
PIPELINE = "dvc.yaml"


def profile_folder(path: Path, *names: str) -> Path:
    """Return the folder of a profile.

    Args:
        path: the folder, or its params.yaml.
        names: other files of the folder that may be given instead.

    Raises:
        UserError: the path does not exist, is another file, or has no params.yaml beside it.
    """
    give = f"Give the folder of a profile, such as profiles/smoke, or its {PARAMS}."
    if not path.exists():
        raise UserError(f"{path} does not exist. {give}")
    if not path.is_dir() and path.name not in (PARAMS, *names):
        raise UserError(f"{path} is not the {PARAMS} of a profile. {give}")
    folder = path if path.is_dir() else path.parent
    if not (folder / PARAMS).exists():
        raise UserError(
            f"{folder} has no {PARAMS}. Run the command in a project (`ganvae new`) or a clone, "
            "or give the folder of a profile, such as profiles/smoke."
        )
    return folder


@contextmanager
def at_root_of(folder: Path) -> Iterator["Params"]:
    """Work in the root of a profile's project inside the `with` block. Yield the parameters.

    Raises:
        UserError: params.yaml is invalid, or names another file as its own. So a copied profile
            never writes into the results of the original.
    """
    from ganvae.config import load_params

    params = load_params(folder / PARAMS)
    root = folder / params.root
    named = root / params.file
    if not (named.exists() and named.samefile(folder / PARAMS)):
        raise ConfigError(
            f"{folder / PARAMS}: file is {params.file}, but it must be the path of this file from "
            f"the root. `ganvae check {folder}` shows all wrong paths."
        )
    with chdir(root):
        yield params
