"""Read the checksums of a profile's outputs from its dvc.lock, without calling DVC."""

from collections.abc import Mapping
from pathlib import Path

from ganvae.config import read_yaml


def locked_outputs(root: Path, profile: str) -> Mapping[str, str]:
    """The MD5 checksum of each output, by path from ``root``; empty if the profile has no lock.

    The lock is in the profile's folder, or in the repository's root for the profile there.

    Raises:
        ConfigError: the lock is not YAML.
    """
    candidates = (root / "profiles" / profile / "dvc.lock", root / "dvc.lock")
    lock = next((path for path in candidates if path.exists()), None)
    stages = read_yaml(lock).get("stages", {}) if lock else {}
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    return {out["path"]: out["md5"] for out in outs if "md5" in out}
