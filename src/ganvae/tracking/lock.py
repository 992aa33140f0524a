"""Read the checksums of a profile's outputs from the profile's dvc.lock, without calling DVC."""

from collections.abc import Mapping
from pathlib import Path

from ganvae.config import read_yaml


def locked_outputs(root: Path, profile: str) -> Mapping[str, str]:
    """Return a mapping from each output's path, relative to ``root``, to its MD5 checksum.

    The checksums come from dvc.lock in ``profiles/<profile>``, or else from dvc.lock in ``root``.
    The mapping is empty if neither file exists.

    Raises:
        ConfigError: dvc.lock is not YAML.
    """
    candidates = (root / "profiles" / profile / "dvc.lock", root / "dvc.lock")
    lock = next((path for path in candidates if path.exists()), None)
    stages = read_yaml(lock).get("stages", {}) if lock else {}
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if "md5" in out}
