"""Write the tokens of a project: what its results depend on, beside parameters and data.

The tokens of the program's own systems come with the program. A user's system adds the checksum of
its code.
"""

import hashlib
import json
from pathlib import Path

from ganvae.config import load_params
from ganvae.core import assets
from ganvae.core.errors import UserError, exit_with_message
from ganvae.core.files import write_text
from ganvae.core.tokens import FOLDER, is_current
from ganvae.models.own_code import identity

OF_A_SYSTEM = ("train", "evaluate-run", "draw-run")
"""The kinds of tokens that each system has."""
CODE = "code"
"""The token of the program's whole code. Only stages that take seconds depend on it."""
TOKENS = FOLDER / "tokens"
PARAMS = "params.yaml"


def refresh(root: Path) -> None:
    """Write all tokens of a project. A token changes only if what it stands for has changed.

    Raises:
        ConfigError: a parameter file is invalid, or the code of a user's system is missing.
        UserError: the program runs from a clone whose code has changed since its last measurement.
    """
    tokens = _tokens(root)
    for name, text in tokens.items():
        path = root / TOKENS / name
        if not path.exists() or path.read_text() != text:
            write_text(path, text)
    for path in (root / TOKENS).rglob("*.json"):
        if str(path.relative_to(root / TOKENS)) not in tokens:
            path.unlink()


def are_fresh(root: Path) -> bool:
    """Return whether the tokens of a project's models and of the program are those of today's code.

    Raises:
        ConfigError, UserError: as for `refresh`.
    """
    paths = {root / TOKENS / name: text for name, text in _tokens(root).items()}
    return all(path.exists() and path.read_text() == text for path, text in paths.items())


def _tokens(root: Path) -> dict[str, str]:
    """The text of each token, by its path below `TOKENS`."""
    if assets.CLONE and not is_current(assets.CLONE):
        raise UserError(
            f"the code in {assets.CLONE} has changed since its behaviour was measured. Run `dvc "
            "repro behaviour/dvc.yaml` there."
        )
    source = assets.ROOT / TOKENS
    tokens = {str(path.relative_to(source)): path.read_text() for path in source.rglob("*.json")}
    tokens[f"{CODE}.json"] = _token(_code())
    program = dict(tokens)  # a user's system depends on no other system of the user
    for system in sorted(systems_of(root)):
        if f"train/{system}.json" not in program:
            tokens |= _own(system, identity(system, root), program)
    return tokens


def systems_of(root: Path) -> set[str]:
    """The systems in all parameter files of a project or clone."""
    profiles = [root / PARAMS, *root.glob(f"profiles/*/{PARAMS}")]
    return {run.system for path in profiles for run in load_params(path).runs.values()}


def _own(system: str, code: str, program: dict[str, str]) -> dict[str, str]:
    """The tokens of a user's system, whose code has the checksum ``code``.

    They change with this code, and with the behaviour of any system in ``program``, because the
    user's code calls the program's.
    """
    return {
        f"{kind}/{system}.json": _token(
            [code, *(text for name, text in sorted(program.items()) if name.startswith(f"{kind}/"))]
        )
        for kind in OF_A_SYSTEM
    }


def _code() -> str:
    """A checksum of the program's code and templates."""
    digest = hashlib.sha256()
    for path in sorted(assets.PACKAGE.rglob("*")):
        relative = path.relative_to(assets.PACKAGE)
        if path.is_file() and path.suffix != ".pyc" and relative.parts[0] != "assets":
            digest.update(f"{relative}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _token(content: object) -> str:
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return json.dumps({"behaviour": digest[:16]}) + "\n"


if __name__ == "__main__":
    exit_with_message(lambda: refresh(Path()))
