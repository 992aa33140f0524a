"""Check the paths in a profile's files, so that no profile writes into another's results."""

from collections.abc import Iterator
from contextlib import suppress
from os.path import relpath
from pathlib import Path

from ganvae.config import Params, read_yaml
from ganvae.config.promotions import PROMOTED
from ganvae.core.errors import UserError
from ganvae.core.paths import checkout_root
from ganvae.pipeline.project.tokens import PARAMS

PIPELINE = "dvc.yaml"
PROFILES = "profiles"


def root_of(folder: Path, params: Params) -> Path:
    """The root of a profile's project: the place of ``.dvc``, or without it, what params.yaml says.

    Args:
        folder: the folder of the profile.
    """
    root = checkout_root(folder.resolve())
    return root if (root / ".dvc").is_dir() else folder / params.root


def path_faults(folder: Path, params: Params) -> Iterator[str]:
    """Yield a line for each path or name in the profile's files that is not its own.

    Args:
        folder: the folder of the profile.
        params: the parameters in its params.yaml.
    """
    folder = folder.resolve()
    root = checkout_root(folder)
    if not (root / ".dvc").is_dir():
        yield f"no folder above {folder} has a folder .dvc. Run `dvc init` in the project's root."
        return
    own = folder / PARAMS
    file = own.relative_to(root)
    promoted = file.with_name(PROMOTED)
    expected = {"root": Path(relpath(root, folder)), "file": file, "promotions": promoted}
    for key, path in expected.items():
        if Path(getattr(params, key)) != path:
            yield f"{file}: {key} is {getattr(params, key)}. Write `{key}: {path}`."
    if not (root / promoted).exists():
        yield f"{promoted} is missing. Copy the file of another profile, without its variants."
    others = {root / PARAMS, *root.glob(f"{PROFILES}/*/{PARAMS}")} - {own}
    namesakes = [other for other in sorted(others) if _name_in(other) == params.profile]
    for other in namesakes:
        yield (
            f"{file}: profile is {params.profile}, as in {other.relative_to(root)}. Give each "
            "profile a name of its own."
        )
    if not namesakes and folder not in (root, root / PROFILES / params.profile):
        yield (
            f"{file}: profile is {params.profile}, so this file must be in "
            f"{PROFILES}/{params.profile}. Rename the profile or the folder."
        )
    yield from _pipeline_faults(root, file)


def _name_in(path: Path) -> object:
    """The name of a profile. None for a missing or damaged file, which another check reports."""
    with suppress(UserError):
        return read_yaml(path).get("profile")
    return None


def _pipeline_faults(root: Path, file: Path) -> Iterator[str]:
    """Yield a line if the profile's dvc.yaml is missing, or names another params.yaml."""
    pipeline = file.with_name(PIPELINE)
    if not (root / pipeline).exists():
        yield f"{pipeline} is missing. Copy the file of another profile, and set params_file in it."
        return
    try:
        entries = read_yaml(root / pipeline).get("vars")
    except UserError as error:
        yield str(error)
        return
    given = [e["params_file"] for e in entries or () if isinstance(e, dict) and "params_file" in e]
    if given != [str(file)]:
        names = " and ".join(map(str, given)) or "missing"
        yield f"{pipeline}: params_file is {names}. Write `params_file: {file}` under vars."
